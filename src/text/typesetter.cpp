#include "text/typesetter.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "text/code_points.hpp"
#include "text/faces.hpp"
#include "text/shaping.hpp"

namespace fovea::text {
namespace {

// No picture shows as much.
constexpr std::size_t kMostCharacters = 4096;
constexpr char32_t kEllipsis = 0x2026;
// Sums of advances differ from a line's width in the last bits.
constexpr double kSlack = 1.0 / 64;

/// Breaks one paragraph into lines.
class Breaker {
 public:
  Breaker(std::u32string_view text, const Fit& fit, Faces& faces)
      : text_(text),
        fit_(fit),
        faces_(faces),
        clusters_(clusters(text)),
        analysis_(analysed(text, clusters_, faces)),
        advances_(clusters_.size() - 1) {
    for (const auto& glyph : shaped(analysis_.characters, faces).glyphs) {
      const auto after = std::upper_bound(clusters_.begin(), clusters_.end(), glyph.character);
      advances_[static_cast<std::size_t>(after - clusters_.begin()) - 1] += glyph.advance;
    }
  }

  Paragraph paragraph() {
    Paragraph out{{}, analysis_.right_to_left};
    for (std::size_t begin = skip_blanks(0); begin < advances_.size();) {
      const auto end = first_guess(begin, out.lines.size() + 1 == fit_.lines);
      if (end < advances_.size() && out.lines.size() + 1 == fit_.lines) {
        out.lines.push_back(cut(begin, end));
        break;
      }
      auto stop = end;
      auto line = laid(begin, stop);
      for (; line.width > fit_.width + kSlack && stop > begin + 1; line = laid(begin, stop)) --stop;
      if (stop < end && out.lines.size() + 1 == fit_.lines) line = cut(begin, stop);
      out.lines.push_back(std::move(line));
      if (out.lines.size() == fit_.lines) break;
      begin = skip_blanks(stop);
    }
    return out;
  }

 private:
  bool is_blank(std::size_t cluster) const { return text_[clusters_[cluster]] == U' '; }

  std::size_t skip_blanks(std::size_t cluster) const {
    while (cluster < advances_.size() && is_blank(cluster)) ++cluster;
    return cluster;
  }

  // One past the last cluster that fits beside `begin`, or where the line had better end.
  std::size_t first_guess(std::size_t begin, bool anywhere) const {
    double width = 0;
    std::size_t best = begin;
    for (auto k = begin; k < advances_.size(); ++k) {
      width += advances_[k];
      if (width > fit_.width + kSlack && !is_blank(k))
        return best > begin ? best : std::max(k, begin + 1);
      const bool last = k + 1 == advances_.size();
      if (anywhere || last || may_break(text_[clusters_[k + 1] - 1], text_[clusters_[k + 1]]))
        best = k + 1;
    }
    return advances_.size();
  }

  std::vector<Character> characters(std::size_t begin, std::size_t end) const {
    while (end > begin && is_blank(end - 1)) --end;
    const auto from = analysis_.characters.begin();
    return {from + static_cast<std::ptrdiff_t>(clusters_[begin]),
            from + static_cast<std::ptrdiff_t>(clusters_[end])};
  }

  Line laid(std::size_t begin, std::size_t end) const {
    return shaped(characters(begin, end), faces_);
  }

  Line cut(std::size_t begin, std::size_t end) const {
    const auto font = faces_.find(std::u32string_view(&kEllipsis, 1));
    const Character dots{kEllipsis, clusters_.back(), std::int8_t{analysis_.right_to_left},
                         font,      clusters_.back(), HB_SCRIPT_LATIN};
    for (;; --end) {
      auto kept = characters(begin, end);
      kept.push_back(dots);
      auto line = shaped(kept, faces_);
      if (line.width <= fit_.width + kSlack || end == begin) return line;
    }
  }

  std::u32string_view text_;
  const Fit& fit_;
  Faces& faces_;
  std::vector<std::size_t> clusters_;
  Analysis analysis_;
  std::vector<double> advances_;  // of clusters
};

}  // namespace

int Line::height() const {
  return static_cast<int>(std::ceil(ascent) + std::ceil(descent));
}

double Paragraph::width() const {
  double out = 0;
  for (const auto& line : lines) out = std::max(out, line.width);
  return out;
}

int Paragraph::height() const {
  int out = 0;
  for (const auto& line : lines) out += line.height();
  return out;
}

Typesetter::Typesetter(Fonts fonts, int size)
    : faces_(std::make_unique<Faces>(std::move(fonts), size)) {}

Typesetter::~Typesetter() = default;

Paragraph Typesetter::set(std::string_view utf8, const Fit& fit) {
  auto text = decoded(utf8, kMostCharacters + 1);
  if (text.size() > kMostCharacters) text.back() = kEllipsis;
  while (!text.empty() && text.back() == U' ') text.pop_back();
  if (text.empty() || fit.lines == 0) return {};
  auto out = Breaker(text, fit, *faces_).paragraph();
  for (const auto& line : out.lines)
    for (const char32_t code : line.missing)
      if (missing_.find(code) == std::u32string::npos) missing_.push_back(code);
  return out;
}

void Typesetter::draw(const Paragraph& paragraph, const Colour& colour, const Canvas& canvas, int x,
                      int y) const {
  for (const auto& line : paragraph.lines) {
    const double baseline = y + std::ceil(line.ascent);
    for (const auto& glyph : line.glyphs) {
      if (glyph.font == kNoFont)
        draw_box(glyph, x + glyph.x, baseline, colour, canvas);
      else
        faces_->face(glyph.font).draw(glyph.id, x + glyph.x, baseline - glyph.y, colour, canvas);
    }
    y += line.height();
  }
}

void Typesetter::draw_box(const Glyph& glyph, double x, double y, const Colour& colour,
                          const Canvas& canvas) const {
  const int bottom = static_cast<int>(std::lround(y));
  const int top = bottom - std::max(3, static_cast<int>(std::lround(0.7 * faces_->size())));
  const int left = static_cast<int>(std::lround(x)) + 1;
  const int right = left + std::max(2, static_cast<int>(std::lround(glyph.advance)) - 3);
  for (int column = left; column <= right; ++column)
    for (const int row : {top, bottom}) canvas.blend(column, row, colour, 255);
  for (int row = top + 1; row < bottom; ++row)
    for (const int column : {left, right}) canvas.blend(column, row, colour, 255);
}

int Typesetter::line_height() {
  return shaped({}, *faces_).height();
}

}  // namespace fovea::text
