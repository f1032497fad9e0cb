// Kernel SHAP. S. M. Lundberg, S.-I. Lee, "A Unified Approach to Interpreting Model Predictions",
// NIPS 2017, eq. 5 and theorem 2, on the M cells of a grid:
//
//   min over c of  sum_z pi(z) (y(x with the cells of z) - y(b) - c . z)^2
//   pi(z) = (M - 1) / (C(M, |z|) |z| (M - |z|)),      sum c = y(x) - y(b)
//
// The sum rule, whose two coalitions have infinite weight, is a constraint of the regression; in
// captum they weigh a million times the others. Where 2^M - 2 coalitions are no more than
// `samples`, all are tried and the values are the Shapley values; else they are drawn as captum
// draws them (the size by pi, then a set of that size, each of weight 1), and each with its
// complement, which halves the variance (Covert and Lee 2021, section 3.3).
//
// The map holds each cell's value on the cell's positions.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "explain/attribution.hpp"
#include "explain/cells.hpp"
#include "explain/least_squares.hpp"
#include "explain/random.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/perturbation.hpp"

namespace fovea::explain {
namespace {

struct Weighted {
  Coalition shown;
  double weight;
};

double size_of(const Coalition& shown) {
  return std::accumulate(shown.begin(), shown.end(), 0.0);
}

/// As std::lgamma, which writes a variable that all threads share.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

/// Every coalition but the empty one and that of all.
std::vector<Weighted> every_coalition(std::size_t cells) {
  std::vector<Weighted> out;
  const double m = static_cast<double>(cells);
  for (std::size_t bits = 1; bits + 1 < (std::size_t{1} << cells); ++bits) {
    Coalition shown(cells);
    for (std::size_t i = 0; i < cells; ++i) shown[i] = static_cast<double>(bits >> i & 1);
    const double k = size_of(shown);
    const double ways = std::exp(log_gamma(m + 1) - log_gamma(k + 1) - log_gamma(m - k + 1));
    out.push_back({std::move(shown), (m - 1) / (ways * k * (m - k))});
  }
  return out;
}

std::vector<Weighted> drawn(std::size_t cells, std::int64_t samples, Random random) {
  std::vector<double> up_to;  // cumulative, of the sizes 1, 2, ...
  double sum = 0;
  for (std::size_t k = 1; k < cells; ++k)
    up_to.push_back(sum += 1 / (static_cast<double>(k) * static_cast<double>(cells - k)));
  std::vector<std::size_t> order(cells);
  std::vector<Weighted> out;
  while (static_cast<std::int64_t>(out.size()) < samples) {
    const double at = random.uniform() * sum;
    const auto size = static_cast<std::size_t>(
        1 + (std::upper_bound(up_to.begin(), up_to.end() - 1, at) - up_to.begin()));
    std::iota(order.begin(), order.end(), std::size_t{0});
    Coalition shown(cells, 0.0), others(cells, 1.0);
    for (std::size_t i = 0; i < size; ++i) {
      const auto rest = static_cast<double>(cells - i);
      std::swap(order[i], order[i + static_cast<std::size_t>(random.uniform() * rest)]);
      shown[order[i]] = 1;
      others[order[i]] = 0;
    }
    out.push_back({std::move(shown), 1});
    if (static_cast<std::int64_t>(out.size()) < samples) out.push_back({std::move(others), 1});
  }
  return out;
}

std::vector<Weighted> coalitions(const Chosen<KernelShap>& method, const Cells& cells) {
  const auto* given = given_coalitions(method, cells);
  const auto samples = method.rows(&KernelShap::samples, given);
  if (given == nullptr) {
    const bool few = cells.count() < 24 && (std::int64_t{1} << cells.count()) - 2 <= samples;
    return few ? every_coalition(cells.count())
               : drawn(cells.count(), samples, Random(method->seed));
  }
  std::vector<Weighted> out;
  for (std::int64_t i = 0; i < samples; ++i) {
    auto shown = coalition_of(*given, i);
    const double size = size_of(shown);
    // The empty one and that of all are the constraint.
    if (size > 0 && size < static_cast<double>(cells.count())) out.push_back({std::move(shown), 1});
  }
  return out;
}

/// `values`: of the coalitions, then y(b) and y(x).
Evidence shapley(const Cells& cells, const std::vector<Weighted>& rows,
                 const std::vector<double>& values) {
  const double without = values[rows.size()], whole = values[rows.size() + 1];
  std::vector<double> shares{whole - without};
  if (cells.count() > 1) {
    NormalEquations equations(cells.count());
    for (std::size_t i = 0; i < rows.size(); ++i)
      equations.add(rows[i].shown, values[i] - without, rows[i].weight);
    shares = equations.solve_with_sum(whole - without);
  }
  SumRule rule;
  rule.expected = whole - without;
  rule.attributed = std::accumulate(shares.begin(), shares.end(), 0.0);
  const double off = std::abs(rule.attributed - rule.expected);
  rule.error = rule.expected != 0 ? off / std::abs(rule.expected) : off;
  return {cells.spread(shares), {}, rule};
}

base::Size kernel_shap_bytes(const Context& context, const Chosen<KernelShap>& method) {
  const Cells cells(perturbed_extents(context), method->cells);
  return coalition_bytes(context, method->cells,
                         method.rows(&KernelShap::samples, given_coalitions(method, cells)) + 2);
}

std::vector<Evidence> run(Context& context, const Chosen<KernelShap>& method) {
  const Cells cells(perturbed_extents(context), method->cells);
  const auto rows = coalitions(method, cells);
  if (rows.size() + 1 < cells.count())
    throw Error(ErrorCode::invalid_argument, "Kernel SHAP: " + std::to_string(rows.size()) +
                                                 " samples are too few for " +
                                                 std::to_string(cells.count()) + " cells");
  const auto samples = static_cast<std::int64_t>(rows.size());
  const auto cover = baseline_of(context, method).data;
  const Coalition none(cells.count(), 0.0), all(cells.count(), 1.0);
  Perturbation perturbation(context, context.batch * (samples + 2));
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    const auto values =
        perturbation.scores(n, samples + 2, [&](std::int64_t i, std::span<float> variant) {
          const auto& shown = i < samples    ? rows[static_cast<std::size_t>(i)].shown
                              : i == samples ? none
                                             : all;
          cells.show(shown, perturbation.image(n), cover, perturbation.steps(), variant);
        });
    out.push_back(shapley(cells, rows, values));
  }
  return out;
}

}  // namespace

template <>
Row<KernelShap> row<KernelShap>() {
  return {
      .info = {.title = "Kernel SHAP",
               .paper = "Lundberg and Lee 2017, A Unified Approach to Interpreting Model "
                        "Predictions, theorem 2",
               .needs = "an image as the input",
               .cost =
                   "`samples` + 2 forwards, or 2 to the power of the number of cells where that "
                   "is less",
               .use = "Shapley values of the cells of a grid: they add up to the score difference "
                      "to the baseline",
               .kind = MapKind::input,
               .expensive = true},
      .needs = [] { return perturbation_needs(); },
      .run = run,
      .scratch_bytes = kernel_shap_bytes,
      .relu = false};
}
template const Entry& entry<KernelShap>();

}  // namespace fovea::explain
