// Deep SHAP. S. M. Lundberg, S.-I. Lee, "A Unified Approach to Interpreting Model Predictions",
// NIPS 2017, section 4.2: DeepLIFT's multipliers, the mean over the images b of a background set:
//
//   a_i = 1/n sum_b m_i(b) (x_i - b_i)        sum a = y(x) - 1/n sum_b y(b)
//
// What depends on the background alone is computed when the explainer is made.

#include "explain/differences.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/relevance.hpp"

namespace fovea::explain {
namespace {

Tensor background(const Shape& image, const Chosen<DeepShap>& method) {
  return background_of(method, image);
}

}  // namespace

template <>
Row<DeepShap> row<DeepShap>() {
  return {
      .info = {.title = "Deep SHAP",
               .paper = "Lundberg and Lee 2017, A Unified Approach to Interpreting Model "
                        "Predictions, section 4.2",
               .needs = "one input, that the score depends on",
               .cost = "1 forward, 1 walk back to the input per image of the background; as many "
                       "forwards per explainer",
               .use = "what tells the image from those of a background set",
               .kind = MapKind::input},
      .needs = [] { return difference_needs(); },
      .run = mean_difference,
      .scratch_bytes = mean_difference_bytes,
      .relu = false,
      .background = background};
}
template const Entry& entry<DeepShap>();

}  // namespace fovea::explain
