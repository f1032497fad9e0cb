// ShapleyCAM. H. Cai, "CAMs as Shapley Value-based Explainers", The Visual Computer 2025, eq. 12:
// Grad-CAM whose weights have a second-order term,
//
//   w_k = mean_p (g - 1/2 H A)_k        H: the Hessian of y with respect to the layer's map A
//
// H A is not differentiated but taken by central differences. Behind a piecewise linear head
// H = J^T H_y J with J the head's Jacobian and H_y the Hessian of the target in the scores: J A is
// the difference of the scores at (1 + e) A and (1 - e) A, H_y of it that of the target's gradient,
// and one backward pass leads it to the layer. (A difference of two backward passes would count
// every ReLU that it crosses.) So of a logit it is 0 there, and the map is Grad-CAM's. Behind
// smooth activations the difference is that of two backward passes. The grad-cam package
// differentiates twice.

#include <vector>

#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

using Doubles = std::vector<double>;

/// The head at a multiple of the map of one image.
class Scaled {
 public:
  Scaled(Context& context, std::int64_t image)
      : tail_(context, image),
        map_(plain(feature_map(context), image)),
        classes_(static_cast<std::size_t>(context.row())) {}

  /// The scores at `factor` times the map; it stays there for `means`.
  std::vector<float> scores_at(double factor) {
    for (std::int64_t b = 0; b < tail_.batch(); ++b) {
      const auto to = tail_.map(b);
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(factor * map_.data[i]);
    }
    const auto scores = tail_.forward();
    return {scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(classes_)};
  }

  /// The mean over positions of the gradient from these seeds.
  Doubles means(std::span<const float> seeds) {
    std::vector<float> all;
    for (std::int64_t b = 0; b < tail_.batch(); ++b)
      all.insert(all.end(), seeds.begin(), seeds.end());
    const Tensor g = plain(tail_.backward(all), 0);
    const auto channels = static_cast<std::size_t>(map_.shape[0]);
    const auto positions = map_.data.size() / channels;
    Doubles out(channels, 0.0);
    for (std::size_t i = 0; i < g.data.size(); ++i)
      out[i / positions] += g.data[i] / static_cast<double>(positions);
    return out;
  }

  std::vector<float> seeds(const Objective& objective, std::span<const float> scores) const {
    std::vector<float> out(classes_);
    objective.gradient(scores, out);
    return out;
  }

 private:
  Tail tail_;
  Tensor map_;
  std::size_t classes_;
};

/// mean_p (H A) behind a piecewise linear head.
Doubles curvature_of_target(Scaled& head, const Objective& objective, double step) {
  const auto high = head.scores_at(1 + step), low = head.scores_at(1 - step);
  auto from = head.seeds(objective, high);
  const auto other = head.seeds(objective, low);
  for (std::size_t i = 0; i < from.size(); ++i)
    from[i] = static_cast<float>((static_cast<double>(from[i]) - other[i]) / (2 * step));
  head.scores_at(1);
  return head.means(from);
}

/// The same behind any head.
Doubles curvature(Scaled& head, const Objective& objective, double step) {
  auto out = head.means(head.seeds(objective, head.scores_at(1 + step)));
  const auto low = head.means(head.seeds(objective, head.scores_at(1 - step)));
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = (out[k] - low[k]) / (2 * step);
  return out;
}

std::vector<Evidence> run(Context& context, const ShapleyCam& method) {
  const double step = method.step;
  const auto view = feature_map(context);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    const auto& objective = context.objectives[static_cast<std::size_t>(n)];
    Scaled head(context, n);
    const auto scores = head.scores_at(1);
    const auto mean = head.means(head.seeds(objective, scores));
    const auto bent = context.layer.is_linear_head ? curvature_of_target(head, objective, step)
                                                   : curvature(head, objective, step);
    std::vector<float> weights(mean.size());
    for (std::size_t k = 0; k < weights.size(); ++k)
      weights[k] = static_cast<float>(mean[k] - bent[k] / 2);
    out.push_back({weighted_sum(view, n, weights)});
  }
  return out;
}

}  // namespace

template <>
Row<ShapleyCam> row<ShapleyCam>() {
  return {.info = {.title = "ShapleyCAM",
                   .paper = "Cai 2025, CAMs as Shapley Value-based Explainers, eq. 12",
                   .needs = "a spatial layer that the score depends on",
                   .cost = "1 forward, 4 forwards and 2 walks back between the layer and the score",
                   .use = "as Grad-CAM, for targets that bend: probabilities, smooth activations"},
          .needs =
              [](const Layer& layer) {
                return Needs{.networks = {{.part = NetworkSpec::Part::tail,
                                           .from = layer.value,
                                           .batch = 1,
                                           .gradient = true}}};
              },
          .run = run,
          .scratch_bytes =
              [](const Context& context) {
                const Sizes s(context);
                return tail_bytes(context) +
                       (s.plain + base::Size(context.network(NetworkSpec::Part::tail).batch) *
                                      s.classes * kGrown) *
                           kFloat;
              }};
}
template const Entry& entry<ShapleyCam>();

}  // namespace fovea::explain
