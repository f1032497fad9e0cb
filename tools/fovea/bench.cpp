#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "bench/inputs.hpp"
#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "bench/report.hpp"
#include "json_output.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "session.hpp"
#include "subcommands.hpp"

namespace fovea::cli {
namespace {

constexpr std::size_t kInputs = 64;
constexpr std::size_t kMaxProfiled = 101;
constexpr unsigned kSeed = 1, kFirstSeed = 2;

ExplainerOptions bench_options(const BenchArguments& arguments, const Asked& asked) {
  auto options = explainer_options(asked.request);
  options.compile.tuning_time = asked.tuning_time;
  if (arguments.memory_limit > 0)
    options.pool.memory_limit = static_cast<std::int64_t>(arguments.memory_limit);
  options.compile.batch = std::max<std::int64_t>(arguments.batch, 1);
  if (arguments.workers > 0) options.pool.threads = 1;
  if (arguments.tune.empty()) options.compile.tuning = Tuning::quick;
  options.compile.plan_cache = read_plan_cache(arguments.plan_cache);
  options.pool.max_workspaces = std::max(options.pool.max_workspaces, arguments.workers);
  options.prepare.methods = {Method{arguments.method}};
  if (!arguments.layer.empty()) options.prepare.layers = {arguments.layer};
  return options;
}

/// What a program that explains one image pays before it has its map. The memory of the many inputs
/// that follow is not part of it.
void measure_first(const Explainer& explainer, const BenchArguments& arguments, double before_mb,
                   Report& report) {
  const Inputs input(explainer, 1, kFirstSeed);
  const Target best = Target::top1();
  const auto explanations = timed(report.first_ms, [&] {
    return explainer.forward(input[0]).explain(Method{arguments.method}, std::span(&best, 1));
  });
  report.layer = explanations.front().layer;
  report.batch = static_cast<std::int64_t>(explanations.size());
  report.peak_mb = peak_memory();
  if (report.peak_mb) report.added_mb = *report.peak_mb - before_mb;
  if (arguments.batch > 0 && report.batch != arguments.batch)
    throw Error(ErrorCode::invalid_argument,
                "--batch " + std::to_string(arguments.batch) + " is not possible: the model" +
                    (arguments.input_shapes.empty() ? "" : " or --input-shape") +
                    " fixes the batch at " + std::to_string(report.batch));
}

/// Of a fresh model, which has no packed weights and no measurements yet.
void measure_with_plan_cache(ExplainerOptions options, const std::string& plan_cache,
                             Report& report) {
  if (options.compile.tuning == Tuning::off) return;
  const auto model = Model::load(report.model);
  options.compile.plan_cache = plan_cache;
  report.create_cached_ms = 0;
  timed(*report.create_cached_ms, [&] { return make_explainer(model, options); });
}

void measure_steady(const Explainer& explainer, const BenchArguments& arguments, Report& report) {
  Progress progress;
  const Inputs inputs(explainer, kInputs, kSeed);
  const Task task(explainer, Method{arguments.method}, report.batch);
  const Limits limits{arguments.runs, arguments.seconds};
  warm_up(task, inputs, progress);
  auto measured = arguments.workers > 0
                      ? measure_workers(task, inputs, arguments.workers, limits, progress)
                      : measure(task, inputs, limits, progress);
  report.predict_images_per_s = measured.predict_images_per_s;
  report.explain_images_per_s = measured.explain_images_per_s;
  report.predict = statistics(std::move(measured.predict_ms));
  report.explain = statistics(std::move(measured.explain_ms));
  if (!arguments.layers) return;
  report.steps = explainer.steps();
  report.profile = profile(task, inputs, std::min(report.explain.runs, kMaxProfiled), progress);
}

void check_outputs(const BenchArguments& arguments, const std::string& model) {
  OutputFiles outputs;  // refuses a name that is there twice
  for (const auto& file : {arguments.json, arguments.plan_cache}) {
    if (file.empty() || file == "-") continue;
    check_output(file, {}, std::vector{model});
    outputs.add(file, std::string_view());
  }
}

}  // namespace

void bench(const BenchArguments& arguments) {
  static_cast<void>(method_info(arguments.method));
  Report report;
  const auto what = asked_of_model(arguments);
  const auto& request = what.request;
  report.model = request.model.file;
  check_outputs(arguments, report.model);
  const double before_mb = resident_memory().value_or(0);
  const auto model = timed(report.load_ms, [&] { return Model::load(report.model); });
  require_shapes(model, request.input_shapes);
  const auto options = bench_options(arguments, what);
  in_file(report.model, [&] { require_layers(model, options, options.prepare.layers); });
  const auto explainer = in_file(report.model, [&] {
    return timed(report.create_ms, [&] { return make_explainer(model, options); });
  });
  keep_plan_cache(arguments.plan_cache, explainer, options.compile.plan_cache);
  report.method = arguments.method;
  report.plan_cache_given = !options.compile.plan_cache.empty();
  report.precision = explainer.precision();
  report.threads = explainer.threads();
  report.workers = arguments.workers;
  report.wait_policy = variable_or_default("OMP_WAIT_POLICY");
  report.spin_count = variable_or_default("GOMP_SPINCOUNT");
  for (const auto& input : explainer.inputs()) report.inputs[input.name] = input.shape;
  in_file(report.model, [&] {
    measure_first(explainer, arguments, before_mb, report);
    measure_with_plan_cache(options, explainer.plan_cache(), report);
    measure_steady(explainer, arguments, report);
  });
  write_result(arguments.json, report_text(report), json_text(report_json(report)));
}

}  // namespace fovea::cli
