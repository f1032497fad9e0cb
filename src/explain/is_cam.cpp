// IS-CAM. R. Naidu, A. Ghosh, Y. Maurya, S. R. Nayak K, S. S. Kundu, "IS-CAM: Integrated Score-CAM
// for axiomatic-based explanations", arXiv 2010.03023, eq. 4 and 5:
//
//   s_k = 1/n sum_(i=1..n) y(x M_k (1 + ... + i) / n)        w = softmax_k(s_k)
//
// The masks add up, as in the paper's algorithm and in torch-cam, so that the last one is (n + 1) /
// 2 times the full mask.

#include "explain/row.hpp"
#include "explain/score_weights.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

using Masks = std::vector<std::vector<float>>;
using Score = std::function<std::vector<double>(const Masks&)>;

std::vector<Evidence> run(Context& context, const IsCam& method) {
  const auto samples = method.samples;
  const auto scorer = [&](std::int64_t, const Masks& masks, const Score& score) {
    std::vector<double> sum(masks.size(), 0.0);
    for (std::int64_t i = 1; i <= samples; ++i) {
      Masks weaker = masks;
      const auto share = static_cast<float>(i * (i + 1)) / static_cast<float>(2 * samples);
      for (auto& mask : weaker)
        for (auto& v : mask) v *= share;
      const auto found = score(weaker);
      for (std::size_t n = 0; n < sum.size(); ++n)
        sum[n] += found[n] / static_cast<double>(samples);
    }
    return sum;
  };
  return score_weighted(context, method.channels, scorer);
}

}  // namespace

template <>
Row<IsCam> row<IsCam>() {
  return {.info = {.title = "IS-CAM",
                   .paper = "Naidu et al. 2020, IS-CAM: Integrated Score-CAM for axiomatic-based "
                            "explanations, eq. 4 and 5",
                   .needs = "a spatial layer; an image as the input",
                   .cost = "`samples` forwards per channel of the layer",
                   .use = "as Score-CAM, over masks of growing strength",
                   .expensive = true},
          .needs = [] { return Needs{}.and_rerun(); },
          .run = run,
          .scratch_bytes = score_weighted_bytes};
}
template const Entry& entry<IsCam>();

}  // namespace fovea::explain
