#include "onnx/import_graph.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "onnx/element_type.hpp"
#include "onnx/flatten.hpp"
#include "onnx/limits.hpp"
#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"
#include "onnx/text.hpp"
#include "onnx/value_info.hpp"

namespace fovea::onnx {
namespace {

using fovea_onnx::GraphProto;
using fovea_onnx::ModelProto;
using fovea_onnx::NodeProto;

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
    if (!missing_.empty()) refuse_missing();
    if (tensor_error_) throw *tensor_error_;
    add_outputs();
    return {std::move(state_.graph), std::move(info_)};
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
    if (graph_.sparse_initializer_size() > 0)
      throw Error(ErrorCode::unsupported, "sparse initializers are not supported");
    if (graph_.output_size() == 0) refuse("the graph has no outputs");
  }

  // Every name in the file, checked once and kept from reuse.
  void check_names() {
    const auto check = [&](const std::string& name, const char* what) {
      check_name(name, what);
      state_.names.add(name);
    };
    const auto check_node = [&](const NodeProto& node) {
      check(node.name(), "a node");
      check_name(node.op_type(), "an operator");
      check_name(node.domain(), "a domain");
      for (const auto& name : node.input()) check(name, "a value");
      for (const auto& name : node.output()) check(name, "a value");
      for (const auto& attribute : node.attribute()) check_name(attribute.name(), "an attribute");
    };
    for (const auto& node : graph_.node()) check_node(node);
    for (const auto& function : model_.functions())
      for (const auto& node : function.node()) check_node(node);
    for (const auto& tensor : graph_.initializer()) check(tensor.name(), "an initializer");
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

    for (const auto& [proto, opset] : flat_.nodes)
      for (const auto& name : proto->input()) {
        if (name.empty()) continue;
        if (!producers_.contains(name))
          refuse("the input " + quote(name) + " is defined nowhere", where(*proto));
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
    for (const auto& [proto, opset] : flat_.nodes)
      for (const auto& attribute : proto->attribute()) {
        if (!attribute.has_t()) continue;
        try {
          state_.tensors.announce(attribute.t());
        } catch (const Error& error) {
          // The row that wants the tensor says so again, in the list of all that is unsupported.
          if (error.code() != ErrorCode::unsupported) throw error.with(where(*proto));
        }
      }
    state_.tensors.read_external();
    info_.files = state_.tensors.external_files();
  }

  void announce(const fovea_onnx::TensorProto& tensor) {
    try {
      state_.tensors.announce(tensor);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      if (!tensor_error_) tensor_error_ = error;
      unsupported_tensors_.insert(tensor.name());
    }
  }

  void add_initializers() {
    for (auto& tensor : *graph_.mutable_initializer()) {
      const auto& name = tensor.name();
      auto constant = unsupported_tensors_.contains(name) ? graph::Constant::of_ints({0}, {})
                                                          : state_.tensors.take(tensor, name);
      state_.values[name] = state_.graph.add_constant(name, std::move(constant));
      if (!unsupported_tensors_.contains(name)) state_.types[name] = data_type(tensor.data_type());
    }
  }

  void add_inputs() {
    for (const auto& input : graph_.input()) {
      if (state_.values.contains(input.name())) continue;
      info_.inputs.push_back(input_info(input));
      const auto& info = info_.inputs.back();
      state_.types[info.name] = info.type;
      state_.values[info.name] =
          state_.graph.add_input(info.name, graph_type(info.type), info.shape);
    }
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
      if (error.code() != ErrorCode::unsupported) throw error.with(where(proto));
      missing_.push_back(describe(node, error.sentence()));
      define_placeholders(node);
    }
  }

  void translate(const FlatNode& node) {
    const auto& proto = *node.proto;
    if (proto.op_type().empty()) refuse("a node has no operator");
    if (!is_default_domain(proto.domain()))
      throw Error(ErrorCode::unsupported, "domain " + quote(proto.domain()));
    const auto* row = find_row(proto.op_type(), node.opset);
    if (!row) throw Error(ErrorCode::unsupported, explain_missing(proto.op_type()));
    NodeImport import(state_, node);
    check_arity(import, *row);
    row->import(import);
    import.attributes.finish();
    import.finish_types();
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
    for (int i = 1; i < node.output_count() && !row.all_outputs; ++i)
      if (node.output_used(i)) node.unsupported("its output " + std::to_string(i) + " is used");
  }

  // What reads an unsupported node's outputs is still looked at, so that all are listed at once.
  void define_placeholders(const FlatNode& node) {
    std::vector<std::string> outputs;
    for (const auto& name : node.proto->output())
      if (!name.empty() && !state_.values.contains(name)) outputs.push_back(name);
    if (outputs.empty()) return;
    const auto id = state_.graph.add_node({}, node.proto->op_type(), graph::Unary{}, {}, outputs);
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

  [[noreturn]] void refuse_missing() const {
    std::string text = missing_.size() == 1 ? "the model has a node that is not supported: "
                                            : "the model has " + std::to_string(missing_.size()) +
                                                  " nodes that are not supported: ";
    for (std::size_t i = 0; i < std::min(missing_.size(), kMaxListed); ++i)
      text += (i == 0 ? "" : ", ") + missing_[i];
    if (missing_.size() > kMaxListed)
      text += " and " + std::to_string(missing_.size() - kMaxListed) + " more";
    throw Error(ErrorCode::unsupported, text);
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

  ModelProto& model_;
  GraphProto& graph_;
  ImportState state_;
  ImportedInfo info_;
  Flattened flat_;
  std::unordered_map<std::string, int> producers_;
  std::unordered_set<std::string> inputs_;
  std::unordered_set<std::string> unsupported_tensors_;
  std::optional<Error> tensor_error_;
  std::vector<std::string> missing_;
};

}  // namespace

Imported import_model(ModelProto& model, Storage storage) {
  if (!model.has_graph()) refuse("the model has no graph");
  return GraphImport(model, std::move(storage)).run();
}

}  // namespace fovea::onnx
