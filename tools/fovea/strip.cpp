#include "strip.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "captions.hpp"
#include "drawn_map.hpp"
#include "findings.hpp"
#include "photos.hpp"
#include "provenance.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr int kPanel = 192, kMargin = 8;  // the margin is contact sheets' own

/// A word of the task has its name, where others have their target's text.
std::string panel_text(const Session& session, const Explanation& why,
                       const RequestTarget& target) {
  const auto said = said_at(session, target);
  auto out = said ? (target.negated ? "against " : "") + isolated(*said) +
                        number_text(", score %.4g", why.score)
                  : target_line(why, target, session.labels);
  const auto& map = why.feature_map.data;
  if (std::none_of(map.begin(), map.end(), [](float v) { return v > 0; }))
    out += ": nothing to show";
  return out;
}

std::vector<std::vector<SheetCell>> wrapped(std::vector<SheetCell> panels, std::size_t columns) {
  std::vector<std::vector<SheetCell>> rows;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    if (i % columns == 0) rows.emplace_back();
    rows.back().push_back(std::move(panels[i]));
  }
  return rows;
}

}  // namespace

Strip::Strip(const std::string& file, std::size_t photos) : file_(file) {
  of_each_ = photos < 2 || with_name(file, "") != file;
  if (!of_each_ && file == "-")
    throw Error(ErrorCode::invalid_argument, "--strip of several photos wants a file's name");
}

void Strip::add(Session& session, const Results& results, const std::string& rendering) {
  if (results.rows.empty()) return;
  sheet_width_ = session.request.sheet_width;
  const bool photo_first = of_each_ && results.images == 1 && results.targets > 1;
  for (const auto& row : results.rows) {
    const auto& why = *row.why;
    const auto map = timed(session.times.map, [&] { return DrawnMap(session, why, rendering); });
    timed(session.times.render, [&] {
      auto under = backdrop(session, map, why.image, false);
      if (photo_first && &row == &results.rows.front()) {
        auto image = under;
        panels_.push_back({{}, map.pages(map.plain(std::move(image))), {}, sentence(session)});
      }
      SheetCell panel{{}, map.pages(map.overlay(std::move(under))), {}, {}};
      panel.note = panel_text(session, why, session.request.targets.at(row.target));
      if (!of_each_)
        panel.caption = isolated(std::filesystem::path(session.photo->file).filename().string());
      else if (results.images > 1)
        panel.caption = "image " + std::to_string(why.image + 1);
      panel.image = fitted(panel.image, kPanel, panel.image.height);
      panels_.push_back(std::move(panel));
    });
  }
}

void Strip::draw(const std::string& file, const Json& provenance, OutputFiles& files) {
  if (panels_.empty()) return;
  const auto columns = static_cast<std::size_t>(
      std::max<std::int64_t>(1, (sheet_width_ - kMargin) / (kPanel + kMargin)));
  const auto width =
      static_cast<int>(std::min<std::int64_t>(kPanel, sheet_width_ - std::int64_t{2} * kMargin));
  const auto picture = draw_sheet(wrapped(std::exchange(panels_, {}), columns), width);
  print_warnings(picture.warnings);
  EncodeOptions options;
  if (!provenance.is_null() && lower(picture_extension(file)) == ".png")
    options.texts = texts_of_all(provenance, "strip");
  files.add(file, encode_image(picture.image, picture_extension(file), options));
}

void Strip::finish() {
  if (of_each_ || file_.empty()) return;
  if (panels_.empty())
    return print_warnings({"nothing was found to explain: not written: " + file_});
  OutputFiles files;
  draw(file_, {}, files);
  files.write();
  files.tell("wrote        " + file_ + "\n");
}

}  // namespace fovea::cli
