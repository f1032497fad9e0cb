// Gradient x input. A. Shrikumar, P. Greenside, A. Shcherbina, A. Kundaje, "Not Just a Black Box:
// Learning Important Features Through Propagating Activation Differences", arXiv 1605.01713,
// section 3:
//
//   a = x dy / dx        L(p) = sum_c a_c(p)

#include "explain/attribution.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/gradients.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  auto gradients = gradients_at_input(context, engine::GradientRule::plain);
  std::vector<Evidence> out;
  for (std::size_t n = 0; n < gradients.size(); ++n) {
    const Tensor x = image_of(context, static_cast<std::int64_t>(n));
    for (std::size_t i = 0; i < x.data.size(); ++i) gradients[n].data[i] *= x.data[i];
    out.push_back(by_sum(context, std::move(gradients[n])));
  }
  return out;
}

}  // namespace

template <>
Row<GradientXInput> row<GradientXInput>() {
  return {
      .info = {.title = "Gradient x input",
               .paper = "Shrikumar et al. 2016, Not Just a Black Box: Learning Important Features "
                        "Through Propagating Activation Differences, section 3",
               .needs = "an input that the score depends on",
               .cost = "1 forward, 1 walk back to the input",
               .use = "as saliency, with a sign: what speaks for and against",
               .kind = MapKind::input},
      .needs =
          [] {
            auto needs = input_gradient_needs();
            needs.inputs = true;
            return needs;
          },
      .run = run,
      .scratch_bytes = input_gradient_bytes,
      .relu = false};
}
template const Entry& entry<GradientXInput>();

}  // namespace fovea::explain
