#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "api/explainer_impl.hpp"
#include "base/parallel.hpp"
#include "engine/plan.hpp"
#include "turns.hpp"

/// A whole model beside its floor, in one process: an explanation (tensor in, map at input size
/// out), a prediction, and the convolutions of the same plan alone, with the algorithms that the
/// tuner chose and in the same memory. They take turns, so that what disturbs one disturbs all.
namespace fovea::bench {
namespace {

struct Options {
  std::string model;
  std::string tune = "quick";
  std::string precision = "f32";
  int threads = 0;
  int rounds = 100;
  bool json = false;
};

ExplainerOptions explainer_options(const Options& options) {
  ExplainerOptions out;
  out.compile.tuning = options.tune == "off"        ? Tuning::off
                       : options.tune == "thorough" ? Tuning::thorough
                                                    : Tuning::quick;
  out.compile.precision = options.precision == "f32"    ? Precision::f32
                          : options.precision == "bf16" ? Precision::bf16
                                                        : Precision::automatic;
  out.pool.threads = options.threads;
  out.pool.max_workspaces = 1;  // so that every run, and the floor, uses the same memory
  return out;
}

/// The convolutions of the explainer's plan, in the memory that its runs use.
engine::Convolutions convolutions(const Explainer& explainer, engine::Convolutions::Form form) {
  const auto& impl = Access::impl(explainer);
  auto workspace = impl.pool->take({});
  engine::Convolutions out(*impl.plan, workspace, form);
  impl.pool->release(std::move(workspace));
  return out;
}

constexpr std::array kRows = {"explain", "predict", "floor", "fused_floor"};
constexpr std::array<std::array<const char*, 2>, 5> kRatios = {{{"explain", "predict"},
                                                                {"explain", "floor"},
                                                                {"explain", "fused_floor"},
                                                                {"predict", "floor"},
                                                                {"predict", "fused_floor"}}};

const char* name_of(Precision precision) {
  return precision == Precision::bf16 ? "bf16" : "f32";
}

double ratio(const Times& times, const std::array<const char*, 2>& names) {
  return times.median(names[0]) / times.median(names[1]);
}

void print_json(const Times& times, const Explainer& explainer, std::size_t count,
                const Options& options) {
  Json out;
  out["model"] = options.model;
  out["threads"] = explainer.threads();
  out["precision"] = name_of(explainer.precision());
  out["tuning"] = options.tune;
  out["isa"] = engine::onednn_isa();
  out["onednn"] = engine::onednn_version();
  out["runs"] = options.rounds;
  out["convolutions"] = count;
  for (const std::string row : kRows) out[row + "_ms"] = to_json(times, row);
  for (const auto& names : kRatios)
    out["ratios"][std::string(names[0]) + "_" + names[1]] =
        std::round(ratio(times, names) * 1e4) / 1e4;
  std::printf("%s\n", out.dump(2).c_str());
}

void print(const Times& times, const Explainer& explainer, std::size_t count,
           const Options& options) {
  std::printf("%s: %zu convolutions, %d threads, %s, oneDNN %s\n\n", options.model.c_str(), count,
              explainer.threads(), name_of(explainer.precision()),
              engine::onednn_version().c_str());
  std::printf("%-12s %9s %9s %9s\n", "ms", "min", "median", "p90");
  for (const auto* row : kRows)
    std::printf("%-12s %9.3f %9.3f %9.3f\n", row, times.percentile(row, 0), times.median(row),
                times.percentile(row, 0.9));
  std::printf("\n");
  for (const auto& names : kRatios)
    std::printf("%s / %-12s %7.3f\n", names[0], names[1], ratio(times, names));
}

void run(const Options& options) {
  using Form = engine::Convolutions::Form;
  const auto model = Model::load(options.model);
  const Explainer explainer(model, explainer_options(options));
  const auto bare = convolutions(explainer, Form::bare);
  const auto planned = convolutions(explainer, Form::planned);
  if (bare.size() == 0) throw Error(ErrorCode::invalid_argument, "the model has no convolution");
  const Inputs inputs(explainer.inputs());
  const Target best = Target::top1();
  Times times;
  take_turns(times, options.rounds, [&](std::size_t i) {
    const Feeds first = inputs.feeds(i), second = inputs.feeds(i + kInputs / 2);
    times.time("explain",
               [&] { explainer.forward(first).explain(GradCam{}, std::span(&best, 1)); });
    times.time("predict", [&] { explainer.forward(second).predictions(); });
    // What a run needs around its steps is no part of the floor.
    const base::ThreadScope threads(options.threads);
    times.time("floor", [&] { bare.run(); });
    times.time("fused_floor", [&] { planned.run(); });
  });
  (options.json ? print_json : print)(times, explainer, bare.size(), options);
}

}  // namespace
}  // namespace fovea::bench

int main(int argc, char** argv) {
  fovea::bench::Options options;
  CLI::App app("A model's explanation and prediction beside its bare convolutions");
  app.add_option("model", options.model, "ONNX file")->required();
  app.add_flag("--json", options.json, "Print JSON");
  app.add_option("--threads", options.threads, "OpenMP threads; 0: what OpenMP would use");
  app.add_option("--tune", options.tune)->check(CLI::IsMember({"off", "quick", "thorough"}));
  app.add_option("--precision", options.precision)->check(CLI::IsMember({"f32", "bf16", "auto"}));
  app.add_option("--runs", options.rounds, "Runs of each")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    fovea::bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "floor: %s\n", error.what());
    return 1;
  }
  return 0;
}
