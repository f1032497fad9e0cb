#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace fovea::explain {

/// Of at least one score.
inline std::vector<double> softmax(std::span<const float> scores) {
  const double top = *std::max_element(scores.begin(), scores.end());
  std::vector<double> out;
  double sum = 0;
  for (const float v : scores) sum += out.emplace_back(std::exp(v - top));
  for (auto& p : out) p /= sum;
  return out;
}

}  // namespace fovea::explain
