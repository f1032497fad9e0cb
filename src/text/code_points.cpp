#include "text/code_points.hpp"

#include <hb.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace fovea::text {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kJoiner = 0x200D;

struct Range {
  char32_t first, last;
};

template <std::size_t N>
bool within(const Range (&ranges)[N], char32_t code) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const Range& r) { return r.first <= code && code <= r.last; });
}

// Unicode's Default_Ignorable_Code_Point.
constexpr Range kIgnorable[] = {
    {0x00AD, 0x00AD},   {0x034F, 0x034F},  {0x061C, 0x061C}, {0x115F, 0x1160}, {0x17B4, 0x17B5},
    {0x180B, 0x180F},   {0x200B, 0x200F},  {0x202A, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
    {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},  {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFF8}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};

// Blocks of emoji; what else is one has a selector behind it.
constexpr Range kPictographs[] = {{0x1F1E6, 0x1F1FF}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
                                  {0x1F7E0, 0x1F7EB}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}};

bool is_flag_letter(char32_t code) {
  return 0x1F1E6 <= code && code <= 0x1F1FF;
}

// What belongs to the character before it.
bool continues(char32_t code) {
  const bool skin = 0x1F3FB <= code && code <= 0x1F3FF;
  const bool tag = 0xE0020 <= code && code <= 0xE007F;
  const bool selector = (0xFE00 <= code && code <= 0xFE0F) || (0xE0100 <= code && code <= 0xE01EF);
  if (skin || tag || selector || code == kJoiner || code == 0x200C) return true;
  switch (hb_unicode_general_category(hb_unicode_funcs_get_default(), code)) {
    case HB_UNICODE_GENERAL_CATEGORY_NON_SPACING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_SPACING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_ENCLOSING_MARK:
      return true;
    default:
      return false;
  }
}

bool without_spaces(char32_t code) {
  switch (hb_unicode_script(hb_unicode_funcs_get_default(), code)) {
    case HB_SCRIPT_HAN:
    case HB_SCRIPT_HIRAGANA:
    case HB_SCRIPT_KATAKANA:
    case HB_SCRIPT_BOPOMOFO:
    case HB_SCRIPT_YI:
      return true;
    default:
      return (0x3000 <= code && code <= 0x303F) || (0xFF00 <= code && code <= 0xFFEF);
  }
}

constexpr std::u32string_view kNotAtStart =
    U"、。，．・：；？！」』）】〉》〕｝］ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヶ々ゝゞヽヾ…";
constexpr std::u32string_view kNotAtEnd = U"「『（【〈《〔｛［";

// What Unicode's table 3-7 asks of a lead byte: how many bytes follow, and the bounds of the first.
struct Lead {
  std::size_t follow;
  unsigned low, high;
};

Lead lead_of(unsigned byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

char32_t next(std::string_view utf8, std::size_t& at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(utf8[i]));
  };
  const unsigned first = byte(at++);
  if (first < 0x80) return first;
  const Lead lead = lead_of(first);
  if (lead.follow == 0) return kReplacement;
  char32_t code = first & (0x3Fu >> lead.follow);
  for (std::size_t i = 0; i < lead.follow; ++i) {
    const unsigned low = i == 0 ? lead.low : 0x80, high = i == 0 ? lead.high : 0xBF;
    if (at == utf8.size() || byte(at) < low || byte(at) > high) return kReplacement;
    code = (code << 6) | (byte(at++) & 0x3Fu);
  }
  return code;
}

char32_t in_a_line(char32_t code) {
  if ((0x09 <= code && code <= 0x0D) || code == 0x85 || code == 0x2028 || code == 0x2029)
    return U' ';
  const bool control = code < 0x20 || (0x7F <= code && code <= 0x9F);
  return control ? kReplacement : code;
}

}  // namespace

std::u32string decoded(std::string_view utf8, std::size_t most) {
  std::u32string out;
  for (std::size_t at = 0; at < utf8.size() && out.size() < most;)
    out.push_back(in_a_line(next(utf8, at)));
  return out;
}

std::string encoded(char32_t code) {
  const auto c = static_cast<std::uint32_t>(code);
  std::string out;
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
    return out;
  }
  if (c >= 0x10000) put(0xF0 | (c >> 18));
  if (c >= 0x10000) put(0x80 | ((c >> 12) & 0x3F));
  if (c >= 0x800 && c < 0x10000) put(0xE0 | (c >> 12));
  if (c >= 0x800) put(0x80 | ((c >> 6) & 0x3F));
  if (c < 0x800) put(0xC0 | (c >> 6));
  put(0x80 | (c & 0x3F));
  return out;
}

bool is_ignorable(char32_t code) {
  return within(kIgnorable, code);
}

bool is_pictograph(char32_t code) {
  return within(kPictographs, code);
}

std::vector<std::size_t> clusters(std::u32string_view text) {
  std::vector<std::size_t> out;
  bool half_flag = false;  // one letter of a flag so far
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t code = text[i];
    const bool flag = is_flag_letter(code);
    const bool joined =
        i > 0 && text[i - 1] == kJoiner && (code >= 0x2190 && !without_spaces(code));
    if (i > 0 && (continues(code) || joined || (flag && half_flag))) {
      half_flag = false;
      continue;
    }
    half_flag = flag;
    out.push_back(i);
  }
  out.push_back(text.size());
  return out;
}

bool may_break(char32_t last_of_one, char32_t first_of_next) {
  if (first_of_next == U' ') return false;
  if (last_of_one == U' ' || last_of_one == 0x200B || last_of_one == 0x3000) return true;
  if (last_of_one == U'/' || last_of_one == U'-' || last_of_one == U'_') return true;
  if (!without_spaces(last_of_one) && !without_spaces(first_of_next)) return false;
  return kNotAtStart.find(first_of_next) == std::u32string_view::npos &&
         kNotAtEnd.find(last_of_one) == std::u32string_view::npos;
}

}  // namespace fovea::text
