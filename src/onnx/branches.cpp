#include "onnx/branches.hpp"

#include <algorithm>

#include "onnx/flatten.hpp"

namespace fovea::onnx {

using format::NodeProto;

bool has_branches(const NodeProto& node) {
  if (node.op_type() != "If" || !is_default_domain(node.domain()) || node.input_size() != 1)
    return false;
  const auto has = [&](const char* name) {
    const auto& attributes = node.attribute();
    return std::count_if(attributes.begin(), attributes.end(), [&](const auto& attribute) {
             return attribute.name() == name && attribute.has_g();
           }) == 1;
  };
  return node.attribute_size() == 2 && has("then_branch") && has("else_branch");
}

bool has_body(const NodeProto& node) {
  if ((node.op_type() != "Loop" && node.op_type() != "Scan") || !is_default_domain(node.domain()))
    return false;
  const auto& attributes = node.attribute();
  const auto graphs = std::count_if(attributes.begin(), attributes.end(),
                                    [](const auto& attribute) { return attribute.has_g(); });
  return graphs == 1 && std::any_of(attributes.begin(), attributes.end(), [](const auto& one) {
           return one.name() == "body" && one.has_g();
         });
}

void visit_branches(const NodeProto& node, const std::function<void(const NodeProto&)>& visit) {
  if (!has_branches(node) && !has_body(node)) return;
  for (const auto& attribute : node.attribute())
    for (const auto& inner : attribute.g().node()) {
      visit(inner);
      visit_branches(inner, visit);
    }
}

std::size_t nodes_added_within(const NodeProto& node) {
  std::size_t out = 0;
  const auto count = [&out](const NodeProto& one) {
    if (!has_branches(one) && !has_body(one)) return;
    if (has_body(one)) ++out;
    for (const auto& attribute : one.attribute())
      out += static_cast<std::size_t>(attribute.g().initializer_size());
  };
  count(node);
  visit_branches(node, count);
  return out;
}

}  // namespace fovea::onnx
