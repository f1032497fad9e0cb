#include "labels.hpp"

#include <gtest/gtest.h>

#include "fovea/error.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

const Labels kLabels = {"tench, Tinca tinca",
                        "goldfish",
                        "tiger cat",
                        "tiger, Panthera tigris",
                        "crane",
                        "crane",
                        "Tiger"};

std::string refusal(const Labels& labels, const std::string& text) {
  try {
    find_label(labels, text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  ADD_FAILURE() << text << " found";
  return {};
}

TEST(Labels, CutsWordnetIdsAndLineEnds) {
  EXPECT_EQ(parse_labels(
                "\xEF\xBB\xBFn01440764 tench, Tinca tinca\r\nn0144 fish\n\n n12345678\tcat \n\n"),
            (Labels{"tench, Tinca tinca", "n0144 fish", "", "cat"}));
  EXPECT_EQ(parse_labels("one"), Labels{"one"});
  EXPECT_EQ(parse_labels("a\tb\n\x1b[31mred\x07\n"), (Labels{"a b", "?[31mred?"}));
  EXPECT_TRUE(parse_labels("\n\n").empty());
}

TEST(Labels, TakesTheWholeLabelFirst) {
  EXPECT_EQ(find_label(kLabels, "tench, Tinca tinca"), 0);
  EXPECT_EQ(find_label(kLabels, "Tiger"), 6);  // exact, though "tiger" fits another
}

TEST(Labels, TakesASynonymWhateverTheCase) {
  EXPECT_EQ(find_label(kLabels, "TENCH"), 0);
  EXPECT_EQ(find_label(kLabels, "panthera tigris"), 3);
  EXPECT_EQ(find_label(kLabels, "tiger cat"), 2);
}

TEST(Labels, TakesTheOnlyLabelThatContainsIt) {
  EXPECT_EQ(find_label(kLabels, "old"), 1);
  EXPECT_EQ(find_label(kLabels, "cat"), 2);
}

TEST(Labels, ListsWhatIsAmbiguous) {
  const auto text = refusal(kLabels, "crane");
  EXPECT_NE(text.find("class 4"), std::string::npos) << text;
  EXPECT_NE(text.find("class 5"), std::string::npos) << text;
  EXPECT_NE(refusal(kLabels, "tig").find("'Tiger' (class 6)"), std::string::npos);
}

TEST(Labels, SuggestsWhatIsNear) {
  EXPECT_NE(refusal(kLabels, "goldfisch").find("did you mean 'goldfish'"), std::string::npos);
  EXPECT_EQ(refusal(kLabels, "qqqqqqqqqqqq").find("did you mean"), std::string::npos);
  EXPECT_NE(refusal({}, "goldfish").find("--labels"), std::string::npos);
  refusal(kLabels, " ");
}

TEST(Text, ShortestGivesTheFloatBack) {
  EXPECT_EQ(shortest(0.1F), 0.1);
  EXPECT_EQ(shortest(0.9956F), 0.9956);
  EXPECT_EQ(static_cast<float>(shortest(1.0F / 3)), 1.0F / 3);
}

}  // namespace
}  // namespace fovea::cli
