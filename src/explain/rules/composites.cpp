// Composites: which layers follow which rule, as zennit's of the same names (Montavon et al. 2019,
// section 3, for why rules differ by depth).
//
// The first layers are those that read an input through no other linear layer; zennit's is the one
// module that was registered first, which is another where several read the image. Excitation
// backpropagation (Zhang et al. 2016) lets activations pass relevance unchanged, as the others do;
// zennit's takes their gradient, which is the same for ReLU.
//
// zero_bias is ours, of zennit's parts: z-plus divides by products and biases above 0, and where a
// network's biases are large against its products (batch norms folded in, few channels each) layer
// after layer leaves next to nothing for the input. Its divisor without them is never below 0, so
// no share changes its sign, which the epsilon rule's would: there biases stay.

#include "explain/rules/rules.hpp"
#include "fovea/error.hpp"

namespace fovea::explain {

engine::Relevance composite_of(LrpComposite which, const RuleOptions& options) {
  const auto rule = [&](std::string_view name) { return rule_named(name, options); };
  const auto epsilon = rule("epsilon"), flat = rule("flat");
  switch (which) {
    case LrpComposite::epsilon_plus:
      return {rule("z-plus"), epsilon, {}, {}, {}};
    case LrpComposite::epsilon_plus_flat:
      return {rule("z-plus"), epsilon, flat, flat, {}};
    case LrpComposite::epsilon_alpha2_beta1:
      return {rule("alpha2-beta1"), epsilon, {}, {}, {}};
    case LrpComposite::epsilon_alpha2_beta1_flat:
      return {rule("alpha2-beta1"), epsilon, flat, flat, {}};
    case LrpComposite::epsilon_gamma_box:
      return {rule("gamma"), epsilon, rule("z-box"), {}, {}};
    case LrpComposite::excitation_backprop:
      return {rule("z-plus"), rule("z-plus"), {}, {}, {}};
    case LrpComposite::epsilon:
      return {epsilon, epsilon, {}, {}, {}};
    case LrpComposite::epsilon_plus_flat_zero_bias:
      return {rule("z-plus-zero-bias"), epsilon, flat, flat, {}};
  }
  throw Error(ErrorCode::internal, "a composite that is listed is not known");
}

}  // namespace fovea::explain
