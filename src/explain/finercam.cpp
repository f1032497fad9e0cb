// FinerCAM. Z. Zhang et al., "Finer-CAM: Spotting the Difference Reveals Finer Details for Visual
// Explanation", CVPR 2025, eq. 5 to 7: Grad-CAM of how far the class is ahead of those most like
// it.
//
//   y = sum_j p_j (y_t - alpha y_j) / sum_j p_j      j: the classes whose logits are closest to y_t
//
// As in the grad-cam package p is the softmax, its gradient counts, the denominator has 1e-9, and
// three classes are compared with. torch-cam takes y_t - 0.6 mean_j y_j.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "explain/softmax.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

using Scores = std::span<const float>;

/// The classes whose scores are closest to that of `target`, without itself.
std::vector<std::size_t> closest(Scores scores, std::size_t target, std::size_t count) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  order.erase(order.begin() + static_cast<std::ptrdiff_t>(target));
  const auto distance = [&](std::size_t j) { return std::abs(scores[j] - scores[target]); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
  order.resize(std::min(order.size(), count));
  return order;
}

void gradient_of_lead(Scores scores, std::size_t t, std::size_t count, double alpha,
                      std::span<float> out) {
  const auto p = softmax(scores);
  const auto others = closest(scores, t, count);
  double top = 0, below = 1e-9;
  for (const auto j : others) {
    top += p[j] * (static_cast<double>(scores[t]) - alpha * scores[j]);
    below += p[j];
  }
  const double lead = top / below;
  // d p_j / d y_i = p_j ([i = j] - p_i)
  std::vector<double> d(scores.size(), 0.0);
  double common = 0;
  for (const auto j : others) {
    const double worth = static_cast<double>(scores[t]) - alpha * scores[j] - lead;
    d[j] += p[j] * worth - alpha * p[j];
    d[t] += p[j];
    common += p[j] * worth;
  }
  for (std::size_t i = 0; i < d.size(); ++i)
    out[i] = static_cast<float>((d[i] - common * p[i]) / below);
}

std::vector<Evidence> run(Context& context, const FinerCam& method) {
  const auto row = static_cast<std::size_t>(context.row());
  std::vector<float> from(static_cast<std::size_t>(context.batch) * row);
  for (std::size_t n = 0; n < static_cast<std::size_t>(context.batch); ++n) {
    const auto target = context.objectives[n].class_index();
    if (target < 0)
      throw Error(ErrorCode::invalid_argument,
                  "FinerCAM compares a class with those like it: the target must be a class");
    const auto& read = *context.reads.scores();
    if (read.size < 2)
      throw Error(ErrorCode::invalid_argument, "FinerCAM needs at least two classes");
    gradient_of_lead(context.scores.subspan(n * row + read.begin, read.size),
                     static_cast<std::size_t>(target), static_cast<std::size_t>(method.comparisons),
                     method.alpha, std::span(from).subspan(n * row + read.begin, read.size));
  }
  const auto alpha = mean_gradient(context, from);
  const auto view = feature_map(context);
  const auto channels = static_cast<std::size_t>(view.shape[1]);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n)
    out.push_back({weighted_sum(
        view, n, std::span(alpha).subspan(static_cast<std::size_t>(n) * channels, channels))});
  return out;
}

}  // namespace

template <>
Row<FinerCam> row<FinerCam>() {
  return {.info = {.title = "FinerCAM",
                   .paper = "Zhang et al. 2025, Finer-CAM: Spotting the Difference Reveals Finer "
                            "Details for Visual Explanation, eq. 5 to 7",
                   .needs = "a spatial layer that the score depends on; a class as the target",
                   .cost = "1 forward, 1 walk back from the score to the layer",
                   .use = "what tells the class from the ones most like it"},
          .needs =
              [](const Layer& layer) {
                return Needs{.gradients =
                                 layer_gradient_needs(layer, engine::GradientReduce::spatial_mean)};
              },
          .run = run,
          .scratch_bytes =
              [](const Context& context) { return Sizes(context).classes * base::Size(64); }};
}
template const Entry& entry<FinerCam>();

}  // namespace fovea::explain
