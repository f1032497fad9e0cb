#include "paged.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "captions.hpp"
#include "drawn_map.hpp"
#include "evidence.hpp"
#include "page.hpp"
#include "pictures.hpp"
#include "recipe.hpp"
#include "seen.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr int kPictureSide = 1200;  // of what a page shows, at most
constexpr int kLevelSide = 512;     // of what its script draws from

std::string file_name(const std::string& file) {
  return std::filesystem::path(file).filename().string();
}

const RequestTarget& target_of(const Answer& answered, std::size_t explanation) {
  const auto& request = answered.request;
  const auto& targets = request.targets;
  if (request.command != Request::Command::sheet) return targets[explanation % targets.size()];
  return targets[explanation / (answered.explanations.size() / targets.size())];
}

std::string place_text(const Session& session, const Explanation& why) {
  const FinalMap map(session, why, why.normalize);
  const auto place = map.max_at();
  if (!place) return {};
  std::string out;
  for (const auto at : *place) out += (out.empty() ? "" : ", ") + std::to_string(at);
  return out + (place->size() == 2 ? " (row, column)" : "") + " of " + shape_text(map.shape());
}

Facts facts_of(const Explanation& why, const std::string& place) {
  Facts out;
  if (why.prediction && !std::isnan(why.prediction->probability))
    out.emplace_back("probability", number_text("%.4f", why.prediction->probability));
  out.emplace_back("score", number_text("%.4g", why.score));
  out.emplace_back("layer", why.layers.empty() ? why.layer : joined(why.layers));
  out.emplace_back("grid", shape_text(why.feature_map.shape));
  const auto [low, high] = range_of(why);
  out.emplace_back("minimum", number_text("%.4g", low));
  out.emplace_back("maximum", number_text("%.4g", high));
  if (!place.empty()) out.emplace_back("highest at", place);
  return out;
}

PageMap map_of(Session& session, const Explanation& why, const RequestTarget& target,
               const std::string& rendering, Image* plain) {
  const DrawnMap map(session, why, rendering);
  const auto place = place_text(session, why);
  PageMap out{.heading = why.method,
              .target = target_text(why, target, session.labels),
              .alt = {},
              .note = {},
              .facts = facts_of(why, place),
              .overlay = {},
              .values = {},
              .scale = map.scale(),
              .follows_value = map.options().by_value,
              .pale = map.options().pale,
              .photo = static_cast<std::size_t>(why.image)};
  out.alt =
      "The map of " + why.method + " over the input, for " + out.target +
      (place.empty() || !map.shows_something() ? ": it shows nothing" : ": highest at " + place);
  if (!map.shows_something()) out.note = nothing_text(why, session.labels);
  const auto under = backdrop(session, map, why.image, false);
  if (plain != nullptr) *plain = fitted(map.pages(map.plain(under)), kPictureSide, kPictureSide);
  out.overlay = fitted(map.pages(map.overlay(under)), kPictureSide, kPictureSide);
  if (map.slices()) return out;
  const double scale =
      std::min(1.0, double{kLevelSide} / std::max(out.overlay.width, out.overlay.height));
  out.values = map.levels(std::max(1, static_cast<int>(std::lround(scale * out.overlay.width))),
                          std::max(1, static_cast<int>(std::lround(scale * out.overlay.height))));
  return out;
}

}  // namespace

std::string answer_html(Session& session, const Answer& answered, const std::string& rendering,
                        const Json& provenance) {
  Page page;
  page.labels = session.labels;
  page.alpha = session.request.alpha;
  page.warnings = session.warnings;
  if (!provenance.is_null()) page.provenance = json_text(provenance);
  const auto& explanations = answered.explanations;
  for (std::size_t i = 0; i < explanations.size(); ++i) {
    const auto& why = explanations[i];
    const bool first = static_cast<std::size_t>(why.image) == page.photos.size();
    if (first) {
      page.photos.emplace_back();
      page.predictions.push_back(why.predictions);
    }
    page.maps.push_back(map_of(session, why, target_of(answered, i), rendering,
                               first ? &page.photos.back() : nullptr));
  }
  const auto& target = page.maps.front().target;
  const bool one_target = std::all_of(page.maps.begin(), page.maps.end(),
                                      [&](const auto& map) { return map.target == target; });
  page.title = one_target ? target : std::to_string(page.maps.size()) + " explanations";
  page.facts.emplace_back("model", file_name(session.request.model.file));
  if (session.photo) {
    page.facts.emplace_back("image", file_name(session.photo->file));
    page.facts.emplace_back("prepared", recipe_text(*session.photo));
    page.facts.emplace_back("saw", seen_text(*session.photo));
  }
  for (const auto& [name, file] : session.request.inputs)
    page.facts.emplace_back("input " + name, file_name(file.file));
  return page_html(page);
}

}  // namespace fovea::cli
