#include <algorithm>
#include <array>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

using graph::Ints;
using graph::ReshapeKind;

void concat(NodeImport& n) {
  for (int i = 0; i < n.input_count(); ++i)
    if (!n.has_input(i)) n.bad("input " + std::to_string(i) + " is missing");
  n.emit(graph::Concat{n.attributes.require_int("axis")});
}

void check_sizes(const NodeImport& n, const Ints& sizes) {
  if (static_cast<int>(sizes.size()) != n.output_count())
    n.bad("it names " + std::to_string(sizes.size()) + " sizes for " +
          std::to_string(n.output_count()) + " outputs");
  for (const auto size : sizes)
    if (size < 0) n.bad("a size is negative");
}

void split_by_attribute(NodeImport& n) {
  graph::Split op{n.attributes.get_int("axis", 0), n.attributes.get_ints("split")};
  if (op.sizes) check_sizes(n, *op.sizes);
  n.emit_all(std::move(op));
}

void split_by_input(NodeImport& n) {
  const graph::Split op{n.attributes.get_int("axis", 0), {}};
  if (n.opset() >= 18 && n.attributes.has("num_outputs")) {
    if (n.has_input(1)) n.bad("it has both sizes and num_outputs");
    if (n.attributes.get_int("num_outputs", 0) != n.output_count())
      n.bad("its num_outputs is not the number of its outputs");
  }
  n.emit_all(op);
}

void slice_by_attributes(NodeImport& n) {
  graph::Slice op;
  op.starts = n.attributes.require_ints("starts");
  op.ends = n.attributes.require_ints("ends");
  op.axes = n.attributes.get_ints("axes");
  if (op.starts->size() != op.ends->size() || (op.axes && op.axes->size() != op.starts->size()))
    n.bad("its attributes differ in length");
  n.emit(std::move(op));
}
void slice_by_inputs(NodeImport& n) {
  n.emit(graph::Slice{});
}

graph::PadMode read_pad_mode(NodeImport& n) {
  return n.attributes.get_choice<graph::PadMode>("mode", "constant",
                                                 {{"constant", graph::PadMode::constant},
                                                  {"reflect", graph::PadMode::reflect},
                                                  {"edge", graph::PadMode::edge},
                                                  {"wrap", graph::PadMode::wrap}});
}
void pad_by_attributes(NodeImport& n) {
  graph::Pad op;
  op.mode = read_pad_mode(n);
  op.pads = n.attributes.require_ints("pads");
  op.value = n.attributes.get_float("value", 0);
  for (const auto pad : *op.pads)
    if (pad < -kMaxExtent || pad > kMaxExtent) n.bad("an entry of pads is out of range");
  n.emit(std::move(op));
}
void pad_by_inputs(NodeImport& n) {
  graph::Pad op;
  op.mode = read_pad_mode(n);
  n.emit(std::move(op));
}

void reshape(NodeImport& n) {
  graph::Reshape op;
  op.allow_zero = n.opset() >= 14 && n.attributes.get_flag("allowzero", false);
  n.emit(std::move(op));
}

void flatten(NodeImport& n) {
  const auto axis = n.attributes.get_int("axis", 1);
  n.emit(graph::Reshape{ReshapeKind::flatten, Ints{axis}, false});
}

void squeeze_by_attribute(NodeImport& n) {
  n.emit(graph::Reshape{ReshapeKind::squeeze, n.attributes.get_ints("axes"), false});
}
void squeeze_by_input(NodeImport& n) {
  n.emit(graph::Reshape{ReshapeKind::squeeze, {}, false});
}
void unsqueeze_by_attribute(NodeImport& n) {
  n.emit(graph::Reshape{ReshapeKind::unsqueeze, n.attributes.require_ints("axes"), false});
}
void unsqueeze_by_input(NodeImport& n) {
  n.emit(graph::Reshape{ReshapeKind::unsqueeze, {}, false});
}

void transpose(NodeImport& n) {
  graph::Transpose op{n.attributes.get_ints("perm").value_or(Ints{})};
  auto sorted = op.perm;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<std::int64_t>(i)) n.bad("perm is not a permutation");
  n.emit(std::move(op));
}

void expand(NodeImport& n) {
  n.emit(graph::Expand{});
}
void tile(NodeImport& n) {
  n.emit(graph::Tile{});
}

constexpr std::array kRows{
    Row{"Concat", kOldestOpset, kNewestOpset, 1, kAny, concat},
    Row{"Split", kOldestOpset, 12, 1, 1, split_by_attribute, {}, kAny, true},
    Row{"Split", 13, kNewestOpset, 1, 2, split_by_input, {}, kAny, true},
    Row{"Slice", kOldestOpset, 9, 1, 1, slice_by_attributes},
    Row{"Slice", 10, kNewestOpset, 3, 5, slice_by_inputs},
    Row{"Pad", kOldestOpset, 10, 1, 1, pad_by_attributes},
    Row{"Pad", 11, 17, 2, 3, pad_by_inputs},
    Row{"Pad", 18, kNewestOpset, 2, 4, pad_by_inputs},
    Row{"Reshape", kOldestOpset, kNewestOpset, 2, 2, reshape},
    Row{"Flatten", kOldestOpset, kNewestOpset, 1, 1, flatten},
    Row{"Squeeze", kOldestOpset, 12, 1, 1, squeeze_by_attribute},
    Row{"Squeeze", 13, kNewestOpset, 1, 2, squeeze_by_input},
    Row{"Unsqueeze", kOldestOpset, 12, 1, 1, unsqueeze_by_attribute},
    Row{"Unsqueeze", 13, kNewestOpset, 2, 2, unsqueeze_by_input},
    Row{"Transpose", kOldestOpset, kNewestOpset, 1, 1, transpose},
    Row{"Expand", 8, kNewestOpset, 2, 2, expand},
    Row{"Tile", kOldestOpset, kNewestOpset, 2, 2, tile},
};

}  // namespace

std::span<const Row> shape_rows() {
  return kRows;
}

}  // namespace fovea::onnx
