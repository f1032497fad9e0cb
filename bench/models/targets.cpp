#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "base/parallel.hpp"
#include "fovea/explainer.hpp"
#include "fovea/method_info.hpp"
#include "fovea/target_text.hpp"
#include "turns.hpp"

/// What many targets of one image cost in one call, beside the last of them alone: all of it, and
/// the walks back.
namespace fovea::bench {
namespace {

struct Options {
  std::string model, method = "gradcam", layer;
  std::vector<std::string> targets;
  int threads = 0;
  int rounds = 200;
  bool json = false, steps = false;
};

/// Words and lengths are 0, which any vocabulary has.
Feeds feeds_of(const Inputs& inputs, std::size_t i, const std::vector<ValueInfo>& infos,
               std::vector<Tensor>& zeros) {
  Feeds out = inputs.feeds(i);
  zeros.clear();
  zeros.reserve(infos.size());
  for (const auto& info : infos) {
    if (info.type == DataType::f32) continue;
    const auto& zero = zeros.emplace_back(Tensor{
        info.shape, std::vector<float>(static_cast<std::size_t>(base::element_count(info.shape)))});
    out[info.name] = TensorView{zero.shape, zero.data};
  }
  return out;
}

void explain_timed(Times& times, const std::string& what, Run& run, const Method& method,
                   std::span<const Target> targets) {
  double walk = 0;
  times.time(what, [&] {
    for (const auto& one : run.explain(method, targets)) walk += one.timings_ms.backward;
  });
  times.add(what + " walk", walk);
}

constexpr const char* kRows[] = {"forward", "one", "one walk", "all", "all walk"};

void print_steps(const Explainer& explainer, Run& run, const Method& method,
                 std::span<const Target> targets) {
  constexpr int kRuns = 50;
  const auto steps = explainer.steps();
  std::vector<double> ms(steps.size());
  CallOptions call;
  call.step_ms = ms;
  for (int i = 0; i < kRuns; ++i) run.explain(method, targets, {}, call);
  std::printf("\n%10s  %-22s %-28s %s\n", "us", "operator", "implementation", "node");
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (ms[i] > 0)
      std::printf("%10.2f  %-22s %-28s %s\n", ms[i] / kRuns * 1e3, steps[i].op.c_str(),
                  steps[i].implementation.c_str(), steps[i].node.c_str());
}

void run(const Options& options) {
  const auto model = Model::load(options.model);
  std::vector<TargetText> texts;
  ExplainerOptions prepare;
  const Method method = {options.method};
  prepare.prepare.methods = {method};
  if (!options.layer.empty()) prepare.prepare.layers = {options.layer};
  prepare.pool.threads = options.threads;
  for (const auto& text : options.targets) {
    texts.push_back(parse_target(text));
    for (const auto& name : texts.back().values())
      if (std::find(prepare.prepare.target_values.begin(), prepare.prepare.target_values.end(),
                    name) == prepare.prepare.target_values.end())
        prepare.prepare.target_values.push_back(name);
  }
  std::vector<Target> targets;
  {
    const Explainer asked(model, prepare);
    for (const auto& text : texts) targets.push_back(target_of(text, asked.target_values()));
  }
  auto prepare_one = prepare;
  prepare.prepare.targets = targets;
  prepare_one.prepare.targets = {targets.front()};
  const Explainer one(model, prepare_one), all(model, prepare);
  const Inputs inputs(one.inputs());
  Times times;
  std::vector<Tensor> zeros;
  take_turns(times, options.rounds, [&](std::size_t i) {
    const auto feeds = feeds_of(inputs, i, one.inputs(), zeros);
    {
      std::optional<Run> run;
      times.time("forward", [&] { run.emplace(one.forward(feeds)); });
      explain_timed(times, "one", *run, method, {&targets.back(), 1});
    }
    auto run = all.forward(feeds);
    explain_timed(times, "all", run, method, targets);
  });
  const double walks = times.median("all walk") / times.median("one walk");
  const double calls = times.median("all") / times.median("one");
  if (options.json) {
    Json out;
    out["model"] = options.model;
    out["method"] = options.method;
    out["targets"] = targets.size();
    out["threads"] = base::max_threads();
    for (const std::string row : kRows) out[row + " ms"] = to_json(times, row);
    out["walks"] = walks;
    out["calls"] = calls;
    std::printf("%s\n", out.dump(2).c_str());
  } else {
    std::printf("%s: %s of %zu targets\n\n%-12s %9s %9s %9s\n", options.model.c_str(),
                options.method.c_str(), targets.size(), "ms", "min", "median", "p90");
    for (const auto* row : kRows)
      std::printf("%-12s %9.4f %9.4f %9.4f\n", row, times.percentile(row, 0), times.median(row),
                  times.percentile(row, 0.9));
    std::printf("\nall / one: walks %.3f, calls %.3f\n", walks, calls);
  }
  if (!options.steps) return;
  auto last = all.forward(feeds_of(inputs, 0, one.inputs(), zeros));
  print_steps(all, last, method, targets);
  auto single = one.forward(feeds_of(inputs, 0, one.inputs(), zeros));
  print_steps(one, single, method, {&targets.back(), 1});
}

}  // namespace
}  // namespace fovea::bench

int main(int argc, char** argv) {
  fovea::bench::Options options;
  CLI::App app("What the targets of one image cost together, beside one of them alone");
  app.add_option("model", options.model, "ONNX file")->required();
  app.add_option("--target", options.targets, "Of the same image, as `fovea explain` takes them")
      ->required();
  app.add_option("--method", options.method, "How");
  app.add_option("--layer", options.layer, "Which map");
  app.add_option("--threads", options.threads, "OpenMP threads; 0: what OpenMP would use");
  app.add_option("--runs", options.rounds, "Runs of each")->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json, "Print JSON");
  app.add_flag("--steps", options.steps, "Then print what each step took");
  CLI11_PARSE(app, argc, argv);
  try {
    fovea::bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "targets: %s\n", error.what());
    return 1;
  }
  return 0;
}
