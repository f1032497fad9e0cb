#include "explain/blur.hpp"

#include <cmath>

#include "base/parallel.hpp"
#include "explain/windows.hpp"

namespace fovea::explain {
namespace {

/// From the middle to one side; the sum of both sides is 1.
std::vector<double> gaussian(double deviation) {
  const auto reach = static_cast<std::int64_t>(std::lround(4 * deviation));
  std::vector<double> out;
  double sum = 0;
  for (std::int64_t i = 0; i <= reach; ++i) {
    const double z = static_cast<double>(i) / deviation;
    out.push_back(std::exp(-z * z / 2));
    sum += i == 0 ? out.back() : 2 * out.back();
  }
  for (auto& v : out) v /= sum;
  return out;
}

std::int64_t mirrored(std::int64_t i, std::int64_t n) {
  i %= 2 * n;
  if (i < 0) i += 2 * n;
  return i < n ? i : 2 * n - 1 - i;
}

/// One line of `n` values, `step` apart.
void smooth_line(float* line, std::int64_t n, std::int64_t step, const std::vector<double>& kernel,
                 std::vector<double>& from) {
  from.resize(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) from[static_cast<std::size_t>(i)] = line[i * step];
  for (std::int64_t i = 0; i < n; ++i) {
    double sum = kernel[0] * from[static_cast<std::size_t>(i)];
    for (std::int64_t k = 1; k < static_cast<std::int64_t>(kernel.size()); ++k)
      sum += kernel[static_cast<std::size_t>(k)] *
             (from[static_cast<std::size_t>(mirrored(i - k, n))] +
              from[static_cast<std::size_t>(mirrored(i + k, n))]);
    line[i * step] = static_cast<float>(sum);
  }
}

}  // namespace

std::vector<float> blurred(std::span<const float> image, const ChannelSteps& steps,
                           const Shape& extents, double deviation) {
  std::vector<float> out(image.begin(), image.end());
  const auto kernel = gaussian(deviation);
  const auto three = as_three(extents);
  std::int64_t step = 1;  // in positions
  for (std::size_t d = three.size(); d-- > 0; step *= three[d]) {
    if (d < three.size() - extents.size()) break;
    const auto n = three[d], lines = steps.positions / n;
    base::parallel_for(steps.channels * lines, 16, [&](std::int64_t begin, std::int64_t end) {
      std::vector<double> from;
      for (auto i = begin; i < end; ++i) {
        const auto line = i % lines;
        const auto first = line / step * step * n + line % step;
        smooth_line(out.data() + i / lines * steps.channel_step + first * steps.position_step, n,
                    step * steps.position_step, kernel, from);
      }
    });
  }
  return out;
}

}  // namespace fovea::explain
