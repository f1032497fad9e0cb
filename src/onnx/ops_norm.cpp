#include <array>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

// Statistics per element, of whatever rank: (x - mean) scale / sqrt(variance + epsilon) + bias.
void norm_elements(NodeImport& n, float epsilon) {
  using graph::BinaryKind;
  const auto binary = [&](BinaryKind kind, graph::ValueId a, graph::ValueId b) {
    return n.step(graph::Binary{kind}, {a, b});
  };
  const auto shifted = binary(BinaryKind::add, n.input(4), n.floats({}, {epsilon}));
  const auto deviation = n.step(graph::Unary{.kind = graph::UnaryKind::sqrt}, {shifted});
  const auto factor = binary(BinaryKind::div, n.input(1), deviation);
  const auto centred = binary(BinaryKind::sub, n.input(0), n.input(3));
  n.emit(graph::Binary{BinaryKind::add}, {binary(BinaryKind::mul, centred, factor), n.input(2)});
}

void batch_norm(NodeImport& n) {
  graph::BatchNorm op;
  op.epsilon = n.attributes.get_epsilon("epsilon", 1e-5f);
  n.attributes.ignore({"momentum"});
  const bool per_element = n.opset() < 9 && !n.attributes.get_flag("spatial", true);
  op.training = n.opset() < 7    ? !n.attributes.get_flag("is_test", false)
                : n.opset() < 14 ? n.output_named(1)  // its outputs say so
                                 : n.attributes.get_flag("training_mode", false);
  if (!per_element) {
    n.emit(std::move(op));
    return;
  }
  if (op.training) n.unsupported("in training mode, with statistics per element (spatial 0)");
  // A vector of them is that of [n, c], where elements are channels.
  const auto* scale = n.constant_input(1);
  if (scale != nullptr && scale->shape.size() == 1)
    n.emit(std::move(op));
  else
    norm_elements(n, op.epsilon);
}

// Mean and deviation in another precision than f32 come out the same here.
void layer_norm(NodeImport& n) {
  graph::LayerNorm op;
  op.axis = n.attributes.get_int("axis", -1);
  op.epsilon = n.attributes.get_epsilon("epsilon", 1e-5f);
  n.attributes.ignore({"stash_type"});
  n.emit(std::move(op));
}

void instance_norm(NodeImport& n) {
  n.emit(graph::InstanceNorm{n.attributes.get_epsilon("epsilon", 1e-5f)});
}

void group_norm(NodeImport& n) {
  graph::GroupNorm op;
  op.groups = n.attributes.require_int("num_groups");
  if (op.groups < 1 || op.groups > kMaxExtent) n.bad("num_groups is out of range");
  op.epsilon = n.attributes.get_epsilon("epsilon", 1e-5f);
  n.attributes.ignore({"stash_type"});
  n.emit(std::move(op));
}

void lrn(NodeImport& n) {
  graph::Lrn op;
  op.size = n.attributes.require_int("size");
  if (op.size < 1 || op.size > kMaxExtent) n.bad("size is out of range");
  op.alpha = n.attributes.get_float("alpha", 1e-4f);
  op.beta = n.attributes.get_float("beta", 0.75f);
  op.bias = n.attributes.get_float("bias", 1);
  n.emit(std::move(op));
}

// Up to opset 12 over all axes from `axis` on, then over that axis alone.
template <bool kLog>
void softmax_flat(NodeImport& n) {
  n.emit(graph::Softmax{n.attributes.get_int("axis", 1), kLog, true});
}
template <bool kLog>
void softmax(NodeImport& n) {
  n.emit(graph::Softmax{n.attributes.get_int("axis", -1), kLog, false});
}

// 1 at the largest element, with the same change at opset 13.
template <bool kFlatten>
void hardmax(NodeImport& n) {
  n.emit(graph::Hardmax{n.attributes.get_int("axis", kFlatten ? 1 : -1), kFlatten});
}

graph::Reduce along(graph::ReduceKind kind, graph::Ints axes) {
  graph::Reduce op;
  op.kind = kind;
  op.axes = std::move(axes);
  return op;
}

// Divided by the sum of |x|, or its root of squares; what is 0 stays so.
void lp_norm(NodeImport& n) {
  const auto p = n.attributes.get_int("p", 2);
  if (p != 1 && p != 2) n.bad("p is neither 1 nor 2");
  const auto kind = p == 1 ? graph::ReduceKind::l1 : graph::ReduceKind::l2;
  const auto norm = n.step(along(kind, {n.attributes.get_int("axis", -1)}), {n.input(0)});
  const auto zero = n.step(graph::Binary{graph::BinaryKind::equal}, {norm, n.floats({}, {0})});
  const auto divisor = n.step(graph::Where{}, {zero, n.floats({}, {1}), norm});
  n.emit(graph::Binary{graph::BinaryKind::div}, {n.input(0), divisor});
}

void mean_variance_norm(NodeImport& n) {
  using graph::BinaryKind;
  const auto axes = n.attributes.get_ints("axes").value_or(graph::Ints{0, 2, 3});
  const auto binary = [&](BinaryKind kind, graph::ValueId a, graph::ValueId b) {
    return n.step(graph::Binary{kind}, {a, b});
  };
  const auto mean = [&](graph::ValueId value) {
    return n.step(along(graph::ReduceKind::mean, axes), {value});
  };
  const auto centred = binary(BinaryKind::sub, n.input(0), mean(n.input(0)));
  const auto variance = mean(binary(BinaryKind::mul, centred, centred));
  const auto deviation = n.step(graph::Unary{.kind = graph::UnaryKind::sqrt}, {variance});
  const auto divisor = binary(BinaryKind::add, deviation, n.floats({}, {1e-9f}));
  n.emit(graph::Binary{BinaryKind::div}, {centred, divisor});
}

// Divided by the root of the mean square over the axes from `axis` on.
void rms_norm(NodeImport& n) {
  using graph::BinaryKind;
  const auto binary = [&](BinaryKind kind, graph::ValueId a, graph::ValueId b) {
    return n.step(graph::Binary{kind}, {a, b});
  };
  n.attributes.ignore({"stash_type"});
  const auto axis = n.attributes.get_int("axis", -1);
  const float epsilon = n.attributes.get_epsilon("epsilon", 1e-5f);
  const auto x = n.input(0);
  auto last = n.integer(0);
  if (axis >= 0)
    last = n.step(graph::Reshape{graph::ReshapeKind::squeeze, {}, false},
                  {n.step(graph::ShapeOf{}, {n.step(graph::ShapeOf{}, {x})})});
  if (axis > 64) n.unsupported("with axis " + std::to_string(axis));
  // The first by itself: beyond the rank there are no others, and no axes would be all of them.
  const auto others = n.step(graph::Range{}, {n.integer(axis + 1), last, n.integer(1)});
  const auto first = n.step(graph::Reshape{.spec = graph::Ints{1}}, {n.integer(axis)});
  const auto axes = n.step(graph::Concat{0}, {first, others});
  graph::Reduce reduce;
  reduce.kind = graph::ReduceKind::mean;
  const auto mean = n.step(reduce, {binary(BinaryKind::mul, x, x), axes});
  const auto shifted = binary(BinaryKind::add, mean, n.floats({}, {epsilon}));
  const auto root = n.step(graph::Unary{.kind = graph::UnaryKind::sqrt}, {shifted});
  n.emit(graph::Binary{BinaryKind::mul}, {binary(BinaryKind::div, x, root), n.input(1)});
}

constexpr std::string_view kBatchNorm = "inference form; in training mode of constants alone";

constexpr std::array kRows{
    Row{"BatchNormalization", kOldestOpset, 13, 5, 5, batch_norm, kBatchNorm, 5},
    Row{"BatchNormalization", 14, kNewestOpset, 5, 5, batch_norm, kBatchNorm, 3},
    Row{"LayerNormalization", 17, kNewestOpset, 2, 3, layer_norm, "not its further outputs", 3},
    Row{"InstanceNormalization", kOldestOpset, kNewestOpset, 3, 3, instance_norm},
    Row{"GroupNormalization", 18, 20, 3, 3, group_norm, "scale and bias per group"},
    Row{"GroupNormalization", 21, kNewestOpset, 3, 3, group_norm, "scale and bias per channel"},
    Row{"RMSNormalization", 23, kNewestOpset, 2, 2, rms_norm},
    Row{"LpNormalization", kOldestOpset, kNewestOpset, 1, 1, lp_norm},
    Row{"MeanVarianceNormalization", 9, kNewestOpset, 1, 1, mean_variance_norm},
    Row{"Hardmax", kOldestOpset, 12, 1, 1, hardmax<true>},
    Row{"Hardmax", 13, kNewestOpset, 1, 1, hardmax<false>},
    Row{"LRN", kOldestOpset, kNewestOpset, 1, 1, lrn},
    Row{"Softmax", kOldestOpset, 12, 1, 1, softmax_flat<false>},
    Row{"Softmax", 13, kNewestOpset, 1, 1, softmax<false>},
    Row{"LogSoftmax", kOldestOpset, 12, 1, 1, softmax_flat<true>},
    Row{"LogSoftmax", 13, kNewestOpset, 1, 1, softmax<true>},
};

}  // namespace

std::span<const Row> norm_rows() {
  return kRows;
}

}  // namespace fovea::onnx
