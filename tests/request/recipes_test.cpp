#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "fovea/files.hpp"
#include "fovea/image.hpp"
#include "fovea/request.hpp"
#include "fovea/session.hpp"

// Recipes of other packages, held to the packages' own tensors: recipes/goldens.json, made by
// make_recipes.py.
namespace fovea {
namespace {

using nlohmann::json;

const std::string kFolder = FOVEA_SOURCE_DIR "/tests/request/recipes/";

Recipe asked_for(const std::string& text) {
  if (const auto named = recipe_by_name(text)) return *named;
  return recipe_from_json(text);
}

std::string refusal(const std::string& text) {
  try {
    asked_for(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  ADD_FAILURE() << text << " is accepted";
  return "";
}

TEST(Recipes, GiveThePackagesTensors) {
  const auto rows = json::parse(read_text(kFolder + "goldens.json", ErrorCode::bad_input));
  ASSERT_GE(rows.size(), 40u);
  for (const auto& row : rows) {
    SCOPED_TRACE(row["name"].get<std::string>());
    const Recipe recipe = asked_for(row["recipe"].get<std::string>());
    const auto shape = row["shape"].get<Shape>();
    // Keras' modes leave the extents to the model.
    if (recipe.height != 0) {
      EXPECT_EQ(recipe.height, shape[1]);
      EXPECT_EQ(recipe.width, shape[2]);
    }
    ASSERT_EQ(row["photos"].size(), 5u);
    for (std::size_t photo = 0; photo < 5; ++photo) {
      const Image image = read_image(kFolder + "photo" + std::to_string(photo) + ".png");
      const Tensor input = preprocess(image, for_channels(recipe, 3), 3, shape[1], shape[2]);
      const auto& golden = row["photos"][photo];
      const auto size = input.data.size();
      const std::size_t samples = golden["values"].size();
      for (std::size_t k = 0; k < samples; ++k) {
        const double expected = golden["values"][k].get<double>();
        // Relative to values of hundreds where pixels are 0 to 255.
        ASSERT_NEAR(input.data[((2 * k + 1) * size / (2 * samples) + k * 7) % size], expected,
                    1e-5 * std::max(1.0, std::abs(expected) / 16))
            << "photo " << photo << ", value " << k;
      }
      // A byte that is one off, anywhere, changes its part's sum by more than this.
      const double step = recipe.values.scale /
                          *std::max_element(recipe.values.std.begin(), recipe.values.std.end());
      const std::size_t parts = golden["sums"].size();
      for (std::size_t part = 0; part < parts; ++part) {
        const auto first = input.data.begin() + static_cast<std::ptrdiff_t>(size * part / parts);
        const auto last =
            input.data.begin() + static_cast<std::ptrdiff_t>(size * (part + 1) / parts);
        EXPECT_NEAR(std::accumulate(first, last, 0.0), golden["sums"][part].get<double>(), step / 2)
            << "photo " << photo << ", part " << part;
      }
    }
  }
}

TEST(Recipes, OfTorchvisionByName) {
  EXPECT_EQ(asked_for("torchvision:ResNet50_Weights.DEFAULT"),
            asked_for("torchvision:ResNet50_Weights.IMAGENET1K_V2"));
  EXPECT_NE(asked_for("torchvision:ResNet50_Weights.DEFAULT"),
            asked_for("torchvision:ResNet50_Weights.IMAGENET1K_V1"));
  EXPECT_NE(refusal("torchvision:ResNet50_Weights.IMAGENET1K_V3").find("IMAGENET1K_V2"),
            std::string::npos);
  EXPECT_NE(refusal("keras:tensorflow").find("tensorflow"), std::string::npos);
  EXPECT_NE(refusal("keras:tf:cubic").find("cubic"), std::string::npos);
  EXPECT_FALSE(recipe_by_name("imagenette"));
}

TEST(Recipes, AreRefusedByTheFieldThatIsWrong) {
  const std::string timm = R"({"pretrained_cfg": {"input_size": [3, 224, 224], )";
  const std::string vit = R"({"image_processor_type": "ViTImageProcessor", "resample": 2,
      "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], )";
  const std::string sized = vit + R"("size": {"height": 8, "width": 8}, )";
  const std::pair<std::string, std::string> cases[] = {
      {timm + R"("interpolation": "random"}})", "interpolation"},
      {timm + R"("crop_mode": "corner"}})", "crop_mode"},
      {timm + R"("crop_pct": 0.001}})", "crop_pct"},
      {timm + R"("crop_pct": -1}})", "crop_pct"},
      {timm + R"("std": [1, 0, 1]}})", "std"},
      {timm + R"("mean": [1, 2]}})", "mean"},
      {timm + R"("crop_border": 4}})", "crop_border"},
      {R"({"pretrained_cfg": {"mean": 0.5}})", "input_size"},
      {R"({"pretrained_cfg": {"input_size": [3, 224]}})", "input_size"},
      {R"({"pretrained_cfg": {"input_size": [3, 224, 1e9]}})", "input_size"},
      {R"({"pretrained_cfg": 5})", "object"},
      {R"({"do_resize": true})", "image_processor_type"},
      {R"({"image_processor_type": "DonutImageProcessor"})", "DonutImageProcessor"},
      {vit + R"("do_resize": true})", "size"},
      {vit + R"("size": {"shortest_edge": 8}})", "do_center_crop"},
      {vit + R"("size": {"shortest_edge": 8, "height": 8, "width": 8}})", "size"},
      {vit + R"("size": {"height": 8}})", "size"},
      {vit + R"("size": {"longest_edge": 8}})", "longest_edge"},
      {sized + R"("do_resize": false})", "do_resize"},
      {sized + R"("do_center_crop": true})", "crop_size"},
      {sized + R"("do_pad": true})", "do_pad"},
      {sized + R"("crop_pct": 0.9})", "crop_pct"},
      {sized + R"("do_flip_channel_order": true})", "do_flip_channel_order"},
      {sized + R"("do_thumbnail": true})", "do_thumbnail"},
      {sized + R"("rescale_factor": 0})", "rescale_factor"},
      {sized + R"("do_normalize": 1})", "do_normalize"},
      {R"({"image_processor_type": "ViTImageProcessor", "size": 8})", "image_mean"},
      {R"({"image_processor_type": "MobileViTImageProcessor", "do_normalize": true})",
       "do_normalize"},
      {R"({"image_processor_type": "ViTImageProcessor", "size": 8, "do_normalize": false,
           "resample": 4})",
       "resample"},
  };
  for (const auto& [text, field] : cases) {
    const auto sentence = refusal(text);
    EXPECT_NE(sentence.find(field), std::string::npos) << text << " gives: " << sentence;
  }
}

}  // namespace
}  // namespace fovea
