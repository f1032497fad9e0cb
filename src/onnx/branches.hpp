#pragma once

#include <cstddef>
#include <functional>

#include "onnx/format.hpp"

namespace fovea::onnx {

/// An If of the format's own, as it should be: a condition, two graphs.
bool has_branches(const format::NodeProto& node);

/// A Loop or Scan of the format's own with a graph for its body.
bool has_body(const format::NodeProto& node);

/// Every node within the branches of an If or the body of a loop, and within those of the nodes
/// there. Messages do not nest deeper than kMaxDepth.
void visit_branches(const format::NodeProto& node,
                    const std::function<void(const format::NodeProto&)>& visit);

/// How many nodes stand for what is none in those graphs, at any depth: constants, and what bodies
/// begin with.
std::size_t nodes_added_within(const format::NodeProto& node);

}  // namespace fovea::onnx
