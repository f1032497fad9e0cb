// Saliency. K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside Convolutional Networks: Visualising
// Image Classification Models and Saliency Maps", ICLR Workshops 2014, section 3.1:
//
//   L(p) = max_c |dy / dx_c(p)|
//
// The attribution is the signed gradient (captum takes its absolute value by default).

#include "explain/attribution.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/gradients.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  std::vector<Evidence> out;
  for (auto& gradient : gradients_at_input(context, engine::GradientRule::plain))
    out.push_back(by_magnitude(context, std::move(gradient)));
  return out;
}

}  // namespace

template <>
Row<Saliency> row<Saliency>() {
  return {.info = {.title = "Saliency",
                   .paper = "Simonyan et al. 2014, Deep Inside Convolutional Networks: Visualising "
                            "Image Classification Models and Saliency Maps, section 3.1",
                   .needs = "an input that the score depends on",
                   .cost = "1 forward, 1 walk back to the input",
                   .use = "which pixels the score is sensitive to",
                   .kind = MapKind::input},
          .needs = [] { return input_gradient_needs(); },
          .run = run,
          .scratch_bytes = input_gradient_bytes,
          .relu = false};
}
template const Entry& entry<Saliency>();

}  // namespace fovea::explain
