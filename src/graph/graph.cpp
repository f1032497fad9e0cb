#include "graph/graph.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

namespace fovea::graph {

ValueId Graph::add_value(Value value) {
  if (values_.size() >= static_cast<std::size_t>(kMaxValues))
    throw Error(ErrorCode::bad_model, "the graph has too many values");
  const ValueId id{static_cast<std::int32_t>(values_.size())};
  if (!by_name_.emplace(value.name, id).second)
    throw Error(ErrorCode::bad_model, "a value name is defined twice", {{}, value.name, {}});
  values_.push_back(std::move(value));
  return id;
}

ValueId Graph::add_input(std::string name, DType type, Shape shape) {
  const auto id = add_value({.name = std::move(name), .type = type, .shape = std::move(shape)});
  inputs.push_back(id);
  return id;
}

ValueId Graph::add_constant(std::string name, Constant constant) {
  Value value{.name = std::move(name), .type = constant.type, .shape = constant.shape};
  value.constant = std::move(constant);
  return add_value(std::move(value));
}

NodeId Graph::add_node(std::string name, std::string op_type, Op op,
                       std::vector<ValueId> node_inputs,
                       const std::vector<std::string>& output_names) {
  while (!node_inputs.empty() && !node_inputs.back()) node_inputs.pop_back();
  for (const auto input : node_inputs)
    if (input && static_cast<std::size_t>(input.index) >= values_.size())
      throw Error(ErrorCode::internal, "a node reads a value that does not exist", {{}, name, {}});
  if (output_names.empty())
    throw Error(ErrorCode::bad_model, "a node has no outputs", {{}, name, op_type});
  const NodeId id{static_cast<std::int32_t>(nodes_.size())};
  if (name.empty()) name = output_names.front();
  Node node{std::move(name), std::move(op_type), std::move(op), std::move(node_inputs), {}};
  for (const auto& output : output_names)
    node.outputs.push_back(add_value({.name = output, .producer = id}));
  nodes_.push_back(std::move(node));
  return id;
}

ValueId Graph::find_value(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? ValueId{} : it->second;
}

std::string Graph::unique_name(std::string_view wanted) const {
  if (!by_name_.contains(wanted)) return std::string(wanted);
  const auto numbered = [&](std::int64_t i) { return std::string(wanted) + std::to_string(i); };
  const auto is_taken = [&](std::int64_t i) { return by_name_.contains(numbered(i)); };
  // Tens of thousands may ask for the same name: a free number is looked for in steps that double,
  // then between the last that was taken and the first that was not.
  std::int64_t taken = 1, free = 2;
  for (; is_taken(free); free *= 2) taken = free;
  while (free - taken > 1) {
    const auto middle = taken + (free - taken) / 2;
    (is_taken(middle) ? taken : free) = middle;
  }
  return numbered(free);
}

std::vector<std::vector<NodeId>> Graph::uses() const {
  std::vector<std::vector<NodeId>> out(values_.size());
  for (std::size_t n = 0; n < nodes_.size(); ++n)
    for (const auto input : nodes_[n].inputs)
      if (input)
        out[static_cast<std::size_t>(input.index)].push_back({static_cast<std::int32_t>(n)});
  return out;
}

void Graph::replace_uses(ValueId old_value, ValueId new_value) {
  for (auto& node : nodes_)
    std::replace(node.inputs.begin(), node.inputs.end(), old_value, new_value);
  std::replace(outputs.begin(), outputs.end(), old_value, new_value);
}

void Graph::erase_nodes(const std::vector<bool>& dead) {
  std::vector<Node> kept;
  kept.reserve(nodes_.size());
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    const bool drop = n < dead.size() && dead[n];
    const NodeId now = drop ? NodeId{} : NodeId{static_cast<std::int32_t>(kept.size())};
    for (const auto output : nodes_[n].outputs) {
      // An output may have been handed to another node already.
      auto& producer = value(output).producer;
      if (producer.index == static_cast<std::int32_t>(n)) producer = now;
    }
    if (!drop) kept.push_back(std::move(nodes_[n]));
  }
  nodes_ = std::move(kept);
}

void Graph::sort() {
  const auto readers = uses();
  std::vector<std::size_t> waiting(nodes_.size(), 0);
  for (std::size_t n = 0; n < nodes_.size(); ++n)
    for (const auto input : nodes_[n].inputs)
      if (input && value(input).producer) ++waiting[n];

  // The earliest ready node goes first, so that an ordered graph stays as it is.
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t n = 0; n < nodes_.size(); ++n)
    if (waiting[n] == 0) ready.push(n);
  std::vector<Node> sorted;
  sorted.reserve(nodes_.size());
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const auto n = ready.top();
    ready.pop();
    order.push_back(n);
    for (const auto output : nodes_[n].outputs)
      for (const auto reader : readers[static_cast<std::size_t>(output.index)])
        if (--waiting[static_cast<std::size_t>(reader.index)] == 0)
          ready.push(static_cast<std::size_t>(reader.index));
  }
  if (order.size() != nodes_.size()) {
    const auto stuck = std::find_if(waiting.begin(), waiting.end(), [](auto w) { return w != 0; });
    throw Error(ErrorCode::bad_model, "the graph has a cycle",
                where(nodes_[static_cast<std::size_t>(stuck - waiting.begin())]));
  }
  for (const auto n : order) {
    for (const auto output : nodes_[n].outputs)
      value(output).producer = {static_cast<std::int32_t>(sorted.size())};
    sorted.push_back(std::move(nodes_[n]));
  }
  nodes_ = std::move(sorted);
}

ErrorContext where(const Node& node) {
  return {{}, node.name, node.op_type};
}

}  // namespace fovea::graph
