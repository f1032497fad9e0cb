#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "api/support.hpp"
#include "onnx/model_builder.hpp"

/// A file of one image, of which methods make several variants at once: only where every one of
/// them is what it is alone.
namespace fovea::api_test {
namespace {

using test::attr;
using test::Floats;
using test::Ints;
using test::ModelBuilder;

constexpr std::int64_t kSide = 6, kFeatures = 2 * kSide * kSide;

ModelBuilder with_weights() {
  ModelBuilder out(20, 9);
  out.input("x", {1, 2, kSide, kSide})
      .initializer("conv", {2, 2, 3, 3}, random_input({2, 2, 3, 3}, 5).data)
      .add("Conv", {"x", "conv"}, {"maps"}, {attr("pads", Ints{1, 1, 1, 1})})
      .initializer("head", {3, kFeatures}, random_input({3, kFeatures}, 6).data);
  return out;
}

void with_head(ModelBuilder& model, const std::string& rows) {
  model.add("Gemm", {rows, "head"}, {"y"}, {attr("transB", 1)}).output("y");
}

Model built(const ModelBuilder& builder) {
  const auto bytes = builder.serialize();
  return Model::from_bytes(std::as_bytes(std::span(bytes)));
}

std::vector<float> occluded(const Model& model, std::int64_t at_once) {
  ExplainerOptions options;
  options.prepare.methods = {Occlusion{.window = 2, .stride = 2}};
  options.prepare.perturbation_batch = at_once;
  const Explainer explainer(model, options);
  return explainer
      .explain(random_input(explainer, 1), options.prepare.methods[0], Target::class_index(0))
      .feature_map.data;
}

void expect_the_same(const ModelBuilder& builder) {
  const auto model = built(builder);
  const auto one = occluded(model, 1), several = occluded(model, 4);
  const float most = std::abs(*std::max_element(one.begin(), one.end()));
  ASSERT_GT(most, 0);
  ASSERT_EQ(one.size(), several.size());
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], several[i], 1e-4 * most) << i;
}

// What x[:, :, 1:3, 2:4] = 0 is exported as names the image by its number.
TEST(Variants, AreNotPutWhereIndicesNameTheOneImage) {
  auto model = with_weights();
  Ints places;
  Floats zeros;
  for (std::int64_t c = 0; c < 2; ++c)
    for (std::int64_t row = 1; row < 3; ++row)
      for (std::int64_t column = 2; column < 4; ++column) {
        places.insert(places.end(), {0, c, row, column});
        zeros.push_back(0);
      }
  model.initializer("places", {8, 4}, places)
      .initializer("zeros", {8}, zeros)
      .add("ScatterND", {"maps", "places", "zeros"}, {"cut"})
      .add("Flatten", {"cut"}, {"rows"});
  with_head(model, "rows");
  expect_the_same(model);
}

TEST(Variants, AreNotRowsOfAMaskThatIsMadeOfTheExtents) {
  for (const std::string op : {"Trilu", "EyeLike"}) {
    auto model = with_weights();
    model.add("Flatten", {"maps"}, {"flat"}).initializer("k", {}, Ints{kFeatures / 2});
    if (op == "Trilu")
      model.add("Trilu", {"flat", "k"}, {"rows"}, {attr("upper", 0)});
    else
      model.add("EyeLike", {"flat"}, {"eye"}, {attr("k", 3)})
          .add("Sub", {"flat", "eye"}, {"less"})
          .add("Mul", {"less", "less"}, {"rows"});
    with_head(model, "rows");
    expect_the_same(model);
  }
}

TEST(Variants, RootsOfDeadChannelsLeadNowhere) {
  auto model = with_weights();
  model.initializer("low", {1, 2, 1, 1}, Floats{0, -1000})
      .add("Add", {"maps", "low"}, {"lowered"})
      .add("Relu", {"lowered"}, {"alive"})
      .add("GlobalLpPool", {"alive"}, {"norms"}, {attr("p", 2)})
      .add("Flatten", {"norms"}, {"rows"})
      .initializer("small", {3, 2}, random_input({3, 2}, 7).data)
      .add("Gemm", {"rows", "small"}, {"y"}, {attr("transB", 1)})
      .output("y");
  ExplainerOptions options;
  options.prepare.methods = {Saliency{}};
  const Explainer explainer(built(model), options);
  const auto map = explainer.explain(random_input(explainer, 1), Saliency{}).feature_map.data;
  EXPECT_TRUE(std::all_of(map.begin(), map.end(), [](float v) { return std::isfinite(v); }));
  EXPECT_TRUE(std::any_of(map.begin(), map.end(), [](float v) { return v != 0; }));
}

TEST(Variants, AnRmsOverAnAxisBeyondTheRankIsRefused) {
  for (const std::int64_t axis : {1, 4, 64, 65}) {
    ModelBuilder model(23, 11);
    model.input("x", {1, 2, 3, 3})
        .initializer("scale", {}, Floats{1})
        .add("RMSNormalization", {"x", "scale"}, {"n"}, {attr("axis", axis)})
        .add("GlobalAveragePool", {"n"}, {"p"})
        .add("Flatten", {"p"}, {"y"})
        .output("y");
    const auto make = [&] { Explainer(built(model)).prepared_layers(); };
    if (axis < 4)
      EXPECT_NO_THROW(make());
    else
      EXPECT_THROW(make(), Error) << axis;
  }
}

}  // namespace
}  // namespace fovea::api_test
