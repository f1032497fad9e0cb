#pragma once

#include <string_view>

#include "graph/ops.hpp"

namespace fovea::graph {

/// An operator with its fields. A class of its own, so that the copying of any operator is compiled
/// once (op.cpp), not wherever a node is copied.
class Op : public AnyOperator {
 public:
#define FOVEA_OPERATOR(Operator) Op(Operator op);
  FOVEA_EACH_OPERATOR(FOVEA_OPERATOR)
#undef FOVEA_OPERATOR
  Op(const Op& other);
  Op(Op&& other) noexcept;
  Op& operator=(const Op& other);
  Op& operator=(Op&& other) noexcept;
  ~Op();
};

/// "Conv", "Relu", "ReduceMean": the ONNX spelling where there is one.
std::string_view name_of(const Op& op);

}  // namespace fovea::graph
