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
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/relevance.hpp"

namespace fovea::explain {
namespace {

Tensor background(const Shape& image, const Chosen<DeepLift>& method) {
  Tensor out = baseline_of(method, image);
  out.shape.insert(out.shape.begin(), 1);
  return out;
}

}  // namespace

template <>
Row<DeepLift> row<DeepLift>() {
  return {
      .info = {.title = "DeepLIFT",
               .paper = "Shrikumar et al. 2017, Learning Important Features Through Propagating "
                        "Activation Differences, section 3, rescale rule",
               .needs = "an input that the score depends on",
               .cost =
                   "1 forward, 1 walk back to the input; 1 forward of the baseline per explainer, "
                   "or per call where it is another one's",
               .use = "as integrated gradients, at the cost of one walk",
               .kind = MapKind::input},
      .needs = [] { return difference_needs().and_rerun(); },
      .run = mean_difference,
      .scratch_bytes = mean_difference_bytes,
      .relu = false,
      .background = background};
}
template const Entry& entry<DeepLift>();

}  // namespace fovea::explain
