// Deconvolution. M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks",
// ECCV 2014, section 2.1: at every ReLU the gradient itself goes through a ReLU, whatever the input
// was,
//
//   g_in = [g > 0] g
//
// and so at ReLU's relatives (see guided backpropagation). The map is the largest magnitude over
// channels.

#include "explain/attribution.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/gradients.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  std::vector<Evidence> out;
  for (auto& gradient : gradients_at_input(context, engine::GradientRule::deconvolution))
    out.push_back(by_magnitude(context, std::move(gradient)));
  return out;
}

}  // namespace

template <>
Row<Deconvolution> row<Deconvolution>() {
  return {.info = {.title = "Deconvolution",
                   .paper = "Zeiler and Fergus 2014, Visualizing and Understanding Convolutional "
                            "Networks, section 2.1",
                   .needs = "an input that the score depends on",
                   .cost = "1 forward, 1 walk back to the input",
                   .use = "for comparison with the literature",
                   .kind = MapKind::input},
          .needs = [] { return input_gradient_needs(engine::GradientRule::deconvolution); },
          .run = run,
          .scratch_bytes = input_gradient_bytes,
          .relu = false};
}
template const Entry& entry<Deconvolution>();

}  // namespace fovea::explain
