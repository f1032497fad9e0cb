#include <array>
#include <limits>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

/// What is decided by where an element lies: written as arithmetic on extents, which is folded.
namespace fovea::onnx {
namespace {

using graph::Binary;
using graph::BinaryKind;
using graph::DType;
using graph::Ints;
using graph::Reshape;
using graph::ReshapeKind;
using graph::ValueId;

ValueId binary(NodeImport& n, BinaryKind kind, ValueId a, ValueId b) {
  return n.step(Binary{kind}, {a, b});
}

/// 0, 1, ... up to an extent of the value; `axis` from its end.
ValueId places(NodeImport& n, ValueId value, std::int64_t axis) {
  graph::ShapeOf extent;
  extent.start = axis;
  if (axis != -1) extent.end = axis + 1;
  return n.step(graph::Range{}, {n.integer(0), n.step(extent, {value}), n.integer(1)});
}

/// Of the last two axes, how far each element lies above the diagonal.
ValueId above_diagonal(NodeImport& n, ValueId value) {
  const auto row = n.step(Reshape{ReshapeKind::unsqueeze, Ints{1}, false}, {places(n, value, -2)});
  return binary(n, BinaryKind::sub, places(n, value, -1), row);
}

/// Of the shape of its input alone.
void eye_like(NodeImport& n) {
  const auto type =
      n.attributes.has("dtype") ? data_type(n.attributes.require_int("dtype")) : n.type(0);
  const auto k = n.integer(n.attributes.get_int("k", 0));
  n.set_result(type);
  const auto on = binary(n, BinaryKind::equal, above_diagonal(n, n.input(0)), k);
  n.emit(graph::Cast{graph_type(type)}, {on});
}

void trilu(NodeImport& n) {
  const bool upper = n.attributes.get_flag("upper", true);
  const auto k = n.has_input(1) ? n.input(1) : n.integer(0);
  const auto kept = binary(n, upper ? BinaryKind::greater_or_equal : BinaryKind::less_or_equal,
                           above_diagonal(n, n.input(0)), k);
  const auto type = graph_type(n.type(0));
  const auto zero =
      type == DType::f32 ? n.floats({}, {0}) : n.step(graph::Cast{type}, {n.integer(0)});
  n.emit(graph::Where{}, {kept, n.input(0), zero});
}

/// Reshaped to [extent, 1, ...] with as many ones as the indices have axes from `axis` on.
ValueId aligned(NodeImport& n, ValueId classes, ValueId indices, std::int64_t axis) {
  if (axis < 0) {
    Ints ones;
    for (std::int64_t d = 1; d < -axis; ++d) ones.push_back(d);
    return n.step(Reshape{ReshapeKind::unsqueeze, ones, false}, {classes});
  }
  const auto rank = n.step(graph::ShapeOf{}, {n.step(graph::ShapeOf{}, {indices})});
  const auto behind = binary(n, BinaryKind::sub, rank, n.ints({axis}));
  const auto ones = n.step(graph::ConstantOfShape{DType::i64, 1}, {behind});
  const auto shape = n.step(graph::Concat{0}, {n.step(graph::ShapeOf{}, {classes}), ones});
  return n.step(Reshape{}, {classes, shape});
}

/// An index below 0 counts from the end; one that is in no class is off everywhere.
void one_hot(NodeImport& n) {
  const auto axis = n.attributes.get_int("axis", -1);
  if (axis < -kMaxExtent || axis > kMaxExtent) n.bad("axis is out of range");
  const auto integer = [&](int i) { return n.step(graph::Cast{DType::i64}, {n.input(i)}); };
  const auto depth = n.step(Reshape{ReshapeKind::squeeze, {}, false}, {integer(1)});
  auto index = integer(0);
  const auto below = binary(n, BinaryKind::less, index, n.integer(0));
  index = n.step(graph::Where{}, {below, binary(n, BinaryKind::add, index, depth), index});
  const auto classes = n.step(graph::Range{}, {n.integer(0), depth, n.integer(1)});
  const auto hit = binary(n, BinaryKind::equal,
                          n.step(Reshape{ReshapeKind::unsqueeze, Ints{axis}, false}, {index}),
                          aligned(n, classes, index, axis));
  const auto value = [&](std::int64_t i) {
    return n.step(graph::Gather{0}, {n.input(2), n.integer(i)});
  };
  n.set_result(n.type(2));
  n.emit(graph::Where{}, {hit, value(1), value(0)});
}

void non_zero(NodeImport& n) {
  n.set_result(DataType::i64);
  n.emit(graph::NonZero{});
}

void compress(NodeImport& n) {
  const auto flat = [&](ValueId value) { return n.step(Reshape{}, {value, n.ints({-1})}); };
  const auto chosen = flat(n.step(graph::NonZero{}, {n.input(1)}));
  if (n.attributes.has("axis"))
    n.emit(graph::Gather{n.attributes.require_int("axis")}, {n.input(0), chosen});
  else
    n.emit(graph::Gather{0}, {flat(n.input(0)), chosen});
}

/// Cut off, or zeros put on, at both ends alike; the odd one at the end.
void center_crop_pad(NodeImport& n) {
  const auto axes = n.attributes.get_ints("axes");
  auto extents = n.step(graph::ShapeOf{}, {n.input(0)});
  ValueId along;
  if (axes) {
    along = n.ints(*axes);
    extents = n.step(graph::Gather{0}, {extents, along});
  }
  const auto more = binary(n, BinaryKind::sub, n.input(1), extents);
  const auto before = binary(n, BinaryKind::div, more, n.integer(2));
  const auto pads = n.step(graph::Concat{0}, {before, binary(n, BinaryKind::sub, more, before)});
  std::vector<ValueId> inputs{n.input(0), pads};
  if (along) inputs.insert(inputs.end(), {ValueId{}, along});
  n.emit(graph::Pad{}, std::move(inputs));
}

/// theta [n, rank, rank + 1] times every place of a map, each axis from -1 to 1, the last one
/// first.
void affine_grid(NodeImport& n) {
  const bool corners = n.attributes.get_flag("align_corners", false);
  const auto slice = [&](ValueId value, std::int64_t start, std::int64_t step) {
    const std::int64_t end = step > 0 ? kMaxExtent : std::numeric_limits<std::int64_t>::min();
    return n.step(graph::Slice{Ints{start}, Ints{end}, Ints{0}, Ints{step}}, {value});
  };
  const auto real = [&](ValueId value) { return n.step(graph::Cast{DType::f32}, {value}); };
  const auto spatial = slice(n.input(1), 2, 1);
  const auto ones = n.step(graph::ConstantOfShape{DType::i64, 1}, {spatial});
  // [rank, places], the last axis first.
  const auto place = real(slice(n.step(graph::NonZero{}, {ones}), -1, -1));
  const auto extent =
      real(n.step(Reshape{ReshapeKind::unsqueeze, Ints{1}, false}, {slice(spatial, -1, -1)}));
  const auto one = n.floats({}, {1}), two = n.floats({}, {2});
  const auto twice = binary(n, BinaryKind::mul, place, two);
  ValueId at;
  if (corners) {
    // An axis of one place has it in the middle.
    const auto steps = binary(n, BinaryKind::sub, extent, one);
    const auto part = binary(n, BinaryKind::div, twice, binary(n, BinaryKind::max, steps, one));
    at = binary(n, BinaryKind::sub, part, binary(n, BinaryKind::min, steps, one));
  } else {
    const auto part = binary(n, BinaryKind::div, binary(n, BinaryKind::add, twice, one), extent);
    at = binary(n, BinaryKind::sub, part, one);
  }
  // A row of ones below, for what moves.
  const auto zeros = binary(n, BinaryKind::mul, slice(at, 0, 1), n.floats({}, {0}));
  graph::Reduce any;
  any.kind = graph::ReduceKind::max;
  any.axes = Ints{0};
  const auto row = binary(n, BinaryKind::add, n.step(any, {zeros}), one);
  const auto base = n.step(graph::Concat{0}, {at, row});
  const auto grid =
      n.step(graph::Transpose{Ints{0, 2, 1}}, {n.step(graph::MatMul{}, {n.input(0), base})});
  graph::ShapeOf images, rank;
  images.end = 1;
  rank.start = 0;
  const auto shape =
      n.step(graph::Concat{0}, {n.step(images, {n.input(0)}), spatial, n.step(rank, {spatial})});
  n.emit(Reshape{}, {grid, shape});
}

constexpr std::string_view kSelects = "selects by the data: below";

constexpr std::array kRows{
    Row{"EyeLike", 9, kNewestOpset, 1, 1, eye_like},
    Row{"Trilu", 14, kNewestOpset, 1, 2, trilu},
    Row{"OneHot", 9, kNewestOpset, 3, 3, one_hot, "depth must be known"},
    Row{"NonZero", 9, kNewestOpset, 1, 1, non_zero, kSelects},
    Row{"Compress", 9, kNewestOpset, 2, 2, compress, kSelects},
    Row{"AffineGrid", 20, kNewestOpset, 2, 2, affine_grid},
    Row{"CenterCropPad", 18, kNewestOpset, 2, 2, center_crop_pad},
};

}  // namespace

std::span<const Row> index_rows() {
  return kRows;
}

}  // namespace fovea::onnx
