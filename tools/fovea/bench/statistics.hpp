#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "json_output.hpp"

namespace fovea::cli {

/// The least number of runs that say something about one in a hundred of them.
inline constexpr std::size_t kRunsForP99 = 1000;

/// What many runs took. A percentile is the least time that so many of the runs did not exceed.
struct Statistics {
  std::size_t runs = 0;
  double min = 0, mean = 0, p50 = 0, p90 = 0, p95 = 0;
  std::optional<double> p99;  ///< from kRunsForP99 runs
};

/// Of at least one value.
Statistics statistics(std::vector<double> values);
/// p50 of at least one value.
double median(std::vector<double> values);

/// {min, mean, p50, p90, p95, p99}, p99 null where there is none.
Json to_json(const Statistics& statistics);

/// A time in milliseconds as the JSON has it: to the tenth of a microsecond.
double rounded(double milliseconds);

}  // namespace fovea::cli
