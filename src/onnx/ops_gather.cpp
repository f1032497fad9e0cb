#include <array>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

void gather(NodeImport& n) {
  n.emit(graph::Gather{n.attributes.get_int("axis", 0)});
}

void gather_elements(NodeImport& n) {
  n.emit(graph::GatherElements{n.attributes.get_int("axis", 0)});
}

void gather_nd(NodeImport& n) {
  const auto batch = n.attributes.get_int("batch_dims", 0);
  if (batch < 0) n.bad("batch_dims is negative");
  n.emit(graph::GatherND{batch});
}

graph::ScatterKind read_reduction(NodeImport& n) {
  using graph::ScatterKind;
  return n.attributes.get_choice<ScatterKind>("reduction", "none",
                                              {{"none", ScatterKind::replace},
                                               {"add", ScatterKind::add},
                                               {"mul", ScatterKind::mul},
                                               {"max", ScatterKind::max},
                                               {"min", ScatterKind::min}});
}

/// Sums and products leave the type.
template <class Operator>
void emit_scatter(NodeImport& n, Operator op) {
  using graph::ScatterKind;
  const bool leaves = op.kind == ScatterKind::add || op.kind == ScatterKind::mul;
  n.emit_within(leaves ? n.type(0) : DataType::boolean, op, n.inputs());
}

void scatter_nd(NodeImport& n) {
  emit_scatter(n, graph::ScatterND{read_reduction(n)});
}

void scatter_elements(NodeImport& n) {
  emit_scatter(n, graph::ScatterElements{n.attributes.get_int("axis", 0), read_reduction(n)});
}

std::int64_t read_block(NodeImport& n) {
  const auto block = n.attributes.require_int("blocksize");
  if (block < 1 || block > kMaxExtent) n.bad("blocksize is out of range");
  return block;
}

void depth_to_space(NodeImport& n) {
  graph::DepthToSpace op;
  op.block = read_block(n);
  op.column_row_depth =
      n.attributes.get_choice<bool>("mode", "DCR", {{"DCR", false}, {"CRD", true}});
  n.emit(std::move(op));
}

void space_to_depth(NodeImport& n) {
  n.emit(graph::SpaceToDepth{read_block(n)});
}

constexpr std::string_view kScatter = "with reduction mul, max and min without a gradient";

constexpr std::array kRows{
    Row{"Gather", kOldestOpset, kNewestOpset, 2, 2, gather},
    Row{"GatherElements", 11, kNewestOpset, 2, 2, gather_elements},
    Row{"GatherND", 11, kNewestOpset, 2, 2, gather_nd},
    Row{"ScatterND", 11, kNewestOpset, 3, 3, scatter_nd, kScatter},
    Row{"ScatterElements", 11, kNewestOpset, 3, 3, scatter_elements, kScatter},
    Row{"Scatter", 9, 10, 3, 3, scatter_elements},
    Row{"DepthToSpace", kOldestOpset, kNewestOpset, 1, 1, depth_to_space},
    Row{"SpaceToDepth", kOldestOpset, kNewestOpset, 1, 1, space_to_depth},
};

}  // namespace

std::span<const Row> gather_rows() {
  return kRows;
}

}  // namespace fovea::onnx
