#include "folder/one_photo.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "photos.hpp"
#include "provenance.hpp"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

/// What the call's own result says, or a line's "explanations" say again.
constexpr auto kLeftOut = std::to_array<std::string_view>(
    {"model",  "image",      "preprocess", "decoded",   "inputs", "precision", "threads", "waiting",
     "method", "layer",      "layers",     "normalize", "target", "score",     "map",     "box",
     "images", "timings_ms", "warnings",   "sentence",  "words",  "features",  "examples"});

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Those that are not of all photos.
std::vector<std::string> own_warnings(const Session& session, std::size_t of_all) {
  const auto first = session.warnings.begin() + static_cast<std::ptrdiff_t>(of_all);
  return {first, session.warnings.end()};
}

std::string in_folder(const std::string& file, const std::string& folder) {
  return fs::path(file).lexically_relative(folder).generic_string();
}

void make_folders(const ExplainOutputs& names) {
  for (const auto* file : {&names.output, &names.heatmap, &names.map, &names.feature_map}) {
    if (file->empty()) continue;
    std::error_code failure;
    const auto folder = fs::path(*file).parent_path();
    fs::create_directories(folder, failure);
    if (failure)
      throw Unwritable{Error(ErrorCode::internal, "the folder cannot be made",
                             {.file = folder.string(), .node = {}, .op = {}})};
  }
}

}  // namespace

ExplainOutputs outputs_of(const ExplainAllArguments& arguments, const std::string& name) {
  ExplainOutputs out;
  const auto in = [&](const char* kind, const std::string& extension) {
    return (fs::path(arguments.folder) / kind / (name + extension)).string();
  };
  if (arguments.overlays) out.output = in("overlay", "." + arguments.format);
  if (arguments.heatmaps) out.heatmap = in("heatmap", "." + arguments.format);
  if (arguments.maps) out.map = in("map", ".npy");
  if (arguments.feature_maps) out.feature_map = in("feature-map", ".npy");
  out.rendering = arguments.rendering;
  out.no_provenance = arguments.no_provenance;
  return out;
}

Json row_json(const ManyPhotos& many, std::size_t place, const std::optional<std::string>& sha256,
              const std::string& status) {
  return {{"image", many.files[place]},
          {"name", many.names[place]},
          {"sha256", sha256 ? Json(*sha256) : Json(nullptr)},
          {"status", status}};
}

Row failed_row(const ManyPhotos& many, std::size_t place, const std::string& error) {
  auto json = row_json(many, place, sha256_of(many.files[place]), "failed");
  json["error"] = error;
  return {line_of(json), error};
}

OnePhoto::OnePhoto(const ManyPhotos& many, const Session& session, const Prepared& prepared,
                   std::stop_token stop)
    : many_(many), session_(session), prepared_(prepared) {
  limits_.stop = std::move(stop);
}

Row OnePhoto::explained(std::size_t place, bool is_open) {
  const auto names = outputs_of(many_.arguments, many_.names[place]);
  auto digests = many_.digests;
  Files files{names, many_.inputs};
  Row out{line_of(answered(place, is_open, files, digests)), {}};
  writing([&] {
    files.out.write();
    files.out.keep();
  });
  return out;
}

Json OnePhoto::answered(std::size_t place, bool is_open, Files& files, Digests& digests) {
  auto& session = session_;
  const auto& names = files.names;
  const auto& file = many_.files[place];
  digests.start(file);
  session.times = {};
  session.warnings = many_.warnings;
  const auto* prepared = &prepared_;
  std::optional<Prepared> own;
  if (!is_open) {
    session.take_photo(file);
    // What was found in one photo is not in the next.
    if (follows_photo(session)) {
      own = prepare(session, many_.reasons.methods(session), limits_);
      prepared = &*own;
    }
  }
  auto answered = answer(session, *prepared, [&](const Method&) { return limits_; });
  auto& [came_out, targets, run, explanations] = answered;
  const auto found =
      many_.reasons.find(run, session, prepared->explainer, digests, targets, explanations);
  Json provenance;
  if (has_provenance(names)) provenance = provenance_json(came_out, digests);
  make_folders(names);
  auto results = finish(session, explanations, run.logits().shape.front(),
                        static_cast<std::int64_t>(targets.size()), provenance, files);
  if (explanations.empty()) add_plain(session, names, files.out);
  for (std::size_t i = 0; i < found.size(); ++i) results.rows[i].reason = found[i];

  auto whole = result_json(session, prepared->explainer, results);
  auto out = row_json(many_, place, digests.of(file), "ok");
  for (auto& [name, value] : whole.items())
    if (std::find(kLeftOut.begin(), kLeftOut.end(), name) == kLeftOut.end())
      out[name] = std::move(value);
  auto& rows = out["explanations"] = std::move(whole["images"][0]["explanations"]);
  for (auto& row : rows)
    for (const auto* kind : {"overlay", "heatmap"})
      if (row.contains(kind))
        row[kind] = in_folder(row[kind].get<std::string>(), many_.arguments.folder);
  if (!explanations.empty()) {
    if (!names.map.empty()) out["map_file"] = in_folder(names.map, many_.arguments.folder);
    if (!names.feature_map.empty())
      out["feature_map_file"] = in_folder(names.feature_map, many_.arguments.folder);
  }
  out["warnings"] = own_warnings(session, many_.warnings.size());
  return out;
}

Row explained_in_turn(OnePhoto& one, Turns& turns, const ManyPhotos& many, std::size_t place) {
  struct Turn {
    explicit Turn(Turns& of) : turns(of), allowed(turns.begin()) {}
    ~Turn() { turns.end(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Turns& turns;
    int allowed;
  } turn(turns);
  for (;;) {
    std::string error;
    bool is_memory = false;
    try {
      return one.explained(place, false);
    } catch (const Error& failure) {
      if (failure.code() == ErrorCode::cancelled) throw;
      is_memory = failure.code() == ErrorCode::out_of_memory;
      error = failure.what();
    } catch (const std::bad_alloc&) {
      is_memory = true;
      error = many.files[place] + ": out of memory";
    }
    if (!is_memory || !turns.fewer(turn.allowed)) return failed_row(many, place, error);
  }
}

}  // namespace fovea::cli
