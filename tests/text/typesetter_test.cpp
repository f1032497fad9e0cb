#include "text/typesetter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "text/code_points.hpp"

namespace fovea::text {
namespace {

// Of the package fonts-dejavu-core: Latin, Greek, Cyrillic, Hebrew, Arabic; no Japanese.
const char* const kDejaVu = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
constexpr int kDejaVuUnits = 2048;  // to its em: at this size a pixel is a unit
constexpr Fit kWide{1e9, 1};

Fonts fonts(const std::vector<std::string>& names) {
  std::vector<std::filesystem::path> files;
  for (const auto& name : names)
    files.push_back(name == "dejavu" ? std::string(kDejaVu)
                                     : FOVEA_SOURCE_DIR "/tests/text/golden/" + name);
  auto out = Fonts::of_files(files);
  EXPECT_EQ(out.size(), names.size());
  return out;
}

std::string utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t code : text) out += encoded(code);
  return out;
}

std::vector<Glyph> glyphs(Typesetter& typesetter, std::u32string_view text) {
  const auto set = typesetter.set(utf8(text), kWide);
  return set.lines.empty() ? std::vector<Glyph>() : set.lines.front().glyphs;
}

std::vector<std::size_t> order(Typesetter& typesetter, std::u32string_view text) {
  std::vector<std::size_t> out;
  for (const auto& glyph : glyphs(typesetter, text)) out.push_back(glyph.character);
  return out;
}

struct Picture {
  int width, height;
  std::vector<std::uint8_t> rgb = std::vector<std::uint8_t>(
      3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 255);

  Canvas canvas() { return {rgb.data(), width, height}; }
  Colour at(int x, int y) {
    const auto* pixel = canvas().at(x, y);
    return {pixel[0], pixel[1], pixel[2]};
  }
  /// Columns and rows that are not white: left, top, right, bottom, the last two beyond it.
  std::vector<int> ink() {
    std::vector<int> out = {width, height, 0, 0};
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        if (at(x, y) != Colour{255, 255, 255})
          out = {std::min(out[0], x), std::min(out[1], y), std::max(out[2], x + 1),
                 std::max(out[3], y + 1)};
    return out;
  }
};

Picture drawn(Typesetter& typesetter, std::u32string_view text) {
  const auto set = typesetter.set(utf8(text), kWide);
  Picture out{static_cast<int>(set.width()) + 8, set.height() + 8};
  typesetter.draw(set, {0, 0, 0}, out.canvas(), 4, 4);
  return out;
}

struct Shaped {
  unsigned id;
  std::size_t character;
  int advance;
};

// What `hb-shape --no-glyph-names --font-size=upem DejaVuSans.ttf TEXT` of HarfBuzz 6.0.0 prints
// for DejaVu 2.37.
TEST(Typesetter, ShapesAsHarfBuzzDoes) {
  const std::vector<std::pair<std::u32string, std::vector<Shaped>>> cases = {
      {U"سلام", {{1390, 3, 1268}, {5366, 1, 1222}, {5293, 0, 1716}}},
      {U"عربي", {{5356, 3, 1707}, {5259, 2, 570}, {5288, 1, 1130}, {5317, 0, 1222}}},
      {U"γάτα", {{840, 0, 1212}, {833, 1, 1350}, {857, 2, 1233}, {838, 3, 1350}}},
      {U"AVAToffi",
       {{36, 0, 1270}, {57, 1, 1270}, {36, 2, 1242}, {55, 3, 903}, {82, 4, 1253}, {5044, 5, 1980}}},
      {U"Việt é",
       {{57, 0, 1356}, {76, 1, 569}, {2501, 2, 1260}, {87, 3, 803}, {3, 4, 651}, {171, 5, 1260}}},
  };
  Typesetter typesetter(fonts({"dejavu"}), kDejaVuUnits);
  for (const auto& [text, expected] : cases) {
    const auto found = glyphs(typesetter, text);
    ASSERT_EQ(found.size(), expected.size()) << utf8(text);
    double x = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].id, expected[i].id) << utf8(text) << i;
      EXPECT_EQ(found[i].character, expected[i].character) << utf8(text) << i;
      EXPECT_NEAR(found[i].advance, expected[i].advance, 0.02) << utf8(text) << i;
      EXPECT_NEAR(found[i].x, x, 0.2) << utf8(text) << i;
      x += expected[i].advance;
    }
  }
}

// Widths by Pillow 12.3 with Raqm 0.11, which lays out by FriBidi and HarfBuzz too, but itself
// decides what is shaped together.
TEST(Typesetter, IsAsWideAsRaqmHasIt) {
  Typesetter typesetter(fonts({"dejavu"}), kDejaVuUnits);
  const std::vector<std::pair<std::u32string, double>> cases = {
      {U"γάτα ριγωτή (class 3)", 22534}, {U"قطة abc 12.5 %", 15897}, {U"abc אבג 123 דה", 15396}};
  for (const auto& [text, width] : cases)
    EXPECT_NEAR(typesetter.set(utf8(text), kWide).width(), width, 8) << utf8(text);
}

TEST(Typesetter, JoinsArabicLettersFromRightToLeft) {
  Typesetter typesetter(fonts({"dejavu"}), 20);
  const auto joined = glyphs(typesetter, U"عبس");
  ASSERT_EQ(joined.size(), 3U);
  EXPECT_EQ(joined.front().character, 2U);
  EXPECT_GT(joined.back().x, joined.front().x);
  std::set<unsigned> ids, isolated;
  for (const auto& glyph : joined) ids.insert(glyph.id);
  for (const auto* letter : {U"ع", U"ب", U"س"})
    isolated.insert(glyphs(typesetter, letter).front().id);
  EXPECT_TRUE(
      std::none_of(ids.begin(), ids.end(), [&](unsigned id) { return isolated.contains(id); }));
  EXPECT_TRUE(typesetter.set(utf8(U"عرب abc"), kWide).right_to_left);
  EXPECT_FALSE(typesetter.set(utf8(U"abc عرب"), kWide).right_to_left);
}

// The order in which UAX #9 shows the characters: numbers from left to right within Hebrew.
TEST(Typesetter, PutsDirectionsTogetherAsUnicodeSays) {
  using Order = std::vector<std::size_t>;
  Typesetter typesetter(fonts({"dejavu"}), 20);
  EXPECT_EQ(order(typesetter, U"abc אבג 123 דה"),
            (Order{0, 1, 2, 3, 13, 12, 11, 8, 9, 10, 7, 6, 5, 4}));
  EXPECT_EQ(order(typesetter, U"אב (cd)"), (Order{6, 4, 5, 3, 2, 1, 0}));
  // An isolate keeps a name's direction to itself.
  EXPECT_EQ(order(typesetter, U"x \u2068אב 1\u2069 2"), (Order{0, 1, 2, 6, 5, 4, 3, 7, 8, 9}));
}

TEST(Typesetter, TakesTheFirstFontThatHasACharacter) {
  Typesetter typesetter(fonts({"dejavu", "squares.ttf"}), 20);
  const auto found = glyphs(typesetter, U"aあ日b");
  ASSERT_EQ(found.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(found[i].font, i == 1 || i == 2 ? 1U : 0U);
  EXPECT_DOUBLE_EQ(found[1].advance, 20);
  EXPECT_TRUE(typesetter.missing().empty());
  // 16 x 16 black pixels, 2 from the glyph's left.
  auto picture = drawn(typesetter, U"あ");
  EXPECT_EQ(picture.ink()[0], 4 + 2);
  EXPECT_EQ(picture.ink()[2], 4 + 2 + 16);
  EXPECT_EQ(picture.ink()[3] - picture.ink()[1], 16);
  EXPECT_EQ(picture.at(4 + 2, picture.ink()[1]), (Colour{0, 0, 0}));
}

TEST(Typesetter, DrawsEmojiInTheirColours) {
  Typesetter typesetter(fonts({"dejavu", "pictures.ttf"}), 16);
  EXPECT_EQ(glyphs(typesetter, U"\U0001F600").front().font, 1U);
  EXPECT_EQ(glyphs(typesetter, U"\U0001F600\uFE0F").front().font, 1U);
  EXPECT_EQ(glyphs(typesetter, U"\U0001F600\uFE0E").front().font, 0U);  // as text
  EXPECT_EQ(glyphs(typesetter, U"\U0001F601").front().font, 0U);        // it has no other
  EXPECT_TRUE(typesetter.missing().empty());
  auto picture = drawn(typesetter, U"\U0001F600");
  const auto ink = picture.ink();
  EXPECT_EQ(ink[2] - ink[0], 16);
  EXPECT_EQ(ink[3] - ink[1], 16);
  for (int y = ink[1]; y < ink[3]; ++y)
    for (int x = ink[0]; x < ink[2]; ++x) EXPECT_EQ(picture.at(x, y), (Colour{255, 0, 0}));
}

TEST(Typesetter, DrawsABoxForWhatNoFontHas) {
  Typesetter typesetter(fonts({"dejavu"}), 20);
  const auto found = glyphs(typesetter, U"aあb日あ");
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[1].font, kNoFont);
  EXPECT_NEAR(found[1].advance, 12, 1e-9);
  EXPECT_EQ(typesetter.missing(), U"あ日");
  auto picture = drawn(typesetter, U"あ");
  const auto ink = picture.ink();
  EXPECT_EQ(picture.at(ink[0], ink[1]), (Colour{0, 0, 0}));
  EXPECT_EQ(picture.at(ink[2] - 1, ink[3] - 1), (Colour{0, 0, 0}));
  EXPECT_EQ(picture.at((ink[0] + ink[2]) / 2, (ink[1] + ink[3]) / 2), (Colour{255, 255, 255}));
}

TEST(Typesetter, NeedsNoFont) {
  Typesetter typesetter(fonts({}), 20);
  EXPECT_GT(typesetter.line_height(), 20);
  EXPECT_EQ(glyphs(typesetter, U"ab c").size(), 3U);
  EXPECT_EQ(order(typesetter, U"אב"), (std::vector<std::size_t>{1, 0}));
  EXPECT_FALSE(typesetter.missing().empty());
  EXPECT_LT(drawn(typesetter, U"ab c").ink()[0], drawn(typesetter, U"ab c").ink()[2]);
  const std::filesystem::path no_font[] = {FOVEA_SOURCE_DIR "/LICENSE", "/no/such/font.ttf"};
  EXPECT_EQ(Fonts::of_files(no_font).size(), 0U);
}

TEST(Typesetter, ShowsNothingOfNothing) {
  Typesetter typesetter(fonts({"dejavu"}), 20);
  for (const char* text : {"", "   ", "\n"}) EXPECT_TRUE(typesetter.set(text, kWide).lines.empty());
  EXPECT_TRUE(typesetter.set("a", {100, 0}).lines.empty());
  EXPECT_EQ(typesetter.set("a", {100, 0}).height(), 0);
}

std::u32string characters_of(const Paragraph& set, std::u32string_view text) {
  std::u32string out;
  for (const auto& line : set.lines)
    for (const auto& glyph : line.glyphs)
      if (glyph.character < text.size()) out.push_back(text[glyph.character]);
  return out;
}

TEST(Lines, BreakBetweenWords) {
  Typesetter typesetter(fonts({"dejavu"}), 20);
  const std::u32string text = U"one two  three";
  const double width = typesetter.set("one two", kWide).width();
  const auto set = typesetter.set(utf8(text), {width, 5});
  ASSERT_EQ(set.lines.size(), 2U);
  EXPECT_EQ(characters_of(set, text), U"one twothree");
  EXPECT_DOUBLE_EQ(set.lines[0].width, width);
  EXPECT_EQ(set.height(), 2 * set.lines[0].height());
}

TEST(Lines, BreakAWordThatIsWiderThanALine) {
  Typesetter typesetter(fonts({"dejavu"}), 20);
  const std::u32string text(30, U'W');
  const auto set = typesetter.set(utf8(text), {100, 50});
  EXPECT_EQ(characters_of(set, text), text);
  for (const auto& line : set.lines) EXPECT_LE(line.width, 100.1);
  EXPECT_EQ(typesetter.set(utf8(text), {1, 50}).lines.size(), 30U);
}

TEST(Lines, EndInAnEllipsisWhereTextIsLeft) {
  Typesetter typesetter(fonts({"dejavu"}), 20);
  const std::u32string text = U"one two three four five six seven";
  for (const std::size_t lines : {1U, 2U}) {
    const auto set = typesetter.set(utf8(text), {100, lines});
    ASSERT_EQ(set.lines.size(), lines);
    EXPECT_LE(set.width(), 100.1);
    const auto& last = set.lines.back().glyphs.back();
    EXPECT_EQ(last.id, glyphs(typesetter, U"…").front().id);
    EXPECT_TRUE(text.starts_with(U"one two"));
  }
  // Of Arabic it stands on the left.
  const auto set = typesetter.set(utf8(U"قطة صغيرة جدا على الطاولة"), {100, 1});
  EXPECT_EQ(set.lines.front().glyphs.front().id, glyphs(typesetter, U"…").front().id);
  // What has room has none.
  EXPECT_EQ(glyphs(typesetter, U"one").size(), 3U);
}

TEST(Lines, AreThoseOfTheWholeTextHoweverLong) {
  Typesetter typesetter(fonts({"dejavu"}), 13);
  const auto set = typesetter.set(std::string(1000000, 'a'), {200, 3});
  EXPECT_EQ(set.lines.size(), 3U);
  EXPECT_LE(set.width(), 200.1);
}

// Whatever a file may call a class.
TEST(Lines, FitWhateverTheText) {
  std::mt19937 random(1);
  const std::u32string some =
      U"aZ9 /-.,()\u0301\u200D\u200F\u202E\u202C\u2066\u2068\u2069\uFE0F\u00AD\u0000"
      U"אבשלוםعربيةγάτα日本あー。「\U0001F600\U0001F1EC\U0001F1F7\U0001F3FD\u0E01\u0E49\u1780"
      U"\uFFFE\U000E0067\uF8FF\U0010FFFD";
  for (const auto& names : std::vector<std::vector<std::string>>{
           {"dejavu", "squares.ttf", "pictures.ttf"}, {"pictures.ttf"}, {}}) {
    Typesetter typesetter(fonts(names), 15);
    for (int n = 0; n < 300; ++n) {
      std::string text;
      const auto length = random() % 60;
      for (unsigned i = 0; i < length; ++i)
        text += random() % 8 == 0 ? std::string(1, static_cast<char>(random() % 256))
                                  : encoded(some[random() % some.size()]);
      const Fit fit{static_cast<double>(20 + random() % 200), 1 + random() % 4};
      const auto set = typesetter.set(text, fit);
      EXPECT_LE(set.lines.size(), fit.lines);
      for (const auto& line : set.lines) {
        // A cluster that is wider than a line by itself has one.
        std::set<std::size_t> places;
        for (const auto& glyph : line.glyphs) places.insert(glyph.character);
        EXPECT_TRUE(line.width <= fit.width + 0.1 || places.size() <= 8) << n;
      }
      Picture picture{40, 20};
      typesetter.draw(set, {0, 0, 0}, picture.canvas(), -5, -5);
    }
  }
}

TEST(Typesetter, LeavesWhatLiesOutsideThePicture) {
  Typesetter typesetter(fonts({"dejavu", "pictures.ttf"}), 30);
  const auto set = typesetter.set(utf8(U"Wあ\U0001F600g"), kWide);
  std::vector<std::uint8_t> memory(3 * 20 * 12, 7);
  for (const int x : {-60, -10, 0, 10})
    for (const int y : {-30, -5, 0, 5})
      typesetter.draw(set, {0, 0, 0}, Canvas{memory.data() + 3 * 20, 20, 10}, x, y);
  EXPECT_TRUE(std::all_of(memory.begin(), memory.begin() + 3 * 20, [](auto v) { return v == 7; }));
  EXPECT_TRUE(std::all_of(memory.end() - 3 * 20, memory.end(), [](auto v) { return v == 7; }));
}

TEST(Fonts, AreThoseThatAreInstalled) {
  const auto& installed = Fonts::installed();
  ASSERT_GT(installed.size(), 0U);
  Typesetter typesetter(installed, 16);
  EXPECT_EQ(glyphs(typesetter, U"aγж").size(), 3U);
  EXPECT_TRUE(typesetter.missing().empty());
}

TEST(Fonts, AreSharedByThreads) {
  const auto picture = [] {
    Typesetter typesetter(Fonts::installed(), 16);
    return drawn(typesetter, U"aγж سلام あ \U0001F600").rgb;
  };
  const auto expected = picture();
  std::vector<std::vector<std::uint8_t>> found(8);
  std::vector<std::thread> threads;
  for (auto& own : found) threads.emplace_back([&own, &picture] { own = picture(); });
  for (auto& thread : threads) thread.join();
  for (const auto& own : found) EXPECT_EQ(own, expected);
}

}  // namespace
}  // namespace fovea::text
