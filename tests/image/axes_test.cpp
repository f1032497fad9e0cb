#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "fovea/axes.hpp"

namespace fovea {
namespace {

using Frequencies = AudioAxes::Frequencies;

std::map<std::string, double> places(const PictureAxis& axis) {
  std::map<std::string, double> out;
  for (const auto& tick : axis.ticks) out[tick.text] = tick.at;
  EXPECT_EQ(out.size(), axis.ticks.size()) << "a text twice";
  return out;
}

TEST(Axes, CountSeconds) {
  const auto axis = time_axis({.rate = 16000, .hop = 160}, 250);  // 2.5 s
  EXPECT_EQ(axis.name, "time (s)");
  const auto at = places(axis);
  EXPECT_EQ(at.size(), 6U);
  for (const auto& [text, place] : at) EXPECT_NEAR(place, std::stod(text) / 2.5, 1e-9);
  const auto wave = sample_axis({.rate = 22050}, 43844);  // 1.988 s
  EXPECT_NEAR(places(wave).at("1.8"), 1.8 * 22050 / 43844, 1e-9);
  EXPECT_FALSE(places(wave).contains("2"));
}

TEST(Axes, CountWhatNobodyMeasured) {
  const auto frames = time_axis({.rate = 16000}, 40);
  EXPECT_EQ(frames.name, "frame");
  EXPECT_NEAR(places(frames).at("5"), 5.5 / 40, 1e-12);
  EXPECT_EQ(sample_axis({}, 64).name, "sample");
  const auto bins = frequency_axis({.rate = 16000}, 3);
  EXPECT_EQ(bins.name, "bin");
  EXPECT_EQ(bins.ticks.size(), 3U);
  EXPECT_NEAR(places(bins).at("2"), 2.5 / 3, 1e-12);
}

/// The middles of a Fourier transform's bins: k rate / size.
TEST(Axes, AreEven) {
  const auto at = places(frequency_axis({.rate = 16000, .frequencies = Frequencies::linear}, 257));
  EXPECT_NEAR(at.at("1k"), (1000. * 512 / 16000 + 0.5) / 257, 1e-9);
  EXPECT_NEAR(at.at("8k"), 256.5 / 257, 1e-9);
  EXPECT_NEAR(at.at("0"), 0.5 / 257, 1e-9);
}

/// librosa's mel_frequencies(40), whose first and last are where the first filter begins and the
/// last one ends.
TEST(Axes, AreMel) {
  const auto slaney =
      places(frequency_axis({.rate = 22050, .frequencies = Frequencies::mel_slaney}, 38));
  EXPECT_NEAR(slaney.at("500"), (4 + (500 - 426.586) / (511.904 - 426.586) + 0.5) / 38, 1e-5);
  EXPECT_NEAR(slaney.at("1k"), (10 + (1000 - 938.49) / 85.317 + 0.5) / 38, 1e-3);
  // HTK's: 1000 Hz is 1000 mel, 8000 Hz 2840.
  const auto htk = places(frequency_axis({.frequencies = Frequencies::mel, .highest = 8000}, 40));
  EXPECT_NEAR(htk.at("1k"), (999.9855 / 2840.0230 * 41 - 1 + 0.5) / 40, 1e-5);
}

TEST(Axes, AreOctaves) {
  const AudioAxes piano{.frequencies = Frequencies::octaves, .lowest = 27.5, .per_octave = 36};
  const auto at = places(frequency_axis(piano, 264));
  EXPECT_NEAR(at.at("200"), (36 * std::log2(200 / 27.5) + 0.5) / 264, 1e-9);
  EXPECT_TRUE(at.contains("2k"));
  for (const auto& [text, place] : at) EXPECT_TRUE(place >= 0 && place <= 1) << text;
  // Of half an octave there is no round number but for steps.
  auto narrow = piano;
  narrow.lowest = 210;
  EXPECT_GT(frequency_axis(narrow, 19).ticks.size(), 2U);
}

TEST(Axes, SayWhatTheyMiss) {
  for (const AudioAxes& audio :
       {AudioAxes{.frequencies = Frequencies::linear},
        AudioAxes{.frequencies = Frequencies::octaves},
        AudioAxes{.frequencies = Frequencies::mel, .lowest = 90, .highest = 80},
        AudioAxes{.frequencies = Frequencies::octaves, .lowest = 9, .per_octave = 0}})
    EXPECT_THROW(frequency_axis(audio, 12), Error);
  EXPECT_THROW(with_axes({4, 4, std::vector<std::uint8_t>(48)}, {"x", {{1.5, "no"}}}, {}), Error);
  EXPECT_THROW(with_axes({4, 4, std::vector<std::uint8_t>(48)}, {"x", {{0, "0"}}}, {}, 3), Error);
  EXPECT_THROW(with_axes({4, 4, {}}, {}, {}), Error);
}

TEST(Axes, HaveTimeToTheRightAndLowBinsBelow) {
  const Tensor map{{2, 3}, {1, 2, 3, 4, 5, 6}};
  const auto bins = upright(map, false), frames = upright(map, true);
  EXPECT_EQ(bins.shape, (Shape{2, 3}));
  EXPECT_EQ(bins.data, (std::vector<float>{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(frames.shape, (Shape{3, 2}));
  EXPECT_EQ(frames.data, (std::vector<float>{3, 6, 2, 5, 1, 4}));
  EXPECT_THROW(upright({{6}, map.data}, false), Error);
}

struct Found {
  int left = -1, top = -1, right = -1, bottom = -1;
};
/// Where pixels of a colour are.
Found find(const Image& image, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
  Found out;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const auto* p = &image.rgb[static_cast<std::size_t>(3 * (y * image.width + x))];
      if (p[0] != r || p[1] != g || p[2] != b) continue;
      if (out.left < 0) out = {x, y, x, y};
      out.left = std::min(out.left, x);
      out.right = std::max(out.right, x);
      out.bottom = y;
    }
  return out;
}

TEST(Axes, AreDrawnAroundThePicture) {
  Image red{300, 120, {}};
  for (int i = 0; i < red.width * red.height; ++i) red.rgb.insert(red.rgb.end(), {250, 0, 0});
  const auto out =
      with_axes(red, {"time (s)", {{0, "0"}, {0.5, "1"}, {1, "2"}}}, {"bin", {{0, "0"}, {1, "99"}}})
          .image;
  const auto found = find(out, 250, 0, 0);
  EXPECT_EQ(found.right - found.left + 1, red.width);
  EXPECT_EQ(found.bottom - found.top + 1, red.height);
  const auto is_black = [&](int x, int y) {
    return out.rgb[static_cast<std::size_t>(3 * (y * out.width + x))] == 0;
  };
  // Lines along both sides, ticks beyond them.
  EXPECT_TRUE(is_black(found.left - 1, found.top + 50) &&
              is_black(found.left + 70, found.bottom + 1));
  for (const double at : {0., 0.5, 1.}) {
    const int x = found.left + static_cast<int>(std::lround(at * (red.width - 1)));
    EXPECT_TRUE(is_black(x, found.bottom + 3)) << at;
    EXPECT_FALSE(is_black(x + 4, found.bottom + 3)) << at;
  }
  EXPECT_TRUE(is_black(found.left - 3, found.top)) << "the last bin is above";
  EXPECT_FALSE(is_black(found.left - 3, found.top + 60));
}

/// However many ticks there are, no text runs into the next.
TEST(Axes, LeaveOutWhatHasNoRoom) {
  const Image picture{200, 100, std::vector<std::uint8_t>(60000, 200)};
  PictureAxis few{"x", {}}, many{"x", {}};
  for (int i = 0; i <= 100; ++i) {
    many.ticks.push_back({i / 100., "10000"});
    if (i % 50 == 0) few.ticks.push_back({i / 100., "10000"});
  }
  const auto black = [&](const PictureAxis& axis) {
    const auto out = with_axes(picture, axis, axis).image;
    return std::count(out.rgb.begin(), out.rgb.end(), 0);
  };
  EXPECT_LT(black(many), 4 * black(few));
  EXPECT_GT(black(many), black(few));
}

}  // namespace
}  // namespace fovea
