#include "structured/targets.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace fovea::structured {
namespace {

using Values = std::span<const ImageValue>;
using Gradients = std::span<const std::span<float>>;

std::size_t offset(const Shape& shape, const Shape& at) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < shape.size(); ++i)
    out = out * static_cast<std::size_t>(shape[i]) + static_cast<std::size_t>(at[i]);
  return out;
}

std::vector<double> softmax(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  std::vector<double> out;
  for (const float v : logits) out.push_back(std::exp(v - top));
  const double sum = std::accumulate(out.begin(), out.end(), 0.);
  for (double& v : out) v /= sum;
  return out;
}

constexpr double kNever = -std::numeric_limits<double>::infinity();

double log_sum(double a, double b) {
  if (a == kNever) return b;
  if (b == kNever) return a;
  return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

}  // namespace

Target log_probability(std::string value, std::vector<Shape> places) {
  const auto of = [places = std::move(places)](Values values, Gradients gradients) {
    const auto& v = values[0];
    const auto classes = static_cast<std::size_t>(v.shape.back());
    double sum = 0;
    for (const auto& place : places) {
      const auto at = offset(v.shape, place), row = at / classes * classes;
      const auto p = softmax(v.data.subspan(row, classes));
      sum += std::log(p[at - row]);
      if (gradients.empty()) continue;
      for (std::size_t k = 0; k < classes; ++k)
        gradients[0][row + k] += static_cast<float>((row + k == at ? 1 : 0) - p[k]);
    }
    return sum;
  };
  return {Target::Function{{std::move(value)}, of}};
}

Target ctc(std::string value, std::vector<std::size_t> labels) {
  std::vector<std::size_t> path{0};  // a blank around each
  for (const auto label : labels) path.insert(path.end(), {label, 0});
  const auto of = [path = std::move(path)](Values values, Gradients gradients) {
    const auto& v = values[0];
    const auto steps = static_cast<std::size_t>(v.shape[0]);
    const auto classes = static_cast<std::size_t>(v.shape[1]);
    const auto states = path.size();
    std::vector<std::vector<double>> p;
    for (std::size_t t = 0; t < steps; ++t)
      p.push_back(softmax(v.data.subspan(t * classes, classes)));
    const auto skips = [&](std::size_t s) {  // from s to s + 2
      return s + 2 < states && path[s + 2] != 0 && path[s + 2] != path[s];
    };
    using Table = std::vector<std::vector<double>>;
    Table ahead(steps, std::vector<double>(states, kNever)), behind = ahead;
    for (std::size_t s = 0; s < 2; ++s) ahead[0][s] = std::log(p[0][path[s]]);
    for (std::size_t t = 1; t < steps; ++t)
      for (std::size_t s = 0; s < states; ++s) {
        double sum = ahead[t - 1][s];
        if (s > 0) sum = log_sum(sum, ahead[t - 1][s - 1]);
        if (s > 1 && skips(s - 2)) sum = log_sum(sum, ahead[t - 1][s - 2]);
        ahead[t][s] = sum + std::log(p[t][path[s]]);
      }
    for (std::size_t s = states - 2; s < states; ++s) behind[steps - 1][s] = 0;
    for (std::size_t t = steps - 1; t-- > 0;)
      for (std::size_t s = 0; s < states; ++s) {
        const auto from = [&](std::size_t next) {
          return behind[t + 1][next] + std::log(p[t + 1][path[next]]);
        };
        double sum = from(s);
        if (s + 1 < states) sum = log_sum(sum, from(s + 1));
        if (skips(s)) sum = log_sum(sum, from(s + 2));
        behind[t][s] = sum;
      }
    const double total = log_sum(ahead[steps - 1][states - 1], ahead[steps - 1][states - 2]);
    if (gradients.empty()) return total;
    for (std::size_t t = 0; t < steps; ++t) {
      std::vector<double> slope;
      for (const double v_t : p[t]) slope.push_back(-v_t);
      for (std::size_t s = 0; s < states; ++s)
        slope[path[s]] += std::exp(ahead[t][s] + behind[t][s] - total);
      for (std::size_t k = 0; k < classes; ++k)
        gradients[0][t * classes + k] = static_cast<float>(slope[k]);
    }
    return total;
  };
  return {Target::Function{{std::move(value)}, of}};
}

Target product(std::string value, Shape a, Shape b) {
  const auto of = [a = std::move(a), b = std::move(b)](Values values, Gradients gradients) {
    const auto& v = values[0];
    const auto at_a = offset(v.shape, a), at_b = offset(v.shape, b);
    if (!gradients.empty()) {
      gradients[0][at_a] = v.data[at_b];
      gradients[0][at_b] = v.data[at_a];
    }
    return static_cast<double>(v.data[at_a]) * static_cast<double>(v.data[at_b]);
  };
  return {Target::Function{{std::move(value)}, of}};
}

Target mean_of_class(std::string value, std::int64_t index, std::vector<float> mask) {
  const auto of = [index, mask = std::move(mask)](Values values, Gradients gradients) {
    const auto& v = values[0];
    const auto classes = static_cast<std::size_t>(v.shape[0]), each = v.data.size() / classes;
    const auto own = static_cast<std::size_t>(index);
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < each; ++i) {
      bool counts = mask.empty() || mask[i] != 0;
      for (std::size_t c = 0; mask.empty() && c < classes; ++c)
        counts = counts && (c == own || v.data[c * each + i] < v.data[own * each + i]);
      if (counts) positions.push_back(own * each + i);
    }
    double sum = 0;
    const auto count = static_cast<double>(positions.size());
    for (const auto at : positions) {
      sum += static_cast<double>(v.data[at]);
      if (!gradients.empty()) gradients[0][at] = static_cast<float>(1 / count);
    }
    return sum / count;
  };
  return {Target::Function{{std::move(value)}, of}};
}

Target advantage(std::string value, std::int64_t index) {
  const auto of = [index](Values values, Gradients gradients) {
    const auto& v = values[0];
    double sum = 0;
    for (const float x : v.data) sum += static_cast<double>(x);
    const auto count = static_cast<double>(v.data.size());
    const auto own = static_cast<std::size_t>(index);
    if (!gradients.empty())
      for (std::size_t i = 0; i < v.data.size(); ++i)
        gradients[0][i] = static_cast<float>((i == own ? 1 : 0) - 1 / count);
    return static_cast<double>(v.data[own]) - sum / count;
  };
  return {Target::Function{{std::move(value)}, of}};
}

}  // namespace fovea::structured
