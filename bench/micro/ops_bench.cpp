#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/parallel.hpp"
#include "engine/op_graph.hpp"
#include "engine/plan.hpp"
#include "ops_cases.hpp"
#include "reference/reference.hpp"

/// Every operator at a shape that networks have, forward and back, in a plan of its own. Before an
/// operator is timed its result is compared with the reference's, and its gradient with the
/// reference's slope in a random direction; one that is off fails the program. The time is that of
/// the operator's own steps: reorders to and from the row-major ends of the plan are left out.
namespace fovea::bench {
namespace {

using engine_test::Bench;
using engine_test::Case;
using reference::Array;

/// A case with a plan and its operands.
class Subject {
 public:
  explicit Subject(const Case& one) : bench_(engine_test::build_bench(one, false)) {
    engine::PlanSpec spec;
    spec.tuning = Tuning::quick;
    spec.fetches = bench_.results;
    if (one.differentiable) {
      wrt_ = first_data();
      spec.gradients = {{bench_.results[0], wrt_}};
      seeds_ = engine_test::spread(engine_test::data(shape(bench_.results[0]), -1.3, 1.1), 99);
    }
    plan_ = engine::Plan::build(bench_.graph, spec, weights_);
    workspace_ = std::make_unique<engine::Workspace>(plan_->make_workspace());
    for (const auto id : bench_.fed)
      feeds_.push_back(engine_test::floats(bench_.arrays.at(id.index)));
    seeds_f32_ = engine_test::floats(seeds_);
    steps_ = plan_->steps();
    ms_.resize(steps_.size());
  }

  /// True where the operator only gives another name to what it gets (a reshape, the gradient of a
  /// sum).
  bool is_free(bool backward) const {
    return std::none_of(steps_.begin(), steps_.end(),
                        [&](const StepInfo& s) { return s.backward == backward && is_own(s); });
  }

  /// One run; returns the seconds that the operator's own steps took, or the whole call where there
  /// are none.
  double run(bool backward) {
    std::fill(ms_.begin(), ms_.end(), 0);
    CallOptions call;
    call.step_ms = ms_;
    const auto start = std::chrono::steady_clock::now();
    if (backward) {
      plan_->backward(*workspace_, 0, seeds_f32_, call);
    } else {
      const std::vector<std::span<const float>> feeds(feeds_.begin(), feeds_.end());
      plan_->forward(*workspace_, feeds, call);
    }
    if (is_free(backward))
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    double total = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i)
      if (is_own(steps_[i])) total += ms_[i];
    return total / 1000;
  }

  std::int64_t bytes(bool backward) const {
    return sum(backward, [](const StepInfo& s) { return s.bytes; });
  }
  std::int64_t flops(bool backward) const {
    return sum(backward, [](const StepInfo& s) { return s.flops; });
  }

  bool forward_is_right() {
    run(false);
    const auto want = expected();
    for (std::size_t o = 0; o < want.size(); ++o) {
      const auto view = plan_->fetch(*workspace_, o);
      double largest = 1;
      for (const double v : want[o].data) largest = std::max(largest, std::abs(v));
      for (std::size_t i = 0; i < want[o].data.size(); ++i)
        if (!(std::abs(view.data[i] - want[o].data[i]) <= 2e-5 * largest)) return false;
    }
    return true;
  }

  /// The slope of sum(seeds * result) along a direction of +1 and -1, by a central difference of
  /// the reference, against the gradient's.
  bool gradient_is_right() {
    run(false);
    run(true);
    const auto got = plain(plan_->gradient(*workspace_, 0));
    Array& x = bench_.arrays.at(wrt_.index);
    const Array kept = x;
    const double step = smallest_gap(kept) / 5;  // no kink and no tie lies within it
    std::mt19937 random(7);
    std::vector<double> direction(got.size());
    for (auto& d : direction) d = random() % 2 == 0 ? 1 : -1;
    const auto score = [&](double sign) {
      for (std::size_t i = 0; i < got.size(); ++i)
        x.data[i] = kept.data[i] + sign * step * direction[i];
      const auto y = expected().front();
      double out = 0;
      for (std::size_t i = 0; i < y.data.size(); ++i) out += y.data[i] * seeds_.data[i];
      return out;
    };
    const double slope = (score(1) - score(-1)) / (2 * step);
    x = kept;
    double own = 0, squares = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      own += got[i] * direction[i];
      squares += static_cast<double>(got[i]) * got[i];
    }
    return std::abs(own - slope) <= 1e-3 * std::sqrt(squares) + 1e-6;
  }

 private:
  static bool is_own(const StepInfo& step) {
    return step.op != "reorder" && step.op != "fetch" && step.op != "gradient";
  }

  template <class Get>
  std::int64_t sum(bool backward, Get&& get) const {
    std::int64_t out = 0;
    for (const auto& step : steps_)
      if (step.backward == backward && is_own(step)) out += get(step);
    return out;
  }

  const Shape& shape(graph::ValueId id) const { return bench_.graph.value(id).shape; }

  /// The first operand that a gradient can be taken for: no constant, no condition.
  graph::ValueId first_data() const {
    return *std::find_if(bench_.arguments.begin(), bench_.arguments.end(), [&](auto id) {
      return id && !bench_.graph.value(id).constant &&
             bench_.graph.value(id).type == graph::DType::f32;
    });
  }

  std::vector<Array> expected() const {
    std::vector<Array> in;
    for (const auto id : bench_.arguments) in.push_back(id ? bench_.arrays.at(id.index) : Array());
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < in.size(); ++i)
      if (!bench_.arguments[i]) in[i].data.clear();
    for (const auto id : bench_.results) shapes.push_back(shape(id));
    return reference::evaluate(bench_.op, in, shapes);
  }

  /// Row-major copy of what a plan shows in a layout of its own.
  static std::vector<float> plain(const engine::ValueView& view) {
    const auto n = reference::count(view.shape);
    std::vector<float> out(view.data, view.data + n);
    if (view.block == 1 || view.shape.size() < 3) return out;
    const auto channels = view.shape[1], positions = n / view.shape[0] / channels;
    for (std::int64_t i = 0; i < n; ++i) {
      const auto c = i / positions % channels, p = i % positions;
      out[static_cast<std::size_t>(i)] =
          view.data[i / positions / channels * view.image_stride +
                    (c / view.block * positions + p) * view.block + c % view.block];
    }
    return out;
  }

  static double smallest_gap(const Array& a) {
    auto sorted = a.data;
    sorted.push_back(0);
    std::sort(sorted.begin(), sorted.end());
    double gap = 1;
    for (std::size_t i = 1; i < sorted.size(); ++i) gap = std::min(gap, sorted[i] - sorted[i - 1]);
    return gap;
  }

  Bench bench_;
  graph::ValueId wrt_;
  Array seeds_;
  engine::WeightCache weights_;
  std::shared_ptr<const engine::Plan> plan_;
  std::unique_ptr<engine::Workspace> workspace_;
  std::vector<std::vector<float>> feeds_;
  std::vector<float> seeds_f32_;
  std::vector<StepInfo> steps_;
  std::vector<double> ms_;
};

bool failed = false;

void run(benchmark::State& state, const Case& one, bool backward) {
  const base::ThreadScope threads(0);
  try {
    Subject subject(one);
    for (auto _ : state) state.SetIterationTime(subject.run(backward));
    if (subject.is_free(backward)) state.SetLabel("no step of its own: the whole call");
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                            subject.bytes(backward));
    if (const auto flops = subject.flops(backward); flops > 0)
      state.counters["flops"] = benchmark::Counter(static_cast<double>(flops),
                                                   benchmark::Counter::kIsIterationInvariantRate);
  } catch (const std::exception& error) {
    failed = true;
    state.SkipWithError(error.what());
  }
}

/// Once per benchmark, before it is first timed.
bool is_right(const Case& one, bool backward) {
  const base::ThreadScope threads(0);
  Subject subject(one);
  return backward ? subject.gradient_is_right() : subject.forward_is_right();
}

void add(const Case& one, bool backward) {
  const auto checked = std::make_shared<bool>(false);
  benchmark::RegisterBenchmark((one.name + (backward ? "/back" : "/forward")).c_str(),
                               [=](benchmark::State& state) {
                                 if (!*checked && !is_right(one, backward)) {
                                   failed = true;
                                   state.SkipWithError("differs from the reference");
                                   return;
                                 }
                                 *checked = true;
                                 run(state, one, backward);
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace
}  // namespace fovea::bench

int main(int argc, char** argv) {
  for (const auto& one : fovea::bench::ops_cases()) {
    fovea::bench::add(one, false);
    if (one.differentiable) fovea::bench::add(one, true);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  if (fovea::bench::failed) std::fprintf(stderr, "ops_bench: a result is wrong\n");
  return fovea::bench::failed ? 1 : 0;
}
