#include <utility>

#include "graph/op.hpp"

namespace fovea::graph {

#define FOVEA_OPERATOR(Operator) \
  Op::Op(Operator op) : AnyOperator(std::move(op)) {}
FOVEA_EACH_OPERATOR(FOVEA_OPERATOR)
#undef FOVEA_OPERATOR

Op::Op(const Op& other) = default;
Op::Op(Op&& other) noexcept = default;
Op& Op::operator=(const Op& other) = default;
Op& Op::operator=(Op&& other) noexcept = default;
Op::~Op() = default;

}  // namespace fovea::graph
