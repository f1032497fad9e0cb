// AISE, adaptive input sampling for explanation, as OpenVINO XAI 1.1 has it (no paper is known):
//
//   f(m) = y(x G_m) - y(x (1 - G_m)),   G_m(p) = exp(-|p - m|^2 / (2 s^2)), scaled to a peak of 1
//   S = sum over widths s of  (sum_i f(m_i) G_mi) / max
//
// Positions from 0 to 1 in each extent; the centres m_i are those at which DIRECT (direct.hpp, with
// OpenVINO XAI's epsilon of 0.1) looks for the greatest f, `evaluations` of each width. A width all
// of whose sums are negative is not scaled. OpenVINO XAI explains probabilities (it puts a sigmoid
// behind scores outside of 0..1) and divides S by its maximum whatever its sign; here S keeps its
// scale where that is positive.

#include <algorithm>
#include <cmath>

#include "explain/direct.hpp"
#include "explain/perturbation.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "explain/windows.hpp"
#include "fovea/methods/perturbation.hpp"

namespace fovea::explain {
namespace {

constexpr double kEpsilon = 0.1;

/// A product of one factor per extent.
class Bell {
 public:
  /// `centre`: columns first, then rows.
  Bell(const Shape& extents, const Point& centre, double width) : extents_(as_three(extents)) {
    for (std::size_t d = 0; d < 3; ++d) {
      factors_[d].assign(static_cast<std::size_t>(extents_[d]), 1.0);
      if (d + extents.size() < 3) continue;
      const double middle = centre[2 - d];
      const auto last = static_cast<double>(std::max<std::int64_t>(1, extents_[d] - 1));
      for (std::size_t i = 0; i < factors_[d].size(); ++i) {
        const double z = (static_cast<double>(i) / last - middle) / width;
        factors_[d][i] = std::exp(-z * z / 2);
      }
      const double peak = *std::max_element(factors_[d].begin(), factors_[d].end());
      for (auto& v : factors_[d]) v /= peak;
    }
  }

  /// run(position, value)
  template <class Run>
  void each(Run run) const {
    std::size_t p = 0;
    for (const double deep : factors_[0])
      for (const double down : factors_[1])
        for (const double across : factors_[2]) run(p++, deep * down * across);
  }

 private:
  Extents3 extents_;
  std::array<std::vector<double>, 3> factors_;
};

std::vector<double> widths_of(const Aise& method) {
  const auto count = method.widths;
  const double first = method.narrowest, last = method.widest;
  std::vector<double> out{first};
  for (std::int64_t i = 1; i < count; ++i)
    out.push_back(first + (last - first) * static_cast<double>(i) / static_cast<double>(count - 1));
  return out;
}

class Sampling {
 public:
  Sampling(Context& context, const Aise& method, Perturbation& perturbation, std::int64_t image)
      : context_(context),
        evaluations_(static_cast<std::size_t>(method.evaluations)),
        perturbation_(perturbation),
        image_(image),
        mask_(static_cast<std::size_t>(perturbation.steps().positions)),
        nothing_(perturbation.image(image).size(), 0.f) {}

  /// sum_i f(m_i) G_mi of one width.
  std::vector<double> weighed(double width) {
    const auto found =
        direct_search(context_.extents.size(), evaluations_, kEpsilon,
                      [&](std::span<const Point> centres) { return losses(centres, width); });
    std::vector<double> sum(mask_.size(), 0.0);
    for (const auto& [at, loss] : found)
      Bell(context_.extents, at, width).each([&sum, score = -loss](std::size_t p, double v) {
        sum[p] += score * v;
      });
    const double most = *std::max_element(sum.begin(), sum.end());
    if (most > 0)
      for (auto& v : sum) v /= most;
    return sum;
  }

 private:
  /// -f of each centre.
  std::vector<double> losses(std::span<const Point> centres, double width) {
    const auto scores = perturbation_.scores(
        image_, 2 * static_cast<std::int64_t>(centres.size()),
        [&](std::int64_t i, std::span<float> variant) {
          const bool kept = i % 2 == 0;
          Bell(context_.extents, centres[static_cast<std::size_t>(i / 2)], width)
              .each([&](std::size_t p, double v) {
                mask_[p] = static_cast<float>(kept ? v : 1 - v);
              });
          mix(perturbation_.image(image_), nothing_, mask_, perturbation_.steps(), variant);
        });
    std::vector<double> out;
    for (std::size_t i = 0; i < scores.size(); i += 2) out.push_back(scores[i + 1] - scores[i]);
    return out;
  }

  Context& context_;
  std::size_t evaluations_;
  Perturbation& perturbation_;
  std::int64_t image_;
  std::vector<float> mask_, nothing_;
};

base::Size aise_bytes(const Context& context, const Aise& method) {
  constexpr base::Size kEvaluation = 512;  // a point, its rectangle, both while they move
  const Sizes s(context);
  const base::Size evaluations = method.evaluations;
  const base::Size widths = method.widths;
  return perturbation_bytes(context, evaluations * base::Size(2)) + evaluations * kEvaluation +
         widths * kDouble * kGrown + s.pixels * (kFloat + base::Size(2) * kDouble);
}

std::vector<Evidence> run(Context& context, const Aise& method) {
  const Shape& extents = perturbed_extents(context);
  const auto widths = widths_of(method);
  Perturbation perturbation(
      context, context.batch * static_cast<std::int64_t>(widths.size()) * 2 * method.evaluations);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    Sampling sampling(context, method, perturbation, n);
    std::vector<double> sum(static_cast<std::size_t>(perturbation.steps().positions), 0.0);
    for (const double width : widths) {
      const auto part = sampling.weighed(width);
      for (std::size_t p = 0; p < sum.size(); ++p) sum[p] += part[p];
    }
    // Of large things every window takes away more than it keeps, and what is left to tell is where
    // the search stayed.
    const double most = *std::max_element(sum.begin(), sum.end());
    if (most < 0)
      for (auto& v : sum) v /= most;
    out.push_back({Tensor{extents, {sum.begin(), sum.end()}}});
  }
  return out;
}

}  // namespace

template <>
Row<Aise> row<Aise>() {
  return {
      .info = {.title = "AISE",
               .paper = "OpenVINO XAI's Adaptive Input Sampling for Explanation (no paper); Jones "
                        "et al. 1993, Lipschitzian Optimization Without the Lipschitz Constant",
               .needs = "an image as the input",
               .cost = "2 `evaluations` forwards per width",
               .use = "a tenth of RISE's forwards: windows are put where they tell most; of a "
                      "probability",
               .kind = MapKind::input,
               .expensive = true,
               .has_offset = true,
               .of_probability = true},
      .needs = [] { return perturbation_needs(); },
      .run = run,
      .scratch_bytes = aise_bytes,
      .relu = false};
}
template const Entry& entry<Aise>();

}  // namespace fovea::explain
