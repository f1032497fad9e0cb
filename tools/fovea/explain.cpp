#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "asked.hpp"
#include "captions.hpp"
#include "drawn_map.hpp"
#include "finish.hpp"
#include "json_output.hpp"
#include "long_call.hpp"
#include "npy.hpp"
#include "objects.hpp"
#include "outputs.hpp"
#include "paged.hpp"
#include "photos.hpp"
#include "pictures.hpp"
#include "provenance.hpp"
#include "reasons.hpp"
#include "replay.hpp"
#include "results.hpp"
#include "seen.hpp"
#include "sheet.hpp"
#include "spectrogram.hpp"
#include "strip.hpp"
#include "subcommands.hpp"
#include "text.hpp"

namespace fovea::cli {

void check_drawing(const Request& request) {
  if (!(request.alpha >= 0 && request.alpha <= 1))
    throw Error(ErrorCode::invalid_argument, "--alpha must be from 0 to 1");
  if (!(request.percentile >= 0 && request.percentile <= 100))
    throw Error(ErrorCode::invalid_argument, "--percentile must be from 0 to 100");
  if (request.box_share && !(*request.box_share >= 0 && *request.box_share < 1))
    throw Error(ErrorCode::invalid_argument, "--box must be from 0 to below 1");
}

namespace {

void check_usage(const Asked& asked, const ExplainOutputs& given) {
  require_own_names(given, asked.photos.size());
  check_drawing(asked.request);
  check_reasons(asked.request, given);
  check_output_files(given, asked);
}

/// The picture over its caption; what that cannot show is the session's warning, once.
Image with_caption(Session& session, const Image& picture, const Caption& caption) {
  auto [image, warnings] = captioned(picture, caption);
  for (auto& warning : warnings)
    if (std::find(session.warnings.begin(), session.warnings.end(), warning) ==
        session.warnings.end())
      session.warnings.push_back(std::move(warning));
  return std::move(image);
}

// `last`: nothing is drawn over the photo afterwards.
void draw(Session& session, const ExplainOutputs& names, const Json& provenance, Result& result,
          bool last, OutputFiles& outputs) {
  auto& times = session.times;
  const auto& why = *result.why;
  if (result.overlay_file.empty() && result.heatmap_file.empty()) return;
  const auto map = timed(times.map, [&] { return DrawnMap(session, why, names.rendering); });
  result.drawn = {map.full_at(), map.is_signed(), map.times(), map.slices()};
  const auto add = [&](const char* kind, const std::string& file, Image image,
                       const std::optional<ColorScale>& scale) {
    EncodeOptions options;
    if (session.request.caption)
      image = timed(times.render, [&] {
        return with_caption(session, image,
                            caption_of(why, session.request.targets[result.target], session.labels,
                                       map.shows_something() ? scale : std::nullopt));
      });
    if (!provenance.is_null()) options.texts = picture_texts(provenance, kind, why, result.target);
    outputs.add(file, timed(times.encode,
                            [&] { return encode_image(image, picture_extension(file), options); }));
  };
  if (!result.overlay_file.empty())
    add("overlay", result.overlay_file,
        timed(times.render,
              [&] {
                auto picture = map.pages(map.overlay(backdrop(session, map, why.image, last)));
                return result.box ? draw_box(std::move(picture), map.enlarged_box(*result.box))
                                  : picture;
              }),
        map.scale());
  if (!result.heatmap_file.empty())
    add("heatmap", result.heatmap_file,
        timed(
            times.render,
            [&] { return names.rendering == "color" ? coloured(why) : map.pages(map.heatmap()); }),
        names.rendering == "color" ? std::nullopt : std::optional(map.scale()));
}

/// The map of a signed explanation between -1 and 1.
Explanation divided_by_magnitude(Explanation why) {
  float most = 0;
  for (const float v : why.feature_map.data) most = std::max(most, std::abs(v));
  if (most > 0 && std::isfinite(most))
    for (auto& v : why.feature_map.data) v /= most;
  return why;
}

}  // namespace

Results finish(Session& session, const std::vector<Explanation>& explanations, std::int64_t images,
               std::int64_t targets, const Json& provenance, Files& files) {
  const auto& request = session.request;
  const auto& names = files.names;
  Results results{{}, images, targets, request.box_share};
  Tensor maps, grids;
  std::vector<std::string> names_of;  ///< each explanation's
  if (explanations.empty()) return results;
  const auto how = explanations.front().normalize;
  for (std::int64_t image = 0; image < images; ++image)
    for (std::int64_t target = 0; target < targets; ++target) {
      const auto& why = explanations.at(results.rows.size());
      const auto map = timed(session.times.map, [&] {
        return request.keep_sign && how == Normalize::max
                   ? FinalMap(session, divided_by_magnitude(why), Normalize::none)
                   : FinalMap(session, why, how);
      });
      Result result{&why, map.shape(), {}, {}, {}, {}, static_cast<std::size_t>(target)};
      timed(session.times.map, [&] {
        result.max_at = map.max_at();
        if (names.map.empty() && !request.box_share) return;
        const auto full = map.tensor();
        if (request.box_share) result.box = find_box(full, *request.box_share);
        if (result.box && session.photo)
          result.at_frame = sides_at_frame(*result.box, *session.photo);
        if (!names.map.empty()) stack(maps, full);
      });
      for (const auto& [given, name] : {std::pair{&names.output, &result.overlay_file},
                                        std::pair{&names.heatmap, &result.heatmap_file}}) {
        if (given->empty()) continue;
        *name = with_suffix(*given, results.suffix(image, target));
        check_output(*name, picture_extensions(), files.inputs);
      }
      const bool last = results.rows.size() + 1 == explanations.size() && names.html.empty() &&
                        names.strip.empty() && names.objects.empty();
      draw(session, names, provenance, result, last, files.out);
      if (!names.feature_map.empty()) stack(grids, why.feature_map);
      names_of.push_back(
          (images > 1 ? "image " + std::to_string(image + 1) + ", " : std::string()) +
          target_text(why, request.targets.at(static_cast<std::size_t>(target)), session.labels));
      results.rows.push_back(std::move(result));
    }
  for (auto& warning : merged_warnings(explanations, names_of))
    session.warnings.push_back(std::move(warning));
  if (!names.map.empty())
    files.out.add(names.map, npy_bytes(unstacked(std::move(maps), images, targets)));
  if (!names.feature_map.empty())
    files.out.add(names.feature_map, npy_bytes(unstacked(std::move(grids), images, targets)));
  return results;
}

bool has_provenance(const ExplainOutputs& files) {
  const auto is_png = [](const std::string& file) {
    return lower(picture_extension(file)) == ".png";
  };
  return !files.no_provenance &&
         (!files.json.empty() || !files.html.empty() || is_png(files.output) ||
          is_png(files.heatmap) || is_png(files.strip) || is_png(files.objects) ||
          is_png(files.spectrogram));
}

namespace {

void explain_photo(Session& session, const Prepared& prepared, const Reasons& reasons, Files files,
                   Digests& digests, Photos& photos, Strip& strip) {
  const auto& names = files.names;
  const auto& explainer = prepared.explainer;
  if (has_provenance(names)) start_digests(session, digests);
  LongCall call(prepared.methods.front().name);
  auto answered = answer(session, prepared, [&](const Method&) { return call.options(); });
  auto& [came_out, targets, run, explanations] = answered;

  const auto found = reasons.find(run, session, explainer, digests, targets, explanations);
  if (!names.examples_output.empty() && !explanations.empty())
    files.out.add(names.examples_output, encode_image(reasons.sheet(session, explanations, found),
                                                      picture_extension(names.examples_output)));

  Json provenance;
  if (has_provenance(names)) provenance = provenance_json(came_out, digests);

  auto results = finish(session, explanations, run.logits().shape.front(),
                        static_cast<std::int64_t>(targets.size()), provenance, files);
  if (explanations.empty()) {
    auto own = names;
    if (!strip.of_each()) own.strip.clear();  // others may have panels of it
    add_plain(session, own, files.out);
  }
  for (std::size_t i = 0; i < found.size(); ++i) results.rows[i].reason = found[i];
  if (!names.strip.empty()) {
    strip.add(session, results, names.rendering);
    if (strip.of_each()) strip.draw(names.strip, provenance, files.out);
  }
  if (!names.objects.empty()) add_objects(session, results, names, provenance, files.out);
  if (!names.spectrogram.empty()) add_spectrograms(session, results, names, provenance, files.out);
  if (!session.photo && !explanations.empty() &&
      !(names.output.empty() && names.strip.empty() && names.objects.empty()))
    session.warnings.emplace_back(
        "the overlay shows the input tensor stretched to 0..255, not the photo");
  if (!names.logits.empty()) files.out.add(names.logits, npy_bytes(run.logits()));
  if (!names.html.empty() && !explanations.empty())
    files.out.add(names.html, timed(session.times.render, [&] {
                    return answer_html(session, answered, names.rendering, provenance);
                  }));
  auto document = result_json(session, explainer, results);
  if (!provenance.is_null()) document["provenance"] = std::move(provenance);
  photos.add_json(files.out, names.json, document);
  files.out.write();
  call.check();
  files.out.tell(photos.heading(session) +
                 result_text(session, explainer, results, files.out.names()));
  if (names.json != "-") print_warnings(photos.warnings(session));
}

void explain_one(Asked asked, const ExplainOutputs& given, const Replay* replay, Digests& digests) {
  if (replay != nullptr) replay->check_files(asked.request, digests);
  const Reasons reasons(asked.request, given.example_images);
  Photos photos(asked.photos, given.json);
  Strip strip(given.strip, asked.photos.size());
  auto session = photos.open(asked, !given.output.empty() || !given.html.empty() ||
                                        !given.strip.empty() || !given.objects.empty());
  if (replay != nullptr) replay->check_session(session, digests);
  if (has_provenance(given)) start_digests(session, digests);
  auto prepared = prepare(session, reasons.methods(session), asked.plan_cache);
  reasons.check(session, prepared.explainer, digests);
  const InputFiles inputs(asked.files());
  bool is_first = true;
  const auto work = [&](const std::string& name) {
    const auto names = named(given, name);
    // What was found in one photo is not in the next.
    if (!std::exchange(is_first, false) && follows_photo(session))
      prepared = prepare(session, reasons.methods(session), asked.plan_cache);
    explain_photo(session, prepared, reasons, {names, inputs}, digests, photos, strip);
  };
  photos.each(session, work, [&] { strip.finish(); });
}

}  // namespace

void explain(const ExplainArguments& arguments, const IsGiven& given) {
  std::optional<Replay> replay;
  if (!arguments.replay.empty())
    replay.emplace(arguments.replay == "-" ? "/dev/stdin" : arguments.replay);
  Digests digests;
  auto asked = replay ? replay->asked(arguments, given, digests) : cli::asked(arguments);
  if (!replay && !given("--method")) asked.request.method_by_target = true;
  check_usage(asked, arguments);
  const bool sheet = asked.request.command == Request::Command::sheet;
  (sheet ? explain_sheet : explain_one)(std::move(asked), arguments, replay ? &*replay : nullptr,
                                        digests);
}

}  // namespace fovea::cli
