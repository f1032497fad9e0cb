// Guided backpropagation. J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, "Striving for
// Simplicity: The All Convolutional Net", ICLR Workshops 2015, section 3.4: at every ReLU
//
//   g_in = [x > 0] [g > 0] g
//
// The published packages do this at ReLU modules only. Here it happens wherever the graph has a
// ReLU, called as a function or in place or twice, and with f'(x) max(g, 0) at its relatives
// (ReLU6, leaky ReLU, ELU, SiLU, hard swish, GELU, Mish, Softplus). The map is the largest
// magnitude over channels.

#include "explain/attribution.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/gradients.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  std::vector<Evidence> out;
  for (auto& gradient : gradients_at_input(context, engine::GradientRule::guided))
    out.push_back(by_magnitude(context, std::move(gradient)));
  return out;
}

}  // namespace

template <>
Row<GuidedBackprop> row<GuidedBackprop>() {
  return {
      .info = {.title = "Guided backpropagation",
               .paper = "Springenberg et al. 2015, Striving for Simplicity: The All Convolutional "
                        "Net, section 3.4",
               .needs = "an input that the score depends on",
               .cost = "1 forward, 1 walk back to the input",
               .use = "crisp contours; hardly depends on the class",
               .kind = MapKind::input},
      .needs = [] { return input_gradient_needs(engine::GradientRule::guided); },
      .run = run,
      .scratch_bytes = input_gradient_bytes,
      .relu = false};
}
template const Entry& entry<GuidedBackprop>();

}  // namespace fovea::explain
