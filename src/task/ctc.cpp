#include "task/ctc.hpp"

#include <cmath>
#include <limits>

namespace fovea::task {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

}  // namespace

double log_sum(double a, double b) {
  const double larger = std::max(a, b);
  if (larger == kNever) return kNever;
  return larger + std::log(std::exp(a - larger) + std::exp(b - larger));
}

double ctc_log_probability(std::span<const double> logs, std::int64_t steps, std::int64_t classes,
                           std::span<const std::int64_t> labels, std::int64_t blank,
                           std::span<double> slopes) {
  // Labels with blanks around and between them: the states of the path.
  std::vector<std::int64_t> states{blank};
  for (const auto label : labels) {
    states.push_back(label);
    states.push_back(blank);
  }
  const auto count = states.size();
  const auto length = static_cast<std::size_t>(steps);
  const auto at = [&](std::size_t t, std::size_t s) {
    return logs[t * static_cast<std::size_t>(classes) + static_cast<std::size_t>(states[s])];
  };
  // A blank between two labels may be left out where they differ.
  const auto skips = [&](std::size_t s) {
    return s >= 2 && states[s] != blank && states[s] != states[s - 2];
  };
  std::vector<double> forward(length * count, kNever);
  for (std::size_t t = 0; t < length; ++t)
    for (std::size_t s = 0; s < count; ++s) {
      double before = kNever;
      if (t == 0) {
        before = s < 2 ? 0 : kNever;
      } else {
        const auto* row = &forward[(t - 1) * count];
        before = row[s];
        if (s >= 1) before = log_sum(before, row[s - 1]);
        if (skips(s)) before = log_sum(before, row[s - 2]);
      }
      forward[t * count + s] = before + at(t, s);
    }
  if (length == 0) return labels.empty() ? 0 : kNever;
  const auto* last = &forward[(length - 1) * count];
  const double total = count > 1 ? log_sum(last[count - 1], last[count - 2]) : last[count - 1];
  if (slopes.empty() || total == kNever) return total;

  // Of what comes after each state, the state itself left out.
  std::vector<double> after(count, kNever), next(count);
  after[count - 1] = 0;
  if (count > 1) after[count - 2] = 0;
  for (std::size_t t = length; t-- > 0;) {
    for (std::size_t s = 0; s < count; ++s) {
      const double path = forward[t * count + s] + after[s] - total;
      slopes[t * static_cast<std::size_t>(classes) + static_cast<std::size_t>(states[s])] +=
          std::exp(path);
    }
    if (t == 0) break;
    for (std::size_t s = 0; s < count; ++s) {
      next[s] = after[s] + at(t, s);
      if (s + 1 < count) next[s] = log_sum(next[s], after[s + 1] + at(t, s + 1));
      if (s + 2 < count && skips(s + 2)) next[s] = log_sum(next[s], after[s + 2] + at(t, s + 2));
    }
    after = next;
  }
  return total;
}

}  // namespace fovea::task
