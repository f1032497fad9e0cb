#include <gtest/gtest.h>

#include <limits>

#include "support.hpp"

namespace fovea {
namespace {

using namespace api_test;

/// Class 1 of 3 is the best, and its map has four fifths in the upper left.
Explanation example() {
  Explanation why;
  why.method = "gradcam";
  why.layer = "relu5";
  why.feature_map = {{4, 4},
                     {8, 4, 0, 0,  //
                      4, 4, 0, 0,  //
                      0, 0, 0, 0,  //
                      0, 0, 0, 5}};
  why.predictions = {{1, 12.25F, 0.9F}, {0, 10, 0.08F}, {2, 8, 0.02F}};
  why.prediction = why.predictions[0];
  why.score = 12.25;
  return why;
}

const std::vector<std::string> kLabels = {"tench", "goldfish"};

/// Contributions 6, -2, 2 and 3.
const Channels kChannels{"relu5", {2, 1, 4, -3}, {3, -2, 0.5F, -1}};

const std::string kClass =
    "The network gives goldfish (class 1) a logit of 12.25, a probability of 90 %, the best of 3 "
    "classes. ";
const std::string kPlace =
    "Of what gradcam shows, 80 % lies in the upper left of the input, within 25 % of its area. ";
const std::string kRival = "The next best class is tench (class 0), with a probability of 8 %.";

std::string text(const Explanation& why, DescribeOptions options = {}) {
  options.labels = kLabels;
  return describe(why, options).text;
}

TEST(Sentence, SaysClassPlaceChannelsAndWhatSpeaksAgainst) {
  const auto out = describe(example(), {.labels = kLabels, .channels = &kChannels});
  EXPECT_EQ(out.text,
            kClass + kPlace +
                "Of what the channels of 'relu5' add to the score, channel 0 adds 55 %, channel 3 "
                "27 % and channel 2 18 %. Against it speaks 15 % of all that they contribute, "
                "channel 1 most. " +
                kRival);
  EXPECT_EQ(out.class_index, 1);
  EXPECT_EQ(out.label, "goldfish");
  EXPECT_EQ(out.rank, 1);
  EXPECT_EQ(out.probability, 0.9F);
  ASSERT_TRUE(out.place);
  EXPECT_EQ(out.place->words, "in the upper left");
  EXPECT_EQ(out.place->from, (std::vector{0.F, 0.F}));
  EXPECT_EQ(out.place->to, (std::vector{0.5F, 0.5F}));
  EXPECT_FLOAT_EQ(out.place->share, 0.8F);
  EXPECT_FLOAT_EQ(out.place->size, 0.25F);
  ASSERT_EQ(out.channels.size(), 3u);
  EXPECT_EQ(out.channels[1].channel, 3);
  EXPECT_FLOAT_EQ(out.channels[1].share, 3.F / 11);
  ASSERT_EQ(out.against.size(), 1u);
  EXPECT_EQ(out.against[0].channel, 1);
  EXPECT_FLOAT_EQ(out.against[0].share, 1);
  EXPECT_FLOAT_EQ(*out.against_share, 2.F / 13);
  ASSERT_TRUE(out.rival);
  EXPECT_EQ(out.rival->class_index, 0);
  EXPECT_EQ(out.rival_label, "tench");
}

TEST(Sentence, SaysNothingOfChannelsThatItDoesNotKnow) {
  EXPECT_EQ(text(example()), kClass + kPlace + kRival);
}

TEST(Sentence, NamesWhatThereIs) {
  const Channels up{"relu5", {1, 0}, {1, 5}}, down{"relu5", {1, 2}, {-1, -1}}, none{"r", {0}, {1}};
  EXPECT_EQ(text(example(), {.channels = &up}),
            kClass + kPlace +
                "Of what the channels of 'relu5' add to the score, channel 0 adds 100 %. None of "
                "them takes from it. " +
                kRival);
  EXPECT_EQ(text(example(), {.channels = &down}),
            kClass + kPlace +
                "None of the channels of 'relu5' adds to the score. Against it speaks 100 % of all "
                "that they contribute, channel 1 most. " +
                kRival);
  EXPECT_EQ(text(example(), {.channels = &none}),
            kClass + kPlace +
                "None of the channels of 'r' adds to the score. None of them takes from it. " +
                kRival);
  const Channels uneven{"r", {0, 1}, {1}};
  EXPECT_EQ(code_of([&] { text(example(), {.channels = &uneven}); }), ErrorCode::invalid_argument);
}

TEST(Sentence, TellsOfAClassThatIsNotTheBest) {
  auto why = example();
  why.prediction = why.predictions[2];
  EXPECT_EQ(
      text(why),
      "The network gives class 2 a logit of 8, a probability of 2 %, number 3 of 3 classes. " +
          kPlace + "The best class is goldfish (class 1), with a probability of 90 %.");
}

TEST(Sentence, TellsOfOtherTargets) {
  auto why = example();
  why.prediction.reset();
  why.score = 2.25;
  why.target = Target::difference(1, 0);
  EXPECT_EQ(text(why),
            "The score explained is how far the logit of goldfish (class 1) is above that of tench "
            "(class 0): 2.25. " +
                kPlace.substr(0, kPlace.size() - 1));
  why.target = Target::weighted({1, 2, 3});
  EXPECT_EQ(text(why), "The score explained is 2.25. " + kPlace.substr(0, kPlace.size() - 1));
  // A counterfactual's contributions are those to the negated score.
  why = example();
  why.target = Target::top1().counterfactual();
  why.score = -12.25;
  EXPECT_EQ(
      text(why, {.channels = &kChannels}),
      kClass + "What speaks against this score is explained. " + kPlace +
          "Of what the channels of 'relu5' take from the score, channel 0 takes 55 %, channel "
          "3 27 % and channel 2 18 %. For it speaks 15 % of all that they contribute, channel "
          "1 most. " +
          kRival);
  // Scores at positions: nothing is ranked.
  why.predictions.clear();
  why.target = {};
  why.prediction.reset();
  why.score = 3;
  EXPECT_EQ(text(why), "The score explained is 3. " + kPlace.substr(0, kPlace.size() - 1));
}

TEST(Sentence, NamesNoPlaceWhereThereIsNone) {
  auto why = example();
  std::fill(why.feature_map.data.begin(), why.feature_map.data.end(), 0.F);
  EXPECT_EQ(text(why), kClass + "The map is zero everywhere, so no place can be named. " + kRival);
  why.feature_map.data[5] = -1;
  EXPECT_EQ(text(why),
            kClass + "Nothing in the map is above zero, so no place can be named. " + kRival);
  EXPECT_EQ(describe(why).negative_share, 1);
  why.feature_map.data[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(
      text(why),
      kClass + "The map holds values that are not finite, so no place can be named. " + kRival);
  why.feature_map = {{1, 1}, {3}};
  EXPECT_EQ(text(why),
            kClass + "The map has no positions to tell apart, so no place can be named. " + kRival);
}

TEST(Sentence, TellsOfNegativeValues) {
  auto why = example();
  why.feature_map.data[12] = -25;
  EXPECT_EQ(text(why), kClass + kPlace + "Below zero is 50 % of the map's magnitude. " + kRival);
}

TEST(Sentence, NeverRoundsToNothingOrAll) {
  auto why = example();
  why.predictions[0].probability = 0.99999F;
  why.predictions[1].probability = 1e-5F;
  why.prediction = why.predictions[0];
  const auto out = text(why);
  EXPECT_NE(out.find("a probability of more than 99 %"), std::string::npos) << out;
  EXPECT_NE(out.find("a probability of less than 1 %"), std::string::npos) << out;
}

TEST(Sentence, SaysWhereAMapIsEverywhere) {
  auto why = example();
  std::fill(why.feature_map.data.begin(), why.feature_map.data.end(), 2.F);
  EXPECT_EQ(text(why), kClass + "What gradcam shows is spread over the whole input. " + kRival);
}

TEST(Sentence, TellsTheLogitOfARivalWithoutAProbability) {
  auto why = example();
  for (auto& row : why.predictions) row.probability = std::numeric_limits<float>::quiet_NaN();
  const auto out = text(why);
  EXPECT_EQ(out.find("unknown part"), std::string::npos) << out;
  EXPECT_NE(out.find(", with a logit of "), std::string::npos) << out;
}

Place place_of(Shape shape, const std::vector<std::size_t>& at) {
  Tensor map{std::move(shape), {}};
  map.data.resize(static_cast<std::size_t>(count(map.shape)));
  for (const auto i : at) map.data[i] = 1;
  return find_place(map).value();
}

TEST(Place, HasAWordForEachNinth) {
  const char* words[] = {"in the upper left", "at the top",    "in the upper right",
                         "on the left",       "in the centre", "on the right",
                         "in the lower left", "at the bottom", "in the lower right"};
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(place_of({3, 3}, {i}).words, words[i]);
  // A centre on the border of two thirds: the middle.
  EXPECT_EQ(place_of({3, 6}, {7, 8}).words, "in the centre");
}

TEST(Place, OfASignalAndAVolume) {
  EXPECT_EQ(place_of({9}, {0, 1}).words, "at the beginning");
  EXPECT_EQ(place_of({9}, {4}).words, "in the middle");
  const auto end = place_of({8}, {7});
  EXPECT_EQ(end.words, "at the end");
  EXPECT_EQ(end.from, std::vector{0.875F});
  EXPECT_EQ(end.to, std::vector{1.F});
  const auto volume = place_of({4, 3, 3}, {0});
  EXPECT_EQ(volume.words, "in the upper left, in the first third of the slices,");
  EXPECT_FLOAT_EQ(volume.size, 1.F / 36);
  EXPECT_EQ(place_of({3, 3, 3}, {26}).words,
            "in the lower right, in the last third of the slices,");
  EXPECT_FALSE(find_place({{1, 1, 2, 2}, {1, 1, 1, 1}}));
}

/// A pixel's share of a finer map goes to its cell; a cell's edges are those of its pixels.
TEST(Place, OfAFinerMap) {
  const auto place = place_of({224, 224}, {0, 3, 13 * 224 + 13, 223 * 224 + 223});
  EXPECT_EQ(place.words, "in the upper left");
  EXPECT_FLOAT_EQ(place.share, 0.75F);
  EXPECT_EQ(place.to, (std::vector{14.F / 224, 14.F / 224}));
  // 20 columns in 16 cells: the last cell has the last pixel alone.
  const auto uneven = place_of({1, 20}, {19});
  EXPECT_EQ(uneven.from[1], 0.95F);
  EXPECT_EQ(uneven.to[1], 1.F);
}

}  // namespace
}  // namespace fovea
