// How much of a photo the program decodes, and that nothing but the time tells.
#include "colours.hpp"
#include "fovea/fovea.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

class Decode : public testing::Test {
 protected:
  void SetUp() override { write_image(scratch_ / "photo.jpg", red_and_blue(800, 480)); }

  Outcome run(const std::string& command, const Names& extra,
              const std::string& image = "photo.jpg",
              const std::string& recipe = R"({"geometry": "stretch"})") const {
    Names arguments = {command,   "--model", fixture("labelled"),
                       "--image", image,     "--preprocess",
                       recipe,    "--json",  "-"};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    return scratch_.fovea(arguments);
  }

  const Shape whole_ = {480, 800}, eighth_ = {60, 100};
  Scratch scratch_;
};

TEST_F(Decode, ALargeJpegIsReducedForThePredictions) {
  const auto reduced = json_of(run("predict", {}));
  const auto exact = json_of(run("predict", {"--exact-decode"}));
  EXPECT_EQ(reduced["decoded"], eighth_);
  EXPECT_EQ(exact["decoded"], whole_);
  ASSERT_EQ(reduced["predictions"].size(), exact["predictions"].size());
  for (std::size_t i = 0; i < exact["predictions"].size(); ++i) {
    EXPECT_EQ(reduced["predictions"][i]["class"], exact["predictions"][i]["class"]);
    EXPECT_NEAR(reduced["predictions"][i]["logit"].get<double>(),
                exact["predictions"][i]["logit"].get<double>(), 0.01);
  }
}

TEST_F(Decode, TheMapStaysInThePhotosPixels) {
  const auto reduced =
      json_of(run("explain", {"--map", "reduced.npy", "--heatmap", "reduced.png"}));
  const auto exact =
      json_of(run("explain", {"--map", "exact.npy", "--heatmap", "exact.png", "--exact-decode"}));
  EXPECT_EQ(reduced["decoded"], eighth_);
  EXPECT_EQ(exact["decoded"], whole_);
  EXPECT_EQ(reduced["map"]["shape"], whole_);
  const auto map = cli::read_npy(scratch_ / "reduced.npy");
  EXPECT_EQ(map.shape, whole_);
  expect_near(map.data, cli::read_npy(scratch_ / "exact.npy").data, 0.02);
  EXPECT_EQ(read_image(scratch_ / "reduced.png").width, 800);
}

TEST_F(Decode, AnOverlayIsDrawnOverEveryPixel) {
  const auto result = json_of(run("explain", {"--output", "over.png", "--alpha", "0"}));
  EXPECT_EQ(result["decoded"], whole_);
  EXPECT_EQ(read_image(scratch_ / "over.png").rgb, read_image(scratch_ / "photo.jpg").rgb);
}

TEST_F(Decode, EveryClassIsDrawnOverThePhotoAsItWas) {
  expect_done(run("explain", {"--class", "0", "--class", "2", "--output", "both.png"}));
  for (const auto& [name, label] : {std::pair{"both-1.png", "0"}, {"both-2.png", "2"}}) {
    expect_done(run("explain", {"--class", label, "--output", "one.png"}));
    EXPECT_EQ(read_file(scratch_ / name), read_file(scratch_ / "one.png")) << label;
  }
}

TEST_F(Decode, OtherFormatsAndResizesAreDecodedInFull) {
  write_image(scratch_ / "photo.png", red_and_blue(800, 480));
  EXPECT_EQ(json_of(run("predict", {}, "photo.png"))["decoded"], whole_);
  EXPECT_EQ(json_of(run("predict", {}, "photo.jpg", R"({"resize": "area"})"))["decoded"], whole_);
}

}  // namespace
}  // namespace fovea::cli_test
