// VarGrad. J. Adebayo, J. Gilmer, I. Goodfellow, B. Kim, "Local Explanation Methods for Deep Neural
// Networks Lack Sensitivity to Parameter Values", ICLR Workshops 2018, eq. 3: the variance of the
// gradient over noisy inputs,
//
//   a = 1/n sum_i g_i^2 - (1/n sum_i g_i)^2
//
// as captum has it (the mean is that of the samples, not the clean gradient).

#include "explain/attribution.hpp"
#include "explain/method.hpp"
#include "explain/noise.hpp"
#include "explain/sizes.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  std::vector<std::vector<double>> sum, squares;
  std::vector<Tensor> last;
  const auto samples = for_each_noisy(context, [&](Context& noisy) {
    last = gradients_at_input(noisy, engine::GradientRule::plain);
    sum.resize(last.size());
    squares.resize(last.size());
    for (std::size_t n = 0; n < last.size(); ++n) {
      sum[n].resize(last[n].data.size());
      squares[n].resize(sum[n].size());
      for (std::size_t i = 0; i < sum[n].size(); ++i) {
        const double g = last[n].data[i];
        sum[n][i] += g;
        squares[n][i] += g * g;
      }
    }
  });
  const auto variance = [count = static_cast<double>(samples)](double total, double squared) {
    return squared / count - total / count * (total / count);
  };
  std::vector<Evidence> out;
  for (std::size_t n = 0; n < last.size(); ++n) {
    for (std::size_t i = 0; i < sum[n].size(); ++i)
      last[n].data[i] = static_cast<float>(variance(sum[n][i], squares[n][i]));
    out.push_back(by_magnitude(context, std::move(last[n])));
  }
  return out;
}

}  // namespace

const Entry& vargrad() {
  static const Entry entry{
      .info = {.name = "vargrad",
               .title = "VarGrad",
               .paper = "Adebayo et al. 2018, Local Explanation Methods for Deep Neural Networks "
                        "Lack Sensitivity to Parameter Values, eq. 3",
               .needs = "an input that the score depends on",
               .cost = "`samples` forwards and walks back to the input",
               .use = "where the gradient changes most around the image",
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
                   base::Size(2) * s.images * s.input * kDouble;
          },
      .relu = false};
  return entry;
}

}  // namespace fovea::explain
