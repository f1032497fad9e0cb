// Score-CAM. H. Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional
// Neural Networks", CVPR Workshops 2020, eq. 3 to 5 and algorithm 1:
//
//   M_k = A^k scaled to 0..1, at the input's size       s_k = y(x M_k)
//   w = softmax_k(s_k)                                  L = ReLU(sum_k w_k A^k)
//
// As in torch-cam: scaled before resizing, half-pixel centres, the input masked as the network sees
// it (0 is the mean colour). The grad-cam package resizes with aligned corners and scales
// afterwards. The score of the baseline falls out of the softmax. The option "channels" is Faster
// Score-CAM's (tf-keras-vis).

#include "explain/row.hpp"
#include "explain/score_weights.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

using Masks = std::vector<std::vector<float>>;
using Score = std::function<std::vector<double>(const Masks&)>;

std::vector<Evidence> run(Context& context, const ScoreCam& method) {
  return score_weighted(
      context, method.channels,
      [](std::int64_t, const Masks& masks, const Score& score) { return score(masks); });
}

}  // namespace

template <>
Row<ScoreCam> row<ScoreCam>() {
  return {.info = {.title = "Score-CAM",
                   .paper = "Wang et al. 2020, Score-CAM: Score-Weighted Visual Explanations for "
                            "Convolutional Neural Networks, algorithm 1",
                   .needs = "a spatial layer; an image as the input",
                   .cost = "1 forward per channel of the layer",
                   .use = "without gradients, at any price",
                   .expensive = true},
          .needs = [] { return Needs{}.and_rerun(); },
          .run = run,
          .scratch_bytes = score_weighted_bytes};
}
template const Entry& entry<ScoreCam>();

}  // namespace fovea::explain
