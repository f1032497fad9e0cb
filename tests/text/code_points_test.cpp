#include "text/code_points.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fovea::text {
namespace {

std::u32string read(std::string_view utf8) {
  return decoded(utf8, 1000);
}

TEST(CodePoints, AreThoseOfUtf8) {
  EXPECT_EQ(read("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), U"aé€\U0001F600");
  EXPECT_EQ(decoded("abc", 2), U"ab");
  EXPECT_EQ(read(""), U"");
}

// The examples of the Unicode standard, "U+FFFD Substitution of Maximal Subparts".
TEST(CodePoints, ReplaceIllFormedParts) {
  EXPECT_EQ(read("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            U"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(read("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            U"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(read("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            U"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\uFFFD\uFFFDB");
  EXPECT_EQ(read("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), U"\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(read("\xE2\x82"), std::u32string(1, 0xFFFD));
}

TEST(CodePoints, EndNoLine) {
  EXPECT_EQ(read("a\tb\r\nc\xE2\x80\xA8"
                 "d\xC2\x85"),
            U"a b  c d ");
  EXPECT_EQ(read(std::string_view("\0\x1B[1m\x7F\xC2\x9B", 8)), U"\uFFFD\uFFFD[1m\uFFFD\uFFFD");
}

TEST(CodePoints, GoBackToUtf8) {
  for (const char32_t code : {U'a', U'\u007F', U'\u0080', U'é', U'\u07FF', U'\u0800', U'あ',
                              U'\uFFFF', U'\U00010000', U'\U0001F600', U'\U0010FFFF'})
    EXPECT_EQ(read(encoded(code)), code == U'\u007F' || code == U'\u0080'
                                       ? std::u32string(1, 0xFFFD)
                                       : std::u32string(1, code));
}

TEST(Clusters, AreWhatAReaderSees) {
  using Places = std::vector<std::size_t>;
  EXPECT_EQ(clusters(U"ab"), (Places{0, 1, 2}));
  EXPECT_EQ(clusters(U"e\u0301x"), (Places{0, 2, 3}));
  // Two flags, a family, a heart as a picture, a waving hand with a colour of skin.
  EXPECT_EQ(clusters(U"\U0001F1EC\U0001F1F7\U0001F1EF\U0001F1F5"), (Places{0, 2, 4}));
  EXPECT_EQ(clusters(U"\U0001F468\u200D\U0001F469\u200D\U0001F467!"), (Places{0, 5, 6}));
  EXPECT_EQ(clusters(U"\u2764\uFE0F\U0001F44B\U0001F3FD"), (Places{0, 2, 4}));
  EXPECT_EQ(clusters(U"\u0301a"), (Places{0, 1, 2}));
  EXPECT_EQ(clusters(U""), (Places{0}));
}

TEST(Breaks, AreBetweenWordsAndBetweenLettersWithoutWords) {
  EXPECT_TRUE(may_break(U' ', U'a'));
  EXPECT_FALSE(may_break(U'a', U' '));
  EXPECT_FALSE(may_break(U'a', U'b'));
  EXPECT_TRUE(may_break(U'/', U'b'));
  EXPECT_TRUE(may_break(U'日', U'本'));
  EXPECT_FALSE(may_break(U'日', U'。'));
  EXPECT_FALSE(may_break(U'「', U'日'));
}

}  // namespace
}  // namespace fovea::text
