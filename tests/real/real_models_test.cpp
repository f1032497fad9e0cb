#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fovea/fovea.hpp"
#include "fovea/image.hpp"

/// Pretrained networks and photos beside the checkout: the classes and probabilities that ONNX
/// Runtime gave for them.
namespace fovea {
namespace {

using nlohmann::json;

const std::filesystem::path kReal = std::filesystem::path(FOVEA_SOURCE_DIR) / "../shared/real";

Preprocess recipe_of(const json& entry) {
  Preprocess out = Preprocess::raw();
  const auto& p = entry.at("preprocess");
  const std::string order = p.value("order", "L");
  out.order = order == "RGB"   ? Preprocess::Order::rgb
              : order == "BGR" ? Preprocess::Order::bgr
                               : Preprocess::Order::luma;
  out.scale = p.value("scale", 1.0);
  if (p.contains("mean")) std::copy(p["mean"].begin(), p["mean"].end(), out.mean.begin());
  if (p.contains("std")) std::copy(p["std"].begin(), p["std"].end(), out.std.begin());
  const bool square = p.value("geometry", "").find("center") != std::string::npos;
  out.geometry = square ? Preprocess::Geometry::center_square : Preprocess::Geometry::stretch;
  return out;
}

Tensor input_for(const Explainer& explainer, const Image& photo, const Preprocess& recipe) {
  const Shape& s = explainer.inputs()[0].shape;
  const bool last = s[1] > 4;
  return last ? preprocess(photo, recipe, s[3], s[1], s[2], Layout::nhwc)
              : preprocess(photo, recipe, s[1], s[2], s[3], Layout::nchw);
}

TEST(RealModels, GiveTheClassesAndProbabilitiesOfOnnxRuntime) {
  if (!std::filesystem::exists(kReal / "reference_top5.json"))
    GTEST_SKIP() << "no pretrained models beside the checkout";
  std::ifstream in(kReal / "reference_top5.json");
  const json reference = json::parse(in);
  std::printf("%-46s %6s %6s %9s %6s  %s\n", "model", "photos", "agree", "worst dp", "empty",
              "default layer");
  for (const auto& [name, entry] : reference.items()) {
    const Explainer explainer(Model::load(kReal / entry.at("path").get<std::string>()));
    const Preprocess recipe = recipe_of(entry);
    const bool half = entry.value("input_type", "").find("16") != std::string::npos;
    const double bound = half ? 1e-2 : 5e-3;
    int photos = 0, agree = 0, empty = 0;
    double worst = 0;
    for (const auto& [photo, top5] : entry.at("top5").items()) {
      const Image image = read_image(kReal / "photos" / photo);
      fovea::Run run = explainer.forward(input_for(explainer, image, recipe));
      const auto& best = run.predictions().front();
      const double off = std::abs(best.probability - top5[0][2].get<double>());
      worst = std::max(worst, off);
      ++photos;
      agree += best.class_index == top5[0][0].get<std::int64_t>() ? 1 : 0;
      EXPECT_EQ(best.class_index, top5[0][0].get<std::int64_t>()) << name << " " << photo;
      EXPECT_LE(off, bound) << name << " " << photo;
      if (!explainer.default_layer().empty()) {
        const auto map = run.explain();
        for (const float v : map.map.data) ASSERT_TRUE(v >= 0 && v <= 1) << name << " " << photo;
        empty += map.warnings.empty() ? 0 : 1;
      }
    }
    EXPECT_GT(photos, 0) << name;
    EXPECT_LT(empty, photos) << name << ": every map is zero";
    std::printf("%-46s %6d %6d %9.5f %6d  %s\n", name.c_str(), photos, agree, worst, empty,
                explainer.default_layer().empty() ? "(none)" : explainer.default_layer().c_str());
  }
}

/// The default leaves most of the score to the input of most networks; where more than half of it
/// is lost, a warning says so.
TEST(RealModels, LrpLeavesTheScoreToTheImage) {
  if (!std::filesystem::exists(kReal / "reference_top5.json"))
    GTEST_SKIP() << "no pretrained models beside the checkout";
  std::ifstream in(kReal / "reference_top5.json");
  const json reference = json::parse(in);
  ExplainerOptions options;
  options.prepare.methods = {Lrp{}};
  options.compile.tuning = Tuning::off;
  for (const auto& [name, entry] : reference.items()) {
    // Fully connected layers follow the epsilon rule, whose biases have their share: small networks
    // of several of them, and a transformer.
    const bool is_dense = name == "vnn21_cifar10_small" || name == "vnn23_vit_pgd_2_3_16";
    // Depthwise convolutions, whose results come from their biases where all weights are negative.
    const bool is_depthwise = name.find("mobilenet") == 0;
    const Explainer explainer(Model::load(kReal / entry.at("path").get<std::string>()), options);
    int photos = 0;
    for (const auto& [photo, top5] : entry.at("top5").items()) {
      if (++photos > 3) break;
      const Image image = read_image(kReal / "photos" / photo);
      const auto why =
          explainer.forward(input_for(explainer, image, recipe_of(entry))).explain(Lrp{});
      ASSERT_TRUE(why.sum_rule) << name;
      const double share =
          std::abs((why.sum_rule->biases + why.sum_rule->stabilizers) / why.sum_rule->expected);
      if (!is_dense && !is_depthwise) {
        EXPECT_LE(share, 0.5) << name << " " << photo;
      }
      const bool told =
          std::any_of(why.warnings.begin(), why.warnings.end(), [](const std::string& warning) {
            return warning.find(" the score: ") != std::string::npos;
          });
      EXPECT_EQ(told, share > 0.5) << name << " " << photo << ": " << share;
    }
  }
}

}  // namespace
}  // namespace fovea
