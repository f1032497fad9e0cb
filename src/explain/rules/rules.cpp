// Rules of layer-wise relevance propagation for a linear layer z = W x + b, R what reaches z.
//
//   epsilon     R_i = x_i sum_j w_ij R_j / (z_j + eps sign(z_j))
//   z-plus      R_i = sum_j (x_i w_ij)+ R_j / (sum_k (x_k w_kj)+ + b_j+)
//   z-plus-zero-bias: with b = 0
//   alpha-beta  R_i = sum_j (a (x_i w_ij)+ / z_j+ - b (x_i w_ij)- / z_j-) R_j, a - b = 1
//   gamma       epsilon's with w + gamma w+, b + gamma b+
//   flat        R_i = sum_j R_j / (number of inputs of j)
//   w-square    R_i = sum_j w_ij^2 R_j / (sum_k w_kj^2 + b_j^2)
//   z-box       R_i = sum_j (x_i w_ij - l w_ij+ - h w_ij-) R_j / (sum of the same over k)
//
// epsilon and alpha-beta: Bach et al. 2015, eq. 58 and 60; z-plus, w-square and z-box: Montavon et
// al. 2017; gamma: Montavon et al. 2019; flat: Lapuschkin et al. 2019.
//
// As in zennit: inputs may be negative (v+ of a product is x+ w+ + x- w-); every division has the
// stabilizer 1e-6 with its divisor's sign, that of 0 being positive; where z > 0 gamma raises the
// products above 0, where z < 0 those below (Andeol et al. 2021); biases keep the sign that the
// rule keeps of products, have no part in flat, and cancel in z-box. captum's gamma and alpha-beta
// rules differ: they do not split inputs by sign.

#include "explain/rules/rules.hpp"

#include "fovea/error.hpp"

namespace fovea::explain {
namespace {

using engine::LinearRule;
using engine::RuleGroup;
using engine::Substitute;

constexpr float kStabilizer = 1e-6f;

/// positive * v+ + negative * v-.
Substitute parts(float positive, float negative) {
  return {Substitute::Kind::parts, positive, negative, 0};
}
Substitute constant(float value) {
  return {Substitute::Kind::constant, 1, 1, value};
}

const Substitute kWhole = parts(1, 1), kAbove = parts(1, 0), kBelow = parts(0, 1),
                 kNothing = parts(0, 0);

LinearRule epsilon(float stabilizer) {
  return {{{1, 0, {{kWhole, kWhole}}, kWhole}}, stabilizer};
}

/// The products above 0, or below.
RuleGroup products(bool above, float scale) {
  return {scale,
          0,
          {{kAbove, above ? kAbove : kBelow}, {kBelow, above ? kBelow : kAbove}},
          above ? kAbove : kBelow};
}

LinearRule alpha_beta(float alpha, float beta) {
  LinearRule rule{{products(true, alpha)}, kStabilizer};
  if (beta != 0) rule.groups.push_back(products(false, -beta));
  return rule;
}

LinearRule without_bias(LinearRule rule) {
  for (auto& group : rule.groups) group.bias = kNothing;
  return rule;
}

LinearRule gamma(float factor) {
  const Substitute more_above = parts(1 + factor, 1), more_below = parts(1, 1 + factor);
  return {{{1, 1, {{kAbove, more_above}, {kBelow, more_below}}, more_above},
           {1, -1, {{kAbove, more_below}, {kBelow, more_above}}, more_below}},
          kStabilizer};
}

LinearRule flat() {
  return {{{1, 0, {{constant(1), constant(1)}}, kNothing}}, kStabilizer};
}

LinearRule w_square() {
  const Substitute square{Substitute::Kind::square, 1, 1, 0};
  return {{{1, 0, {{constant(1), square}}, square}}, kStabilizer};
}

LinearRule z_box(float low, float high) {
  return {{{1,
            0,
            {{kWhole, kWhole}, {constant(low), parts(-1, 0)}, {constant(high), parts(0, -1)}},
            kNothing}},
          kStabilizer};
}

}  // namespace

LinearRule rule_named(std::string_view name, const RuleOptions& options) {
  if (name == "epsilon") return epsilon(options.epsilon);
  if (name == "z-plus" || name == "alpha1-beta0") return alpha_beta(1, 0);
  if (name == "z-plus-zero-bias") return without_bias(alpha_beta(1, 0));
  if (name == "gamma") return gamma(options.gamma);
  if (name == "alpha2-beta1") return alpha_beta(2, 1);
  if (name == "flat") return flat();
  if (name == "w-square") return w_square();
  if (name == "z-box") return z_box(options.low, options.high);
  throw Error(ErrorCode::internal, "a rule that is listed is not known");
}

}  // namespace fovea::explain
