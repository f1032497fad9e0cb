#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "bench/statistics.hpp"
#include "fovea/fovea.hpp"
#include "json_output.hpp"

namespace fovea::cli {

/// All that `fovea bench` finds out.
struct Report {
  std::string model, method, layer, cpu;
  std::vector<std::string> digests;  ///< of the model's files
  /// Photos as they were measured with, and where they lay; empty: random inputs.
  std::string images;
  std::vector<std::string> photos, photo_digests;
  std::map<std::string, Shape> inputs;
  std::int64_t batch = 1;
  Precision precision = Precision::f32;
  int threads = 0;
  int workers = 0;  ///< 0: one caller with a team of threads
  double rate = 0;  ///< runs due per second; 0: one as soon as the other is done
  int busy = 0;     ///< processes that count beside it
  std::string tune;
  bool optimize = true;
  std::string waiting;  ///< waiting_text
  std::string wait_policy, spin_count;

  bool plan_cache_given = false;  ///< then create_ms profits from it

  double load_ms = 0, create_ms = 0, first_ms = 0;
  std::optional<double> create_cached_ms;   ///< with a plan cache; none where nothing is tuned
  std::optional<double> peak_mb, added_mb;  ///< up to the end of the first explanation

  Statistics predict, explain;
  double predict_images_per_s = 0, explain_images_per_s = 0;

  std::vector<StepInfo> steps;     ///< empty unless asked for
  std::optional<Profile> profile;  ///< of the steps

  std::vector<std::string> warnings;
};

/// A warning where the machine had other things to do than what was measured, and what to do.
std::vector<std::string> disturbances(const Report& report);

std::string report_text(const Report& report);
/// What was measured and how: `report_json` without a figure.
Json setting_json(const Report& report);
Json report_json(const Report& report);

}  // namespace fovea::cli
