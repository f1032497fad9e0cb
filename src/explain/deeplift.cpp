// DeepLIFT. A. Shrikumar, P. Greenside, A. Kundaje, "Learning Important Features Through
// Propagating Activation Differences", ICML 2017, sections 3.1 to 3.3 and 3.5.1 (rescale rule):
//
//   a_i = m_i (x_i - b_i)        sum a = y(x) - y(b)
//
// with multipliers m by the chain rule (eq. 3), (f(u) - f(v)) / (u - v) of each function of one
// value (section 3.5.1). The paper has no rule for products and maxima:
// engine::GradientRule::rescale says what is done.

#include "explain/attribution.hpp"
#include "explain/differences.hpp"
#include "explain/method.hpp"
#include "explain/sizes.hpp"

namespace fovea::explain {
namespace {

Tensor background(const Settings& settings, const Shape& image) {
  Tensor out = baseline_of(settings, image);
  out.shape.insert(out.shape.begin(), 1);
  return out;
}

}  // namespace

const Entry& deeplift() {
  static const Entry entry{
      .info = {.name = "deeplift",
               .title = "DeepLIFT",
               .paper = "Shrikumar et al. 2017, Learning Important Features Through Propagating "
                        "Activation Differences, section 3, rescale rule",
               .needs = "an input that the score depends on",
               .cost =
                   "1 forward, 1 walk back to the input; 1 forward of the baseline per explainer, "
                   "or per call where it is another one's",
               .use = "as integrated gradients, at the cost of one walk",
               .kind = MapKind::input,
               .options = {{.name = "baseline",
                            .value = 0,
                            .least = -1e30,
                            .most = 1e30,
                            .help = "every value of the baseline, as the network sees it"}},
               .given = {{"baseline", "[the input's extents without the images]",
                          "the image without evidence, as the network sees it"}}},
      .check = serves_all,
      .needs = [](const Layer&, const Settings&) { return difference_needs().and_again(); },
      .run = mean_difference,
      .takes = mean_difference_bytes,
      .relu = false,
      .background = background};
  return entry;
}

}  // namespace fovea::explain
