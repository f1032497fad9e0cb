// --spectrogram: maps of sound over time and frequency.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "tasks.hpp"

namespace fovea::cli_test {
namespace {

class Spectrograms : public Tasks {
 protected:
  /// Half of the colours' red less their blue: where the picture is hot, by halves of the part that
  /// is coloured: [upper left, upper right, lower left, lower right].
  std::array<double, 4> heat(const std::string& file) const {
    const auto image = read_image(scratch_ / file);
    int left = image.width, right = 0, top = image.height, bottom = 0;
    const auto at = [&](int x, int y) {
      const auto* p = &image.rgb[static_cast<std::size_t>(3 * (y * image.width + x))];
      return std::array<int, 3>{p[0], p[1], p[2]};
    };
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x) {
        const auto r = at(x, y)[0], b = at(x, y)[2];
        if (std::abs(r - b) < 20) continue;  // text, axes
        left = std::min(left, x), right = std::max(right, x);
        top = std::min(top, y), bottom = std::max(bottom, y);
      }
    std::array<double, 4> out{};
    for (int y = top; y <= bottom; ++y)
      for (int x = left; x <= right; ++x) {
        const auto r = at(x, y)[0], b = at(x, y)[2];
        const bool lower = 2 * (y - top) > bottom - top, later = 2 * (x - left) > right - left;
        out[(lower ? 2U : 0U) + (later ? 1U : 0U)] += std::max(0, r - b);
      }
    return out;
  }
  static std::size_t hottest(const std::array<double, 4>& heat) {
    return static_cast<std::size_t>(std::max_element(heat.begin(), heat.end()) - heat.begin());
  }
};

TEST_F(Spectrograms, LowBinsAreBelowAndTimeRunsToTheRight) {
  use("grey");
  Tensor x{{1, 1, kSize, kSize}, std::vector<float>(kPixels)};
  for (std::size_t bin = 12; bin < 16; ++bin)
    for (std::size_t frame = 0; frame < 5; ++frame) x.data[bin * kSize + frame] = 1;
  write_npy(scratch_ / "x.npy", x);
  write_file(scratch_ / "sound.json",
             R"({"task": "audio", "audio": {"rate": 8000, "hop": 80, "frequencies": "linear"}})");
  write_file(scratch_ / "turned.json", R"({"task": "audio", "audio": {"time_first": true}})");
  const auto told =
      result("explain", {"--input", "x.npy", "--task", "sound.json", "--spectrogram", "early.png"});
  EXPECT_EQ(told["warnings"], json::array());
  EXPECT_EQ(hottest(heat("early.png")), 0U) << "high and early";
  const auto turned =
      result("explain", {"--input", "x.npy", "--task", "turned.json", "--spectrogram", "late.png"});
  EXPECT_EQ(hottest(heat("late.png")), 3U) << "low and late";
  EXPECT_NE(turned["warnings"][0].get<std::string>().find("the axes count them"),
            std::string::npos);
  // Without a task, too; and the picture can be made again.
  result("explain", {"--input", "x.npy", "--spectrogram", "counted.png"});
  EXPECT_EQ(hottest(heat("counted.png")), 0U);
  expect_done(scratch_.fovea({"explain", "--replay", "early.png", "--spectrogram", "again.png"}));
  EXPECT_EQ(read_image(scratch_ / "again.png").rgb, read_image(scratch_ / "early.png").rgb);
}

TEST_F(Spectrograms, OfAWaveformAreItsLayers) {
  use("wave");
  Tensor x{{1, 64}, std::vector<float>(64)};
  for (std::size_t frame = 12; frame < 16; ++frame) x.data[4 * frame] = 1;  // bin 0
  write_npy(scratch_ / "x.npy", x);
  const Names common{"--input", "x.npy", "--spectrogram", "late.png"};
  refused("explain", common, "'audio.time_first'");
  write_file(scratch_ / "sound.json", R"({"task": "audio", "audio": {"rate": 64, "time_first": true,
      "frequencies": "octaves", "lowest": 4, "per_octave": 1}})");
  auto measured = common;
  measured.insert(measured.end(), {"--task", "sound.json"});
  EXPECT_EQ(result("explain", measured)["warnings"], json::array());
  EXPECT_EQ(hottest(heat("late.png")), 3U);
  // At the input there are no frequencies: over the samples.
  measured.insert(measured.end(), {"--method", "saliency"});
  write_file(scratch_ / "sound.json", R"({"task": "audio", "audio": {"rate": 64}})");
  EXPECT_EQ(result("explain", measured)["warnings"], json::array()) << "no bins to be counted";
  EXPECT_GT(read_image(scratch_ / "late.png").width, 640);
}

TEST_F(Spectrograms, AreRefusedWhereTheyCannotBe) {
  use("grey");
  write_image(scratch_ / "photo.png", red_and_blue(kSize, kSize));
  const Names photo{"--image", "photo.png", "--preprocess", "raw", "--spectrogram", "a.png"};
  refused("explain", photo, "given as a tensor");
  auto sheet = photo;
  sheet.insert(sheet.end(), {"--method", "gradcam,layercam", "--output", "b.png"});
  refused("explain", sheet, "--spectrogram");
  write_npy(scratch_ / "x.npy", Tensor{{1, 1, kSize, kSize}, std::vector<float>(kPixels, 1)});
  write_file(scratch_ / "short.json", R"({"task": "audio", "audio": {"frequencies": "octaves"}})");
  refused("explain", {"--input", "x.npy", "--task", "short.json", "--spectrogram", "a.png"},
          "'audio.lowest'");
  write_file(scratch_ / "below.json", R"({"task": "audio", "audio": {"rate": -1}})");
  refused("explain", {"--input", "x.npy", "--task", "below.json", "--spectrogram", "a.png"},
          "'rate' must not be below 0");
}

}  // namespace
}  // namespace fovea::cli_test
