#include "objects.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "captions.hpp"
#include "drawn_map.hpp"
#include "findings.hpp"
#include "fovea/target_text.hpp"
#include "provenance.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr std::size_t kNamed = 12;

/// The box that a target is.
const Detection& box_of(const Session& session, const RequestTarget& target) {
  if (target.kind == RequestTarget::Kind::text && session.found) {
    const auto text = parse_target(target.text);
    const auto* word = text.word();
    if (word != nullptr && word->kind == "box")
      return session.found->boxes.at(
          word->argument ? static_cast<std::size_t>(std::stoull(*word->argument)) : 0);
  }
  throw Error(ErrorCode::invalid_argument,
              "--objects is of boxes: ask for them with --target boxes, or box:0 and others");
}

/// Zeros for what lies outside the box, pixel by pixel of the input.
void keep_inside(const Detection& box, const Session& session, Tensor& map) {
  const auto& of = session.task->boxes;
  const auto height = map.shape[0], width = map.shape[1];
  const auto at = [](std::int64_t i, std::int64_t extent, std::int64_t whole) {
    return (static_cast<double>(i) + 0.5) * static_cast<double>(whole) /
           static_cast<double>(extent);
  };
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const double down = at(y, height, of.height), across = at(x, width, of.width);
      if (across < box.x0 || across >= box.x1 || down < box.y0 || down >= box.y1)
        map.data[static_cast<std::size_t>(y * width + x)] = 0;
    }
}

/// All boxes' maps as one, at the input's extents.
Explanation together(const Session& session, const Results& results, bool inside) {
  Explanation out = *results.rows.front().why;
  out.attribution = {};
  for (const auto& row : results.rows) {
    Tensor map = row.why->map;
    if (map.shape.size() != 2) throw Error(ErrorCode::invalid_argument, "--objects is of pictures");
    if (inside) keep_inside(box_of(session, session.request.targets.at(row.target)), session, map);
    if (&row == &results.rows.front()) {
      out.map = std::move(map);
      continue;
    }
    for (std::size_t i = 0; i < map.data.size(); ++i)
      if (std::abs(map.data[i]) > std::abs(out.map.data[i])) out.map.data[i] = map.data[i];
  }
  out.feature_map = out.map;
  return out;
}

/// What of the box lies on the picture; none where nothing does.
std::optional<Box> on_picture(const Place& place, const Shape& picture) {
  const auto edge = [](double at, std::int64_t most) {
    return std::llround(std::clamp(at, 0., static_cast<double>(most)));
  };
  const auto x0 = edge(place.x0, picture[1]), x1 = edge(place.x1, picture[1]);
  const auto y0 = edge(place.y0, picture[0]), y1 = edge(place.y1, picture[0]);
  if (x1 <= x0 || y1 <= y0) return std::nullopt;
  return Box{x0, y0, x1 - x0, y1 - y0};
}

Caption caption_of_all(const Session& session, const std::vector<const Detection*>& boxes) {
  std::string names;
  for (std::size_t i = 0; i < std::min(boxes.size(), kNamed); ++i)
    names += (i > 0 ? ", " : "") + isolated(name_of(*session.task, boxes[i]->class_index)) +
             number_text(" %.2f", boxes[i]->score);
  if (boxes.size() > kNamed) names += " and " + std::to_string(boxes.size() - kNamed) + " more";
  return {{}, {names}};
}

void add(const Image& picture, const std::string& file, const Json& provenance,
         OutputFiles& files) {
  EncodeOptions options;
  if (!provenance.is_null() && lower(picture_extension(file)) == ".png")
    options.texts = texts_of_all(provenance, "objects");
  files.add(file, encode_image(picture, picture_extension(file), options));
}

}  // namespace

void add_objects(Session& session, const Results& results, const ExplainOutputs& names,
                 const Json& provenance, OutputFiles& files) {
  if (results.rows.empty()) {
    if (session.photo) add(session.photo->pixels.image, names.objects, provenance, files);
    return;
  }
  if (results.images > 1)
    throw Error(ErrorCode::invalid_argument,
                "--objects is of one image, and the input holds " + std::to_string(results.images));
  std::vector<const Detection*> boxes;
  for (const auto& row : results.rows)
    boxes.push_back(&box_of(session, session.request.targets.at(row.target)));
  const auto all =
      timed(session.times.map, [&] { return together(session, results, names.inside_boxes); });
  const auto picture = timed(session.times.render, [&] {
    const DrawnMap map(session, all, names.rendering);
    auto out = map.pages(map.overlay(backdrop(session, map, all.image, false)));
    for (const auto* box : boxes)
      if (const auto place = on_picture(place_of(*box, session), map.shape()))
        out = draw_box(std::move(out), map.enlarged_box(*place));
    return captioned(out, caption_of_all(session, boxes));
  });
  for (const auto& warning : picture.warnings)
    if (std::find(session.warnings.begin(), session.warnings.end(), warning) ==
        session.warnings.end())
      session.warnings.push_back(warning);
  add(picture.image, names.objects, provenance, files);
}

}  // namespace fovea::cli
