#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "graph/infer.hpp"

/// Graphs written by hand, and what tests ask of them.
namespace fovea::graph::test {

/// Names a value by its node: `op("conv1", Conv{}, {x, w})` makes the value "conv1".
class Builder {
 public:
  Graph graph;

  ValueId input(const std::string& name, Shape shape, DType type = DType::f32) {
    return graph.add_input(name, type, std::move(shape));
  }
  ValueId floats(const std::string& name, Shape shape, std::vector<float> data) {
    return graph.add_constant(name, Constant::of_floats(std::move(shape), std::move(data)));
  }
  /// Reproducible numbers in [-1, 1).
  ValueId weights(const std::string& name, Shape shape);
  /// The same in [low, high).
  ValueId weights(const std::string& name, Shape shape, float low, float high);
  ValueId scalar(const std::string& name, float value) { return floats(name, {}, {value}); }
  ValueId ints(const std::string& name, std::vector<std::int64_t> data) {
    const auto count = static_cast<std::int64_t>(data.size());
    return graph.add_constant(name, Constant::of_ints({count}, std::move(data)));
  }
  ValueId int_scalar(const std::string& name, std::int64_t value) {
    return graph.add_constant(name, Constant::of_ints({}, {value}));
  }
  ValueId booleans(const std::string& name, Shape shape, std::vector<std::int64_t> data) {
    return graph.add_constant(name,
                              Constant::of_ints(std::move(shape), std::move(data), DType::boolean));
  }
  ValueId op(const std::string& name, Op op, std::vector<ValueId> inputs) {
    return ops(name, std::move(op), std::move(inputs), {name}).front();
  }
  std::vector<ValueId> ops(const std::string& name, Op op, std::vector<ValueId> inputs,
                           const std::vector<std::string>& outputs) {
    const std::string op_type(name_of(op));
    const auto id = graph.add_node(name, op_type, std::move(op), std::move(inputs), outputs);
    return graph.node(id).outputs;
  }
  ValueId unary(const std::string& name, UnaryKind kind, ValueId x) {
    return op(name, Unary{.kind = kind}, {x});
  }
  ValueId binary(const std::string& name, BinaryKind kind, ValueId a, ValueId b) {
    return op(name, Binary{kind}, {a, b});
  }
  void output(ValueId id) { graph.outputs.push_back(id); }

  /// Binds a graph whose last value is its output where none was named.
  Graph& bound(std::int64_t batch = 1, const std::map<std::string, Shape>& shapes = {});

  const Value& value(ValueId id) const { return graph.value(id); }

 private:
  std::uint32_t state_ = 12345;
};

/// Calls `run` and expects an Error of that code whose text contains `phrase`.
void expect_error(const std::function<void()>& run, ErrorCode code, std::string_view phrase);

inline ::testing::AssertionResult has_shape(const Graph& graph, ValueId id, const Shape& shape) {
  const auto& value = graph.value(id);
  if (value.shape == shape) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << value.name << " has shape " << ::testing::PrintToString(value.shape);
}

inline std::vector<std::int64_t> ints_of(const Graph& graph, ValueId id) {
  const auto& constant = graph.value(id).constant;
  if (!constant) {
    ADD_FAILURE() << graph.value(id).name << " is not constant";
    return {};
  }
  return {constant->ints.begin(), constant->ints.end()};
}

inline std::vector<float> floats_of(const Graph& graph, ValueId id) {
  const auto& constant = graph.value(id).constant;
  if (!constant) {
    ADD_FAILURE() << graph.value(id).name << " is not constant";
    return {};
  }
  const auto floats = constant->floats();
  return {floats.begin(), floats.end()};
}

}  // namespace fovea::graph::test
