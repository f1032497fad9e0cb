#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/ops/op.hpp"
#include "engine/relevance.hpp"

/// Linear operators with other weights in place of their constant ones, for rules of relevance.
/// Always f32 convolutions, whatever the plan's precision.
namespace fovea::engine {

/// What a transform of weights is called in the weight cache, and what it computes.
struct Rewritten {
  std::string key;
  std::function<std::vector<float>(std::span<const float>)> make;
};
/// Each weight (times `scale` first) replaced.
Rewritten rewritten(const Substitute& form, float scale = 1);

/// True where input 1 holds weights that the functions below can replace.
bool has_linear_form(const graph::Op& op, const graph::Graph& graph, const graph::Node& node);

/// One value per channel of the result: the replaced bias; none where there is no bias.
Operand replaced_bias(ForwardContext& context, const Substitute& form);

/// W x + b in the layout that suits. `bias` may be none. Added to `sum` in place where there is
/// one (the result is then the same memory) and that costs nothing.
Operand apply(const graph::Conv& op, ForwardContext& context, const Operand& x,
              const Substitute& weights, const Operand& bias, const Operand& sum);
Operand apply(const graph::ConvTranspose& op, ForwardContext& context, const Operand& x,
              const Substitute& weights, const Operand& bias, const Operand& sum);
Operand apply(const graph::Gemm& op, ForwardContext& context, const Operand& x,
              const Substitute& weights, const Operand& bias, const Operand& sum);
Operand apply(const graph::MatMul& op, ForwardContext& context, const Operand& x,
              const Substitute& weights, const Operand& bias, const Operand& sum);

/// W^T s, `sum` as above.
Operand transpose(const graph::Conv& op, BackwardContext& context, const Operand& s,
                  const Substitute& weights, const Operand& sum);
Operand transpose(const graph::ConvTranspose& op, BackwardContext& context, const Operand& s,
                  const Substitute& weights, const Operand& sum);
Operand transpose(const graph::Gemm& op, BackwardContext& context, const Operand& s,
                  const Substitute& weights, const Operand& sum);
Operand transpose(const graph::MatMul& op, BackwardContext& context, const Operand& s,
                  const Substitute& weights, const Operand& sum);

}  // namespace fovea::engine
