#include "onnx/flatten.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "fovea/error.hpp"
#include "onnx/branches.hpp"
#include "onnx/functions.hpp"
#include "onnx/limits.hpp"
#include "onnx/text.hpp"

namespace fovea::onnx {
namespace {

using format::FunctionProto;
using format::ModelProto;
using format::NodeProto;

class Flattener {
 public:
  Flattener(ModelProto& model, std::int64_t opset, Names& names)
      : model_(model), opset_(opset), names_(names), functions_(model) {}

  Flattened run() {
    // Before the first copy: a small file may ask for more than there is memory.
    check_inlined_size(model_, functions_);
    for (auto& node : *model_.mutable_graph()->mutable_node()) visit(node, opset_, nullptr);
    return std::move(out_);
  }

 private:
  using Renames = std::unordered_map<std::string, std::string>;

  /// What names mean within a function's body, a branch or a loop's body. A function sees nothing
  /// outside itself; the others see all that is around them.
  struct Scope {
    const Renames& renames;
    const NodeProto& around;  ///< the call, the If or the loop
    std::string prefix;       ///< of the names that are made within
    const Scope* outer = nullptr;
    bool is_function = false;
  };

  void visit(NodeProto& node, std::int64_t opset, const Scope* scope) {
    // Calls count as well: a tower of empty functions would take exponential time.
    if (++visited_ > 2 * kMaxNodes || out_.nodes.size() >= kMaxNodes) refuse_inlined_nodes(node);
    if (const auto* function = functions_.called_by(node)) return expand(node, *function);
    // Of opset 8 a Scan is another operator, which has no row.
    if (has_body(node) && (opset > 8 || node.op_type() != "Scan"))
      return lay_out_body(node, opset, scope);
    const bool is_choice = has_branches(node);
    if (is_choice) lay_out_branches(node, opset, scope);
    out_.nodes.push_back({&node, opset, is_choice});
  }

  /// Of an If: both branches become nodes, and what they give its inputs.
  void lay_out_branches(NodeProto& node, std::int64_t opset, const Scope* scope) {
    std::vector<format::GraphProto*> bodies;
    for (const auto* name : {"then_branch", "else_branch"}) {
      auto& body = *bodies.emplace_back(&out_.branches.emplace_back());
      for (auto& attribute : *node.mutable_attribute())
        if (attribute.name() == name) std::swap(body, *attribute.mutable_g());
      if (body.output_size() != node.output_size())
        refuse(node, "a branch has another number of outputs than its If");
      if (body.input_size() > 0) refuse(node, "a branch of an If has inputs");
    }
    node.clear_attribute();
    for (auto* body : bodies) lay_out(*body, node, opset, scope);
  }

  /// Of a loop: the node that its body begins with, and the body.
  void lay_out_body(NodeProto& node, std::int64_t opset, const Scope* scope) {
    auto& body = out_.branches.emplace_back();
    auto& first = out_.inlined.emplace_back();
    first.set_op_type(node.op_type());
    first.set_name(display_name(node) + "/body");
    for (auto& attribute : *node.mutable_attribute())
      if (attribute.name() == "body" && attribute.has_g())
        std::swap(body, *attribute.mutable_g());
      else
        std::swap(*first.add_attribute(), attribute);
    node.clear_attribute();
    // The trip count and the condition may be left out.
    while (node.op_type() == "Loop" && node.input_size() < 2) node.add_input("");
    if (body.input_size() != node.input_size() || body.input_size() == 0)
      refuse(node, "its body has " + std::to_string(body.input_size()) + " inputs, where " +
                       std::to_string(node.input_size()) + " are needed");
    for (const auto& name : node.input()) first.add_input(name);
    node.clear_input();
    if (!bodies_.empty()) first.add_input(bodies_.back());
    lay_out(body, node, opset, scope, &first);
    out_.nodes.push_back({&node, opset, false, &body});
  }

  /// `first`: of a loop's body, the node that makes its inputs.
  void lay_out(format::GraphProto& body, NodeProto& around, std::int64_t opset, const Scope* outer,
               NodeProto* first = nullptr) {
    Renames renames{{"", ""}};
    const Scope scope{renames, around, outer == nullptr ? "" : outer->prefix, outer};
    const auto define = [&](const std::string& name) {
      const auto [it, is_new] = renames.emplace(name, names_.fresh(scope.prefix + name));
      if (!is_new)
        refuse(around, first == nullptr ? "a branch defines a value twice"
                                        : "its body defines a value twice, or one without a name");
      within_.insert(it->second);
    };
    if (first != nullptr) {
      for (const auto& input : body.input()) {
        define(input.name());
        first->add_output(renames.at(input.name()));
        around.add_input(first->output(first->output_size() - 1));
      }
      out_.nodes.push_back({first, opset, false, &body, true});
      bodies_.push_back(first->output(0));
    }
    for (const auto& tensor : body.initializer()) define(tensor.name());
    for (const auto& node : body.node())
      for (const auto& name : node.output())
        if (!name.empty()) define(name);
    for (auto& tensor : *body.mutable_initializer()) {
      auto& node = out_.inlined.emplace_back();
      node.set_op_type("Constant");
      node.add_output(renames.at(tensor.name()));
      auto& value = *node.add_attribute();
      value.set_name("value");
      value.set_type(4);
      std::swap(*value.mutable_t(), tensor);
      visit(node, opset, &scope);
    }
    for (auto& node : *body.mutable_node()) {
      if (!scope.prefix.empty()) node.set_name(scope.prefix + display_name(node));
      for (auto& name : *node.mutable_input()) name = resolved(&scope, name);
      for (auto& name : *node.mutable_output()) name = renames.at(name);
      visit(node, opset, &scope);
    }
    for (const auto& output : body.output()) around.add_input(resolved(&scope, output.name()));
    if (first != nullptr) bodies_.pop_back();
  }

  void expand(const NodeProto& call, const FunctionProto& function) {
    if (std::find(active_.begin(), active_.end(), &function) != active_.end())
      refuse(call, "a local function calls itself");
    if (active_.size() >= static_cast<std::size_t>(kMaxCallDepth))
      refuse(call, "local functions call each other more than " + std::to_string(kMaxCallDepth) +
                       " deep");
    if (call.input_size() > function.input_size() || call.output_size() > function.output_size())
      refuse(call, "a local function is called with more inputs or outputs than it has");
    inlined_bytes_ += function.encoded_bytes() + names_in(function) * display_name(call).size();
    if (inlined_bytes_ > kMaxInlinedBytes) refuse_inlined_bytes(call);
    active_.push_back(&function);
    const auto own = default_opset(function.opset_import());
    const auto renames = rename(call, function);
    const Scope scope{renames, call, display_name(call) + "/", nullptr, true};
    for (const auto& body : function.node()) {
      auto& node = out_.inlined.emplace_back(body);
      for (auto& name : *node.mutable_input()) name = resolved(&scope, name);
      for (auto& name : *node.mutable_output()) name = resolved(&scope, name);
      node.set_name(display_name(call) + "/" + display_name(body));
      bind_attributes(node, call, function);
      visit(node, own == 0 ? opset_ : own, &scope);
    }
    for (int i = 0; i < call.output_size(); ++i) pass_through(call, function, i, scope);
    active_.pop_back();
  }

  // Formal names to those of the call, and new names for what is inside.
  Renames rename(const NodeProto& call, const FunctionProto& function) {
    Renames out{{"", ""}};
    for (int i = 0; i < function.input_size(); ++i) {
      const bool given = i < call.input_size();
      if (!out.emplace(function.input(i), given ? call.input(i) : "").second)
        refuse(call, "a local function repeats an input name");
    }
    for (int i = 0; i < call.output_size(); ++i)
      if (!call.output(i).empty()) out.emplace(function.output(i), call.output(i));
    const auto prefix = display_name(call) + "/";
    // No name is made twice, and none is an input's.
    std::set<std::string_view> made(function.input().begin(), function.input().end());
    for (const auto& node : function.node())
      for (const auto& name : node.output()) {
        if (name.empty()) continue;
        if (!made.insert(name).second) refuse(call, "a local function defines a value twice");
        if (!out.contains(name)) out.emplace(name, names_.fresh(prefix + name));
      }
    return out;
  }

  std::string resolved(const Scope* scope, const std::string& name) {
    const auto& around = scope->around;
    for (; scope != nullptr; scope = scope->outer) {
      const auto it = scope->renames.find(name);
      if (it != scope->renames.end()) return it->second;
      if (scope->is_function)
        refuse(scope->around,
               "a local function reads " + quote(name) + ", which it does not define");
    }
    // What another graph within calls its values has become a name among all others, but is nobody
    // else's.
    if (within_.contains(name))
      refuse(around, "a graph within reads " + quote(name) + ", which is defined nowhere");
    names_.add(name);
    return name;
  }

  // An output that is one of the function's inputs, or stands there a second time.
  void pass_through(const NodeProto& call, const FunctionProto& function, int i,
                    const Scope& scope) {
    const auto& wanted = call.output(i);
    if (wanted.empty()) return;
    const auto source = resolved(&scope, function.output(i));
    if (source == wanted) return;
    auto& node = out_.inlined.emplace_back();
    node.set_op_type("Identity");
    node.set_name(wanted);
    node.add_input(source);
    node.add_output(wanted);
    visit(node, opset_, nullptr);
  }

  void bind_attributes(NodeProto& node, const NodeProto& call, const FunctionProto& function) {
    auto& attributes = *node.mutable_attribute();
    for (auto i = attributes.size(); i-- > 0;) {
      auto& attribute = attributes[i];
      if (attribute.has_g())
        for (auto& inner : *attribute.mutable_g()->mutable_node())
          bind_attributes(inner, call, function);
      if (attribute.ref_attr_name().empty()) continue;
      const auto* value = find(call.attribute(), attribute.ref_attr_name());
      if (!value) value = find(function.attribute_proto(), attribute.ref_attr_name());
      if (!value) {
        attributes.erase(attributes.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      if (value->has_g())
        throw Error(ErrorCode::unsupported, "a local function takes a graph for an attribute",
                    {{}, display_name(call), call.op_type()});
      const auto name = attribute.name();
      attribute = *value;
      attribute.set_name(name);
    }
  }

  static const format::AttributeProto* find(const std::vector<format::AttributeProto>& attributes,
                                            const std::string& name) {
    for (const auto& attribute : attributes)
      if (attribute.name() == name) return &attribute;
    return nullptr;
  }

  [[noreturn]] static void refuse(const NodeProto& node, std::string sentence) {
    throw Error(ErrorCode::bad_model, std::move(sentence),
                {{}, display_name(node), node.op_type()});
  }

  ModelProto& model_;
  std::int64_t opset_;
  Names& names_;
  Functions functions_;
  std::vector<const FunctionProto*> active_;
  std::unordered_set<std::string> within_;  ///< what branches and bodies call their values now
  std::vector<std::string> bodies_;         ///< around what is laid out: the first value of each
  std::size_t visited_ = 0;
  std::size_t inlined_bytes_ = 0;
  Flattened out_;
};

}  // namespace

Flattened flatten(ModelProto& model, std::int64_t opset, Names& names) {
  return Flattener(model, opset, names).run();
}

std::int64_t default_opset(const std::vector<format::OperatorSetIdProto>& imports) {
  std::set<std::string> seen;
  std::int64_t version = 0;
  for (const auto& import : imports) {
    const bool ours = is_default_domain(import.domain());
    if (!seen.insert(ours ? "" : import.domain()).second)
      throw Error(ErrorCode::bad_model,
                  "the operator set " + quote(import.domain()) + " is imported twice");
    if (!ours) continue;
    version = import.version();
    if (version < 1)
      throw Error(ErrorCode::bad_model,
                  "the operator set version " + std::to_string(version) + " does not exist");
    if (version < kOldestOpset || version > kNewestOpset)
      throw Error(ErrorCode::unsupported, "operator set version " + std::to_string(version) +
                                              " is not supported: " + std::to_string(kOldestOpset) +
                                              " to " + std::to_string(kNewestOpset) + " are");
  }
  return version;
}

bool is_default_domain(std::string_view domain) {
  return domain.empty() || domain == "ai.onnx";
}

std::string display_name(const NodeProto& node) {
  if (!node.name().empty()) return node.name();
  for (const auto& name : node.output())
    if (!name.empty()) return name;
  return node.op_type();
}

}  // namespace fovea::onnx
