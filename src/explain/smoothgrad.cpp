// SmoothGrad. D. Smilkov, N. Thorat, B. Kim, F. Viegas, M. Wattenberg, "SmoothGrad: removing noise
// by adding noise", arXiv 1706.03825, section 3:
//
//   a = 1/n sum_i dy/dx (x + N(0, sigma^2))        sigma: 15 % of the range of x
//
// The map is the largest magnitude over channels.

#include "explain/attribution.hpp"
#include "explain/method.hpp"
#include "explain/noise.hpp"
#include "explain/sizes.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  std::vector<std::vector<double>> sum;
  std::vector<Tensor> last;
  const auto samples = for_each_noisy(context, [&](Context& noisy) {
    last = gradients_at_input(noisy, engine::GradientRule::plain);
    sum.resize(last.size());
    for (std::size_t n = 0; n < last.size(); ++n) {
      sum[n].resize(last[n].data.size());
      for (std::size_t i = 0; i < sum[n].size(); ++i) sum[n][i] += last[n].data[i];
    }
  });
  std::vector<Evidence> out;
  for (std::size_t n = 0; n < last.size(); ++n) {
    for (std::size_t i = 0; i < sum[n].size(); ++i)
      last[n].data[i] = static_cast<float>(sum[n][i] / static_cast<double>(samples));
    out.push_back(by_magnitude(context, std::move(last[n])));
  }
  return out;
}

}  // namespace

const Entry& smoothgrad() {
  static const Entry entry{
      .info = {.name = "smoothgrad",
               .title = "SmoothGrad",
               .paper =
                   "Smilkov et al. 2017, SmoothGrad: removing noise by adding noise, section 3",
               .needs = "an input that the score depends on",
               .cost = "`samples` forwards and walks back to the input",
               .use = "as saliency, less noisy",
               .kind = MapKind::input,
               .options = noise_options(20, 0.15, 0),
               .given = {noise_tensor()}},
      .check = serves_all,
      .needs = [](const Layer&, const Settings&) { return input_gradient_needs().and_again(); },
      .run = run,
      .takes =
          [](const Context& context) {
            const Sizes s(context);
            return rerun_bytes(context) + base::Size(2) * input_gradient_bytes(context) +
                   base::Size(1) * s.images * s.input * kDouble;
          },
      .relu = false};
  return entry;
}

}  // namespace fovea::explain
