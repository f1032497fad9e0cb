// Names that look like another.
#include "request/spelling.hpp"

#include <gtest/gtest.h>

#include "fovea/request.hpp"

namespace fovea::request {
namespace {

TEST(Spelling, EditDistanceIsTheFewestEdits) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2U);
}

TEST(Spelling, ClosestPrefersNamesThatContainIt) {
  const std::vector<std::string> names = {"layer1.conv", "layer4.relu", "layer4.conv", "fc"};
  EXPECT_EQ(closest_names(names, "layer4.conf", 1), std::vector<std::string>{"layer4.conv"});
  EXPECT_EQ(closest_names(names, "conv", 5),
            (std::vector<std::string>{"layer1.conv", "layer4.conv"}));
  EXPECT_TRUE(closest_names(names, "zzzzzzzz").empty());
}

TEST(Spelling, ASuggestionIsAQuestion) {
  EXPECT_EQ(did_you_mean({"mean", "std"}, "means"), "; did you mean 'mean'?");
  EXPECT_EQ(did_you_mean({"mean", "std"}, "qqqqqqqq"), "");
}

}  // namespace
}  // namespace fovea::request
