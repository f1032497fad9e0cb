#include "text/shaping.hpp"

#include <fribidi.h>

#include <algorithm>
#include <memory>
#include <new>

#include "text/code_points.hpp"

namespace fovea::text {
namespace {

constexpr double kUnit = 64;      // HarfBuzz' units in a pixel
constexpr double kBox = 0.6;      // the width of what has no font, of the em
constexpr double kBlank = 0.3;    // of a space without a font
constexpr double kAscent = 0.93;  // where no font says
constexpr double kDescent = 0.24;

struct DestroyBuffer {
  void operator()(hb_buffer_t* buffer) const { hb_buffer_destroy(buffer); }
};

void set_levels(std::u32string_view text, Analysis& out) {
  const auto count = static_cast<FriBidiStrIndex>(text.size());
  const std::vector<FriBidiChar> codes(text.begin(), text.end());
  std::vector<FriBidiCharType> types(text.size());
  std::vector<FriBidiBracketType> brackets(text.size());
  std::vector<FriBidiLevel> levels(text.size());
  FriBidiParType base = FRIBIDI_PAR_ON;
  fribidi_get_bidi_types(codes.data(), count, types.data());
  fribidi_get_bracket_types(codes.data(), count, types.data(), brackets.data());
  if (fribidi_get_par_embedding_levels_ex(types.data(), brackets.data(), count, &base,
                                          levels.data()) == 0)
    throw std::bad_alloc();
  out.right_to_left = FRIBIDI_IS_RTL(base);
  for (std::size_t i = 0; i < text.size(); ++i)
    out.characters[i].level = static_cast<std::int8_t>(levels[i]);
}

// What belongs to no script goes with what stands before it, else with what comes first.
void set_scripts(std::vector<Character>& characters) {
  auto* const unicode = hb_unicode_funcs_get_default();
  const auto own = [&](const Character& c) { return hb_unicode_script(unicode, c.code); };
  const auto real = [](hb_script_t script) {
    return script != HB_SCRIPT_COMMON && script != HB_SCRIPT_INHERITED &&
           script != HB_SCRIPT_UNKNOWN;
  };
  const auto first = std::find_if(characters.begin(), characters.end(),
                                  [&](const Character& c) { return real(own(c)); });
  auto script = first == characters.end() ? HB_SCRIPT_LATIN : own(*first);
  for (auto& c : characters) {
    if (const auto found = own(c); real(found)) script = found;
    c.script = script;
  }
}

void set_fonts(std::u32string_view text, std::span<const std::size_t> clusters, Faces& faces,
               std::vector<Character>& characters) {
  std::size_t before = faces.ordinary();
  for (std::size_t i = 0; i + 1 < clusters.size(); ++i) {
    const auto cluster = text.substr(clusters[i], clusters[i + 1] - clusters[i]);
    const bool shown = !std::all_of(cluster.begin(), cluster.end(), is_ignorable);
    const auto font = shown ? faces.find(cluster) : before;
    for (auto at = clusters[i]; at < clusters[i + 1]; ++at) {
      characters[at].font = font;
      characters[at].cluster = clusters[i];
    }
    before = font;
  }
}

/// What HarfBuzz may shape in one go.
struct Run {
  std::size_t begin, end;
  std::int8_t level;
};

std::vector<Run> runs_of(std::span<const Character> text) {
  std::vector<Run> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool same = i > 0 && text[i].level == text[i - 1].level &&
                      text[i].font == text[i - 1].font && text[i].script == text[i - 1].script;
    if (same)
      out.back().end = i + 1;
    else
      out.push_back({i, i + 1, text[i].level});
  }
  // Unicode's rule L2: from the highest level to the lowest odd one, what is at least as high is
  // turned round.
  std::int8_t highest = 0;
  for (const auto& run : out) highest = std::max(highest, run.level);
  for (std::int8_t level = highest; level > 0; --level)
    for (auto at = out.begin(); at != out.end();) {
      const auto low = [&](const Run& run) { return run.level < level; };
      at = std::find_if_not(at, out.end(), low);
      const auto stop = std::find_if(at, out.end(), low);
      std::reverse(at, stop);
      at = stop;
    }
  return out;
}

class Shaper {
 public:
  Shaper(std::span<const Character> text, Faces& faces)
      : text_(text), faces_(faces), buffer_(hb_buffer_create()) {
    for (const auto& c : text) codes_.push_back(static_cast<hb_codepoint_t>(c.code));
  }

  Line line() {
    grow(faces_.ordinary());
    for (const auto& run : runs_of(text_)) {
      if (text_[run.begin].font == kNoFont)
        without_font(run);
      else
        with_font(run, text_[run.begin].font);
    }
    return std::move(line_);
  }

 private:
  void grow(std::size_t font) {
    const double size = faces_.size();
    line_.ascent =
        std::max(line_.ascent, font == kNoFont ? kAscent * size : faces_.face(font).ascent());
    line_.descent =
        std::max(line_.descent, font == kNoFont ? kDescent * size : faces_.face(font).descent());
  }

  void put_box(std::size_t at) {
    const double advance = kBox * faces_.size();
    line_.glyphs.push_back({kNoFont, 0, text_[at].place, line_.width, 0, advance});
    line_.width += advance;
    line_.missing.push_back(text_[at].code);
  }

  // A box for each cluster.
  void without_font(const Run& run) {
    for (std::size_t k = run.begin; k < run.end; ++k) {
      const auto at = run.level % 2 == 0 ? k : run.begin + run.end - 1 - k;
      const auto& c = text_[at];
      if (is_ignorable(c.code) || c.cluster != c.place) continue;
      if (c.code == U' ')
        line_.width += kBlank * faces_.size();
      else
        put_box(at);
    }
  }

  void with_font(const Run& run, std::size_t font) {
    grow(font);
    auto* const buffer = buffer_.get();
    hb_buffer_clear_contents(buffer);
    // With what stands around it, since letters join across fonts.
    hb_buffer_add_codepoints(buffer, codes_.data(), static_cast<int>(codes_.size()),
                             static_cast<unsigned>(run.begin),
                             static_cast<int>(run.end - run.begin));
    hb_buffer_set_direction(buffer, run.level % 2 == 0 ? HB_DIRECTION_LTR : HB_DIRECTION_RTL);
    hb_buffer_set_script(buffer, text_[run.begin].script);
    hb_buffer_set_language(buffer, hb_language_from_string("und", -1));
    hb_shape(faces_.face(font).shaping(), buffer, nullptr, 0);
    if (hb_buffer_allocation_successful(buffer) == 0) throw std::bad_alloc();
    unsigned count = 0;
    const auto* glyphs = hb_buffer_get_glyph_infos(buffer, &count);
    const auto* places = hb_buffer_get_glyph_positions(buffer, &count);
    for (unsigned i = 0; i < count; ++i) {
      const auto at = std::size_t{glyphs[i].cluster};
      if (glyphs[i].codepoint == 0) {
        put_box(at);
        continue;
      }
      const double advance = places[i].x_advance / kUnit;
      line_.glyphs.push_back({font, glyphs[i].codepoint, text_[at].place,
                              line_.width + places[i].x_offset / kUnit, places[i].y_offset / kUnit,
                              advance});
      line_.width += advance;
    }
  }

  std::span<const Character> text_;
  Faces& faces_;
  std::unique_ptr<hb_buffer_t, DestroyBuffer> buffer_;
  std::vector<hb_codepoint_t> codes_;
  Line line_;
};

}  // namespace

Analysis analysed(std::u32string_view text, std::span<const std::size_t> clusters, Faces& faces) {
  Analysis out;
  for (std::size_t i = 0; i < text.size(); ++i) out.characters.push_back({text[i], i});
  set_levels(text, out);
  set_scripts(out.characters);
  set_fonts(text, clusters, faces, out.characters);
  return out;
}

Line shaped(std::span<const Character> characters, Faces& faces) {
  return Shaper(characters, faces).line();
}

}  // namespace fovea::text
