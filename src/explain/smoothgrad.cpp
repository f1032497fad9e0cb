// SmoothGrad. D. Smilkov, N. Thorat, B. Kim, F. Viegas, M. Wattenberg, "SmoothGrad: removing noise
// by adding noise", arXiv 1706.03825, section 3:
//
//   g_i = dy/dx (x + N(0, sigma^2))        sigma: 15 % of the range of x
//   a = 1/n sum_i g_i
//
// SmoothGrad squared. S. Hooker, D. Erhan, P.-J. Kindermans, B. Kim, "A Benchmark for
// Interpretability Methods in Deep Neural Networks", NeurIPS 2019, section 4.1:
//
//   a = 1/n sum_i g_i^2
//
// VarGrad. J. Adebayo, J. Gilmer, I. Goodfellow, B. Kim, "Local Explanation Methods for Deep Neural
// Networks Lack Sensitivity to Parameter Values", ICLR Workshops 2018, eq. 3:
//
//   a = 1/n sum_i g_i^2 - (1/n sum_i g_i)^2
//
// as captum has it (the mean is that of the samples, not the clean gradient). The map is the
// largest magnitude over channels.

#include "explain/attribution.hpp"
#include "explain/noise.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/gradients.hpp"

namespace fovea::explain {
namespace {

/// Which sums over the samples a method reads, and its value of their means.
struct Moments {
  bool first, second;
  double (*value)(double mean, double mean_square);
};

constexpr Moments kMean{true, false, [](double mean, double) { return mean; }};
constexpr Moments kMeanSquare{false, true, [](double, double square) { return square; }};
constexpr Moments kVariance{true, true,
                            [](double mean, double square) { return square - mean * mean; }};

std::vector<Evidence> of_gradients(Context& context, const Noise& noise, const Moments& moments) {
  std::vector<std::vector<double>> sum, squares;
  std::vector<Tensor> last;
  for_each_noisy(context, noise, [&](Context& noisy) {
    last = gradients_at_input(noisy, engine::GradientRule::plain);
    sum.resize(last.size());
    squares.resize(last.size());
    for (std::size_t n = 0; n < last.size(); ++n) {
      const auto& g = last[n].data;
      if (moments.first) sum[n].resize(g.size());
      if (moments.second) squares[n].resize(g.size());
      for (std::size_t i = 0; i < sum[n].size(); ++i) sum[n][i] += g[i];
      for (std::size_t i = 0; i < squares[n].size(); ++i)
        squares[n][i] += static_cast<double>(g[i]) * g[i];
    }
  });
  const auto mean = [count = static_cast<double>(noise.samples)](const auto& of, std::size_t i) {
    return of.empty() ? 0 : of[i] / count;
  };
  std::vector<Evidence> out;
  for (std::size_t n = 0; n < last.size(); ++n) {
    for (std::size_t i = 0; i < last[n].data.size(); ++i)
      last[n].data[i] = static_cast<float>(moments.value(mean(sum[n], i), mean(squares[n], i)));
    out.push_back(by_magnitude(context, std::move(last[n])));
  }
  return out;
}

/// What the three methods have in common.
template <class M>
Row<M> averaged(const Moments& moments, MethodInfo info) {
  info.needs = "an input that the score depends on";
  info.cost = "`samples` forwards and walks back to the input";
  info.kind = MapKind::input;
  const base::Size sums = (moments.first ? 1 : 0) + (moments.second ? 1 : 0);
  return {.info = std::move(info),
          .needs = [] { return input_gradient_needs().and_rerun(); },
          .run =
              [moments](Context& context, const Chosen<M>& method) {
                return of_gradients(context, noise_of(context, method), moments);
              },
          .scratch_bytes =
              [sums](const Context& context) {
                const Sizes s(context);
                return rerun_bytes(context) + base::Size(2) * input_gradient_bytes(context) +
                       sums * s.images * s.input * kDouble;
              },
          .relu = false};
}

}  // namespace

template <>
Row<SmoothGrad> row<SmoothGrad>() {
  return averaged<SmoothGrad>(
      kMean, {.title = "SmoothGrad",
              .paper = "Smilkov et al. 2017, SmoothGrad: removing noise by adding noise, section 3",
              .use = "as saliency, less noisy"});
}
template const Entry& entry<SmoothGrad>();

template <>
Row<SmoothGradSquared> row<SmoothGradSquared>() {
  return averaged<SmoothGradSquared>(
      kMeanSquare, {.title = "SmoothGrad squared",
                    .paper = "Hooker et al. 2019, A Benchmark for Interpretability "
                             "Methods in Deep Neural Networks, section 4.1",
                    .use = "as SmoothGrad, where the sign says nothing"});
}
template const Entry& entry<SmoothGradSquared>();

template <>
Row<VarGrad> row<VarGrad>() {
  return averaged<VarGrad>(
      kVariance,
      {.title = "VarGrad",
       .paper = "Adebayo et al. 2018, Local Explanation Methods for Deep Neural Networks "
                "Lack Sensitivity to Parameter Values, eq. 3",
       .use = "where the gradient changes most around the image"});
}
template const Entry& entry<VarGrad>();

}  // namespace fovea::explain
