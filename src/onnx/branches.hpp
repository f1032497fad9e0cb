#pragma once

#include <cstddef>
#include <functional>

#include "onnx_subset.pb.h"

namespace fovea::onnx {

/// An If of the format's own, as it should be: a condition, two graphs.
bool has_branches(const fovea_onnx::NodeProto& node);

/// Every node within the branches of an If, and within those of the Ifs there. Messages do not nest
/// deeper than kMaxDepth.
void visit_branches(const fovea_onnx::NodeProto& node,
                    const std::function<void(const fovea_onnx::NodeProto&)>& visit);

/// How many constants lie in the branches, at any depth.
std::size_t constants_within(const fovea_onnx::NodeProto& node);

}  // namespace fovea::onnx
