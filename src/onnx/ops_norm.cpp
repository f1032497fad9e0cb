#include <array>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

void batch_norm(NodeImport& n) {
  graph::BatchNorm op;
  op.epsilon = n.attributes.get_epsilon("epsilon", 1e-5f);
  n.attributes.ignore({"momentum"});
  if (n.opset() < 9 && !n.attributes.get_flag("spatial", true))
    n.unsupported("with statistics per element (spatial 0)");
  const bool training = n.opset() < 7    ? !n.attributes.get_flag("is_test", false)
                        : n.opset() < 14 ? n.output_named(1)  // its outputs say so
                                         : n.attributes.get_flag("training_mode", false);
  if (training) n.unsupported("in training mode");
  n.emit(std::move(op));
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

constexpr std::array kRows{
    Row{"BatchNormalization", kOldestOpset, 13, 5, 5, batch_norm, "inference form", 5},
    Row{"BatchNormalization", 14, kNewestOpset, 5, 5, batch_norm, "inference form", 3},
    Row{"LayerNormalization", 17, kNewestOpset, 2, 3, layer_norm, "not its further outputs", 3},
    Row{"InstanceNormalization", kOldestOpset, kNewestOpset, 3, 3, instance_norm},
    Row{"GroupNormalization", 18, 20, 3, 3, group_norm, "scale and bias per group"},
    Row{"GroupNormalization", 21, kNewestOpset, 3, 3, group_norm, "scale and bias per channel"},
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
