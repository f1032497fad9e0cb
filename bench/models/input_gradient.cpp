#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/model_impl.hpp"
#include "base/parallel.hpp"
#include "engine/plan.hpp"
#include "fovea/model.hpp"
#include "graph/infer.hpp"
#include "graph/query.hpp"
#include "turns.hpp"

/// What a gradient with respect to the input costs (all the way through the network and back),
/// beside a prediction by a plan that has nothing else to do.
namespace fovea::bench {
namespace {

struct Options {
  std::string model;
  int threads = 0;
  int rounds = 50;
  bool json = false;
  bool steps = false;
};

/// A plan with a workspace, ready to run.
struct Runner {
  std::shared_ptr<const engine::Plan> plan;
  engine::Workspace workspace;

  Runner(const graph::Graph& graph, const engine::PlanSpec& spec, engine::WeightCache& weights)
      : plan(engine::Plan::build(graph, spec, weights)), workspace(plan->make_workspace()) {}

  void forward(const std::vector<Tensor>& tensors, const CallOptions& call = {}) {
    std::vector<std::span<const float>> feeds(tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) feeds[i] = tensors[i].data;
    plan->forward(workspace, feeds, call);
  }
};

/// Steps by the time that they took, the longest first.
void print_steps(Runner& runner, const Inputs& inputs, std::span<const float> seeds) {
  constexpr int kRuns = 20;
  const auto steps = runner.plan->steps();
  std::vector<double> ms(steps.size(), 0);
  CallOptions call;
  call.step_ms = ms;
  for (std::size_t i = 0; i < kRuns; ++i) {
    runner.forward(inputs.tensors(i), call);
    runner.plan->backward(runner.workspace, 0, seeds, call);
  }
  std::vector<std::size_t> order(steps.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return ms[a] > ms[b]; });
  std::printf("\n%-8s %8s %8s %8s  %-22s %-28s %s\n", "", "ms", "GF/s", "GB/s", "operator",
              "implementation", "node");
  for (const auto i : order) {
    const auto& step = steps[i];
    const double each = ms[i] / kRuns;
    if (each < 0.01) break;
    std::printf("%-8s %8.3f %8.1f %8.1f  %-22s %-28s %s\n", step.backward ? "backward" : "forward",
                each, static_cast<double>(step.flops) / each / 1e6,
                static_cast<double>(step.bytes) / each / 1e6, step.op.c_str(),
                step.implementation.c_str(), step.node.c_str());
  }
}

void run(const Options& options) {
  const base::ThreadScope threads(options.threads);
  const auto model = Model::load(options.model);
  graph::Graph graph = Access::impl(model).imported.graph;
  graph::bind(graph, {}, 1);
  engine::fold_constants(graph);
  auto infos = model.inputs();
  for (std::size_t i = 0; i < infos.size(); ++i)
    infos[i].shape = graph.value(graph.inputs[i]).shape;
  const auto logits = graph::find_scores(graph, "").logits;

  engine::WeightCache weights;
  engine::Choices choices;
  engine::PlanSpec spec;
  spec.fetches = {logits};
  spec.tuning = Tuning::quick;
  spec.choices = &choices;
  Runner predict(graph, spec, weights);
  spec.gradients = {{logits, graph.inputs[0]}};
  Runner both(graph, spec, weights);

  const Inputs inputs(infos);
  std::vector<float> seeds(
      static_cast<std::size_t>(base::element_count(graph.value(logits).shape)));
  seeds[seeds.size() / 2] = 1;
  Times times;
  take_turns(times, options.rounds, [&](std::size_t i) {
    times.time("predict", [&] { predict.forward(inputs.tensors(i)); });
    times.time("gradient", [&] {
      both.forward(inputs.tensors(i + kInputs / 2));
      times.time("backward", [&] { both.plan->backward(both.workspace, 0, seeds, {}); });
    });
  });
  const double ratio = times.median("gradient") / times.median("predict");
  if (options.json) {
    Json out;
    out["model"] = options.model;
    out["threads"] = base::max_threads();
    for (const std::string row : {"predict", "gradient", "backward"})
      out[row + "_ms"] = to_json(times, row);
    out["ratios"]["gradient_predict"] = ratio;
    std::printf("%s\n", out.dump(2).c_str());
  } else {
    std::printf("%s: %d threads\n\n%-12s %9s %9s %9s\n", options.model.c_str(), base::max_threads(),
                "ms", "min", "median", "p90");
    for (const auto* row : {"predict", "gradient", "backward"})
      std::printf("%-12s %9.3f %9.3f %9.3f\n", row, times.percentile(row, 0), times.median(row),
                  times.percentile(row, 0.9));
    std::printf("\ngradient / predict %7.3f\n", ratio);
  }
  if (options.steps) print_steps(both, inputs, seeds);
}

}  // namespace
}  // namespace fovea::bench

int main(int argc, char** argv) {
  fovea::bench::Options options;
  CLI::App app("What the gradient with respect to the input costs, in predictions");
  app.add_option("model", options.model, "ONNX file")->required();
  app.add_flag("--json", options.json, "Print JSON");
  app.add_flag("--steps", options.steps, "Then print what each step took");
  app.add_option("--threads", options.threads, "OpenMP threads; 0: what OpenMP would use");
  app.add_option("--runs", options.rounds, "Runs of each")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    fovea::bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "input_gradient: %s\n", error.what());
    return 1;
  }
  return 0;
}
