#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "api/support.hpp"

/// Layers of transformers; their maps are the goldens' (tests/golden).
namespace fovea::api_test {
namespace {

std::string refusal(const std::string& model, const ExplainerOptions& options) {
  try {
    const Explainer explainer(Model::load(golden_model(model)), options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "accepted";
}

ExplainerOptions with_layer(const std::string& layer) {
  ExplainerOptions out;
  out.prepare.layers = {layer};
  return out;
}

TEST(Tokens, TheDefaultLayerIsListedWithItsGridAndReason) {
  const Explainer explainer(Model::load(golden_model("vit")));
  const auto& layers = explainer.layers();
  const auto found = std::find_if(layers.begin(), layers.end(),
                                  [](const LayerInfo& layer) { return layer.is_default; });
  ASSERT_NE(found, layers.end());
  EXPECT_EQ(found->shape, (Shape{2, 49, 16}));
  EXPECT_EQ(found->grid, (Shape{6, 8}));
  EXPECT_NE(found->why.find("6x8 behind a class token"), std::string::npos) << found->why;
}

TEST(Tokens, BehindTheLastAttentionOfAClassTokenHeadIsRefused) {
  const auto said = refusal("vit", with_layer("layer_norm_6"));
  EXPECT_NE(said.find("no gradient reaches this layer's patch tokens"), std::string::npos) << said;
  EXPECT_NE(said.find("layer_norm_6"), std::string::npos) << said;
  EXPECT_EQ(refusal("vit", with_layer("layer_norm_4")), "accepted");
  // What a layer holds can be shown all the same.
  auto options = with_layer("layer_norm_6");
  for (const auto* method : {"eigencam", "activationmap"}) {
    options.prepare.methods = {Method{method}};
    EXPECT_EQ(refusal("vit", options), "accepted") << method;
  }
  for (const auto* method : {"layercam", "ablationcam"}) {
    options.prepare.methods = {Method{method}};
    EXPECT_NE(refusal("vit", options).find("no gradient reaches"), std::string::npos) << method;
  }
}

TEST(Tokens, AGridThatDoesNotFitIsRefused) {
  auto options = with_layer("layer_norm_4");
  options.prepare.token_grid = {7, 8};
  EXPECT_NE(refusal("vit", options).find("49 tokens, and the token grid 7x8 has 56 places"),
            std::string::npos);
  options.prepare.token_grid = {0, 8};
  EXPECT_NE(refusal("vit", options).find("at least 1"), std::string::npos);
  options.prepare.token_grid = {1, 1, 6, 8};
  EXPECT_NE(refusal("vit", options).find("at most 3"), std::string::npos);
  options.prepare.token_grid.clear();
  options.prepare.prefix_tokens = -1;
  EXPECT_NE(refusal("vit", options).find("must not be negative"), std::string::npos);
  options.prepare.prefix_tokens = 2;
  EXPECT_NE(refusal("vit", options).find("give the token grid"), std::string::npos);
  ExplainerOptions map = with_layer("conv2d");
  map.prepare.token_grid = {6, 8};
  EXPECT_NE(refusal("vit", map).find("no sequence of tokens"), std::string::npos);
}

TEST(Tokens, AGivenGridIsTheSameMapInOtherRows) {
  const Model model = Model::load(golden_model("vit"));
  ExplainerOptions options;
  options.compile.tuning = Tuning::off;
  const Explainer own(model, options);
  options.prepare.token_grid = {4, 12};
  const Explainer given(model, options);
  const Tensor input = random_input(own, 3);
  const auto a = own.explain(input), b = given.explain(input);
  EXPECT_EQ(a.feature_map.shape, (Shape{6, 8}));
  EXPECT_EQ(b.feature_map.shape, (Shape{4, 12}));
  EXPECT_EQ(a.feature_map.data, b.feature_map.data);
  EXPECT_EQ(a.map.shape, b.map.shape);
  EXPECT_GT(*std::max_element(a.map.data.begin(), a.map.data.end()), 0);
}

TEST(Tokens, ALayerOfUnknownFormIsASequenceWhenItsGridIsGiven) {
  // What attention adds: no name says that its last extent is the channels'.
  const Model model = Model::load(golden_model("vit"));
  const auto nodes = model.nodes();
  const auto mixed = std::find_if(nodes.rbegin(), nodes.rend(),
                                  [](const NodeInfo& node) { return node.op == "Reshape"; });
  ASSERT_NE(mixed, nodes.rend());
  ExplainerOptions options = with_layer(mixed->outputs[0]);
  options.prepare.token_grid = {6, 8};
  EXPECT_NE(refusal("vit", options).find("no gradient reaches"), std::string::npos);
}

/// The last layer of a shape.
std::string layer_of(const Model& model, const Shape& shape) {
  ExplainerOptions options;
  options.compile.tuning = Tuning::off;
  const Explainer explainer(model, options);
  std::string out;
  for (const auto& layer : explainer.layers())
    if (layer.shape == shape) out = layer.name;
  return out;
}

/// What the node that makes a value reads first.
std::string read_by(const Model& model, const std::string& value) {
  for (const auto& node : model.nodes())
    if (node.outputs[0] == value) return node.inputs[0];
  return "";
}

/// Two networks that differ in that one holds the patches as a map for a moment.
TEST(Tokens, EveryMethodSeesTheMapThatTheTokensAre) {
  const Model tokens = Model::load(golden_model("vit"));
  const Model unfolded = Model::load(golden_model("vit_unfolded"));
  const auto map = layer_of(unfolded, {2, 16, 6, 8});
  ASSERT_FALSE(map.empty());
  const auto stream = read_by(tokens, "layer_norm_4");
  int compared = 0;
  for (const auto& info : methods()) {
    if (info.kind != MapKind::layer || info.name == "cam") continue;
    for (const bool optimize : {true, false}) {
      SCOPED_TRACE(info.name + (optimize ? "" : ", plain plan"));
      ExplainerOptions options;
      options.compile.tuning = Tuning::off;
      options.compile.optimize = optimize;
      options.prepare.methods = {Method{info.name}};
      options.prepare.layers = {stream};
      const Explainer one(tokens, options);
      options.prepare.layers = {map};
      const Explainer other(unfolded, options);
      const Tensor input = random_input(one, 3);
      const auto target = Target::class_index(1);
      const ExplainOptions how{.keep_sign = true};
      const auto got = one.forward(input).explain(Method{info.name}, std::span(&target, 1), how);
      const auto want = other.forward(input).explain(Method{info.name}, std::span(&target, 1), how);
      ASSERT_EQ(got.size(), 2U);
      for (std::size_t n = 0; n < got.size(); ++n) {
        const auto& a = got[n].feature_map;
        const auto& b = want[n].feature_map;
        ASSERT_EQ(a.shape, (Shape{6, 8}));
        ASSERT_EQ(b.shape, a.shape);
        float largest = 0;
        for (const float v : b.data) largest = std::max(largest, std::abs(v));
        EXPECT_GT(largest, 0);
        for (std::size_t i = 0; i < a.data.size(); ++i)
          ASSERT_NEAR(a.data[i], b.data[i], 1e-3F * largest) << i;
      }
      ++compared;
    }
  }
  EXPECT_GE(compared, 30);
}

TEST(Tokens, CamIsRefused) {
  ExplainerOptions options;
  options.prepare.methods = {Cam{}};
  EXPECT_NE(refusal("vit", options).find("Grad-CAM serves any head"), std::string::npos);
}

}  // namespace
}  // namespace fovea::api_test
