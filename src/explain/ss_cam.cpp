// SS-CAM. H. Wang, R. Naidu, J. Michael, S. S. Kundu, "SS-CAM: Smoothed Score-CAM for Sharper
// Visual Feature Localization", arXiv 2006.14255, eq. 5 (noise on the masks):
//
//   s_k = 1/n sum_i y(x (M_k + N(0, sigma)))        w = softmax_k(s_k)
//
// sigma 2 and 35 samples are the paper's and torch-cam's.

#include "explain/random.hpp"
#include "explain/row.hpp"
#include "explain/score_weights.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

using Masks = std::vector<std::vector<float>>;
using Score = std::function<std::vector<double>(const Masks&)>;

std::vector<Evidence> run(Context& context, const Chosen<SsCam>& method) {
  const double deviation = method->deviation;
  const auto channels = context.layer.shape[1];
  Shape shape = {-1, context.batch, channels};
  shape.insert(shape.end(), context.extents.begin(), context.extents.end());
  const auto* given = method.given(&SsCam::given_noise, shape);
  const auto samples = method.rows(&SsCam::samples, given);
  if (given != nullptr && method->channels != 0)
    throw Error(ErrorCode::invalid_argument, "SS-CAM with given noise takes every channel");
  Random random(method->seed);
  const auto scorer = [&](std::int64_t channel, const Masks& masks, const Score& score) {
    std::vector<double> sum(masks.size(), 0.0);
    const auto size = masks[0].size();
    for (std::int64_t i = 0; i < samples; ++i) {
      Masks noisy = masks;
      for (std::size_t n = 0; n < noisy.size(); ++n)
        for (std::size_t p = 0; p < size; ++p) {
          const auto image = i * context.batch + static_cast<std::int64_t>(n);
          const auto at = static_cast<std::size_t>(image * channels + channel) * size;
          noisy[n][p] += given != nullptr ? given->data[at + p]
                                          : static_cast<float>(deviation * random.normal());
        }
      const auto found = score(noisy);
      for (std::size_t n = 0; n < sum.size(); ++n)
        sum[n] += found[n] / static_cast<double>(samples);
    }
    return sum;
  };
  return score_weighted(context, method->channels, scorer);
}

}  // namespace

template <>
Row<SsCam> row<SsCam>() {
  return {
      .info = {.title = "SS-CAM",
               .paper = "Wang et al. 2020, SS-CAM: Smoothed Score-CAM for Sharper Visual Feature "
                        "Localization, eq. 5",
               .needs = "a spatial layer; an image as the input",
               .cost = "`samples` forwards per channel of the layer",
               .use = "as Score-CAM, smoothed",
               .expensive = true},
      .needs = [] { return Needs{}.and_rerun(); },
      .run = run,
      .scratch_bytes = score_weighted_bytes};
}
template const Entry& entry<SsCam>();

}  // namespace fovea::explain
