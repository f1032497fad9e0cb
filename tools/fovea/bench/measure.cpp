#include "bench/measure.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <numeric>
#include <thread>

#include "bench/statistics.hpp"
#include "session.hpp"

namespace fovea::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kWarmUpRuns = 10;
constexpr double kWarmUpSeconds = 1;
constexpr std::int64_t kTurns = 5;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Input of run i: explanations are half of the inputs ahead, so that none is read twice in a row.
const Feeds& for_predict(const Inputs& inputs, std::int64_t i) {
  return inputs[static_cast<std::size_t>(i)];
}
const Feeds& for_explain(const Inputs& inputs, std::int64_t i) {
  return inputs[static_cast<std::size_t>(i) + inputs.size() / 2];
}

double share_done(const Limits& limits, std::int64_t runs, double seconds) {
  const double done = limits.runs > 0 ? static_cast<double>(runs) / static_cast<double>(limits.runs)
                                      : seconds / limits.seconds;
  return std::min(done, 1.0);
}

bool finished(const Limits& limits, std::int64_t runs, double seconds) {
  return limits.runs > 0 ? runs >= limits.runs : runs >= kLeastRuns && seconds >= limits.seconds;
}

double images_per_s(const Task& task, const std::vector<double>& ms) {
  const double total = std::accumulate(ms.begin(), ms.end(), 0.0);
  return 1000 * static_cast<double>(task.batch()) * static_cast<double>(ms.size()) / total;
}

/// What one worker did in one turn.
struct Shift {
  std::vector<double> ms;
  double seconds = 0;
  std::exception_ptr failure;
};

/// One turn of all workers. A worker's rate is over its own time: the others end a little sooner or
/// later.
template <class Once>
double turn(const Once& once, std::int64_t first, int workers, const Limits& limits,
            std::int64_t images, std::vector<double>& ms) {
  std::vector<Shift> shifts(static_cast<std::size_t>(workers));
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(workers));
  for (int w = 0; w < workers; ++w)
    threads.emplace_back([&, w] {
      auto& shift = shifts[static_cast<std::size_t>(w)];
      try {
        once(first + w);  // what a new thread sets up is not timed
        const auto start = Clock::now();
        for (std::int64_t i = 0;; ++i) {
          shift.seconds = seconds_since(start);
          if (limits.runs > 0 ? i >= limits.runs : i > 0 && shift.seconds >= limits.seconds) break;
          shift.ms.push_back(once(first + w + (i + 1) * workers));
        }
      } catch (...) {
        shift.failure = std::current_exception();
      }
    });
  for (auto& thread : threads) thread.join();
  double rate = 0;
  for (const auto& shift : shifts) {
    if (shift.failure) std::rethrow_exception(shift.failure);
    rate += static_cast<double>(images) * static_cast<double>(shift.ms.size()) / shift.seconds;
    ms.insert(ms.end(), shift.ms.begin(), shift.ms.end());
  }
  return rate;
}

/// Runs that are due so many times a second.
struct Arrivals {
  std::vector<double> ms;  ///< from when a run was due to its end
  double images_per_s = 0;
  double busy = 0;  ///< the part of the time between two runs that one takes, on average
};

template <class Once>
Arrivals at_rate(const Once& once, double rate, const Limits& limits, std::int64_t images,
                 const std::function<void(double)>& show) {
  Arrivals out;
  const auto start = Clock::now();
  double work_ms = 0;
  for (std::int64_t i = 0; !finished(limits, i, seconds_since(start)); ++i) {
    show(share_done(limits, i, seconds_since(start)));
    const auto due = start + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(static_cast<double>(i) / rate));
    std::this_thread::sleep_until(due);
    work_ms += once(i);
    out.ms.push_back(1e3 * seconds_since(due));
  }
  const auto runs = static_cast<double>(out.ms.size());
  out.images_per_s = static_cast<double>(images) * runs / seconds_since(start);
  out.busy = work_ms / runs * rate / 1e3;
  return out;
}

}  // namespace

double Task::predict(const Feeds& feeds) const {
  double ms = 0;
  timed(ms, [&] {
    auto run = explainer_.forward(feeds);
    for (std::int64_t i = 0; i < batch_; ++i) run.predictions(i);
  });
  return ms;
}

double Task::explain(const Feeds& feeds, const CallOptions& call) const {
  const Target best = Target::top1();
  double ms = 0;
  timed(ms,
        [&] { explainer_.forward(feeds, call).explain(method_, std::span(&best, 1), {}, call); });
  return ms;
}

void warm_up(const Task& task, const Inputs& inputs, Progress& progress) {
  const auto start = Clock::now();
  double seconds = 0;
  for (std::int64_t i = 0; i < kWarmUpRuns || seconds < kWarmUpSeconds; ++i) {
    progress.show("warming up",
                  std::min({1.0, seconds / kWarmUpSeconds, static_cast<double>(i) / kWarmUpRuns}));
    task.predict(for_predict(inputs, i));
    task.explain(for_explain(inputs, i));
    seconds = seconds_since(start);
  }
}

Measured measure(const Task& task, const Inputs& inputs, const Limits& limits, Progress& progress) {
  Measured out;
  const auto start = Clock::now();
  double seconds = 0;
  for (std::int64_t i = 0; !finished(limits, i, seconds); ++i) {
    progress.show("measuring", share_done(limits, i, seconds));
    out.predict_ms.push_back(task.predict(for_predict(inputs, i)));
    out.explain_ms.push_back(task.explain(for_explain(inputs, i)));
    seconds = seconds_since(start);
  }
  out.predict_images_per_s = images_per_s(task, out.predict_ms);
  out.explain_images_per_s = images_per_s(task, out.explain_ms);
  return out;
}

Measured measure_workers(const Task& task, const Inputs& inputs, int workers, const Limits& limits,
                         Progress& progress) {
  const std::int64_t turns = limits.runs > 0 ? std::min(kTurns, limits.runs) : kTurns;
  const auto predict = [&](std::int64_t i) { return task.predict(for_predict(inputs, i)); };
  const auto explain = [&](std::int64_t i) { return task.explain(for_explain(inputs, i)); };
  Measured out;
  for (std::int64_t t = 0; t < turns; ++t) {
    progress.show("measuring", static_cast<double>(t) / static_cast<double>(turns));
    const Limits part{limits.runs * (t + 1) / turns - limits.runs * t / turns,
                      limits.seconds / static_cast<double>(2 * turns)};
    const auto first = t * static_cast<std::int64_t>(inputs.size()) / turns;
    out.predict_images_per_s += turn(predict, first, workers, part, task.batch(), out.predict_ms);
    out.explain_images_per_s += turn(explain, first, workers, part, task.batch(), out.explain_ms);
  }
  out.predict_images_per_s /= static_cast<double>(turns);
  out.explain_images_per_s /= static_cast<double>(turns);
  return out;
}

OpenLoop measure_at_rate(const Task& task, const Inputs& inputs, double rate, const Limits& limits,
                         Progress& progress) {
  const Limits half{limits.runs, limits.seconds / 2};
  const auto showing = [&](double from) {
    return [&progress, from](double done) { progress.show("measuring", from + done / 2); };
  };
  auto predicted = at_rate([&](std::int64_t i) { return task.predict(for_predict(inputs, i)); },
                           rate, half, task.batch(), showing(0));
  auto explained = at_rate([&](std::int64_t i) { return task.explain(for_explain(inputs, i)); },
                           rate, half, task.batch(), showing(0.5));
  return {{std::move(predicted.ms), std::move(explained.ms), predicted.images_per_s,
           explained.images_per_s},
          predicted.busy < 1 && explained.busy < 1};
}

Profile profile(const Task& task, const Inputs& inputs, std::size_t runs, Progress& progress) {
  const auto steps = task.explainer().steps().size();
  std::vector<std::vector<double>> times(steps);
  std::vector<double> rest;
  std::vector<double> ms(steps);
  CallOptions call;
  call.step_ms = ms;
  for (std::size_t r = 0; r < runs; ++r) {
    progress.show("timing the steps", static_cast<double>(r) / static_cast<double>(runs));
    std::fill(ms.begin(), ms.end(), 0.0);
    const double total = task.explain(inputs[r], call);
    rest.push_back(total - std::accumulate(ms.begin(), ms.end(), 0.0));
    for (std::size_t i = 0; i < steps; ++i) times[i].push_back(ms[i]);
  }
  Profile out;
  for (auto& time : times) out.steps.push_back(median(std::move(time)));
  out.rest = median(std::move(rest));
  return out;
}

}  // namespace fovea::cli
