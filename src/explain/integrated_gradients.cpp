// Integrated gradients. M. Sundararajan, A. Taly, Q. Yan, "Axiomatic Attribution for Deep
// Networks", ICML 2017, eq. 1 and 3:
//
//   a = (x - b) int_0^1 dy/dx (b + t (x - b)) dt        sum a = y(x) - y(b)
//
// The integral by Gauss and Legendre's points (captum's default), right end points (the paper's
// eq. 3) or the trapezoidal rule (captum's spreads its points as n steps from 0 to 1, ends
// included).

#include <cmath>
#include <numbers>

#include "explain/attribution.hpp"
#include "explain/gradients.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/gradients.hpp"

namespace fovea::explain {
namespace {

struct Point {
  double at, weight;
};

/// Newton's method on the Legendre polynomial of degree n, on [0, 1].
std::vector<Point> gauss_legendre(std::size_t n) {
  std::vector<Point> out(n);
  const auto degree = static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) {
    double x = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (degree + 0.5));
    double slope = 1;
    for (int round = 0; round < 100; ++round) {
      double p = 1, before = 0;
      for (std::size_t k = 1; k <= n; ++k) {
        const auto j = static_cast<double>(k);
        const double next = ((2 * j - 1) * x * p - (j - 1) * before) / j;
        before = p;
        p = next;
      }
      slope = degree * (x * p - before) / (x * x - 1);
      const double step = p / slope;
      x -= step;
      if (std::abs(step) < 1e-15) break;
    }
    out[n - 1 - i] = {(1 + x) / 2, 1 / ((1 - x * x) * slope * slope)};
  }
  return out;
}

std::vector<Point> quadrature(std::int64_t rule, std::size_t steps) {
  if (rule == 0) return gauss_legendre(steps);
  const auto n = static_cast<double>(steps);
  std::vector<Point> out;
  for (std::size_t i = 1; i <= steps; ++i) {
    const auto k = static_cast<double>(i);
    if (rule == 1) {
      out.push_back({k / n, 1 / n});
    } else {
      const bool end = i == 1 || i == steps;
      out.push_back({steps > 1 ? (k - 1) / (n - 1) : 0.5, (end && steps > 1 ? 0.5 : 1.0) / n});
    }
  }
  return out;
}

std::vector<Evidence> run(Context& context, const Chosen<IntegratedGradients>& method) {
  const auto steps = static_cast<std::size_t>(method->steps);
  const auto points = quadrature(method->rule, steps);
  const Tensor& x = image_input(context);
  const Tensor baseline = baseline_of(context, method);
  const auto size = baseline.data.size();
  std::vector<double> sum(x.data.size(), 0.0);
  std::vector<Tensor> inputs(context.inputs.begin(), context.inputs.end());
  Rerun rerun(context);
  for (const auto& [at, weight] : points) {
    for (std::size_t i = 0, k = 0; i < x.data.size(); ++i, ++k) {
      if (k == size) k = 0;
      const double from = baseline.data[k];
      inputs[context.image_input].data[i] = static_cast<float>(from + at * (x.data[i] - from));
    }
    auto& again = rerun.forward(inputs);
    const auto gradients = gradients_at_input(again, engine::GradientRule::plain);
    for (std::size_t n = 0; n < gradients.size(); ++n)
      for (std::size_t i = 0; i < size; ++i) sum[n * size + i] += weight * gradients[n].data[i];
  }
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    Tensor a = image_of(context, n);
    for (std::size_t i = 0; i < size; ++i)
      a.data[i] = static_cast<float>((static_cast<double>(a.data[i]) - baseline.data[i]) *
                                     sum[static_cast<std::size_t>(n) * size + i]);
    out.push_back(by_sum(context, std::move(a)));
  }
  return out;
}

}  // namespace

template <>
Row<IntegratedGradients> row<IntegratedGradients>() {
  return {
      .info = {.title = "Integrated gradients",
               .paper =
                   "Sundararajan et al. 2017, Axiomatic Attribution for Deep Networks, eq. 1 and 3",
               .needs = "an input that the score depends on",
               .cost = "`steps` forwards and walks back to the input",
               .use = "attributions that add up to the score difference to the baseline",
               .kind = MapKind::input},
      .needs = [] { return input_gradient_needs().and_rerun(); },
      .run = run,
      .scratch_bytes =
          [](const Context& context, const IntegratedGradients& method) {
            const Sizes s(context);
            const base::Size points = method.steps;
            return rerun_bytes(context) + base::Size(2) * input_gradient_bytes(context) +
                   base::Size(1) * s.images * s.input * kDouble +
                   points * base::Size(sizeof(Point)) * kGrown;
          },
      .relu = false};
}
template const Entry& entry<IntegratedGradients>();

}  // namespace fovea::explain
