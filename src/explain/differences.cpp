#include "explain/differences.hpp"

#include <algorithm>
#include <cmath>

#include "explain/attribution.hpp"
#include "explain/gradients.hpp"
#include "explain/sizes.hpp"

namespace fovea::explain {
namespace {

constexpr int kPoints = 64;  // on the way between two runs' scores

Gradient multipliers() {
  return {.of_input = true, .rule = engine::GradientRule::rescale};
}

/// The objective's mean gradient between the two runs' scores.
void mean_slope(const Objective& objective, std::span<const float> scores,
                std::span<const float> reference, std::span<float> out) {
  std::vector<float> end(out.size()), at(out.size()), slope(out.size());
  objective.gradient(scores, out);
  objective.gradient(reference, end);
  if (std::equal(end.begin(), end.end(), out.begin())) return;  // linear
  std::vector<double> sum(out.size(), 0.0);
  for (int i = 0; i < kPoints; ++i) {
    const float t = (static_cast<float>(i) + 0.5f) / kPoints;
    for (std::size_t k = 0; k < at.size(); ++k)
      at[k] = reference[k] + t * (scores[k] - reference[k]);
    objective.gradient(at, slope);
    for (std::size_t k = 0; k < at.size(); ++k) sum[k] += slope[k];
  }
  for (std::size_t k = 0; k < at.size(); ++k) out[k] = static_cast<float>(sum[k] / kPoints);
}

}  // namespace

Needs difference_needs() {
  return {.gradients = {multipliers()}, .inputs = true, .references = true};
}

SumRule difference_rule(double expected, double attributed) {
  SumRule out;
  out.expected = expected;
  out.attributed = attributed;
  const double apart = std::abs(expected - attributed);
  out.error = apart == 0 ? 0 : apart / std::abs(expected);
  return out;
}

base::Size mean_difference_bytes(const Context& context) {
  const Sizes s(context);
  return input_gradient_bytes(context) + s.images * s.input * kDouble + s.classes * base::Size(24);
}

std::vector<Evidence> mean_difference(Context& context) {
  const auto& background = *context.background;
  const auto images = background.references.size();
  const auto batch = static_cast<std::size_t>(context.batch);
  const auto row = static_cast<std::size_t>(context.row());
  const auto index = index_of(context.input, multipliers());
  std::vector<Tensor> x;
  for (std::size_t n = 0; n < batch; ++n)
    x.push_back(image_of(context, static_cast<std::int64_t>(n)));
  const auto size = x[0].data.size();
  std::vector<std::vector<double>> sums(batch, std::vector<double>(size, 0.0));
  std::vector<double> expected(batch, 0.0);
  std::vector<float> seeds(batch * row);
  for (std::size_t i = 0; i < images; ++i) {
    const auto reference = std::span(background.scores).subspan(i * row, row);
    for (std::size_t n = 0; n < batch; ++n) {
      const auto scores = context.scores.subspan(n * row, row);
      const auto& objective = context.objectives[n];
      mean_slope(objective, scores, reference, std::span(seeds).subspan(n * row, row));
      expected[n] += objective.value(scores) - objective.value(reference);
    }
    run_backward(context, index, seeds, &background.references[i]);
    const auto view = context.plan.gradient(context.workspace, index);
    const float* b = background.images.data.data() + i * size;
    for (std::size_t n = 0; n < batch; ++n) {
      const Tensor multipliers = plain(view, context.input, static_cast<std::int64_t>(n));
      for (std::size_t e = 0; e < size; ++e)
        sums[n][e] += static_cast<double>(multipliers.data[e]) * (x[n].data[e] - b[e]);
    }
  }
  std::vector<Evidence> out;
  const auto share = 1 / static_cast<double>(images);
  for (std::size_t n = 0; n < batch; ++n) {
    double attributed = 0;
    for (std::size_t e = 0; e < size; ++e) {
      attributed += sums[n][e] * share;
      x[n].data[e] = static_cast<float>(sums[n][e] * share);
    }
    out.push_back(by_sum(context, std::move(x[n])));
    out.back().sum_rule = difference_rule(expected[n] * share, attributed);
  }
  return out;
}

}  // namespace fovea::explain
