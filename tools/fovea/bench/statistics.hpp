#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "json_output.hpp"

namespace fovea::cli {

/// The least number of runs that say something about one in a hundred of them.
inline constexpr std::size_t kRunsForP99 = 1000;

/// The least and the largest of a figure.
struct Spread {
  double least = 0, largest = 0;
};

/// What many runs took. A percentile is the least time that so many of the runs did not exceed.
struct Statistics {
  std::size_t runs = 0;
  double min = 0, mean = 0, p50 = 0, p90 = 0, p95 = 0;
  std::optional<double> p99;  ///< from kRunsForP99 runs
  double max = 0;
  double deviation = 0;  ///< standard deviation; 0 of one run
  /// Each figure of the fifths of the runs, in the order in which they ran (of fewer than five
  /// runs, of each): how far it moves by itself. By the figure's name, those that are never none.
  std::map<std::string, Spread> spread;
};

/// Of at least one value, in the order in which they were measured.
Statistics statistics(const std::vector<double>& values);
/// p50 of at least one value.
double median(std::vector<double> values);

/// Does the median lie so far above the least that something else was at work?
bool is_disturbed(const Statistics& statistics);

/// {min, mean, p50, p90, p95, p99, max, deviation, spread}, p99 null where there is none; the
/// spread {figure: [least, largest]}.
Json to_json(const Statistics& statistics);

/// A time in milliseconds as the JSON has it: to the tenth of a microsecond.
double rounded(double milliseconds);

}  // namespace fovea::cli
