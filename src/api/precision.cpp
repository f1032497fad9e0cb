#include "api/precision.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "base/size.hpp"

namespace fovea::api {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 4;
/// bf16 costs accuracy: it has to be worth it.
constexpr double kWorthIt = 0.9;

/// A plan that is timed on inputs of its own.
class TimedPlan {
 public:
  TimedPlan(const graph::Graph& graph, std::shared_ptr<const engine::Plan> plan,
            const base::Limits& limits)
      : call_(engine::within(limits)), plan_(std::move(plan)), workspace_(plan_->make_workspace()) {
    for (const auto id : graph.inputs) {
      auto& data = inputs_.emplace_back(
          static_cast<std::size_t>(base::element_count(graph.value(id).shape)));
      // Different values around zero: zeros run faster than real data.
      for (std::size_t i = 0; i < data.size(); ++i) data[i] = std::sin(static_cast<float>(i * i));
      feeds_.emplace_back(data);
    }
  }

  void run() {
    const auto start = Clock::now();
    plan_->forward(workspace_, feeds_, call_);
    const auto ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    best_ = std::min(best_, ms);
  }
  double best_ms() const { return best_; }
  const std::shared_ptr<const engine::Plan>& plan() const { return plan_; }

 private:
  CallOptions call_;
  std::shared_ptr<const engine::Plan> plan_;
  engine::Workspace workspace_;
  std::vector<std::vector<float>> inputs_;
  std::vector<std::span<const float>> feeds_;
  double best_ = std::numeric_limits<double>::infinity();
};

std::string problem_name(const graph::Graph& graph) {
  std::string out = "precision " + std::to_string(graph.nodes().size()) + " nodes";
  for (const auto id : graph.inputs)
    for (const auto extent : graph.value(id).shape) out += ' ' + std::to_string(extent);
  return out + " threads " + std::to_string(base::max_threads());
}

using PlanPtr = std::shared_ptr<const engine::Plan>;

PlanPtr plan_in(Precision precision, const graph::Graph& graph, engine::PlanSpec& spec,
                engine::WeightCache& weights) {
  spec.precision = precision;
  return engine::Plan::build(graph, spec, weights);
}

/// The same, with no more than `share` of what is left of the time for tuning.
PlanPtr plan_in(Precision precision, const graph::Graph& graph, engine::PlanSpec spec,
                engine::WeightCache& weights, double share) {
  auto* const whole = spec.tuning_time;
  if (whole == nullptr) return plan_in(precision, graph, spec, weights);
  auto part = whole->part(share);
  spec.tuning_time = &part;
  auto out = plan_in(precision, graph, spec, weights);
  whole->add(part);
  return out;
}

/// The least times of both, in turn; false where time ends before.
bool time_both(TimedPlan& a, TimedPlan& b, engine::TuningTime& time) {
  const engine::TuningTime::Stretch stretch(time);
  for (int i = 0; i < kRounds; ++i)
    for (auto* plan : {&a, &b}) {
      if (stretch.over()) return false;
      plan->run();
    }
  return true;
}

PlanPtr faster_plan(const graph::Graph& graph, engine::PlanSpec& spec,
                    engine::WeightCache& weights) {
  const auto problem = problem_name(graph);
  const auto as_known = [&](bool bf16) {
    return plan_in(bf16 ? Precision::bf16 : Precision::f32, graph, spec, weights);
  };
  if (const auto known = spec.choices->find(problem)) return as_known(*known == "bf16");
  const bool likely = engine::onednn_isa().find("amx") != std::string::npos;
  if (spec.tuning == Tuning::off) return as_known(likely);
  // A third for each of them, and for the comparison.
  auto plans = std::array{plan_in(Precision::f32, graph, spec, weights, 1. / 3),
                          plan_in(Precision::bf16, graph, spec, weights, 1. / 2)};
  base::Size inputs = 0;
  for (const auto id : graph.inputs) inputs += base::element_count(graph.value(id).shape);
  const base::Size both = plans[0]->workspace_bytes() + base::Size(plans[1]->workspace_bytes()) +
                          base::Size(2) * inputs * base::Size(sizeof(float));
  const auto untimed = [&] {
    spec.precision = likely ? Precision::bf16 : Precision::f32;
    return plans[likely ? 1 : 0];
  };
  if (base::Size(spec.memory_limit) < both) return untimed();
  TimedPlan f32(graph, plans[0], spec.limits), bf16(graph, plans[1], spec.limits);
  engine::TuningTime unbounded;
  auto& time = spec.tuning_time != nullptr ? *spec.tuning_time : unbounded;
  if (!time_both(f32, bf16, time)) {
    time.give_up_one();
    return untimed();
  }
  const bool faster = bf16.best_ms() < kWorthIt * f32.best_ms();
  spec.choices->keep(problem, faster ? "bf16" : "f32");
  spec.precision = faster ? Precision::bf16 : Precision::f32;
  return faster ? bf16.plan() : f32.plan();
}

}  // namespace

PlanPtr build_plan(const ExplainerOptions& options, const graph::Graph& graph,
                   engine::PlanSpec& spec, engine::WeightCache& weights) {
  if (options.compile.precision == Precision::f32)
    return plan_in(Precision::f32, graph, spec, weights);
  if (!engine::bf16_supported()) {
    if (options.compile.precision == Precision::automatic ||
        options.compile.allow_precision_fallback)
      return plan_in(Precision::f32, graph, spec, weights);
    throw Error(ErrorCode::invalid_argument,
                "this CPU cannot compute in bf16 (it needs AVX-512 or AMX); f32 works everywhere");
  }
  if (options.compile.precision == Precision::bf16)
    return plan_in(Precision::bf16, graph, spec, weights);
  return faster_plan(graph, spec, weights);
}

}  // namespace fovea::api
