#include "onnx/import_graph.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph/choice.hpp"
#include "graph/infer.hpp"
#include "onnx/class_names.hpp"
#include "onnx/element_type.hpp"
#include "onnx/flatten.hpp"
#include "onnx/limits.hpp"
#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"
#include "onnx/text.hpp"
#include "onnx/value_info.hpp"

namespace fovea::onnx {
namespace {

using format::GraphProto;
using format::ModelProto;
using format::NodeProto;

[[noreturn]] void refuse(std::string sentence, ErrorContext context = {}) {
  throw Error(ErrorCode::bad_model, std::move(sentence), std::move(context));
}

ErrorContext where(const NodeProto& node) {
  return {{}, display_name(node), node.op_type()};
}

class GraphImport {
 public:
  GraphImport(ModelProto& model, Storage storage)
      : model_(model), graph_(*model.mutable_graph()), state_(std::move(storage)) {}

  Imported run() {
    read_header();
    check_names();
    flat_ = flatten(model_, info_.opset, state_.names);
    if (flat_.nodes.empty()) refuse("the graph has no nodes");
    find_producers();
    const auto order = sorted();
    announce_tensors();
    add_initializers();
    add_inputs();
    for (const auto n : order) add_node(flat_.nodes[n]);
    add_outputs();
    drop_unread();
    name_classes(graph_, flat_.nodes, info_.outputs);
    return {std::move(state_.graph), std::move(info_), std::move(unread_), std::move(missing_)};
  }

 private:
  void read_header() {
    info_.ir_version = model_.ir_version();
    if (!model_.has_ir_version()) refuse("the model does not say its IR version");
    if (info_.ir_version < 1) refuse("the model's IR version does not exist");
    if (info_.ir_version < kOldestIr || info_.ir_version > kNewestIr)
      throw Error(ErrorCode::unsupported, "IR version " + std::to_string(info_.ir_version) +
                                              " is not supported: " + std::to_string(kOldestIr) +
                                              " to " + std::to_string(kNewestIr) + " are");
    info_.opset = default_opset(model_.opset_import());
    if (info_.opset == 0) refuse("the model imports no version of the ONNX operator set");
    info_.producer = model_.producer_name();
    if (!info_.producer.empty() && !model_.producer_version().empty())
      info_.producer += " " + model_.producer_version();
    info_.producer = printable(info_.producer);
    for (const auto& entry : model_.metadata_props())
      info_.metadata[printable(entry.key())] = printable(entry.value());
    if (graph_.output_size() == 0) refuse("the graph has no outputs");
  }

  // Every name in the file, checked once and kept from reuse.
  void check_names() {
    const auto check = [&](const std::string& name, const char* what) {
      check_name(name, what);
      state_.names.add(name);
    };
    // What a branch or a body calls its values is its own affair.
    const std::function<void(const format::GraphProto&)> check_within =
        [&](const format::GraphProto& graph) {
          for (const auto& node : graph.node()) {
            check_name(node.name(), "a node");
            check_name(node.op_type(), "an operator");
            check_name(node.domain(), "a domain");
            for (const auto& name : node.input()) check_name(name, "a value");
            for (const auto& name : node.output()) check_name(name, "a value");
            for (const auto& attribute : node.attribute()) {
              check_name(attribute.name(), "an attribute");
              check_within(attribute.g());
            }
          }
          for (const auto& tensor : graph.initializer())
            check_name(tensor.name(), "an initializer");
          for (const auto& input : graph.input()) check_name(input.name(), "an input");
          for (const auto& output : graph.output()) check_name(output.name(), "an output");
        };
    const auto check_node = [&](const NodeProto& node) {
      check(node.name(), "a node");
      check_name(node.op_type(), "an operator");
      check_name(node.domain(), "a domain");
      for (const auto& name : node.input()) check(name, "a value");
      for (const auto& name : node.output()) check(name, "a value");
      for (const auto& attribute : node.attribute()) {
        check_name(attribute.name(), "an attribute");
        check_within(attribute.g());
      }
    };
    for (const auto& node : graph_.node()) check_node(node);
    for (const auto& function : model_.functions())
      for (const auto& node : function.node()) check_node(node);
    for (const auto& tensor : graph_.initializer()) check(tensor.name(), "an initializer");
    for (const auto& tensor : graph_.sparse_initializer())
      check(tensor.values().name(), "an initializer");
    for (const auto& input : graph_.input()) check(input.name(), "an input");
    for (const auto& output : graph_.output()) check(output.name(), "an output");
  }

  // Who defines each value: -1 for inputs and initializers. Each must be defined exactly once.
  void find_producers() {
    const auto define = [&](const std::string& name, int by, const ErrorContext& context) {
      if (!producers_.emplace(name, by).second)
        refuse("the value " + quote(name) + " is defined twice", context);
    };
    for (const auto& tensor : graph_.initializer()) {
      if (tensor.name().empty()) refuse("an initializer has no name");
      define(tensor.name(), -1, {{}, tensor.name(), {}});
    }
    for (const auto& tensor : graph_.sparse_initializer()) {
      if (tensor.values().name().empty()) refuse("an initializer has no name");
      define(tensor.values().name(), -1, {{}, tensor.values().name(), {}});
    }
    for (const auto& input : graph_.input()) {
      if (input.name().empty()) refuse("an input has no name");
      if (!inputs_.insert(input.name()).second)
        refuse("the input " + quote(input.name()) + " is declared twice");
      // Up to IR 3 an initializer is declared as an input too; later that makes it a default.
      if (!producers_.contains(input.name())) define(input.name(), -1, {});
    }
    for (std::size_t n = 0; n < flat_.nodes.size(); ++n)
      for (const auto& name : flat_.nodes[n].proto->output())
        if (!name.empty()) define(name, static_cast<int>(n), where(*flat_.nodes[n].proto));

    for (const auto& node : flat_.nodes)
      for (const auto& name : node.proto->input()) {
        if (name.empty()) continue;
        if (!producers_.contains(name))
          refuse("the input " + quote(name) + " is defined nowhere", where(*node.proto));
        state_.read.insert(name);
      }
    for (const auto& output : graph_.output()) {
      if (!producers_.contains(output.name()))
        refuse("the graph's output " + quote(output.name()) + " is defined nowhere");
      state_.read.insert(output.name());
    }
  }

  // File order where that is an order; otherwise the earliest node that is ready goes next.
  std::vector<std::size_t> sorted() const {
    const auto count = flat_.nodes.size();
    std::vector<std::vector<std::size_t>> readers(count);
    std::vector<int> waiting(count, 0);
    for (std::size_t n = 0; n < count; ++n)
      for (const auto& name : flat_.nodes[n].proto->input()) {
        const int producer = name.empty() ? -1 : producers_.at(name);
        if (producer < 0) continue;
        readers[static_cast<std::size_t>(producer)].push_back(n);
        ++waiting[n];
      }
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t n = 0; n < count; ++n)
      if (waiting[n] == 0) ready.push(n);
    std::vector<std::size_t> order;
    while (!ready.empty()) {
      const auto n = ready.top();
      ready.pop();
      order.push_back(n);
      for (const auto reader : readers[n])
        if (--waiting[reader] == 0) ready.push(reader);
    }
    if (order.size() != count) refuse_cycle(waiting);
    return order;
  }

  // A stuck node may only lie behind the cycle: as many steps back as there are nodes end in it.
  [[noreturn]] void refuse_cycle(const std::vector<int>& waiting) const {
    auto n = static_cast<std::size_t>(
        std::find_if(waiting.begin(), waiting.end(), [](int w) { return w > 0; }) -
        waiting.begin());
    for (std::size_t step = 0; step < flat_.nodes.size(); ++step)
      for (const auto& name : flat_.nodes[n].proto->input()) {
        const int producer = name.empty() ? -1 : producers_.at(name);
        if (producer < 0 || waiting[static_cast<std::size_t>(producer)] == 0) continue;
        n = static_cast<std::size_t>(producer);
        break;
      }
    refuse("the graph has a cycle", where(*flat_.nodes[n].proto));
  }

  void announce_tensors() {
    for (const auto& tensor : graph_.initializer()) announce(tensor);
    for (const auto& node : flat_.nodes)
      for (const auto& attribute : node.proto->attribute()) {
        if (!attribute.has_t()) continue;
        try {
          state_.tensors.announce(attribute.t());
        } catch (const Error& error) {
          // The row that wants the tensor says so again, in the list of all that is unsupported.
          if (error.code() != ErrorCode::unsupported) throw error.with(where(*node.proto));
        }
      }
    state_.tensors.read_external();
    info_.files = state_.tensors.external_files();
  }

  void announce(const format::TensorProto& tensor) {
    try {
      state_.tensors.announce(tensor);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      add_unread(tensor.name(), error);
    }
  }

  void add_initializers() {
    for (const auto& tensor : graph_.sparse_initializer())
      add_unread(tensor.values().name(),
                 Error(ErrorCode::unsupported, "sparse initializers are not supported",
                       {{}, tensor.values().name(), {}}));
    for (auto& tensor : *graph_.mutable_initializer()) {
      const auto& name = tensor.name();
      if (state_.values.contains(name)) continue;
      state_.values[name] = state_.graph.add_constant(name, state_.tensors.take(tensor, name));
      state_.types[name] = data_type(tensor.data_type());
    }
  }

  void add_inputs() {
    for (const auto& input : graph_.input()) {
      if (state_.values.contains(input.name())) continue;
      try {
        info_.inputs.push_back(input_info(input));
      } catch (const Error& error) {
        if (error.code() != ErrorCode::unsupported) throw;
        add_unread(input.name(), error);
        continue;
      }
      const auto& info = info_.inputs.back();
      state_.types[info.name] = info.type;
      state_.values[info.name] = state_.graph.add_input(
          info.name, graph_type(info.type), info.is_ranked ? info.shape : graph::kAnyShape);
    }
  }

  void add_unread(const std::string& name, const Error& error) {
    unread_.add_value(name, error);
    define_placeholders({}, {name});
    lost_.insert(state_.values.at(name));
  }

  void add_node(const FlatNode& node) {
    const auto& proto = *node.proto;
    info_.nodes.push_back({display_name(proto),
                           proto.op_type(),
                           {proto.input().begin(), proto.input().end()},
                           {proto.output().begin(), proto.output().end()}});
    try {
      translate(node);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported && error.code() != ErrorCode::bad_model)
        throw error.with(where(proto));
      unread_.add_node(info_.nodes.size() - 1, describe(node, error.sentence()),
                       error.with(where(proto)));
      define_placeholders(proto.op_type(), {proto.output().begin(), proto.output().end()});
      for (const auto& name : proto.output())
        if (!name.empty()) lost_.insert(state_.values.at(name));
    }
  }

  void translate(const FlatNode& node) {
    const auto& proto = *node.proto;
    if (proto.op_type().empty()) refuse("a node has no operator");
    const auto* row = find_row(proto.domain(), proto.op_type(), node.opset);
    if (!row && !is_default_domain(proto.domain()))
      throw Error(ErrorCode::unsupported, "domain " + quote(proto.domain()));
    if (!row) throw Error(ErrorCode::unsupported, explain_missing(proto.op_type()));
    NodeImport import(state_, node);
    check_arity(import, *row);
    row->import(import);
    import.attributes.finish();
    import.finish_types();
    if (!row->all_outputs) drop_further_outputs(node);
  }

  static void check_arity(const NodeImport& node, const Row& row) {
    for (int i = 0; i < row.min_inputs; ++i)
      if (!node.has_input(i)) node.bad("input " + std::to_string(i) + " is missing");
    if (node.input_count() > row.max_inputs)
      node.bad("it has " + std::to_string(node.input_count()) + " inputs, " +
               std::to_string(row.max_inputs) + " at most are possible");
    if (node.output_count() == 0) node.bad("it has no outputs");
    if (node.output_count() > row.max_outputs)
      node.bad("it has " + std::to_string(node.output_count()) + " outputs, " +
               std::to_string(row.max_outputs) + " at most are possible");
  }

  // Outputs that fovea has not are no obstacle to what the others are for.
  void drop_further_outputs(const FlatNode& node) {
    for (int i = 1; i < node.proto->output_size(); ++i) {
      const auto& name = node.proto->output(i);
      if (name.empty() || !state_.read.contains(name)) continue;
      unread_.add_output(name, describe(node, "its output " + std::to_string(i) + " is used"));
      define_placeholders(node.proto->op_type(), {name});
      lost_.insert(state_.values.at(name));
    }
  }

  // What reads an unsupported node's outputs is still looked at, so that all are listed at once.
  void define_placeholders(const std::string& op, std::vector<std::string> outputs) {
    std::erase_if(outputs,
                  [&](const auto& name) { return name.empty() || state_.values.contains(name); });
    if (outputs.empty()) return;
    const auto id = state_.graph.add_node({}, op, graph::Unary{}, {}, outputs);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      state_.values[outputs[i]] = state_.graph.node(id).outputs[i];
  }

  static std::string describe(const FlatNode& node, const std::string& why) {
    const auto& proto = *node.proto;
    auto text = quote(display_name(proto)) + " (" + proto.op_type();
    if (is_default_domain(proto.domain())) text += ", opset " + std::to_string(node.opset);
    if (!why.empty()) text += ": " + why;
    return text + ")";
  }

  void add_outputs() {
    std::unordered_set<std::string> seen;
    for (const auto& output : graph_.output()) {
      if (!seen.insert(output.name()).second)
        refuse("the output " + quote(output.name()) + " is declared twice");
      info_.outputs.push_back(output_info(output));
      state_.graph.outputs.push_back(state_.values.at(output.name()));
    }
  }

  // Nodes that could not be read leave the graph with what depends on them.
  void drop_unread() {
    if (unread_.empty()) return;
    unread_.set_producers(info_.nodes);
    auto& graph = state_.graph;
    std::vector<bool> lost(graph.values().size(), false);
    for (const auto id : lost_) lost[static_cast<std::size_t>(id.index)] = true;
    const auto is_lost = [&](graph::ValueId id) {
      return id && lost[static_cast<std::size_t>(id.index)];
    };
    std::vector<bool> dead(graph.nodes().size(), false);
    for (std::size_t n = 0; n < dead.size(); ++n) {
      auto& node = graph.node({static_cast<std::int32_t>(n)});
      // Of a choice the branch that is taken may be the one that could be read.
      const bool lacks = std::any_of(node.inputs.begin(), node.inputs.end(), is_lost) &&
                         !graph::keeps_a_branch(node, is_lost);
      dead[n] = lacks || std::any_of(node.outputs.begin(), node.outputs.end(), is_lost);
      if (dead[n])
        for (const auto id : node.outputs) lost[static_cast<std::size_t>(id.index)] = true;
    }
    graph.erase_nodes(dead);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < graph.outputs.size(); ++i)
      if (is_lost(graph.outputs[i])) add_missing_output(i);
    std::erase_if(graph.outputs, is_lost);
    if (!graph.outputs.empty()) return;
    for (const auto& info : info_.outputs) names.push_back(info.name);
    throw *unread_.reason(info_.nodes, names);
  }

  void add_missing_output(std::size_t i) {
    auto& info = info_.outputs[i];
    const auto why = *unread_.reason(info_.nodes, {&info.name, 1});
    info.refusal = why.sentence();
    missing_.push_back({i, may_be_scores(graph_.output(static_cast<int>(i))), why});
  }

  ModelProto& model_;
  GraphProto& graph_;
  ImportState state_;
  ImportedInfo info_;
  Flattened flat_;
  std::unordered_map<std::string, int> producers_;
  std::unordered_set<std::string> inputs_;
  Unread unread_;
  std::set<graph::ValueId> lost_;  ///< what could not be read, and only stands for it
  std::vector<MissingOutput> missing_;
};

}  // namespace

Imported import_model(ModelProto& model, Storage storage) {
  if (!model.has_graph()) refuse("the model has no graph");
  return GraphImport(model, std::move(storage)).run();
}

}  // namespace fovea::onnx
