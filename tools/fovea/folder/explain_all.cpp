// fovea explain-all: every photo of a folder, or of a list.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <utility>

#include "folder/listed.hpp"
#include "folder/one_photo.hpp"
#include "folder/record.hpp"
#include "folder/results_file.hpp"
#include "folder/rows.hpp"
#include "folder/turns.hpp"
#include "fovea/threads.hpp"
#include "fovea/version.hpp"
#include "long_call.hpp"
#include "machine.hpp"
#include "picture_folder.hpp"
#include "provenance.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kResults = "results.jsonl";
constexpr const char* kRecord = "run.json";
constexpr const char* kPlan = "plan.cache";
// Of a call that is long: a search that is cut short would end elsewhere the next time.
constexpr auto kTuningTime = std::chrono::hours(1);
constexpr std::size_t kAheadOfEach =
    16;  // photos of a thread, at most, in front of what is written

[[noreturn]] void refuse(const std::string& sentence, const std::string& file = {}) {
  throw Error(ErrorCode::invalid_argument, sentence, {.file = file, .node = {}, .op = {}});
}

/// The request, about no photo yet.
Asked asked_of_all(ExplainAllArguments arguments, const IsGiven& given) {
  if (arguments.folder.empty()) refuse("say where the results go with --output");
  if (arguments.folder == "-") refuse("results are a folder, not standard output");
  if (arguments.no_box && given("--box")) refuse("--box and --no-box are one or the other");
  std::error_code failure;
  if (fs::is_directory(arguments.images, failure) &&
      fs::equivalent(arguments.images, arguments.folder, failure))
    refuse("--output is the folder of photos: give another, or one in it", arguments.folder);
  if (!arguments.no_box && !arguments.box_share) arguments.box_share = std::stof(kDefaultShare);
  arguments.photos = {"photo"};  // else the demo's
  auto out = asked(static_cast<const ExplainArguments&>(arguments));
  if (out.photos.size() > 1) refuse("the model is given twice: --model, and " + out.photos.back());
  out.photos.clear();
  out.request.image.reset();
  if (!given("--method")) out.request.method_by_target = true;
  if (out.request.command == Request::Command::sheet)
    refuse("--method names several: every photo gets maps of one");
  out.also_read.push_back(arguments.images == "-" ? "/dev/stdin" : arguments.images);
  out.check_streams();
  check_drawing(out.request);
  check_reasons(out.request, {});
  return out;
}

Json record_of(const Asked& asked, const Model& model, const ExplainAllArguments& arguments,
               Digests& digests) {
  auto request = asked.request;
  const auto folder = fs::path(request.model.file).parent_path();
  const auto& files = model.files();
  for (std::size_t i = 1; i < files.size(); ++i)
    request.external.push_back({files[i].lexically_relative(folder).string()});
  auto out = provenance_json(std::move(request), digests);
  out["outputs"] = {{"overlay", arguments.overlays},
                    {"heatmap", arguments.heatmaps},
                    {"map", arguments.maps},
                    {"feature_map", arguments.feature_maps},
                    {"format", arguments.format},
                    {"rendering", arguments.rendering},
                    {"provenance", !arguments.no_provenance}};
  return out;
}

/// What an earlier call was told; null where there was none.
Json earlier_record(const std::string& file, bool has_results) {
  std::error_code failure;
  if (!fs::exists(file, failure)) {
    if (has_results)
      refuse(
          "the results in this folder do not say what they were made with: give another --output",
          file);
    return nullptr;
  }
  auto out = Json::parse(read_text(file, ErrorCode::invalid_argument), nullptr, false);
  if (!out.is_object()) {
    if (has_results) refuse("this does not say what the results were made with", file);
    return nullptr;
  }
  return out;
}

/// Where the results go. What this call made of it goes again, unless it is kept.
class OutputFolder {
 public:
  explicit OutputFolder(std::string path) : path_(std::move(path)) {
    std::error_code failure;
    const auto status = fs::status(path_, failure);
    if (fs::exists(status) && !fs::is_directory(status))
      refuse("the output is a file, and results are a folder", path_);
    made_ = fs::create_directories(path_, failure);
    if (failure) refuse("the output's folder cannot be made", path_);
    if (!made_) remove_unfinished();
  }
  ~OutputFolder() {
    std::error_code ignored;
    if (made_) fs::remove_all(path_, ignored);
  }
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  void keep() { made_ = false; }
  std::string file(const char* name) const { return (fs::path(path_) / name).string(); }

 private:
  /// What a call that was killed was writing.
  void remove_unfinished() const {
    std::error_code failure;
    const auto is_unfinished = [](const std::string& name) {
      const auto at = name.rfind(".tmp-");
      return at != std::string::npos && at + 5 < name.size() &&
             name.find_first_not_of("0123456789", at + 5) == std::string::npos;
    };
    std::vector<fs::path> found;
    const auto look = [&](auto at) {
      for (; !failure && at != decltype(at)(); at.increment(failure))
        if (is_unfinished(at->path().filename().string())) found.push_back(at->path());
    };
    for (const auto* kind : {"overlay", "heatmap", "map", "feature-map"})
      look(fs::recursive_directory_iterator(fs::path(path_) / kind, failure)), failure.clear();
    look(fs::directory_iterator(path_, failure));
    for (const auto& file : found) fs::remove(file, failure);
  }

  std::string path_;
  bool made_ = false;
};

void write_text(const std::string& file, const std::string& text) {
  OutputFiles out;
  out.add(file, text);
  out.write();
  out.keep();
}

/// The photos that have no line yet.
Listed without_done(Listed all, ResultsFile& results) {
  Listed out;
  out.warnings = std::move(all.warnings);
  std::vector<std::string> wanted;
  for (std::size_t i = 0; i < all.files.size(); ++i) {
    if (results.take(all.files[i])) continue;
    out.files.push_back(std::move(all.files[i]));
    wanted.push_back(std::move(all.names[i]));
  }
  out.names = own_names(wanted, results.names());
  return out;
}

/// A session at the first photo that can be read. What is wrong with those in front of it is told
/// in `errors`; they are all where there is no such photo.
std::optional<Session> open_first(const Asked& asked, const Model& model,
                                  const std::vector<std::string>& files, bool whole_photo,
                                  std::vector<std::string>& errors) {
  for (const auto& file : files) {
    try {
      static_cast<void>(read_image(file));
      auto one = asked;
      one.photos = {file};
      one.request.image = RequestFile{file};
      auto session = open_session(std::move(one), model, whole_photo);
      // As take_photo wants to hear of the photos that follow.
      if (whole_photo) session.request.exact_decode = true;
      return session;
    } catch (const Error& error) {
      if (!is_unreadable(error) || error.context().file != file) throw;
      errors.emplace_back(error.what());
    }
  }
  return std::nullopt;
}

/// How many photos at once: a core for each thread, as far as the machine's share goes.
int worker_count(const ExplainAllArguments& arguments) {
  if (arguments.workers > 0) return arguments.workers;
  PoolOptions pool;
  keep_within_quota(pool, cpu_quota());
  const int cores = pool.threads > 0 ? pool.threads : build_info().threads;
  return arguments.threads > 0 ? std::max(1, cores / arguments.threads) : 1;
}

/// What came of all photos.
struct Outcome {
  Standing standing;
  int workers = 0, allowed = 0;  ///< photos at once: as asked, and as memory allowed
  std::string method, layer;
  std::string precision;
  int threads = 0;
  std::string waiting;
  std::vector<std::string> warnings;
};

class Call {
 public:
  Call(const ExplainAllArguments& arguments, const IsGiven& given)
      : arguments_(arguments), asked_(asked_of_all(arguments, given)) {
    if (!asked_.plan_cache.empty()) check_output(asked_.plan_cache, {}, asked_.files());
  }

  void run();

 private:
  void explain(const Model& model, Listed& todo, ResultsFile& results, OutputFolder& folder,
               const Json& record, int workers);
  void fail_all(const ManyPhotos& many, const std::vector<std::string>& errors,
                ResultsFile& results);
  void explain_many(const ManyPhotos& many, const Session& session, const Prepared& prepared,
                    std::size_t first, ResultsFile& results, OutputFolder& folder,
                    const Json& record);
  void tell(const OutputFolder& folder, std::size_t listed) const;
  bool tunes() const { return asked_.request.tuning != Tuning::off; }
  Standing standing(const ResultsFile& results, std::size_t todo) const;
  /// How a call that ended early is gone on with.
  void tell_rest(const Standing& standing) const;

  const ExplainAllArguments& arguments_;
  Asked asked_;
  Digests digests_;
  Outcome out_;
};

Standing Call::standing(const ResultsFile& results, std::size_t todo) const {
  Standing out;
  out.ok = results.ok();
  out.failed = results.failed();
  out.before = out.ok + out.failed;
  out.total = out.before + static_cast<std::int64_t>(todo);
  return out;
}

void Call::tell_rest(const Standing& standing) const {
  std::fprintf(stderr,
               "fovea: %lld of %lld photos are done: the same command goes on with the rest\n",
               static_cast<long long>(standing.done()), static_cast<long long>(standing.total));
}

void Call::run() {
  const auto workers = worker_count(arguments_);
  // This thread is one of as many as read photos.
  std::optional<ThreadLimit> limit;
  if (arguments_.threads > 0) limit.emplace(arguments_.threads);
  auto all = listed_photos(arguments_.images, arguments_.folder);
  const auto model = load_model(asked_.request);
  name_inputs(asked_, model);
  const auto record = record_of(asked_, model, arguments_, digests_);
  OutputFolder folder(arguments_.folder);
  const FolderLock lock(arguments_.folder);
  ResultsFile results(folder.file(kResults), arguments_.retry_failed);
  const bool has_results = results.ok() + results.failed() > 0;
  if (const auto earlier = earlier_record(folder.file(kRecord), has_results);
      has_results && !earlier.is_null()) {
    if (const auto other = difference(earlier, record))
      refuse("the results that are there were made with another " + other->option + " (" +
                 other->was + ", now " + other->is +
                 "): go on with what they were made with, or give another --output",
             arguments_.folder);
    if (auto warning = version_warning(earlier, record); !warning.empty())
      out_.warnings.push_back(std::move(warning));
  }
  const auto listed = all.files.size();
  auto todo = without_done(std::move(all), results);
  out_.warnings.insert(out_.warnings.begin(), todo.warnings.begin(), todo.warnings.end());
  out_.standing = standing(results, todo.files.size());
  if (!todo.files.empty() || !results.is_finished())
    explain(model, todo, results, folder, record, workers);
  folder.keep();
  tell(folder, listed);
}

void Call::explain(const Model& model, Listed& todo, ResultsFile& results, OutputFolder& folder,
                   const Json& record, int workers) {
  const bool whole_photo = arguments_.overlays;
  auto files = asked_.files();
  files.insert(files.end(), todo.files.begin(), todo.files.end());
  const InputFiles inputs(files);
  const Reasons reasons(asked_.request, {});
  std::vector<std::string> errors;
  auto session = open_first(asked_, model, todo.files, whole_photo, errors);
  std::vector<std::string> of_all;
  const ManyPhotos many{arguments_, todo.files, todo.names, reasons, inputs, digests_, of_all};
  if (!session) {
    write_text(folder.file(kRecord), json_text(record));
    folder.keep();
    fail_all(many, errors, results);
    return;
  }
  if (session->writer)
    refuse(
        "each photo's caption is a network of its own words, and one explains all of these: "
        "'fovea explain' takes several photos");
  if (session->task && !session->task->states.empty())
    refuse(
        "the model takes a state from photo to photo, and these are explained each by itself: "
        "'fovea explain' takes several in order");
  out_.workers = static_cast<int>(std::min(static_cast<std::size_t>(workers), todo.files.size()));
  auto& pool = session->options.pool;
  pool.max_workspaces = std::max(pool.max_workspaces, out_.workers);
  pool.waiting = out_.workers > 1 ? Waiting::sleep : Waiting::adaptive;
  if (tunes()) {
    // The algorithms that made what is there make the rest.
    const auto plan = read_plan_cache(folder.file(kPlan));
    if (results.ok() > 0 && !plan.empty()) session->options.compile.plan_cache = plan;
    if (!asked_.tuning_time) session->options.compile.tuning_time = kTuningTime;
  }
  const auto prepared = prepare(*session, reasons.methods(*session), asked_.plan_cache);
  reasons.check(*session, prepared.explainer, digests_);
  start_digests(*session, digests_);
  of_all = session->warnings;
  out_.warnings.insert(out_.warnings.end(), of_all.begin(), of_all.end());
  out_.method = prepared.served.front().name;
  out_.layer = joined(prepared.explainer.prepared_layers());
  out_.precision = precision_text(prepared.explainer.precision());
  out_.threads = prepared.explainer.threads();
  out_.waiting = waiting_text(pool.waiting);
  explain_many(many, *session, prepared, errors.size(), results, folder, record);
}

void Call::fail_all(const ManyPhotos& many, const std::vector<std::string>& errors,
                    ResultsFile& results) {
  results.open();
  Pace pace(arguments_.progress);
  Rows rows(errors.size(), errors.size() + 1, results, pace, out_.standing);
  for (std::size_t i = 0; i < errors.size(); ++i) rows.add(i, failed_row(many, i, errors[i]));
  out_.standing = rows.standing();
  pace.show(out_.standing, true);
  results.finish();
}

void Call::explain_many(const ManyPhotos& many, const Session& session, const Prepared& prepared,
                        std::size_t first, ResultsFile& results, OutputFolder& folder,
                        const Json& record) {
  LongCall call("explaining");
  const auto stop = call.options().stop;
  Row first_row;
  {
    OnePhoto one(many, session, prepared, stop);
    try {
      first_row = one.explained(first, true);
    } catch (const Unwritable& failure) {
      if (out_.standing.done() > 0) tell_rest(out_.standing);
      throw failure.error;
    } catch (const Error& error) {
      const bool is_cancelled = error.code() == ErrorCode::cancelled;
      if (is_cancelled && out_.standing.done() > 0) tell_rest(out_.standing);
      // Of all photos, as far as is known: nothing is there yet.
      if (is_cancelled || results.ok() == 0) throw;
      first_row = failed_row(many, first, error.what());
    }
  }
  write_text(folder.file(kRecord), json_text(record));
  if (tunes()) write_text(folder.file(kPlan), prepared.explainer.plan_cache());
  folder.keep();
  results.open();
  Pace pace(arguments_.progress);
  Rows rows(many.files.size(), kAheadOfEach * static_cast<std::size_t>(out_.workers) + first,
            results, pace, out_.standing);
  Turns turns(out_.workers);
  const auto work = [&] {
    const ThreadLimit limit(out_.threads);
    try {
      OnePhoto one(many, session, prepared, stop);
      while (const auto place = rows.next())
        if (*place != first) rows.add(*place, explained_in_turn(one, turns, many, *place));
    } catch (const Unwritable& failure) {
      rows.stop(std::make_exception_ptr(failure.error));
    } catch (const Error& error) {
      rows.stop(error.code() == ErrorCode::cancelled ? nullptr : std::current_exception());
    } catch (...) {
      rows.stop(std::current_exception());
    }
    if (rows.failure()) call.stop();
    rows.leave();
  };
  std::vector<std::thread> threads;
  try {
    rows.add(first, std::move(first_row));
    for (int i = 0; i < out_.workers; ++i) threads.emplace_back(work);
  } catch (...) {
    rows.stop(std::current_exception());
  }
  rows.watch(static_cast<int>(threads.size()), [&] { return call.is_stopped(); });
  for (auto& thread : threads) thread.join();
  out_.standing = rows.standing();
  out_.allowed = turns.allowed();
  if (rows.failure()) {
    tell_rest(out_.standing);
    std::rethrow_exception(rows.failure());
  }
  if (call.is_stopped() && out_.standing.done() < out_.standing.total) {
    tell_rest(out_.standing);
    call.check();
  }
  results.finish();
}

void Call::tell(const OutputFolder& folder, std::size_t listed) const {
  const auto& all = out_.standing;
  auto warnings = out_.warnings;
  if (out_.allowed < out_.workers && out_.allowed > 0)
    warnings.push_back("memory allowed for " + count_text(out_.allowed, "photo") +
                       " at once, not " + std::to_string(out_.workers) + " (--memory-limit)");
  const auto in_this = all.done() - all.before;
  const Json json = {{"model", asked_.request.model.file},
                     {"images", arguments_.images},
                     {"output", arguments_.folder},
                     {"method", out_.method.empty() ? Json(nullptr) : Json(out_.method)},
                     {"layer", out_.layer.empty() ? Json(nullptr) : Json(out_.layer)},
                     {"precision", out_.precision.empty() ? Json(nullptr) : Json(out_.precision)},
                     {"threads", out_.threads},
                     {"workers", out_.workers},
                     {"waiting", out_.waiting.empty() ? Json(nullptr) : Json(out_.waiting)},
                     {"listed", listed},
                     {"photos", all.done()},
                     {"ok", all.ok},
                     {"failed", all.failed},
                     {"before", all.before},
                     {"seconds", all.seconds},
                     {"photos_per_second", in_this > 0 ? Json(all.per_second()) : Json(nullptr)},
                     {"warnings", warnings}};
  std::string text =
      "explained    " + std::to_string(all.ok) + " of " + count_text(all.done(), "photo") + ", " +
      std::to_string(all.failed) + " failed" +
      (all.before > 0 ? "; " + std::to_string(all.before) + " in an earlier call" : std::string()) +
      "\n";
  if (!out_.method.empty()) text += "method       " + out_.method + "\n";
  if (!out_.layer.empty()) text += "layer        " + out_.layer + "\n";
  if (in_this > 0 && out_.workers > 0)
    text += "time         " + number_text("%.1f s, ", all.seconds) + rate_text(all.per_second()) +
            " photos/s, " + count_text(out_.allowed > 0 ? out_.allowed : out_.workers, "photo") +
            " at once, " + count_text(out_.threads, "thread") + " each\n";
  text += "wrote        " + folder.file(kResults) + "\n";
  write_result(arguments_.json, text, json_text(json));
  if (arguments_.json != "-") print_warnings(warnings);
  if (all.failed > 0)
    throw Error(ErrorCode::bad_input,
                std::to_string(all.failed) + " of " + count_text(all.done(), "photo") + " failed");
}

}  // namespace

void explain_all(const ExplainAllArguments& arguments, const IsGiven& given) {
  Call(arguments, given).run();
}

}  // namespace fovea::cli
