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

void scatter_nd(NodeImport& n) {
  const auto reduction = n.attributes.get_string("reduction", "none");
  if (reduction == "add" || reduction == "mul" || reduction == "max" || reduction == "min")
    n.unsupported("with reduction " + reduction);
  if (reduction != "none") n.bad("its reduction does not exist");
  n.emit(graph::ScatterND{});
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

constexpr std::array kRows{
    Row{"Gather", kOldestOpset, kNewestOpset, 2, 2, gather},
    Row{"GatherElements", 11, kNewestOpset, 2, 2, gather_elements},
    Row{"GatherND", 11, kNewestOpset, 2, 2, gather_nd},
    Row{"ScatterND", 11, kNewestOpset, 3, 3, scatter_nd, "not with a reduction"},
    Row{"DepthToSpace", kOldestOpset, kNewestOpset, 1, 1, depth_to_space},
    Row{"SpaceToDepth", kOldestOpset, kNewestOpset, 1, 1, space_to_depth},
};

}  // namespace

std::span<const Row> gather_rows() {
  return kRows;
}

}  // namespace fovea::onnx
