#include "api/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "explain/softmax.hpp"

namespace fovea::api {
namespace {

/// Of `outer` groups of `classes` scores that lie `inner` apart.
bool add_up(std::span<const float> scores, std::size_t classes, std::size_t inner) {
  constexpr double kRounding = 1e-3;  // of many probabilities in 16 bits
  if (classes < 2) return false;
  for (std::size_t outer = 0; outer < scores.size(); outer += classes * inner)
    for (std::size_t i = 0; i < inner; ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < classes; ++k) sum += scores[outer + k * inner + i];
      if (!(std::abs(sum - 1) <= kRounding)) return false;
    }
  return true;
}

}  // namespace

std::vector<float> probabilities(std::span<const float> scores, explain::Probability probability) {
  std::vector<float> out;
  out.reserve(scores.size());
  switch (probability) {
    case explain::Probability::given:
      out.assign(scores.begin(), scores.end());
      break;
    case explain::Probability::sigmoid:
      for (const double v : scores) out.push_back(static_cast<float>(1 / (1 + std::exp(-v))));
      break;
    case explain::Probability::softmax:
      if (scores.size() == 1) return {std::numeric_limits<float>::quiet_NaN()};
      for (const double p : explain::softmax(scores)) out.push_back(static_cast<float>(p));
      break;
    case explain::Probability::none:
      out.assign(scores.size(), std::numeric_limits<float>::quiet_NaN());
      break;
  }
  return out;
}

std::vector<Prediction> ranked(std::span<const float> logits, std::span<const float> probability) {
  std::vector<Prediction> out;
  out.reserve(logits.size());
  for (std::size_t k = 0; k < logits.size(); ++k)
    out.push_back({static_cast<std::int64_t>(k), logits[k], probability[k]});
  // NaN sorts last, so that a broken score never poses as the best one.
  std::stable_sort(out.begin(), out.end(), [](const Prediction& a, const Prediction& b) {
    if (std::isnan(b.logit)) return !std::isnan(a.logit);
    return a.logit > b.logit;
  });
  return out;
}

bool may_be_probabilities(std::span<const float> scores) {
  constexpr float kMax = 1 + 1e-3f;
  return !scores.empty() &&
         std::all_of(scores.begin(), scores.end(), [](float v) { return v >= 0 && v <= kMax; });
}

bool are_probabilities(std::span<const float> scores, const Shape& shape) {
  if (!may_be_probabilities(scores)) return false;
  if (add_up(scores, scores.size(), 1)) return true;
  if (shape.size() < 2) return false;
  const auto first = static_cast<std::size_t>(shape.front());
  const auto last = static_cast<std::size_t>(shape.back());
  return add_up(scores, first, scores.size() / first) || add_up(scores, last, 1);
}

}  // namespace fovea::api
