// Names that look like another.
#include "base/spelling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "fovea/spelling.hpp"

namespace fovea::base {
namespace {

TEST(Spelling, EditDistanceIsTheFewestEdits) {
  EXPECT_EQ(edit_distance("", "", 9), 0U);
  EXPECT_EQ(edit_distance("abc", "", 9), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting", 9), 3U);
  EXPECT_EQ(edit_distance("flaw", "lawn", 9), 2U);
}

/// By the definition: every way to edit.
std::size_t by_definition(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  const auto rest_a = a.substr(1), rest_b = b.substr(1);
  if (a.front() == b.front()) return by_definition(rest_a, rest_b);
  return 1 + std::min({by_definition(rest_a, b), by_definition(a, rest_b),
                       by_definition(rest_a, rest_b)});
}

TEST(Spelling, EditDistanceIsThatOfItsDefinitionUpToItsBound) {
  const std::vector<std::string> texts = {"",      "a",     "ab",    "ba",   "abc",
                                          "acb",   "aabb",  "abab",  "bbaa", "layer",
                                          "lyaer", "relay", "later", "yale", "layers"};
  for (const auto& a : texts)
    for (const auto& b : texts)
      for (std::size_t most = 0; most < 8; ++most)
        EXPECT_EQ(edit_distance(a, b, most), std::min(by_definition(a, b), most + 1))
            << a << " and " << b << " up to " << most;
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
}  // namespace fovea::base
