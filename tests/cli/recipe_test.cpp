#include "recipe.hpp"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace fovea::cli {
namespace {

using Numbers = std::array<double, 3>;

std::string refusal(const std::string& text) {
  try {
    read_recipe(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  ADD_FAILURE() << text << " accepted";
  return {};
}

void expect_refused(const std::string& json, const std::string& key) {
  const auto text = refusal(json);
  EXPECT_NE(text.find(key), std::string::npos) << json << " gives: " << text;
}

TEST(Recipe, KnowsThePresets) {
  EXPECT_EQ(read_recipe("imagenet").values.mean, Preprocess::imagenet().mean);
  EXPECT_EQ(read_recipe("inception").values.mean, Preprocess::inception().mean);
  EXPECT_EQ(read_recipe("caffe").values.order, Preprocess::Order::bgr);
  EXPECT_EQ(read_recipe("raw").values.scale, 1.0);
}

TEST(Recipe, FillsInWhatIsLeftOut) {
  const auto recipe = read_recipe("{}");
  EXPECT_EQ(recipe.values.order, Preprocess::Order::rgb);
  EXPECT_FALSE(recipe.order_given);
  EXPECT_EQ(recipe.values.scale, 1.0 / 255);
  EXPECT_EQ(recipe.values.mean, (Numbers{0, 0, 0}));
  EXPECT_EQ(recipe.values.std, (Numbers{1, 1, 1}));
  EXPECT_EQ(recipe.values.geometry, Preprocess::Geometry::resize_crop);
  EXPECT_EQ(recipe.values.shorter_side, 0);
  EXPECT_EQ(recipe.values.resize, Preprocess::Resize::bilinear_antialias);
}

TEST(Recipe, ReadsEveryKey) {
  const auto recipe = read_recipe(
      R"({"order": "BGR", "scale": 2, "mean": [104, 117.5, 123], "std": 0.5, "geometry": "letterbox",
          "shorter_side": 250, "resize": "area", "width": 64, "height": 48})");
  EXPECT_EQ(recipe.values.order, Preprocess::Order::bgr);
  EXPECT_TRUE(recipe.order_given);
  EXPECT_EQ(recipe.values.scale, 2.0);
  EXPECT_EQ(recipe.values.mean, (Numbers{104, 117.5, 123}));
  EXPECT_EQ(recipe.values.std, (Numbers{0.5, 0.5, 0.5}));
  EXPECT_EQ(recipe.values.geometry, Preprocess::Geometry::letterbox);
  EXPECT_EQ(recipe.values.shorter_side, 250);
  EXPECT_EQ(recipe.values.resize, Preprocess::Resize::area);
  EXPECT_EQ(recipe.width, 64);
  EXPECT_EQ(recipe.height, 48);
}

TEST(Recipe, ReadsAFile) {
  const cli_test::Scratch scratch;
  cli_test::write_file(scratch / "recipe.json", R"({"order": "L"})");
  EXPECT_EQ(read_recipe(scratch / "recipe.json").values.order, Preprocess::Order::luma);
  expect_refused(scratch / "missing.json", "missing.json");
  cli_test::write_file(scratch / "broken.json", R"({"order": )");
  expect_refused(scratch / "broken.json", "broken.json");
}

TEST(Recipe, NamesTheKeyThatIsWrong) {
  expect_refused("torch", "torch");
  expect_refused("{", "JSON");
  expect_refused(R"({"colour": "RGB"})", "colour");
  expect_refused(R"({"means": [0, 0, 0]})", "did you mean 'mean'");
  expect_refused(R"({"order": "RBG"})", "order");
  expect_refused(R"({"order": 3})", "order");
  expect_refused(R"({"scale": "1/255"})", "scale");
  expect_refused(R"({"scale": 0})", "scale");
  expect_refused(R"({"scale": 1e999})", "JSON");
  expect_refused(R"({"scale": NaN})", "JSON");
  expect_refused(R"({"mean": [1, 2]})", "mean");
  expect_refused(R"({"mean": [1, 2, "3"]})", "mean");
  expect_refused(R"({"mean": null})", "mean");
  expect_refused(R"({"std": [1, 0, 1]})", "std");
  expect_refused(R"({"geometry": "crop"})", "geometry");
  expect_refused(R"({"shorter_side": 256.5})", "shorter_side");
  expect_refused(R"({"shorter_side": -1})", "shorter_side");
  expect_refused(R"({"shorter_side": 18446744073709551615})", "shorter_side");
  expect_refused(R"({"resize": "cubic"})", "resize");
  EXPECT_THROW(parse_recipe("[1, 2]", ErrorCode::bad_model, ""), Error);
}

TEST(Recipe, GivesItselfBack) {
  for (const auto preset : {"imagenet", "inception", "caffe", "raw"}) {
    const auto recipe = read_recipe(preset).values;
    const auto back = read_recipe(to_json(recipe).dump()).values;
    EXPECT_EQ(to_json(back), to_json(recipe)) << preset;
  }
}

TEST(Recipe, OneChannelIsLuma) {
  const auto grey = for_channels(read_recipe("imagenet"), 1);
  EXPECT_EQ(grey.order, Preprocess::Order::luma);
  EXPECT_NEAR(grey.mean[0], 0.449, 1e-12);
  EXPECT_NEAR(grey.std[0], 0.226, 1e-12);
  const auto given = for_channels(read_recipe(R"({"order": "L", "mean": [1, 2, 3]})"), 1);
  EXPECT_EQ(given.mean[0], 1);
  EXPECT_EQ(for_channels(read_recipe("imagenet"), 3).order, Preprocess::Order::rgb);
}

}  // namespace
}  // namespace fovea::cli
