#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "onnx/format.hpp"
#include "onnx/names.hpp"

namespace fovea::onnx {

/// A node with the version of the default operator set that it is written in.
struct FlatNode {
  format::NodeProto* proto = nullptr;
  std::int64_t opset = 0;
  bool has_branches = false;  ///< an If whose branches stand in front of it
  /// Of a loop whose body stands in front of it, and of what that begins with.
  const format::GraphProto* body = nullptr;
  bool begins_body = false;
};

/// The nodes of the main graph in file order, calls of the model's local functions replaced by
/// their bodies, and both branches in front of each If, which then reads the condition, the results
/// of the one and those of the other. In front of a Loop or Scan stand a node of the same operator,
/// which reads what the loop does (and, in another body, that one's first value, so as to depend on
/// it) and makes what the body reads, and the body; the loop then reads what that node makes, and
/// what the body does.
struct Flattened {
  std::vector<FlatNode> nodes;
  std::deque<format::NodeProto> inlined;    ///< owns the nodes that came out of functions
  std::deque<format::GraphProto> branches;  ///< and those of branches and bodies
};

/// `opset`: the model's. Throws Error bad_model for recursion, chains of calls beyond
/// kMaxCallDepth, and more than kMaxNodes nodes. New names are added to `names`, which holds the
/// model's.
Flattened flatten(format::ModelProto& model, std::int64_t opset, Names& names);

/// The version of the default operator set among `imports`; 0 where there is none. Throws Error
/// bad_model for a domain that appears twice, and unsupported for a version out of range.
std::int64_t default_opset(const std::vector<format::OperatorSetIdProto>& imports);

/// "ai.onnx" is another spelling of the default domain "".
bool is_default_domain(std::string_view domain);

/// What a message calls a node: its name, or that of its first output.
std::string display_name(const format::NodeProto& node);

}  // namespace fovea::onnx
