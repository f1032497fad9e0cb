#pragma once

#include <cstdint>
#include <vector>

#include "bench/inputs.hpp"
#include "fovea/fovea.hpp"
#include "progress.hpp"

namespace fovea::cli {

/// What is timed: predictions, which is the forward pass and the ranking of every image's classes;
/// and an explanation of every image's best class, from the tensor to the map at its size.
class Task {
 public:
  Task(const Explainer& explainer, Method method, std::int64_t batch)
      : explainer_(explainer), method_(std::move(method)), batch_(batch) {}

  const Explainer& explainer() const { return explainer_; }
  std::int64_t batch() const { return batch_; }

  /// Each returns its wall time in milliseconds.
  double predict(const Feeds& feeds) const;
  double explain(const Feeds& feeds, const CallOptions& call = {}) const;

 private:
  const Explainer& explainer_;
  Method method_;
  std::int64_t batch_;
};

/// How long to measure: so many runs of each kind, or, where that is 0, so many seconds in all and
/// kLeastRuns of each kind.
struct Limits {
  std::int64_t runs = 0;
  double seconds = 10;
};
inline constexpr std::int64_t kLeastRuns = 10;

struct Measured {
  std::vector<double> predict_ms, explain_ms;  ///< of every run, in the order of the runs
  double predict_images_per_s = 0, explain_images_per_s = 0;
};

/// Runs until everything is in its steady state: 10 runs of each kind and 1 s at least.
void warm_up(const Task& task, const Inputs& inputs, Progress& progress);

/// Predictions and explanations in turn, so that what changes on the machine meanwhile meets both.
Measured measure(const Task& task, const Inputs& inputs, const Limits& limits, Progress& progress);

/// The same with `workers` threads that each run on their own, all of them predicting or all of
/// them explaining, in turn. Limits::runs is per worker.
Measured measure_workers(const Task& task, const Inputs& inputs, int workers, const Limits& limits,
                         Progress& progress);

/// An open loop: runs are due `rate` times a second, whether the one before is done or not, and
/// wait for it where it is not. Times are from when a run was due to its end. First all
/// predictions, then all explanations, each for half of the limit. Images per second are those that
/// were reached.
struct OpenLoop {
  Measured measured;
  bool keeps_up = true;  ///< false: the queue grew all the time, so that its times say how long
};
OpenLoop measure_at_rate(const Task& task, const Inputs& inputs, double rate, const Limits& limits,
                         Progress& progress);

/// Where an explanation's time goes: medians, milliseconds.
struct Profile {
  std::vector<double> steps;  ///< as Explainer::steps
  double rest = 0;            ///< outside the steps: checks, ranking, making and resizing the map
};
Profile profile(const Task& task, const Inputs& inputs, std::size_t runs, Progress& progress);

}  // namespace fovea::cli
