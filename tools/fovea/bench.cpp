#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "bench/busy.hpp"
#include "bench/compared.hpp"
#include "bench/inputs.hpp"
#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "bench/report.hpp"
#include "json_output.hpp"
#include "machine.hpp"
#include "outputs.hpp"
#include "picture_folder.hpp"
#include "progress.hpp"
#include "session.hpp"
#include "subcommands.hpp"

namespace fovea::cli {
namespace {

constexpr std::size_t kInputs = 64;
constexpr std::size_t kMaxProfiled = 101;
constexpr unsigned kSeed = 1, kFirstSeed = 2;

/// What is measured.
struct Subject {
  Model model;
  ExplainerOptions options;
  std::vector<Tensor> photos;  ///< empty: random inputs

  Inputs inputs(const Explainer& explainer, std::size_t count, unsigned seed) const {
    if (photos.empty()) return {explainer, count, seed};
    return {explainer, std::span(photos).first(std::min(count, photos.size()))};
  }
};

ExplainerOptions bench_options(const BenchArguments& arguments, const Asked& asked,
                               ExplainerOptions options) {
  options.pool = explainer_options(asked.request).pool;  // not a session's, which is for one call
  options.compile.tuning_time = asked.tuning_time;
  if (arguments.memory_limit > 0)
    options.pool.memory_limit = static_cast<std::int64_t>(arguments.memory_limit);
  options.compile.batch = std::max<std::int64_t>(arguments.batch, 1);
  if (arguments.workers > 0) options.pool.threads = 1;
  keep_within_quota(options.pool, cpu_quota());
  if (arguments.tune.empty()) options.compile.tuning = Tuning::quick;
  options.compile.plan_cache = read_plan_cache(arguments.plan_cache);
  options.pool.max_workspaces = std::max(options.pool.max_workspaces, arguments.workers);
  options.prepare.methods = {Method{arguments.method}};
  if (!arguments.layer.empty()) options.prepare.layers = {arguments.layer};
  return options;
}

Subject open_subject(const BenchArguments& arguments, const Asked& asked, Report& report) {
  auto model = timed(report.load_ms, [&] { return Model::load(report.model); });
  require_shapes(model, asked.request.input_shapes);
  auto options = bench_options(arguments, asked, explainer_options(asked.request));
  return {std::move(model), std::move(options), {}};
}

/// Takes the session's photo, and those that follow it in the folder.
std::vector<Tensor> read_photos(Session& session, const std::string& folder,
                                const std::vector<std::string>& names, std::size_t first,
                                Report& report) {
  std::vector<Tensor> out;
  const auto take = [&](const std::string& name) {
    out.push_back(session.tensors.at(session.photo->input));
    report.photos.push_back(name);
    report.photo_digests.push_back(sha256_of(session.photo->file).value_or(""));
  };
  take(names[first]);
  for (std::size_t i = first + 1; i < names.size() && out.size() < kInputs; ++i) {
    try {
      session.take_photo((std::filesystem::path(folder) / names[i]).string());
      take(names[i]);
    } catch (const Error& error) {
      if (!is_unreadable(error)) throw;
      report.warnings.emplace_back(error.what());
    }
  }
  return out;
}

Subject open_photos(const BenchArguments& arguments, const Asked& asked, Report& report) {
  const auto names = pictures_in(arguments.images);
  std::size_t first = 0;
  auto session = open_at_first(asked, arguments.images, names, first, report.warnings);
  report.load_ms = session.times.load;
  report.images = arguments.images;
  auto photos = read_photos(session, arguments.images, names, first, report);
  report.warnings.insert(report.warnings.end(), session.warnings.begin(), session.warnings.end());
  auto options = bench_options(arguments, asked, session.options);
  for (const auto& input : session.model.inputs())
    if (input.name == session.photo->input && (!input.is_ranked || input.shape.front() < 0))
      options.compile.input_shapes.at(input.name).front() = options.compile.batch;
  return {session.model, std::move(options), std::move(photos)};
}

/// What a program that explains one image pays before it has its map. The memory of the many inputs
/// that follow is not part of it.
void measure_first(const Explainer& explainer, const Subject& subject,
                   const BenchArguments& arguments, double before_mb, Report& report) {
  const auto input = subject.inputs(explainer, 1, kFirstSeed);
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

Measured measure_as_asked(const Task& task, const Inputs& inputs, const BenchArguments& arguments,
                          Report& report, Progress& progress) {
  const Limits limits{arguments.runs, arguments.seconds};
  if (arguments.workers > 0)
    return measure_workers(task, inputs, arguments.workers, limits, progress);
  if (arguments.rate == 0) return measure(task, inputs, limits, progress);
  auto loop = measure_at_rate(task, inputs, arguments.rate, limits, progress);
  if (!loop.keeps_up)
    report.warnings.emplace_back(
        "runs are due faster than they are done, so that the times grow with how long is measured: "
        "--rate has to be lower");
  return std::move(loop.measured);
}

void measure_steady(const Explainer& explainer, const Subject& subject,
                    const BenchArguments& arguments, Report& report) {
  Progress progress;
  const auto inputs = subject.inputs(explainer, kInputs, kSeed);
  const Task task(explainer, Method{arguments.method}, report.batch);
  warm_up(task, inputs, progress);
  const auto measured = measure_as_asked(task, inputs, arguments, report, progress);
  report.predict_images_per_s = measured.predict_images_per_s;
  report.explain_images_per_s = measured.explain_images_per_s;
  report.predict = statistics(measured.predict_ms);
  report.explain = statistics(measured.explain_ms);
  if (!arguments.layers) return;
  report.steps = explainer.steps();
  report.profile = profile(task, inputs, std::min(report.explain.runs, kMaxProfiled), progress);
}

void check_outputs(const BenchArguments& arguments, const std::string& model) {
  OutputFiles outputs;  // refuses a name that is there twice
  for (const auto& file : {arguments.json, arguments.plan_cache}) {
    if (file.empty() || file == "-") continue;
    check_output(file, {}, std::vector{model, arguments.compare});
    outputs.add(file, std::string_view());
  }
}

void describe(const Explainer& explainer, const BenchArguments& arguments, const Asked& asked,
              Report& report) {
  report.method = arguments.method;
  report.precision = explainer.precision();
  report.threads = explainer.threads();
  report.workers = arguments.workers;
  report.rate = arguments.rate;
  report.busy = arguments.busy;
  report.tune = arguments.tune.empty() ? "quick" : arguments.tune;
  report.optimize = asked.request.optimize;
  report.cpu = cpu_name();
  report.wait_policy = variable_or_default("OMP_WAIT_POLICY");
  report.spin_count = variable_or_default("GOMP_SPINCOUNT");
  for (const auto& input : explainer.inputs()) report.inputs[input.name] = input.shape;
  const auto& warnings = explainer.warnings();
  report.warnings.insert(report.warnings.end(), warnings.begin(), warnings.end());
}

void tell(const BenchArguments& arguments, const std::optional<Json>& before, Report report) {
  for (auto& warning : disturbances(report)) report.warnings.push_back(std::move(warning));
  auto json = report_json(report);
  auto text = report_text(report);
  if (before) {
    json["compared"] = compared(*before, json, arguments.compare);
    text += compared_text(json["compared"]);
  }
  write_result(arguments.json, text, json_text(json));
  if (arguments.json != "-") print_warnings(report.warnings);
}

}  // namespace

void bench(const BenchArguments& arguments) {
  static_cast<void>(method_info(arguments.method));
  std::optional<Json> before;
  if (!arguments.compare.empty()) before = read_report(arguments.compare);
  Report report;
  const auto what = asked_of_model(arguments);
  report.model = what.request.model.file;
  check_outputs(arguments, report.model);
  const BusyProcesses beside(arguments.busy);
  const double before_mb = resident_memory().value_or(0);
  const auto subject = arguments.images.empty() ? open_subject(arguments, what, report)
                                                : open_photos(arguments, what, report);
  const auto& model = subject.model;
  const auto& options = subject.options;
  in_file(report.model, [&] { require_layers(model, options, options.prepare.layers); });
  const auto explainer = in_file(report.model, [&] {
    return timed(report.create_ms, [&] { return make_explainer(model, options); });
  });
  keep_plan_cache(arguments.plan_cache, explainer, options.compile.plan_cache);
  report.plan_cache_given = !options.compile.plan_cache.empty();
  describe(explainer, arguments, what, report);
  report.waiting = waiting_text(options.pool.waiting);
  in_file(report.model, [&] {
    measure_first(explainer, subject, arguments, before_mb, report);
    if (before || !arguments.json.empty())
      for (const auto& file : model.files()) report.digests.push_back(sha256_of(file).value_or(""));
  });
  if (before) require_comparable(*before, setting_json(report), arguments.compare);
  in_file(report.model, [&] {
    measure_with_plan_cache(options, explainer.plan_cache(), report);
    measure_steady(explainer, subject, arguments, report);
  });
  tell(arguments, before, std::move(report));
}

}  // namespace fovea::cli
