// fovea index: pictures by their features, for the examples of fovea explain.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "json_output.hpp"
#include "machine.hpp"
#include "outputs.hpp"
#include "picture_folder.hpp"
#include "progress.hpp"
#include "provenance.hpp"
#include "reasons.hpp"
#include "recipe.hpp"
#include "subcommands.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

std::string label_of(const std::string& name) {
  const auto slash = name.find('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

struct Indexed {
  ExampleIndex index;
  std::int64_t unreadable = 0;
};

Indexed make_index(const IndexArguments& arguments, Session& session, const Explainer& explainer,
                   const std::vector<std::string>& names, std::size_t first, Digests& digests) {
  const auto layer = feature_layer(session, explainer);
  Indexed out{ExampleIndex(origin_of(session, explainer, digests, nullptr),
                           session.forward(explainer).features(layer).shape[1]),
              static_cast<std::int64_t>(first)};
  out.index.reserve(static_cast<std::int64_t>(names.size() - first));
  Progress progress;
  for (std::size_t i = first; i < names.size(); ++i) {
    progress.show("indexing", static_cast<double>(i) / static_cast<double>(names.size()));
    try {
      session.take_photo((fs::path(arguments.images) / names[i]).string());
    } catch (const Error& error) {
      if (!is_unreadable(error)) throw;
      session.warnings.emplace_back(error.what());
      ++out.unreadable;
      continue;
    }
    const auto features = session.forward(explainer).features(layer);
    in_file(session.photo->file, [&] {
      out.index.add(features.data, names[i],
                    arguments.folder_labels ? label_of(names[i]) : std::string(),
                    sha256_of(session.photo->file).value_or(""));
    });
  }
  return out;
}

/// Removes the index again unless all that comes after it went well.
struct Written {
  const std::string& file;
  bool kept = false;
  ~Written() {
    std::error_code ignored;
    if (!kept) fs::remove(file, ignored);
  }
};

}  // namespace

void index(const IndexArguments& arguments) {
  if (arguments.output == "-")
    throw Error(ErrorCode::invalid_argument, "an index is a file, not standard output");
  if (arguments.output.empty())
    throw Error(ErrorCode::invalid_argument, "say where the index goes with --output");
  auto asked = asked_of_model(arguments);
  asked.request.command = Request::Command::index;
  auto inputs = asked.files();
  const auto names = pictures_in(arguments.images);
  for (const auto& name : names) inputs.push_back((fs::path(arguments.images) / name).string());
  check_output(arguments.output, {}, inputs);
  OutputFiles outputs;
  outputs.add(arguments.output, std::string_view());  // refuses --json of the same name
  if (!arguments.json.empty() && arguments.json != "-") {
    check_output(arguments.json, {}, inputs);
    outputs.add(arguments.json, std::string_view());
  }

  std::size_t first = 0;
  std::vector<std::string> warnings;
  auto session = open_at_first(std::move(asked), arguments.images, names, first, warnings);
  session.warnings.insert(session.warnings.begin(), warnings.begin(), warnings.end());
  Digests digests;
  for (const auto& file : session.model.files()) digests.start(file.string());
  std::vector<std::string> layers;
  if (!arguments.layer.empty()) layers.push_back(arguments.layer);
  session.options.prepare.features = true;
  const auto explainer = make_explainer(session, layers, {ActivationMap{}}, arguments.plan_cache);
  const auto [made, unreadable] = make_index(arguments, session, explainer, names, first, digests);

  Json json;
  json["model"] = session.request.model.file;
  json["images"] = arguments.images;
  json["preprocess"] = to_json(session.photo->recipe);
  json["layer"] = made.origin().layer;
  json["channels"] = made.channels();
  json["examples"] = made.size();
  json["unreadable"] = unreadable;
  json["output"] = arguments.output;
  json["precision"] = precision_text(explainer.precision());
  json["threads"] = explainer.threads();
  json["waiting"] = waiting_text(session.options.pool.waiting);
  json["timings_ms"] = timings_json(session.times);
  json["warnings"] = session.warnings;
  if (!arguments.no_provenance) {
    auto request = came_out(session, explainer);
    request.image.reset();  // the last of many
    json["provenance"] = provenance_json(std::move(request), digests);
  }
  made.save(arguments.output);
  Written written{arguments.output};
  const auto text = "indexed      " + count_text(made.size(), "picture") + " of " +
                    std::to_string(names.size()) + "\nlayer        " + made.origin().layer + " (" +
                    count_text(made.channels(), "channel") + ")\ntime         " +
                    timings_text(session.times) + "\nwrote        " + arguments.output + "\n";
  try {
    write_result(arguments.json, text, json_text(json));
  } catch (const ReaderGone&) {
    written.kept = true;
    throw;
  }
  written.kept = true;
  if (arguments.json != "-") print_warnings(session.warnings);
}

}  // namespace fovea::cli
