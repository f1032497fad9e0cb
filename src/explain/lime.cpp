// LIME. M. T. Ribeiro, S. Singh, C. Guestrin, "Why Should I Trust You? Explaining the Predictions
// of Any Classifier", KDD 2016, eq. 1 and algorithm 1:
//
//   min over b, c of  sum_z pi(z) (y(x with the cells of z) - b - c . z)^2 + ridge |c|^2
//   pi(z) = sqrt(exp(-D^2 / kernel^2)),   D = 1 - cos(z, 1) = 1 - sqrt(shown / cells)
//
// The cells of a grid stand for the paper's superpixels; each is shown with probability 1/2, and
// the first sample is the image itself. Kernel, width, ridge and what counts as distance are those
// of the authors' code for images (its defaults), which draws as many features as it is told and
// then solves the same ridge regression; the paper's K-LASSO would leave all but K of the cells
// out. captum measures the distance between images unless told otherwise.
//
// The map holds each cell's coefficient on the cell's positions.

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

std::vector<Coalition> coalitions(const Chosen<Lime>& method, const Cells& cells) {
  const auto* given = given_coalitions(method, cells);
  const auto samples = method.rows(&Lime::samples, given);
  std::vector<Coalition> out;
  Random random(method->seed);
  for (std::int64_t i = 0; i < samples; ++i) {
    if (given != nullptr) {
      out.push_back(coalition_of(*given, i));
      continue;
    }
    Coalition shown(cells.count(), 1.0);
    if (i > 0)
      for (auto& cell : shown) cell = random.uniform() < 0.5 ? 1 : 0;
    out.push_back(std::move(shown));
  }
  return out;
}

double similarity(const Coalition& shown, double width) {
  const double share =
      std::accumulate(shown.begin(), shown.end(), 0.0) / static_cast<double>(shown.size());
  const double distance = 1 - std::sqrt(share);
  return std::exp(-distance * distance / (2 * width * width));
}

/// Of each cell; the intercept is free of the ridge.
std::vector<double> coefficients(const std::vector<Coalition>& rows,
                                 const std::vector<double>& values, double width, double ridge) {
  const auto cells = rows[0].size();
  NormalEquations equations(cells + 1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto row = rows[i];
    row.push_back(1);
    equations.add(row, values[i], similarity(rows[i], width));
  }
  for (std::size_t i = 0; i < cells; ++i) equations.add_ridge(i, ridge);
  auto out = equations.solve();
  out.pop_back();
  return out;
}

base::Size lime_bytes(const Context& context, const Chosen<Lime>& method) {
  const Cells cells(perturbed_extents(context), method->cells);
  return coalition_bytes(context, method->cells,
                         method.rows(&Lime::samples, given_coalitions(method, cells)));
}

std::vector<Evidence> run(Context& context, const Chosen<Lime>& method) {
  const Cells cells(perturbed_extents(context), method->cells);
  const auto rows = coalitions(method, cells);
  const auto samples = static_cast<std::int64_t>(rows.size());
  const auto cover = baseline_of(context, method).data;
  Perturbation perturbation(context, context.batch * samples);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    const auto values =
        perturbation.scores(n, samples, [&](std::int64_t i, std::span<float> variant) {
          cells.show(rows[static_cast<std::size_t>(i)], perturbation.image(n), cover,
                     perturbation.steps(), variant);
        });
    out.push_back({cells.spread(coefficients(rows, values, method->kernel, method->ridge))});
  }
  return out;
}

}  // namespace

template <>
Row<Lime> row<Lime>() {
  return {
      .info = {.title = "LIME",
               .paper =
                   "Ribeiro et al. 2016, Why Should I Trust You? Explaining the Predictions of "
                   "Any Classifier, eq. 1 and algorithm 1",
               .needs = "an image as the input",
               .cost = "`samples` forwards",
               .use =
                   "which cells of a grid the score rests on, by a linear model around the image",
               .kind = MapKind::input,
               .expensive = true},
      .needs = [] { return perturbation_needs(); },
      .run = run,
      .scratch_bytes = lime_bytes,
      .relu = false};
}
template const Entry& entry<Lime>();

}  // namespace fovea::explain
