// --objects: the maps of all boxes as one picture.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "colours.hpp"
#include "fovea/fovea.hpp"

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr int kTimes = 16;  // that pictures of 16 pixels are enlarged
constexpr std::size_t kSide = kSize;

/// fixtures/detector.onnx finds a box of 4 pixels for each of two patches; what its maps show
/// reaches beyond them.
class Objects : public testing::Test {
 protected:
  Objects() {
    fs::copy_file(fixture("detector"), scratch_ / "detector.onnx");
    write_file(
        scratch_ / "two.task.json",
        R"({"task": "yolox", "boxes": {"strides": [4, 8]}, "names": ["red", "green", "blue"]})");
    Tensor tensor{{1, 3, kSize, kSize}, std::vector<float>(3 * kPixels)};
    picture_ = {kSize, kSize, std::vector<std::uint8_t>(3 * kPixels)};
    for (const std::size_t colour : {0, 1})
      for (std::size_t y = 0; y < 4; ++y)
        for (std::size_t x = 0; x < 4; ++x) {
          const auto place = (corner(colour) + y) * kSide + corner(colour) + x;
          tensor.data[colour * kPixels + place] = 1;
          picture_.rgb[3 * place + colour] = 255;
        }
    write_npy(scratch_ / "x.npy", tensor);
  }
  /// Of a patch.
  static std::size_t corner(std::size_t colour) { return colour == 0 ? 4 : 8; }

  Outcome run(Names extra) const {
    const Names common{"explain", "--model", "detector.onnx", "--task", "two.task.json"};
    extra.insert(extra.begin(), common.begin(), common.end());
    return scratch_.fovea(extra);
  }
  Outcome boxes(Names extra) const {
    extra.insert(extra.end(), {"--input", "x.npy", "--target", "boxes"});
    return run(std::move(extra));
  }
  void refused(const Outcome& outcome, const std::string& words) const {
    EXPECT_EQ(outcome.status, 2) << outcome.out;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << outcome.err;
  }

  /// The two maps, [2, 16, 16], as one picture.
  Image expected(const Tensor& maps, bool inside) const {
    Tensor all{{kSize, kSize}, std::vector<float>(kPixels)};
    for (const std::size_t colour : {0, 1})
      for (std::size_t y = 0; y < kSide; ++y)
        for (std::size_t x = 0; x < kSide; ++x) {
          const auto first = corner(colour);
          if (inside && (y < first || y >= first + 4 || x < first || x >= first + 4)) continue;
          auto& out = all.data[y * kSide + x];
          out = std::max(out, maps.data[colour * kPixels + y * kSide + x]);
        }
    OverlayOptions options;
    options.view = View{0, 0, kTimes * kSize, kTimes * kSize};
    auto out = overlay(enlarged(picture_, kTimes), normalized(all, Normalize::max), options);
    for (const std::int64_t first : {4, 8})
      out = draw_box(std::move(out), {kTimes * first, kTimes * first, kTimes * 4, kTimes * 4});
    const std::string from = "\xE2\x81\xA8", to = "\xE2\x81\xA9";
    return captioned(out, {{}, {from + "red" + to + " 0.99, " + from + "green" + to + " 0.99"}})
        .image;
  }

  Image picture_;
  Scratch scratch_;
};

TEST_F(Objects, AreTheLargestOfTheirMaps) {
  expect_done(boxes({"--objects", "all.png", "--map", "maps.npy"}));
  const auto maps = cli::read_npy(scratch_ / "maps.npy");
  ASSERT_EQ(maps.shape, (Shape{2, kSize, kSize}));
  EXPECT_EQ(read_image(scratch_ / "all.png").rgb, expected(maps, false).rgb);
  expect_done(boxes({"--objects", "inside.png", "--inside-boxes"}));
  EXPECT_EQ(read_image(scratch_ / "inside.png").rgb, expected(maps, true).rgb);
  EXPECT_NE(expected(maps, true).rgb, expected(maps, false).rgb) << "nothing lies beyond the boxes";
}

TEST_F(Objects, AreMadeAgain) {
  expect_done(boxes({"--objects", "all.png", "--inside-boxes"}));
  expect_done(scratch_.fovea(
      {"explain", "--replay", "all.png", "--objects", "again.png", "--inside-boxes"}));
  EXPECT_EQ(read_image(scratch_ / "again.png").rgb, read_image(scratch_ / "all.png").rgb);
}

TEST_F(Objects, OfNothingFoundAreThePhoto) {
  const Image black{kSize, kSize, std::vector<std::uint8_t>(3 * kPixels)};
  write_image(scratch_ / "black.png", black);
  expect_done(run({"black.png", "--preprocess", R"({"geometry": "stretch"})", "--target", "boxes",
                   "--objects", "none.png"}));
  EXPECT_EQ(read_image(scratch_ / "none.png").rgb, black.rgb);
}

TEST_F(Objects, AreBoxes) {
  refused(scratch_.fovea({"explain", "--objects", "a.png"}), "--objects is of boxes");
  EXPECT_FALSE(fs::exists(scratch_ / "a.png"));
  refused(boxes({"--inside-boxes"}), "--objects");
  refused(boxes({"--objects", "a.npy"}), ".png");
  refused(scratch_.fovea({"explain", "--method", "gradcam,layercam", "--output", "a.png",
                          "--objects", "b.png"}),
          "--objects");
}

}  // namespace
}  // namespace fovea::cli_test
