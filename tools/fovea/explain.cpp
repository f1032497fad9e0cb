#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "how.hpp"
#include "json_output.hpp"
#include "long_call.hpp"
#include "npy.hpp"
#include "outputs.hpp"
#include "pictures.hpp"
#include "provenance.hpp"
#include "reasons.hpp"
#include "replay.hpp"
#include "results.hpp"
#include "sheet.hpp"
#include "subcommands.hpp"
#include "targets.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

void check_usage(const ExplainArguments& arguments) {
  for (const auto& name : method_names(arguments)) require_method(name);
  if (!(arguments.alpha >= 0 && arguments.alpha <= 1))
    throw Error(ErrorCode::invalid_argument, "--alpha must be from 0 to 1");
  if (arguments.box_share && !(*arguments.box_share >= 0 && *arguments.box_share < 1))
    throw Error(ErrorCode::invalid_argument, "--box must be from 0 to below 1");

  check_reasons(arguments);
  const auto inputs = files_read(arguments);
  OutputFiles outputs;  // refuses a name that is there twice
  const auto check = [&](const std::string& file, std::span<const std::string_view> extensions) {
    if (file.empty()) return;
    check_output(file, extensions, inputs);
    outputs.add(file, std::string_view());
  };
  check(arguments.output, picture_extensions());
  check(arguments.heatmap, picture_extensions());
  check(arguments.examples_output, picture_extensions());
  check(arguments.map, tensor_extensions());
  check(arguments.feature_map, tensor_extensions());
  check(arguments.logits, tensor_extensions());
  if (arguments.json != "-") check(arguments.json, {});
}

struct Pictures {
  OverlayOptions options;
  std::string rendering;  // of the heat map
  bool raw = false;       // the map is not in 0..1, which is what colours stand for
  Json provenance;        // null: the pictures carry none
};

// `last`: nothing is drawn over the photo afterwards.
void draw(Session& session, const Pictures& how, const Result& result, const FinalMap& map,
          bool last, OutputFiles& outputs) {
  auto& times = session.times;
  const auto add = [&](const char* kind, const std::string& file, const Image& image) {
    EncodeOptions options;
    if (!how.provenance.is_null())
      options.texts = picture_texts(how.provenance, kind, *result.why, result.target);
    outputs.add(file, timed(times.encode, [&] {
                  return encode_image(image, file.substr(file.rfind('.')), options);
                }));
  };
  if (result.overlay_file.empty() && result.heatmap_file.empty()) return;
  std::optional<FinalMap> relative;
  if (how.raw) timed(times.map, [&] { relative.emplace(session, *result.why, Normalize::max); });
  const auto& colours = relative ? *relative : map;
  if (!result.overlay_file.empty())
    add("overlay", result.overlay_file, timed(times.render, [&] {
          auto picture =
              colours.overlay(backdrop(session, map.shape(), result.why->image, last), how.options);
          return result.box ? draw_box(std::move(picture), *result.box) : picture;
        }));
  if (!result.heatmap_file.empty())
    add("heatmap", result.heatmap_file, timed(times.render, [&] {
          return how.rendering == "heat" ? colours.heatmap(how.options.colormap)
                                         : rendered(*result.why, how.rendering);
        }));
}

/// The map of a signed explanation between -1 and 1.
Explanation divided_by_magnitude(Explanation why) {
  float most = 0;
  for (const float v : why.feature_map.data) most = std::max(most, std::abs(v));
  if (most > 0 && std::isfinite(most))
    for (auto& v : why.feature_map.data) v /= most;
  return why;
}

// One map at a time: those of many classes over a large photo would not fit into memory together.
Results finish(const ExplainArguments& arguments, Session& session,
               const std::vector<Explanation>& explanations, std::int64_t images,
               std::int64_t targets, const Json& provenance, OutputFiles& outputs) {
  Results results{{}, images, targets, arguments.box_share};
  Tensor maps, grids;
  const auto how = parse_normalize(arguments.normalize);
  const Pictures pictures{{arguments.alpha, parse_colormap(arguments.colormap)},
                          arguments.rendering,
                          how == Normalize::none || arguments.keep_sign,
                          provenance};
  const auto inputs = files_read(arguments);
  for (std::int64_t image = 0; image < images; ++image)
    for (std::int64_t target = 0; target < targets; ++target) {
      const auto& why = explanations.at(results.rows.size());
      session.times.backward += why.timings_ms.backward;
      session.times.map += why.timings_ms.map;
      const auto map = timed(session.times.map, [&] {
        return arguments.keep_sign && how == Normalize::max
                   ? FinalMap(session, divided_by_magnitude(why), Normalize::none)
                   : FinalMap(session, why, how);
      });
      Result result{&why, map.shape(), {}, {}, {}, {}, static_cast<std::size_t>(target)};
      timed(session.times.map, [&] {
        result.max_at = map.max_at();
        if (arguments.map.empty() && !arguments.box_share) return;
        const auto full = map.tensor();
        if (arguments.box_share) result.box = find_box(full, *arguments.box_share);
        if (!arguments.map.empty()) stack(maps, full);
      });
      for (const auto& [given, name] : {std::pair{&arguments.output, &result.overlay_file},
                                        std::pair{&arguments.heatmap, &result.heatmap_file}}) {
        if (given->empty()) continue;
        *name = with_suffix(*given, results.suffix(image, target));
        check_output(*name, picture_extensions(), inputs);
      }
      draw(session, pictures, result, map, results.rows.size() + 1 == explanations.size(), outputs);
      if (!arguments.feature_map.empty()) stack(grids, why.feature_map);
      for (const auto& warning : why.warnings)
        session.warnings.push_back(explanations.size() == 1
                                       ? warning
                                       : class_text(why.target.class_index, session.labels) + ": " +
                                             warning);
      results.rows.push_back(std::move(result));
    }
  if (!arguments.map.empty())
    outputs.add(arguments.map, npy_bytes(unstacked(std::move(maps), images, targets)));
  if (!arguments.feature_map.empty())
    outputs.add(arguments.feature_map, npy_bytes(unstacked(std::move(grids), images, targets)));
  return results;
}

/// The names of the values of several layers; none for one or the default.
std::vector<std::string> explainer_layers(const ExplainArguments& arguments,
                                          const Explainer& explainer) {
  if (arguments.layers.size() < 2) return {};
  return explainer.prepared_layers();
}

bool has_provenance(const ExplainArguments& arguments) {
  const auto is_png = [](const std::string& file) { return lower(file).ends_with(".png"); };
  return !arguments.no_provenance &&
         (!arguments.json.empty() || is_png(arguments.output) || is_png(arguments.heatmap));
}

}  // namespace

void explain(ExplainArguments arguments, const IsGiven& is_given) {
  std::optional<Replay> replay;
  Digests digests;
  if (!arguments.replay.empty()) {
    replay.emplace(arguments.replay);
    replay->fill(arguments, is_given);
  }
  parse_method_options(arguments);
  check_usage(arguments);
  if (arguments.sheet || method_names(arguments).size() > 1) {
    explain_sheet(arguments, replay ? &*replay : nullptr);
    return;
  }
  if (replay) replay->check_files(arguments, digests);
  const Reasons reasons(arguments);
  auto session = open_session(arguments, !arguments.output.empty());
  if (replay) replay->check_session(session, digests);
  if (has_provenance(arguments)) start_digests(session, digests);
  choose_output(arguments, session);
  auto chosen = choose_targets(arguments, session.labels);
  const auto method = method_for(arguments.method, arguments);
  for (auto& target : chosen) target = target_for(target, arguments, method);
  session.options.smoothing = arguments.smooth;
  const auto explainer = session.explainer(arguments.layers, reasons.methods(method));
  reasons.check(session, explainer, digests);
  const auto targets = resolved_targets(arguments, session, explainer, chosen);
  const auto run = session.forward(explainer);
  const auto& logits = run.logits().shape;
  check_targets(targets, logits.back());
  auto options = explain_options(arguments);
  for (const auto& layer : explainer_layers(arguments, explainer)) options.layers.push_back(layer);
  if (arguments.layers.size() == 1) options.layer = explainer.prepared_layers().front();
  LongCall call(method.name);
  const auto explanations = in_file(
      session.model_file, [&] { return run.explain(method, targets, options, call.options()); });

  arguments.normalize = normalize_text(explanations.front().normalize);
  const auto found = reasons.find(run, session, targets, explanations);
  OutputFiles outputs;
  if (!arguments.examples_output.empty())
    outputs.add(
        arguments.examples_output,
        encode_image(reasons.sheet(session, explanations, found),
                     std::filesystem::path(arguments.examples_output).extension().string()));

  Json provenance;
  if (has_provenance(arguments))
    provenance =
        explain_provenance(arguments, session, explainer, method, chosen, explanations, digests);

  auto results = finish(arguments, session, explanations, logits.front(),
                        static_cast<std::int64_t>(targets.size()), provenance, outputs);
  for (std::size_t i = 0; i < found.size(); ++i) results.rows[i].reason = found[i];
  if (!session.photo && !arguments.output.empty())
    session.warnings.push_back(
        "the overlay shows the input tensor stretched to 0..255, not the photo");
  if (!arguments.logits.empty()) outputs.add(arguments.logits, npy_bytes(run.logits()));
  auto document = result_json(session, explainer, arguments, results);
  if (!provenance.is_null()) document["provenance"] = std::move(provenance);
  const auto json = json_text(document);
  if (!arguments.json.empty() && arguments.json != "-") outputs.add(arguments.json, json);
  outputs.write();
  call.check();
  print(arguments.json == "-" ? json : result_text(session, explainer, results, outputs.names()));
  outputs.keep();
  if (arguments.json != "-") print_warnings(session.warnings);
}

}  // namespace fovea::cli
