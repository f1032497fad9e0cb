// fovea explain --box: the numbers, the rectangle, and what there is no box of.
#include "colours.hpp"
#include "fovea/localization.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

json as_json(const Box& box, double share) {
  return {
      {"x", box.x}, {"y", box.y}, {"width", box.width}, {"height", box.height}, {"share", share}};
}

class Boxes : public testing::Test {
 protected:
  void SetUp() override { write_image(scratch_ / "photo.png", red_and_blue(60, 40)); }

  json run(Names extra) const {
    extra.insert(extra.begin(), {"explain", "--model", fixture("colours"), "--image", "photo.png",
                                 "--preprocess", R"({"geometry": "stretch"})"});
    extra.insert(extra.end(), {"--json", "-"});
    return json_of(scratch_.fovea(extra));
  }

  Scratch scratch_;
};

TEST_F(Boxes, AreThoseOfTheMapOnThePhoto) {
  const auto result = run({"--class", "0", "--class", "2", "--map", "map.npy", "--box"});
  const auto maps = cli::read_npy(scratch_ / "map.npy");
  ASSERT_EQ(maps.shape, (Shape{2, 40, 60}));
  const auto& rows = result["images"][0]["explanations"];
  for (std::size_t i = 0; i < 2; ++i) {
    const auto first = maps.data.begin() + static_cast<std::ptrdiff_t>(i * 2400);
    const auto box = find_box({{40, 60}, {first, first + 2400}});
    ASSERT_TRUE(box);
    EXPECT_EQ(rows[i]["box"], as_json(*box, 0.2));
  }
  EXPECT_EQ(result["box"], rows[0]["box"]);
  // Red is on the left, blue on the right, each from top to bottom.
  EXPECT_EQ(rows[0]["box"]["x"], 0);
  EXPECT_EQ(rows[0]["box"]["y"], 0);
  EXPECT_EQ(rows[0]["box"]["height"], 40);
  EXPECT_NEAR(rows[0]["box"]["width"].get<int>(), 30, 4);
  EXPECT_NEAR(rows[1]["box"]["x"].get<int>(), 30, 4);
}

TEST_F(Boxes, TakeTheShareThatIsGiven) {
  const auto narrow = run({"--class", "0", "--box", "0.9"})["box"];
  const auto wide = run({"--class", "0", "--box=0"})["box"];
  EXPECT_EQ(narrow["share"], 0.9);
  EXPECT_EQ(wide["share"], 0);
  EXPECT_LT(narrow["width"], wide["width"]);
}

TEST_F(Boxes, AreThereOnlyWhenAsked) {
  const auto result = run({"--class", "0"});
  EXPECT_FALSE(result.contains("box"));
  EXPECT_FALSE(result["images"][0]["explanations"][0].contains("box"));
}

TEST_F(Boxes, NothingHasNone) {
  const auto result = run({"--class", "1", "--box", "--output", "o.png"});  // nothing is green
  EXPECT_TRUE(result.contains("box"));
  EXPECT_TRUE(result["box"].is_null());
}

TEST_F(Boxes, AreDrawnOnTheOverlay) {
  run({"--class", "0", "--output", "plain.png", "--heatmap", "heat.png", "--no-enlarge"});
  const auto row = run(
      {"--class", "0", "--output", "o.png", "--heatmap", "h.png", "--box", "--no-enlarge"})["box"];
  const Box box{row["x"], row["y"], row["width"], row["height"]};
  EXPECT_EQ(read_image(scratch_ / "o.png").rgb,
            draw_box(read_image(scratch_ / "plain.png"), box).rgb);
  EXPECT_EQ(read_image(scratch_ / "h.png").rgb, read_image(scratch_ / "heat.png").rgb);
}

TEST_F(Boxes, ArePutIntoWords) {
  const auto outcome =
      scratch_.fovea({"explain", "--model", fixture("colours"), "--image", "photo.png", "--box"});
  expect_done(outcome);
  EXPECT_NE(outcome.out.find("\nbox          "), std::string::npos) << outcome.out;
}

TEST_F(Boxes, OfATensorLieInItsPixels) {
  write_npy(scratch_ / "x.npy", some_colours(2));
  const auto result =
      json_of(scratch_.fovea({"explain", "--model", fixture("colours"), "--input", "x.npy",
                              "--class", "0", "--box", "0.5", "--map", "m.npy", "--json", "-"}));
  const auto maps = cli::read_npy(scratch_ / "m.npy");
  for (std::size_t i = 0; i < 2; ++i) {
    const auto first = maps.data.begin() + static_cast<std::ptrdiff_t>(i * kPixels);
    const auto box =
        find_box({{kSize, kSize}, {first, first + static_cast<std::ptrdiff_t>(kPixels)}}, 0.5F);
    ASSERT_TRUE(box);
    EXPECT_EQ(result["images"][i]["explanations"][0]["box"], as_json(*box, 0.5));
  }
}

}  // namespace
}  // namespace fovea::cli_test
