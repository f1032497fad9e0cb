#include <algorithm>
#include <cmath>

#include "colours.hpp"

namespace fovea::cli_test {
namespace {

using cli::read_npy;
using Names = std::vector<std::string>;

TEST(Explain, GradCamOfATensorIsTheKnownOne) {
  const Scratch scratch;
  const auto input = some_colours();
  write_npy(scratch / "x.npy", input);
  expect_done(
      scratch.fovea({"explain", "--model", fixture("colours"), "--input", "x.npy", "--class", "1",
                     "--map", "map.npy", "--feature-map", "grid.npy", "--logits", "logits.npy"}));
  const auto green = rectified(input, 0, 1);
  const auto grid = read_npy(scratch / "grid.npy");
  EXPECT_EQ(grid.shape, (Shape{kSize, kSize}));
  expect_near(grid.data, divided(green, kPixels), 1e-7);
  const auto map = read_npy(scratch / "map.npy");
  EXPECT_EQ(map.shape, (Shape{kSize, kSize}));
  expect_near(map.data, divided(green, largest(green)), 1e-5);
  const auto logits = read_npy(scratch / "logits.npy");
  EXPECT_EQ(logits.shape, (Shape{1, 3}));
  for (std::size_t colour = 0; colour < 3; ++colour)
    EXPECT_NEAR(logits.data[colour], mean_of(rectified(input, 0, colour)), 1e-6);
}

TEST(Explain, CamOfATensorIsTheKnownOne) {
  const Scratch scratch;
  const auto input = some_colours();
  write_npy(scratch / "x.npy", input);
  expect_done(scratch.fovea({"explain", "--model", fixture("colours"), "--input", "x.npy",
                             "--class", "0", "--method", "cam", "--feature-map", "grid.npy"}));
  expect_near(read_npy(scratch / "grid.npy").data, rectified(input, 0, 0), 1e-6);
}

TEST(Explain, EveryWayOfRunningAgrees) {
  const Scratch scratch;
  write_npy(scratch / "x.npy", some_colours());
  for (const auto& extra :
       {Names{"--no-optimize"}, Names{"--threads", "1"}, Names{"--threads", "3"},
        Names{"--layer", "features"}, Names{"--layer", "relu"}, Names{"--layer", "Relu"},
        Names{"--output-name", "scores"}}) {
    Names arguments = {"explain", "--model", fixture("colours"), "--input", "x.npy",
                       "--class", "2",       "--feature-map",    "grid.npy"};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    expect_done(scratch.fovea(arguments));
    expect_near(read_npy(scratch / "grid.npy").data,
                divided(rectified(some_colours(), 0, 2), kPixels), 1e-7);
  }
}

TEST(Explain, NormalizeIsWhatItSays) {
  const Scratch scratch;
  auto input = some_colours();
  for (auto& value : input.data) value += 0.5F;  // so that the minimum is not 0
  write_npy(scratch / "x.npy", input);
  const auto red = divided(rectified(input, 0, 0), kPixels);
  const auto low = *std::min_element(red.begin(), red.end());
  auto stretched = red;
  for (auto& value : stretched) value = (value - low) / (largest(red) - low);
  ASSERT_GT(low, 0);
  const std::vector<std::pair<std::string, std::vector<float>>> cases = {
      {"max", divided(red, largest(red))}, {"minmax", stretched}, {"none", red}};
  for (const auto& [how, expected] : cases) {
    expect_done(scratch.fovea({"explain", "--model", fixture("colours"), "--input", "x.npy",
                               "--class", "0", "--normalize", how, "--map", "map.npy"}));
    expect_near(read_npy(scratch / "map.npy").data, expected, 1e-5);
  }
}

TEST(Explain, ABatchOfSeveralClassesIsStacked) {
  const Scratch scratch;
  const auto input = some_colours(2);
  write_npy(scratch / "x.npy", input);
  const auto json = json_of(
      scratch.fovea({"explain", "--model", fixture("colours"), "--input", "x.npy", "--class", "2",
                     "--class", "0", "--feature-map", "grid.npy", "--map", "map.npy", "--logits",
                     "logits.npy", "--output", "o.png", "--json", "-"}));
  EXPECT_EQ(read_npy(scratch / "logits.npy").shape, (Shape{2, 3}));
  EXPECT_EQ(read_npy(scratch / "map.npy").shape, (Shape{2, 2, kSize, kSize}));
  const auto grid = read_npy(scratch / "grid.npy");
  ASSERT_EQ(grid.shape, (Shape{2, 2, kSize, kSize}));
  std::size_t at = 0;
  for (const std::size_t image : {0U, 1U})
    for (const std::size_t colour : {2U, 0U}) {
      const auto first = grid.data.begin() + static_cast<std::ptrdiff_t>(at++ * kPixels);
      expect_near({first, first + static_cast<std::ptrdiff_t>(kPixels)},
                  divided(rectified(input, image, colour), kPixels), 1e-7);
    }
  EXPECT_EQ(scratch.names(), (Names{"grid.npy", "logits.npy", "map.npy", "o-1-1.png", "o-1-2.png",
                                    "o-2-1.png", "o-2-2.png", "x.npy"}));
  ASSERT_EQ(json["images"].size(), 2U);
  EXPECT_EQ(json["images"][1]["explanations"][1]["target"]["class"], 0);
  EXPECT_EQ(json["images"][1]["explanations"][1]["overlay"], "o-2-2.png");
}

TEST(Explain, TopTakesTheBestFirst) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(32, 32));
  const auto json =
      json_of(scratch.fovea({"explain", "--model", fixture("colours"), "--image", "photo.png",
                             "--preprocess", R"({"geometry": "stretch"})", "--top", "3", "--output",
                             "o.png", "--heatmap", "h.jpg", "--map", "map.npy", "--json", "-"}));
  EXPECT_EQ(scratch.names(), (Names{"h-1.jpg", "h-2.jpg", "h-3.jpg", "map.npy", "o-1.png",
                                    "o-2.png", "o-3.png", "photo.png"}));
  EXPECT_EQ(read_npy(scratch / "map.npy").shape, (Shape{3, 32, 32}));
  const auto& rows = json["images"][0]["explanations"];
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]["target"]["class"], 0);  // 255 red beats 200 blue
  EXPECT_EQ(rows[1]["target"]["class"], 2);
  EXPECT_EQ(rows[2]["target"]["class"], 1);
  EXPECT_TRUE(rows[2]["map"]["max_at"].is_null());  // nothing is green
  EXPECT_EQ(json["warnings"].size(), 1U) << json["warnings"];
}

TEST(Explain, TheMapLiesOnThePhoto) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(60, 40));
  for (const std::string geometry : {"stretch", "letterbox"}) {
    const auto json = json_of(scratch.fovea(
        {"explain", "--model", fixture("colours"), "--image", "photo.png", "--preprocess",
         R"({"geometry": ")" + geometry + R"("})", "--class", "0", "--map", "map.npy", "--output",
         "overlay.png", "--heatmap", "heat.bmp", "--no-enlarge", "--json", "-"}));
    const auto map = read_npy(scratch / "map.npy");
    ASSERT_EQ(map.shape, (Shape{40, 60}));
    EXPECT_EQ(json["map"]["shape"], map.shape);
    EXPECT_EQ(json["map"]["grid"], (Shape{kSize, kSize}));
    EXPECT_NEAR(largest(map.data), 1, 1e-5);
    for (std::size_t y = 3; y < 37; ++y) {  // a letterbox's border reaches into the first rows
      EXPECT_GT(map.data[y * 60 + 10], 0.9) << geometry << y;  // red
      EXPECT_LT(map.data[y * 60 + 50], 0.1) << geometry << y;  // blue
    }
    const auto row = json["map"]["max_at"][0].get<std::size_t>();
    const auto column = json["map"]["max_at"][1].get<std::size_t>();
    EXPECT_EQ(map.data[row * 60 + column], largest(map.data));
    for (const auto* picture : {"overlay.png", "heat.bmp"}) {
      const auto image = read_image(scratch / picture);
      EXPECT_EQ(image.width, 60);
      EXPECT_EQ(image.height, 40);
    }
  }
}

TEST(Explain, TheOverlayBlendsAsTold) {
  const Scratch scratch;
  const auto photo = red_and_blue(kSize, kSize);
  write_image(scratch / "photo.png", photo);
  const Names common = {"explain",
                        "--model",
                        fixture("colours"),
                        "--image",
                        "photo.png",
                        "--preprocess",
                        R"({"geometry": "stretch"})",
                        "--class",
                        "0",
                        "--output",
                        "o.png",
                        "--heatmap",
                        "h.png",
                        "--map",
                        "m.npy",
                        "--no-enlarge",
                        "--colormap"};
  auto arguments = common;
  arguments.insert(arguments.end(), {"viridis", "--alpha", "0"});
  expect_done(scratch.fovea(arguments));
  EXPECT_EQ(read_image(scratch / "o.png").rgb, photo.rgb);
  arguments = common;
  arguments.insert(arguments.end(), {"inferno", "--alpha", "1"});
  expect_done(scratch.fovea(arguments));
  EXPECT_EQ(read_image(scratch / "o.png").rgb, read_image(scratch / "h.png").rgb);
  EXPECT_EQ(read_image(scratch / "h.png").rgb,
            heatmap(read_npy(scratch / "m.npy"), Colormap::inferno).rgb);
}

TEST(Explain, ATensorIsDrawnFromItself) {
  const Scratch scratch;
  auto input = some_colours();
  write_npy(scratch / "x.npy", input);
  const auto outcome = scratch.fovea({"explain", "--model", fixture("colours"), "--input", "x.npy",
                                      "--output", "o.png", "--alpha", "0", "--no-enlarge"});
  expect_done(outcome);
  EXPECT_NE(outcome.err.find("warning"), std::string::npos);
  const auto drawn = read_image(scratch / "o.png");
  ASSERT_EQ(drawn.width, kSize);
  const auto [low, high] = std::minmax_element(input.data.begin(), input.data.end());
  for (std::size_t i = 0; i < kPixels; ++i)
    for (std::size_t colour = 0; colour < 3; ++colour)
      EXPECT_NEAR(drawn.rgb[3 * i + colour],
                  255 * (input.data[colour * kPixels + i] - *low) / (*high - *low), 0.51);
}

TEST(Explain, AVolumeIsDrawnAsItsSlices) {
  const Scratch scratch;
  Tensor input{{1, 3, 4, 6, 8}, std::vector<float>(3 * 4 * 6 * 8)};
  for (std::size_t i = 0; i < input.data.size(); ++i)
    input.data[i] = static_cast<float>(i % 17) / 16.0F;
  write_npy(scratch / "x.npy", input);
  const auto json = json_of(scratch.fovea({"explain", "--model", fixture("volume"), "--input",
                                           "x.npy", "--class", "1", "--map", "map.npy", "--heatmap",
                                           "heat.png", "--output", "over.png", "--json"}));
  EXPECT_EQ(json["map"]["shape"], (Shape{4, 6, 8}));
  const auto map = read_npy(scratch / "map.npy");
  ASSERT_EQ(map.shape, (Shape{4, 6, 8}));
  expect_near(map.data, {input.data.begin() + 192, input.data.begin() + 384}, 1e-5);
  // Four slices side by side, each voxel 15 pixels wide, under their captions.
  const auto heat = read_image(scratch / "heat.png"), over = read_image(scratch / "over.png");
  ASSERT_EQ(heat.width, 4 * (120 + 8) + 8);
  ASSERT_EQ(heat.height, 8 + 24 + 90 + 8);
  ASSERT_EQ(over.width, heat.width);
  for (std::size_t d = 0; d < 4; ++d) {
    const auto begin = map.data.begin() + static_cast<std::ptrdiff_t>(48 * d);
    const auto want = heatmap(Tensor{{6, 8}, {begin, begin + 48}});
    for (std::size_t r = 0; r < 6; ++r)
      for (std::size_t c = 0; c < 8; ++c)
        for (std::size_t rgb = 0; rgb < 3; ++rgb) {
          const auto x = 8 + 128 * d + 15 * c + 7, y = 32 + 15 * r + 7;
          const auto at = 3 * (y * static_cast<std::size_t>(heat.width) + x) + rgb;
          const int hot = want.rgb[3 * (8 * r + c) + rgb];
          // Three channels are red, green and blue, from 0 to 1.
          const int own =
              static_cast<int>(std::lround(255 * input.data[192 * rgb + 48 * d + 8 * r + c]));
          ASSERT_EQ(heat.rgb[at], hot) << d << " " << r << " " << c;
          ASSERT_NEAR(over.rgb[at], (hot + own) / 2.0, 1) << d << " " << r << " " << c;
        }
  }
  const auto sheet = scratch.fovea({"explain", "--model", fixture("volume"), "--input", "x.npy",
                                    "--method", "gradcam,layercam", "--output", "sheet.png"});
  expect_done(sheet);
  EXPECT_EQ(scratch.names(), (Names{"heat.png", "map.npy", "over.png", "sheet.png", "x.npy"}));
}

/// A class whose score is mostly a bias: whatever LRP leaves to the image is told beside the map.
TEST(Explain, WhatBiasesTookIsToldEverywhere) {
  const Scratch scratch;
  Image orange{16, 16, {}};
  for (std::size_t i = 0; i < kPixels; ++i)
    for (const int level : {250, 120, 0}) orange.rgb.push_back(static_cast<std::uint8_t>(level));
  write_image(scratch / "x.png", orange);
  const auto explain = [&](Names extra) {
    extra.insert(extra.begin(), {"explain", "--model", fixture("class_maps"), "--image", "x.png",
                                 "--preprocess", "raw", "--class", "0"});
    return scratch.fovea(extra);
  };
  const std::string told = "biases took 80 % of the score";
  const Names epsilon = {"--method", "lrp", "--option", "composite=epsilon", "--output", "why.png"};
  const auto outcome = explain(epsilon);
  expect_done(outcome);
  EXPECT_NE(outcome.out.find("1000 went to biases (80 %)"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find(told), std::string::npos) << outcome.err;
  const auto texts = read_texts(scratch / "why.png");
  EXPECT_TRUE(std::any_of(texts.begin(), texts.end(), [&](const ImageText& text) {
    return text.key == "Warning" && text.text.find(told) == 0;
  }));
  const auto json =
      json_of(explain({"--method", "lrp", "--option", "composite=epsilon", "--json"}));
  EXPECT_NE(json["warnings"].dump().find(told), std::string::npos);
  // The default takes a convolution's biases for zero.
  const auto plain = json_of(explain({"--method", "lrp", "--json"}));
  EXPECT_TRUE(plain["warnings"].empty()) << plain["warnings"];
  const auto& rule = plain["images"][0]["explanations"][0]["sum_rule"];
  EXPECT_EQ(rule["biases"], 0.0);
  EXPECT_NEAR(rule["attributed"].get<double>(), 1250, 0.1);
  // A green picture has nothing that the class weighs: the bias is all of its score.
  Image green{16, 16, {}};
  for (std::size_t i = 0; i < kPixels; ++i)
    for (const int level : {0, 200, 0}) green.rgb.push_back(static_cast<std::uint8_t>(level));
  write_image(scratch / "x.png", green);
  const auto nothing = explain({"--method", "lrp"});
  expect_done(nothing);
  EXPECT_NE(nothing.out.find(", 0 went to biases (0 %), 1000 to stabilizers (100 %), "),
            std::string::npos)
      << nothing.out;
  EXPECT_NE(nothing.err.find("stabilizers took 100 % of the score"), std::string::npos);
  const auto lost = json_of(explain({"--method", "lrp", "--json"}));
  EXPECT_NE(lost["warnings"].dump().find("stabilizers took 100 %"), std::string::npos);
  const auto& none = lost["images"][0]["explanations"][0]["sum_rule"];
  EXPECT_NEAR(none["lost_share"].get<double>(), 1, 1e-6);
  // On a sheet it is said of the method that it is of.
  const auto sheet = explain({"--method", "gradcam,lrp", "--output", "s.png", "--json", "s.json"});
  expect_done(sheet);
  EXPECT_NE(sheet.err.find("warning: lrp: stabilizers took 100 % of the score"), std::string::npos)
      << sheet.err;
  const auto listed = nlohmann::json::parse(read_file(scratch / "s.json"));
  EXPECT_NE(listed["warnings"].dump().find("lrp: stabilizers took 100 %"), std::string::npos);
  EXPECT_NEAR(listed["explanations"][1]["sum_rule"]["lost_share"].get<double>(), 1, 1e-6);
  EXPECT_FALSE(listed["explanations"][0].contains("sum_rule"));
}

TEST(Explain, AnOlderFileIsReplaced) {
  const Scratch scratch;
  write_npy(scratch / "x.npy", some_colours());
  write_file(scratch / "map.npy", "older");
  expect_done(scratch.fovea(
      {"explain", "--model", fixture("colours"), "--input", "x.npy", "--map", "map.npy"}));
  EXPECT_EQ(read_npy(scratch / "map.npy").shape, (Shape{kSize, kSize}));
  EXPECT_EQ(scratch.names(), (Names{"map.npy", "x.npy"}));
}

TEST(Explain, TokensLieOnTheGridThatIsFoundOrGiven) {
  const std::string data = FOVEA_SOURCE_DIR "/tests/golden/data/";
  const Scratch scratch;
  const Names common = {
      "explain",       "--model", data + "vit/model.onnx", "--input", data + "inputs/3x36x48.npy",
      "--feature-map", "grid.npy"};
  const auto grid_with = [&](const Names& more) {
    auto arguments = common;
    arguments.insert(arguments.end(), more.begin(), more.end());
    expect_done(scratch.fovea(arguments));
    return read_npy(scratch / "grid.npy");
  };
  const auto found = grid_with({});
  EXPECT_EQ(found.shape, (Shape{2, 6, 8}));
  const auto given = grid_with({"--token-grid", "8x6", "--prefix-tokens", "1"});
  EXPECT_EQ(given.shape, (Shape{2, 8, 6}));
  EXPECT_EQ(given.data, found.data);
  auto wrong = common;
  wrong.insert(wrong.end(), {"--token-grid", "6x9"});
  const auto outcome = scratch.fovea(wrong);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("49 tokens, and the token grid 6x9 has 54 places"), std::string::npos)
      << outcome.err;
  const auto json =
      json_of(scratch.fovea({"inspect", "--model", data + "vit/model.onnx", "--json", "-"}));
  for (const auto& layer : json["layers"])
    EXPECT_TRUE(!layer["default"] || layer["grid"] == nlohmann::json(Shape{6, 8})) << layer;
}

TEST(Explain, TheDemoNeedsNoArgument) {
  if (!std::filesystem::exists(FOVEA_SOURCE_DIR "/tools/demo/models/demo_gap.onnx"))
    GTEST_SKIP() << "the demo's models are not in this checkout";
  const Scratch scratch;
  const auto json = json_of(scratch.fovea({"explain", "--output", "o.png", "--json", "-"}));
  EXPECT_EQ(scratch.names(), Names{"o.png"});
  EXPECT_TRUE(json["target"]["label"].is_string());
  EXPECT_GT(json["target"]["probability"].get<double>(), 0.5);
  const auto photo = read_image(FOVEA_SOURCE_DIR "/tools/demo/scenes/scene_1.png");
  EXPECT_EQ(json["map"]["shape"], (Shape{photo.height, photo.width}));
}

}  // namespace
}  // namespace fovea::cli_test
