#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.hpp"

/// One description of an operator's use; every check of the suite runs on it.
namespace fovea::engine_test {

struct Operand {
  enum class Role { data, weight, integers, absent };
  Role role = Role::data;
  Shape shape;
  double low = -2, high = 2;           ///< of the values, all different and evenly spread
  std::vector<std::int64_t> integers;  ///< for `integers`, a constant
  graph::DType type = graph::DType::f32;
};

inline Operand data(Shape shape, double low = -2, double high = 2) {
  return {Operand::Role::data, std::move(shape), low, high, {}, graph::DType::f32};
}
/// True and false values, fed at run time.
inline Operand flags(Shape shape) {
  return {Operand::Role::data, std::move(shape), 0, 1, {}, graph::DType::boolean};
}
inline Operand weight(Shape shape, double low = -1, double high = 1) {
  return {Operand::Role::weight, std::move(shape), low, high, {}, graph::DType::f32};
}
inline Operand integers(Shape shape, std::vector<std::int64_t> values,
                        graph::DType type = graph::DType::i64) {
  return {Operand::Role::integers, std::move(shape), 0, 0, std::move(values), type};
}
inline Operand absent() {
  return {Operand::Role::absent, {}, 0, 0, {}, graph::DType::f32};
}

struct Case {
  std::string name;
  graph::Op op;
  std::vector<Operand> operands;
  std::size_t outputs = 1;
  bool differentiable = true;  ///< false: the backward pass is refused by name
};

/// Every case, by family.
std::vector<Case> elementwise_cases();
std::vector<Case> window_cases();
std::vector<Case> matrix_cases();
std::vector<Case> norm_cases();
std::vector<Case> reduce_cases();
std::vector<Case> movement_cases();
std::vector<Case> recurrent_cases();
std::vector<Case> selection_cases();
std::vector<Case> all_cases();
/// The same, made once.
const std::vector<Case>& cases();

}  // namespace fovea::engine_test
