#include "onnx/node_import.hpp"

#include <algorithm>
#include <utility>

#include "fovea/error.hpp"

namespace fovea::onnx {

NodeImport::NodeImport(ImportState& state, const FlatNode& node)
    : attributes(*node.proto),
      state_(state),
      proto_(*node.proto),
      flat_(node),
      name_(display_name(*node.proto)) {
  for (const auto& name : proto_.input())
    inputs_.push_back(name.empty() ? graph::ValueId{} : state_.values.at(name));
  while (!inputs_.empty() && !inputs_.back()) inputs_.pop_back();
}

graph::ValueId NodeImport::input(int i) const {
  return i < input_count() ? inputs_[static_cast<std::size_t>(i)] : graph::ValueId{};
}

const graph::Node* NodeImport::producer(int i) const {
  const auto id = input(i);
  const auto& graph = std::as_const(state_.graph);
  return id && graph.value(id).producer ? &graph.node(graph.value(id).producer) : nullptr;
}

const graph::Constant* NodeImport::constant_input(int i) const {
  const auto id = input(i);
  if (!id) return nullptr;
  const auto& constant = std::as_const(state_.graph).value(id).constant;
  return constant ? &*constant : nullptr;
}

bool NodeImport::is_computed(int i) {
  const auto& graph = std::as_const(state_.graph);
  auto& known = state_.depends_on_inputs;
  const auto depends = [&](graph::ValueId id) {
    if (!id || graph.value(id).constant) return false;
    const auto producer = graph.value(id).producer;
    return !producer || known[static_cast<std::size_t>(producer.index)];
  };
  for (auto n = known.size(); n < graph.nodes().size(); ++n) {
    const auto& node = graph.nodes()[n];
    const bool of_extents = std::holds_alternative<graph::ShapeOf>(node.op) ||
                            std::holds_alternative<graph::SizeOf>(node.op);
    known.push_back(!of_extents && std::any_of(node.inputs.begin(), node.inputs.end(), depends));
  }
  return depends(input(i));
}

DataType NodeImport::type(int i) const {
  if (!has_input(i)) return DataType::f32;
  const auto known = state_.types.find(proto_.input(i));
  return known == state_.types.end() ? DataType::f32 : known->second;
}

void NodeImport::finish_types() {
  for (const auto& name : proto_.output())
    if (!name.empty()) state_.types.try_emplace(name, result_.value_or(type(0)));
}

std::string NodeImport::output_name(int i) {
  return output_named(i) ? proto_.output(i)
                         : state_.names.fresh(name_ + "/output" + std::to_string(i));
}

void NodeImport::emit(graph::Op op, std::vector<graph::ValueId> inputs) {
  const auto output = output_name(0);
  const auto id =
      state_.graph.add_node(name_, proto_.op_type(), std::move(op), std::move(inputs), {output});
  state_.values[output] = state_.graph.node(id).outputs[0];
}

void NodeImport::emit_within(DataType type, graph::Op op, std::vector<graph::ValueId> inputs) {
  const bool is_signed = type == DataType::i8 || type == DataType::i16;
  if (!is_signed && type != DataType::u8 && type != DataType::u16)
    return emit(std::move(op), std::move(inputs));
  using graph::Binary;
  using graph::BinaryKind;
  const auto values = std::int64_t{1} << (8 * size_of(type));
  auto wide = step(std::move(op), std::move(inputs));
  if (!is_signed) return emit(Binary{BinaryKind::mod}, {wide, integer(values)});
  const auto half = integer(values / 2);
  wide = step(Binary{BinaryKind::add}, {wide, half});
  wide = step(Binary{BinaryKind::mod}, {wide, integer(values)});
  emit(Binary{BinaryKind::sub}, {wide, half});
}

graph::ValueId NodeImport::emit_output(int i, graph::Op op, std::vector<graph::ValueId> inputs,
                                       DataType type) {
  const auto output = output_name(i);
  const auto id =
      state_.graph.add_node(name_, proto_.op_type(), std::move(op), std::move(inputs), {output});
  state_.values[output] = state_.graph.node(id).outputs[0];
  state_.types[output] = type;
  return state_.graph.node(id).outputs[0];
}

std::vector<std::string> NodeImport::output_names(int count) {
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) out.push_back(output_name(i));
  return out;
}

void NodeImport::emit_all(graph::Op op, std::vector<graph::ValueId> inputs, int count) {
  const auto outputs = output_names(count);
  const auto id =
      state_.graph.add_node(name_, proto_.op_type(), std::move(op), std::move(inputs), outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    state_.values[outputs[i]] = state_.graph.node(id).outputs[i];
}

void NodeImport::emit_all(graph::Op op, std::vector<graph::ValueId> inputs,
                          const std::vector<DataType>& types) {
  const auto outputs = output_names(output_count());
  const auto id =
      state_.graph.add_node(name_, proto_.op_type(), std::move(op), std::move(inputs), outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    state_.values[outputs[i]] = state_.graph.node(id).outputs[i];
    if (i < types.size()) state_.types[outputs[i]] = types[i];
  }
}

void NodeImport::define(graph::Constant constant) {
  const auto output = output_name(0);
  state_.values[output] = state_.graph.add_constant(output, std::move(constant));
}

graph::ValueId NodeImport::step(graph::Op op, std::vector<graph::ValueId> inputs) {
  const auto name = state_.names.fresh(name_ + "/step");
  const auto id =
      state_.graph.add_node(name, proto_.op_type(), std::move(op), std::move(inputs), {name});
  return state_.graph.node(id).outputs[0];
}

std::vector<graph::ValueId> NodeImport::step_all(graph::Op op, std::vector<graph::ValueId> inputs,
                                                 int count) {
  const auto name = state_.names.fresh(name_ + "/step");
  std::vector<std::string> outputs;
  outputs.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    outputs.push_back(state_.names.fresh(name + "/output" + std::to_string(i)));
  const auto id =
      state_.graph.add_node(name, proto_.op_type(), std::move(op), std::move(inputs), outputs);
  return state_.graph.node(id).outputs;
}

graph::ValueId NodeImport::constant(graph::Constant constant) {
  return state_.graph.add_constant(state_.names.fresh(name_ + "/constant"), std::move(constant));
}

graph::ValueId NodeImport::floats(Shape shape, std::vector<float> data) {
  return constant(graph::Constant::of_floats(std::move(shape), std::move(data)));
}

graph::ValueId NodeImport::ints(std::vector<std::int64_t> data) {
  const Shape shape{static_cast<std::int64_t>(data.size())};
  return constant(graph::Constant::of_ints(shape, std::move(data)));
}

graph::ValueId NodeImport::integer(std::int64_t value) {
  return constant(graph::Constant::of_ints({}, {value}));
}

void NodeImport::unsupported(const std::string& sentence) const {
  throw Error(ErrorCode::unsupported, sentence, {{}, name_, op()});
}

void NodeImport::bad(const std::string& sentence) const {
  throw Error(ErrorCode::bad_model, sentence, {{}, name_, op()});
}

}  // namespace fovea::onnx
