#include <array>
#include <string>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

/// What picks by rank, by overlap, by region or by chance.
namespace fovea::onnx {
namespace {

using graph::Binary;
using graph::BinaryKind;
using graph::DType;
using graph::Ints;
using graph::Reshape;
using graph::ShapeOf;
using graph::ValueId;

// The values are gathered by the indices: their gradient leads to what they were picked from.
void top_k(NodeImport& n) {
  graph::TopK op;
  op.axis = n.attributes.get_int("axis", -1);
  if (n.opset() < 10) op.k = n.attributes.require_int("k");
  if (n.opset() > 10) {
    op.largest = n.attributes.get_flag("largest", true);
    n.attributes.ignore({"sorted"});  // in order is an order, too
  }
  const auto axis = op.axis;
  const auto indices = n.emit_output(1, std::move(op), n.inputs(), DataType::i64);
  n.emit_output(0, graph::GatherElements{axis}, {n.input(0), indices}, n.type(0));
}

void non_max_suppression(NodeImport& n) {
  const bool centers = n.attributes.get_flag("center_point_box", false);
  n.set_result(DataType::i64);
  n.emit(graph::NonMaxSuppression{centers});
}

void roi_align(NodeImport& n) {
  graph::RoiAlign op;
  op.max = n.attributes.get_choice<bool>("mode", "avg", {{"avg", false}, {"max", true}});
  op.rows = n.attributes.get_int("output_height", 1);
  op.columns = n.attributes.get_int("output_width", 1);
  op.samples = n.attributes.get_int("sampling_ratio", 0);
  for (const auto extent : {op.rows, op.columns})
    if (extent < 1 || extent > kMaxExtent) n.bad("an extent is out of range");
  // Of each cell along each axis: more tell nothing more of a map.
  constexpr std::int64_t kMostSamples = 256;
  if (op.samples < 0 || op.samples > kMostSamples)
    n.bad("sampling_ratio is not from 0 to " + std::to_string(kMostSamples));
  op.scale = n.attributes.get_float("spatial_scale", 1);
  op.half_pixel = n.opset() >= 16 && n.attributes.get_choice<bool>(
                                         "coordinate_transformation_mode", "half_pixel",
                                         {{"half_pixel", true}, {"output_half_pixel", false}});
  n.emit(op);
}

ValueId extents(NodeImport& n, ValueId value, std::int64_t begin, std::optional<std::int64_t> end) {
  return n.step(ShapeOf{begin, end}, {value});
}

/// Each element to where its index says, in a tensor of zeros.
void max_unpool(NodeImport& n) {
  const auto kernel = n.attributes.require_ints("kernel_shape");
  const auto strides = n.attributes.get_ints("strides").value_or(Ints(kernel.size(), 1));
  const auto pads = n.attributes.get_ints("pads").value_or(Ints(2 * kernel.size(), 0));
  if (strides.size() != kernel.size() || pads.size() != 2 * kernel.size())
    n.bad("its attributes differ in the number of dimensions");
  ValueId shape = n.input(2);
  if (!shape) {
    Ints beyond;  // what the last window covers, less the padding and the stride that it lacks
    for (std::size_t d = 0; d < kernel.size(); ++d) {
      for (const auto number : {kernel[d], strides[d], pads[d], pads[kernel.size() + d]})
        if (number < 0 || number > kMaxExtent) n.bad("an attribute is out of range");
      beyond.push_back(kernel[d] - strides[d] - pads[d] - pads[kernel.size() + d]);
    }
    const auto steps =
        n.step(Binary{BinaryKind::mul}, {extents(n, n.input(0), 2, std::nullopt), n.ints(strides)});
    const auto spatial = n.step(Binary{BinaryKind::add}, {steps, n.ints(beyond)});
    shape = n.step(graph::Concat{0}, {extents(n, n.input(0), 0, 2), spatial});
  }
  const auto flat = [&](ValueId value) { return n.step(Reshape{}, {value, n.ints({-1})}); };
  graph::Reduce product;
  product.kind = graph::ReduceKind::prod;
  const auto zeros = n.step(graph::ConstantOfShape{}, {flat(n.step(product, {shape}))});
  const auto out = n.step(graph::ScatterElements{}, {zeros, flat(n.input(1)), flat(n.input(0))});
  n.emit(Reshape{}, {out, shape});
}

/// The indices of each element's mirror image within its sequence, broadcast to all of them.
void reverse_sequence(NodeImport& n) {
  const auto batch = n.attributes.get_int("batch_axis", 1);
  const auto time = n.attributes.get_int("time_axis", 0);
  if (batch < 0 || batch > 1 || time != 1 - batch) n.bad("its axes are not 0 and 1");
  const auto spread = [&](ValueId value, bool first) {
    return n.step(Reshape{graph::ReshapeKind::unsqueeze, Ints{first ? 1 : 0}, false}, {value});
  };
  const auto x = n.input(0);
  const auto steps =
      n.step(Reshape{graph::ReshapeKind::squeeze, {}, false}, {extents(n, x, time, time + 1)});
  const auto place = spread(n.step(graph::Range{}, {n.integer(0), steps, n.integer(1)}), time == 0);
  const auto length = spread(n.input(1), time == 1);
  const auto minus = [&](ValueId a, ValueId b) { return n.step(Binary{BinaryKind::sub}, {a, b}); };
  const auto inside = n.step(Binary{BinaryKind::less}, {place, length});
  const auto mirrored = minus(minus(length, n.integer(1)), place);
  const auto index = n.step(graph::Where{}, {inside, mirrored, place});
  const auto rank = n.step(ShapeOf{}, {n.step(ShapeOf{}, {x})});
  const auto ones = n.step(graph::ConstantOfShape{DType::i64, 1}, {minus(rank, n.ints({2}))});
  const auto shape = n.step(graph::Concat{0}, {extents(n, x, 0, 2), ones});
  const auto everywhere =
      n.step(graph::Expand{}, {n.step(Reshape{}, {index, shape}), n.step(ShapeOf{}, {x})});
  n.emit(graph::GatherElements{time}, {x, everywhere});
}

// Chance: what is expected of it, whatever the seed, so that no map depends on a draw.

DataType drawn_type(NodeImport& n, DataType otherwise) {
  n.attributes.ignore({"seed"});
  if (!n.attributes.has("dtype")) return otherwise;
  return data_type(n.attributes.require_int("dtype"));
}

void emit_filled(NodeImport& n, DataType type, float value, ValueId shape) {
  if (graph_type(type) != DType::f32) n.bad("its dtype is not one of floats");
  n.set_result(type);
  n.emit(graph::ConstantOfShape{DType::f32, value}, {shape});
}

float mean_of(NodeImport& n, bool uniform) {
  if (uniform) return (n.attributes.get_float("low", 0) + n.attributes.get_float("high", 1)) / 2;
  n.attributes.ignore({"scale"});
  return n.attributes.get_float("mean", 0);
}

template <bool kUniform>
void random_of_shape(NodeImport& n) {
  const auto type = drawn_type(n, DataType::f32);
  const auto mean = mean_of(n, kUniform);
  emit_filled(n, type, mean, n.ints(n.attributes.require_ints("shape")));
}

template <bool kUniform>
void random_like(NodeImport& n) {
  const auto type = drawn_type(n, n.type(0));
  const auto mean = mean_of(n, kUniform);
  emit_filled(n, type, mean, n.step(ShapeOf{}, {n.input(0)}));
}

void multinomial(NodeImport& n) {
  const auto count = n.attributes.get_int("sample_size", 1);
  if (count < 1 || count > kMaxExtent) n.bad("sample_size is out of range");
  n.set_result(drawn_type(n, DataType::i32));
  graph::Reduce likeliest;
  likeliest.kind = graph::ReduceKind::arg_max;
  likeliest.axes = Ints{1};
  if (count == 1) return n.emit(likeliest, {n.input(0)});
  n.emit(graph::Tile{}, {n.step(likeliest, {n.input(0)}), n.ints({1, count})});
}

void bernoulli(NodeImport& n) {
  const auto type = drawn_type(n, n.type(0));
  n.set_result(type);
  const auto likely = n.step(Binary{BinaryKind::greater}, {n.input(0), n.floats({}, {0.5f})});
  n.emit(graph::Cast{graph_type(type)}, {likely});
}

constexpr std::string_view kMean = "the mean, whatever the seed";
constexpr std::string_view kLikeliest = "the likeliest, whatever the seed";

constexpr std::array kRows{
    Row{"TopK", kOldestOpset, 9, 1, 1, top_k, {}, 2, true},
    Row{"TopK", 10, kNewestOpset, 2, 2, top_k, {}, 2, true},
    Row{"NonMaxSuppression", 10, kNewestOpset, 2, 5, non_max_suppression,
        "selects by the data: below"},
    Row{"RoiAlign", 10, kNewestOpset, 3, 3, roi_align, "no gradient to the regions"},
    Row{"MaxUnpool", 9, kNewestOpset, 2, 3, max_unpool, "indices count through output_shape"},
    Row{"ReverseSequence", 10, kNewestOpset, 2, 2, reverse_sequence},
    Row{"RandomNormal", kOldestOpset, kNewestOpset, 0, 0, random_of_shape<false>, kMean},
    Row{"RandomNormalLike", kOldestOpset, kNewestOpset, 1, 1, random_like<false>, kMean},
    Row{"RandomUniform", kOldestOpset, kNewestOpset, 0, 0, random_of_shape<true>, kMean},
    Row{"RandomUniformLike", kOldestOpset, kNewestOpset, 1, 1, random_like<true>, kMean},
    Row{"Multinomial", 7, kNewestOpset, 1, 1, multinomial, kLikeliest},
    Row{"Bernoulli", 15, kNewestOpset, 1, 1, bernoulli, kLikeliest},
};

}  // namespace

std::span<const Row> selection_rows() {
  return kRows;
}

}  // namespace fovea::onnx
