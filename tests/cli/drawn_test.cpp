// What pictures show: what the network did not see, maps of pixels, small inputs, volumes, nothing.
#include "colours.hpp"
#include "fovea/fovea.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

const std::string kGolden = FOVEA_SOURCE_DIR "/tests/image/golden/";

Image speckled(int width, int height) {
  Image image{width, height, {}};
  unsigned state = 7;
  for (int i = 0; i < 3 * width * height; ++i) {
    state = state * 1664525U + 1013904223U;
    image.rgb.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  return image;
}

std::vector<std::uint8_t> pixel_at(const Image& image, int x, int y) {
  const auto first = image.rgb.begin() + 3 * (std::ptrdiff_t{y} * image.width + x);
  return {first, first + 3};
}

bool within(const json& box, int x, int y) {
  return box["x"] <= x && x < box["x"].get<int>() + box["width"].get<int>() && box["y"] <= y &&
         y < box["y"].get<int>() + box["height"].get<int>();
}

class Drawings : public testing::Test {
 protected:
  Outcome explain(const std::string& image, const std::string& recipe, Names more) const {
    more.insert(more.begin(), {"explain", "--model", fixture("colours"), "--image", image,
                               "--preprocess", recipe, "--class", "0"});
    return scratch_.fovea(more);
  }
  json told(const std::string& image, const std::string& recipe, Names more) const {
    more.emplace_back("--json");
    return json_of(explain(image, recipe, std::move(more)));
  }

  Scratch scratch_;
};

TEST_F(Drawings, LeaveThePhotoAsItIsWhereTheNetworkDidNotLook) {
  write_image(scratch_ / "wide.png", speckled(230, 90));
  write_image(scratch_ / "high.png", speckled(71, 150));
  int beside = 0, drawn = 0;
  for (const std::string& image :
       {scratch_ / "wide.png", scratch_ / "high.png", kGolden + "turned.png",
        kGolden + "orientation_long.jpg", kGolden + "turned.webp"})
    for (const std::string recipe :
         {"imagenet", "caffe", R"({"geometry": "resize-crop", "shorter_side": 40})",
          R"({"geometry": "squash-crop", "resized_width": 30, "resized_height": 16})",
          R"({"geometry": "cover-crop", "resized_width": 24, "resized_height": 24})",
          R"({"geometry": "contain-crop"})", R"({"geometry": "letterbox"})"})
      for (const std::string method : {"gradcam", "gradient-x-input"}) {
        const auto seen = told(image, recipe,
                               {"--method", method, "--output", "o.png", "--heatmap", "h.png",
                                "--map", "m.npy", "--no-enlarge"})["seen"];
        const auto photo = read_image(image), over = read_image(scratch_ / "o.png");
        const auto heat = read_image(scratch_ / "h.png");
        const auto map = cli::read_npy(scratch_ / "m.npy");
        ASSERT_EQ(over.width, photo.width);
        ASSERT_EQ(over.height, photo.height);
        for (int y = 0; y < photo.height; ++y)
          for (int x = 0; x < photo.width; ++x) {
            if (within(seen, x, y)) {
              drawn += pixel_at(photo, x, y) != pixel_at(over, x, y);
              continue;
            }
            ++beside;
            ASSERT_EQ(pixel_at(over, x, y), pixel_at(photo, x, y))
                << image << " " << recipe << " " << method << " " << x << " " << y;
            ASSERT_EQ(pixel_at(heat, x, y), std::vector(kUnseen.begin(), kUnseen.end()));
            ASSERT_EQ(map.data[static_cast<std::size_t>(y * photo.width + x)], 0);
          }
      }
  EXPECT_GT(beside, 10000);
  EXPECT_GT(drawn, 10000);
}

TEST_F(Drawings, SayHowMuchOfThePhotoWasSeen) {
  write_image(scratch_ / "photo.png", red_and_blue(160, 80));
  const auto text = [&](const std::string& recipe) {
    const auto outcome = explain("photo.png", recipe, {});
    expect_done(outcome);
    return outcome.out;
  };
  EXPECT_NE(text("caffe").find("saw          the middle 50 % of the photo (80 x 80 from column 40, "
                               "row 0)\n"),
            std::string::npos);
  EXPECT_NE(text("raw").find("saw          the whole photo\n"), std::string::npos);
  const json seen = {{"x", 40}, {"y", 0}, {"width", 80}, {"height", 80}, {"share", 0.5}};
  EXPECT_EQ(told("photo.png", "caffe", {})["seen"], seen);
  EXPECT_EQ(json_of(scratch_.fovea({"predict", "--model", fixture("colours"), "--image",
                                    "photo.png", "--preprocess", "caffe", "--json"}))["seen"],
            seen);
}

TEST_F(Drawings, ABoxThatEndsWithWhatWasSeenSaysSo) {
  write_image(scratch_ / "photo.png", red_and_blue(160, 80));
  const auto box = told("photo.png", "caffe", {"--box", "--output", "o.png"})["box"];
  EXPECT_EQ(box["at_frame"], (Names{"right"})) << "blue comes first in this recipe";
  EXPECT_FALSE(told("photo.png", "raw", {"--box"})["box"].contains("at_frame"));
  const auto outcome = explain("photo.png", "caffe", {"--box"});
  EXPECT_NE(
      outcome.out.find("; on the right it ends with what the network saw, and the thing may go on"),
      std::string::npos)
      << outcome.out;
}

TEST_F(Drawings, TheWholePhotoInPlaceOfTheCrop) {
  write_image(scratch_ / "photo.png", speckled(150, 90));
  const auto run = [&](Names more, const std::string& map) {
    more.insert(more.end(), {"--map", map, "--json", map + ".json"});
    return explain("photo.png", "caffe", more);
  };
  const std::string said = "the network was shown the whole photo, ";
  for (const std::string how : {"stretch", "letterbox"}) {
    const auto outcome = run({"--whole", how}, "whole.npy");
    expect_done(outcome);
    EXPECT_NE(outcome.out.find("saw          the whole photo\n"), std::string::npos);
    EXPECT_NE(outcome.out.find("preprocess   caffe, but the whole photo, " + how),
              std::string::npos)
        << outcome.out;
    EXPECT_NE(outcome.err.find(said + how), std::string::npos) << outcome.err;
    const auto result = json::parse(read_file(scratch_ / "whole.npy.json"));
    EXPECT_EQ(result["preprocess"]["geometry"], how);
    EXPECT_EQ(result["seen"]["share"], 1);
    EXPECT_EQ(result["provenance"]["whole"], how);
    EXPECT_EQ(result["provenance"]["preprocess"]["geometry"], "center-square");
    // The same as a recipe that says so, and as its replay.
    expect_done(explain("photo.png",
                        R"({"order": "BGR", "scale": 1, "mean": [104, 117, 123], "std": 1, )"
                        R"("geometry": ")" +
                            how + R"("})",
                        {"--map", "recipe.npy"}));
    expect_done(scratch_.fovea({"explain", "--replay", "whole.npy.json", "--map", "again.npy"}));
    const auto map = cli::read_npy(scratch_ / "whole.npy").data;
    EXPECT_EQ(map, cli::read_npy(scratch_ / "recipe.npy").data);
    EXPECT_EQ(map, cli::read_npy(scratch_ / "again.npy").data);
  }
  expect_done(run({"--whole"}, "alone.npy"));
  expect_done(run({"--whole", "stretch"}, "stretch.npy"));
  EXPECT_EQ(cli::read_npy(scratch_ / "alone.npy").data,
            cli::read_npy(scratch_ / "stretch.npy").data);
  EXPECT_EQ(told("photo.png", "raw", {"--whole"})["warnings"], json::array())
      << "that recipe has no crop";
  write_npy(scratch_ / "x.npy", some_colours());
  const auto refused = scratch_.fovea(
      {"explain", "--model", fixture("colours"), "--input", "x.npy", "--whole", "--map", "m.npy"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("--whole is for photos"), std::string::npos) << refused.err;
}

TEST_F(Drawings, MapsOfPixelsAreScaledByAPercentileOverAPalePhoto) {
  write_image(scratch_ / "photo.png", speckled(90, 90));
  const Names how = {
      "--method", "gradient-x-input", "--minus", "2", "--output", "o.png", "--heatmap",
      "h.png",    "--feature-map",    "f.npy"};
  const auto with = [&](Names more) {
    more.insert(more.begin(), how.begin(), how.end());
    return told("photo.png", "caffe", std::move(more))["images"][0]["explanations"][0]["colors"];
  };
  const View view{0, 0, 90, 90};
  for (const double percentile : {99.0, 80.0, 100.0}) {
    const auto colours =
        percentile == 99 ? with({}) : with({"--percentile", std::to_string(percentile)});
    auto map = cli::read_npy(scratch_ / "f.npy");
    ASSERT_LT(*std::min_element(map.data.begin(), map.data.end()), 0);
    const float full = full_scale(map, percentile);
    EXPECT_EQ(
        colours,
        (json{{"full_at", colours["full_at"]}, {"percentile", percentile}, {"signed", true}}));
    EXPECT_FLOAT_EQ(colours["full_at"].get<float>(), full);
    for (auto& v : map.data) v /= full;
    EXPECT_EQ(read_image(scratch_ / "h.png").rgb,
              heatmap(map, view, 90, 90, Colormap::red_blue).rgb);
    OverlayOptions options{0.5, Colormap::red_blue, view};
    options.by_value = options.pale = true;
    EXPECT_EQ(read_image(scratch_ / "o.png").rgb,
              overlay(read_image(scratch_ / "photo.png"), map, options).rgb);
  }
  // As heat, what speaks against it is nothing.
  EXPECT_EQ(with({"--rendering", "heat", "--colormap", "magma"})["signed"], false);
  auto map = cli::read_npy(scratch_ / "f.npy");
  const float full = full_scale(map);
  for (auto& v : map.data) v /= full;
  EXPECT_EQ(read_image(scratch_ / "h.png").rgb, heatmap(map, view, 90, 90, Colormap::magma).rgb);
  EXPECT_TRUE(
      told("photo.png", "caffe", {"--output", "o.png"})["images"][0]["explanations"][0]["colors"]
          .is_null());
  EXPECT_EQ(explain("photo.png", "caffe", {"--percentile", "101"}).status, 2);
}

TEST_F(Drawings, OpacityFollowsTheValueWhereAsked) {
  write_image(scratch_ / "photo.png", speckled(90, 90));
  const auto result = told("photo.png", "caffe",
                           {"--opacity", "value", "--alpha", "0.7", "--colormap", "viridis",
                            "--output", "o.png", "--feature-map", "f.npy"});
  EXPECT_EQ(result["provenance"]["opacity"], "value");
  OverlayOptions options{0.7, Colormap::viridis, View{0, 0, 90, 90}};
  options.by_value = true;
  EXPECT_EQ(read_image(scratch_ / "o.png").rgb,
            overlay(read_image(scratch_ / "photo.png"),
                    normalized(cli::read_npy(scratch_ / "f.npy"), Normalize::max), options)
                .rgb);
}

TEST_F(Drawings, SmallPicturesAreEnlargedInWholeSteps) {
  write_image(scratch_ / "photo.png", speckled(50, 32));
  write_npy(scratch_ / "x.npy", some_colours());
  const auto explanation = [](const json& result) {
    return result["images"][0]["explanations"][0];
  };
  const Names names = {"--output", "o.png", "--heatmap", "h.png", "--box", "--alpha", "0"};
  const auto row = explanation(told("photo.png", "caffe", names));
  EXPECT_EQ(row["enlarged"], 6);
  auto over = read_image(scratch_ / "o.png");
  EXPECT_EQ(over.width, 300);
  EXPECT_EQ(over.height, 192);
  EXPECT_EQ(read_image(scratch_ / "h.png").width, 300);
  // Numbers are of the photo's pixels, and the box's lines lie at its place.
  EXPECT_LE(row["box"]["x"].get<int>() + row["box"]["width"].get<int>(), 50);
  auto expected =
      draw_frame(enlarged(read_image(scratch_ / "photo.png"), 6), View{54, 0, 246, 192});
  expected = draw_box(
      std::move(expected),
      {6 * row["box"]["x"].get<std::int64_t>(), 6 * row["box"]["y"].get<std::int64_t>(),
       6 * row["box"]["width"].get<std::int64_t>(), 6 * row["box"]["height"].get<std::int64_t>()});
  EXPECT_EQ(over.rgb, expected.rgb);
  const auto of_tensor =
      json_of(scratch_.fovea({"explain", "--model", fixture("colours"), "--input", "x.npy",
                              "--heatmap", "h.png", "--json"}));
  EXPECT_EQ(explanation(of_tensor)["enlarged"], 16);
  EXPECT_EQ(read_image(scratch_ / "h.png").width, 256);
  EXPECT_FALSE(explanation(told("photo.png", "caffe", {"--output", "o.png", "--no-enlarge"}))
                   .contains("enlarged"));
  EXPECT_EQ(read_image(scratch_ / "o.png").width, 50);
  write_image(scratch_ / "photo.png", speckled(65, 32));
  told("photo.png", "caffe", {"--output", "o.png"});
  EXPECT_EQ(read_image(scratch_ / "o.png").width, 65);
}

TEST_F(Drawings, WhatShowsNothingSaysSo) {
  Image green{80, 80, {}};
  for (int i = 0; i < 6400; ++i)
    for (const int level : {0, 200, 0}) green.rgb.push_back(static_cast<std::uint8_t>(level));
  write_image(scratch_ / "photo.png", green);
  const auto outcome = explain("photo.png", "raw", {"--output", "o.png"});
  expect_done(outcome);
  EXPECT_NE(
      outcome.out.find("looked at    gradcam showed no evidence for class 0: its map is zero "
                       "everywhere. Try another --layer, or --method layercam or occlusion\n"),
      std::string::npos)
      << outcome.out;
  // No colours over it: the photo in grey, half way to white.
  const auto over = read_image(scratch_ / "o.png");
  EXPECT_EQ(over.rgb, std::vector<std::uint8_t>(std::size_t{3} * 6400, 186));
  const auto sheet =
      explain("photo.png", "raw", {"--method", "gradcam,saliency", "--output", "s.png"});
  expect_done(sheet);
  EXPECT_NE(sheet.out.find("\nnothing      gradcam showed no evidence for class 0"),
            std::string::npos)
      << sheet.out;
}

TEST_F(Drawings, ASheetOfAVolumeShowsTheSameSlicesOfEveryMethod) {
  Tensor input{{1, 3, 4, 6, 8}, std::vector<float>(3 * 4 * 6 * 8)};
  for (std::size_t i = 0; i < input.data.size(); ++i)
    input.data[i] = static_cast<float>(i * 31 % 97) / 96.0F;
  write_npy(scratch_ / "x.npy", input);
  const auto outcome =
      scratch_.fovea({"explain", "--model", fixture("volume"), "--input", "x.npy", "--method",
                      "gradcam,layercam", "--output", "sheet.png", "--json", "s.json"});
  expect_done(outcome);
  EXPECT_NE(outcome.out.find("slices       all 4\n"), std::string::npos) << outcome.out;
  for (const auto& row : json::parse(read_file(scratch_ / "s.json"))["explanations"])
    EXPECT_EQ(row["slices"], (std::vector<int>{0, 1, 2, 3}));
  // Three rows, the volume's own and one for each method, of four slices.
  const auto sheet = read_image(scratch_ / "sheet.png");
  EXPECT_EQ(sheet.width, 8 + 4 * (256 + 8));
  EXPECT_GE(sheet.height, 8 + 3 * (24 + 90 + 8));
  expect_done(scratch_.fovea({"explain", "--model", fixture("volume"), "--input", "x.npy",
                              "--alpha", "0", "--output", "plain.png"}));
  const auto plain = read_image(scratch_ / "plain.png");
  // The volume itself and what lies under the heat are the same slices, below captions of some
  // lines.
  const auto shows_them = [&](int above) {
    for (int column = 0; column < 4; ++column)
      if (pixel_at(sheet, 8 + column * 264 + 60, 8 + above + 45) !=
          pixel_at(plain, 8 + column * 128 + 60, 8 + 24 + 45))
        return false;
    return true;
  };
  int above = 24;
  while (above < 120 && !shows_them(above)) ++above;
  EXPECT_LT(above, 120);
}

}  // namespace
}  // namespace fovea::cli_test
