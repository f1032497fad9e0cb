#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "explain/support.hpp"

/// DeepLIFT, Deep SHAP and Gradient SHAP: their values add up on every network, whatever a package
/// makes of it.
namespace fovea {
namespace {

using namespace methods_test;

/// Images unlike those of random_input, without the batch.
Tensor background_for(const Explainer& explainer, std::int64_t images) {
  const Shape& shape = explainer.inputs()[0].shape;
  Tensor out{shape, {}};
  out.shape[0] = images;
  std::size_t size = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) size *= static_cast<std::size_t>(shape[i]);
  for (std::int64_t n = 0; n < images; ++n) {
    const Tensor other = random_input(explainer, 50 + static_cast<unsigned>(n));
    for (std::size_t i = 0; i < size; ++i) out.data.push_back(0.5f * other.data[i] + 0.1f);
  }
  return out;
}

Tensor first_image(const Tensor& batch) {
  Tensor out{{batch.shape.begin() + 1, batch.shape.end()}, {}};
  std::size_t size = 1;
  for (const auto extent : out.shape) size *= static_cast<std::size_t>(extent);
  out.data.assign(batch.data.begin(), batch.data.begin() + static_cast<std::ptrdiff_t>(size));
  return out;
}

class EveryNetwork : public testing::TestWithParam<std::tuple<std::string, bool>> {};

TEST_P(EveryNetwork, ValuesAddUpToTheScoresDifference) {
  const auto& [name, optimize] = GetParam();
  const bool fast = optimize;
  const auto plan = [fast](ExplainerOptions& options) { options.compile.optimize = fast; };
  const Tensor images = background_for(explainer_for(name, {Saliency{}}), 3);
  const Method lift{"deeplift", {}, {{"baseline", first_image(images)}}};
  const auto explainer = explainer_for(name, {DeepShap{images}, DeepLift{}, lift}, plan);
  auto run = explainer.forward(random_input(explainer));
  const auto classes = static_cast<std::int64_t>(run.predictions().size());
  for (const auto& method : {Method(DeepShap{images}), Method(DeepLift{}), lift}) {
    const std::vector<Target> targets = {Target::top1(), Target::class_index(classes - 1),
                                         Target::difference(0, 1),
                                         Target::class_index(0).of_probability()};
    for (const auto& one : run.explain(method, targets, {.keep_sign = true})) {
      ASSERT_TRUE(one.sum_rule);
      const auto& rule = *one.sum_rule;
      // Where a difference is small beside the scores, rounding is no longer small beside it.
      double size = 0;
      for (const float v : one.attribution.data) size += std::abs(v);
      EXPECT_NEAR(rule.attributed, rule.expected, 1e-4 * std::abs(rule.expected) + 2e-6 * size)
          << method.name << " image " << one.image;
      EXPECT_LT(rule.error, 1e-2) << method.name << " image " << one.image << " of "
                                  << rule.expected;
      double sum = 0;
      for (const float v : one.feature_map.data) sum += v;
      EXPECT_NEAR(sum, rule.attributed, 1e-5 * size);
    }
  }
}

std::string name_of(const testing::TestParamInfo<EveryNetwork::ParamType>& one) {
  return std::get<0>(one.param) + (std::get<1>(one.param) ? "_optimized" : "_plain");
}

INSTANTIATE_TEST_SUITE_P(
    Golden, EveryNetwork,
    testing::Combine(testing::Values("convnext", "densenet", "dilated", "efficientnet", "gap",
                                     "gap_bn_folded", "gap_bn_kept", "group_norm", "inception",
                                     "lenet", "max_pooled", "mean_no_keepdims", "mobilenet_v2",
                                     "mobilenet_v3", "pyramid", "resnet", "resnet_preactivation",
                                     "shufflenet", "sigmoid_end", "signal", "softmax_4d_end",
                                     "softmax_end", "squeezenet", "swin", "vgg", "vgg_adaptive",
                                     "vit", "volume"),
                     testing::Bool()),
    name_of);

TEST(Differences, OneReluUsedThroughoutAddsUp) {
  const auto model = Model::load(std::filesystem::path(FOVEA_SOURCE_DIR) /
                                 "tests/golden/methods/shared_relu/model.onnx");
  const Method lift = DeepLift{};
  ExplainerOptions options;
  options.prepare.methods = {lift};
  options.compile.batch = model.inputs()[0].shape[0] > 0 ? model.inputs()[0].shape[0] : 1;
  const Explainer explainer(model, options);
  const auto one = explainer.explain(random_input(explainer), lift);
  EXPECT_LT(one.sum_rule->error, 1e-4);
}

TEST(Differences, DeepShapIsTheMeanOfDeepLift) {
  const Tensor images = background_for(explainer_for("efficientnet", {Saliency{}}), 2);
  const Method shap = DeepShap{images};
  const auto explainer = explainer_for("efficientnet", {shap, DeepLift{}});
  auto run = explainer.forward(random_input(explainer));
  const auto whole = run.explain(shap, Target::class_index(1));
  std::vector<float> mean(whole.attribution.data.size(), 0.f);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto begin = images.data.begin() + static_cast<std::ptrdiff_t>(i * mean.size());
    const Tensor baseline{{images.shape.begin() + 1, images.shape.end()},
                          {begin, begin + static_cast<std::ptrdiff_t>(mean.size())}};
    // Not the baseline that the explainer was made with.
    const auto one =
        run.explain(Method{"deeplift", {}, {{"baseline", baseline}}}, Target::class_index(1));
    for (std::size_t e = 0; e < mean.size(); ++e) mean[e] += one.attribution.data[e] / 2;
  }
  EXPECT_LE(difference(whole.attribution.data, mean), 1e-5f);
}

TEST(Differences, ImagesOfABatchAreExplainedEachOnItsOwn) {
  const Tensor images = background_for(explainer_for("dynamic_wide", {Saliency{}}), 2);
  const std::vector<Method> methods = {DeepShap{images}, DeepLift{}};
  const auto single = explainer_for("dynamic_wide", methods);
  const auto pair = explainer_for("dynamic_wide", methods,
                                  [](ExplainerOptions& options) { options.compile.batch = 2; });
  Tensor both = random_input(pair);
  const auto half = static_cast<std::ptrdiff_t>(both.data.size() / 2);
  for (auto i = both.data.begin() + half; i != both.data.end(); ++i) *i += 1;  // of another class
  for (const auto& method : methods) {
    const Target target = Target::top1();
    const auto together = pair.forward(both).explain(method, std::span(&target, 1));
    ASSERT_NE(together[0].prediction.value().class_index,
              together[1].prediction.value().class_index);
    for (std::ptrdiff_t n = 0; n < 2; ++n) {
      const Tensor one{single.inputs()[0].shape,
                       {both.data.begin() + n * half, both.data.begin() + (n + 1) * half}};
      EXPECT_LE(difference(together[static_cast<std::size_t>(n)].attribution.data,
                           single.explain(one, method, target).attribution.data),
                1e-4f)
          << method.name;
    }
  }
}

TEST(Differences, ManySamplesOfGradientShapAddUp) {
  const Tensor images = background_for(explainer_for("lenet", {Saliency{}}), 2);
  const Method method = GradientShap{.background = images, .samples = 400};
  const auto explainer = explainer_for("lenet", {method});
  const Tensor x = random_input(explainer);
  const auto one = explainer.explain(x, method, Target::class_index(2));
  const auto& rule = *one.sum_rule;
  EXPECT_LT(rule.error, 0.3);
  EXPECT_GT(rule.error, 0);
  EXPECT_NEAR(rule.error, std::abs((rule.expected - rule.attributed) / rule.expected), 1e-9);
  EXPECT_EQ(one.attribution.data,
            explainer.explain(x, method, Target::class_index(2)).attribution.data);
  const auto other = explainer.explain(
      x, GradientShap{.background = images, .samples = 400, .seed = 1}, Target::class_index(2));
  EXPECT_NE(one.attribution.data, other.attribution.data);
  EXPECT_LE(difference(one.attribution.data, other.attribution.data), 0.5f);
}

TEST(Differences, ABackgroundIsRefusedByName) {
  const auto plain = explainer_for("vgg", {Saliency{}});
  const Tensor images = background_for(plain, 2);
  const auto made = [](const Method& method) {
    return refusal([&] { explainer_for("vgg", {method}); });
  };
  Tensor narrow = images;
  narrow.shape = {2, 3, images.shape[2] / 2, images.shape[3] * 2};
  Tensor one_image = first_image(images);
  for (const auto* name : {"deep-shap", "gradient-shap"}) {
    const auto given = [name](const Tensor& tensor) {
      return Method{name, {}, {{"background", tensor}}};
    };
    EXPECT_NE(made(Method{name}).find("needs the tensor 'background'"), std::string::npos) << name;
    EXPECT_NE(made(given({})).find("needs the tensor 'background'"), std::string::npos) << name;
    EXPECT_NE(made(given(narrow)).find("'background' must have the extents"), std::string::npos)
        << name << made(given(narrow));
    EXPECT_NE(made(given(one_image)).find("'background' must have the extents"), std::string::npos)
        << name;
  }
  const auto explainer =
      explainer_for("vgg", {DeepShap{images}, GradientShap{.background = images}});
  auto run = explainer.forward(random_input(explainer));
  Tensor others = images;
  others.data[5] += 1;
  EXPECT_NE(
      refusal([&] { run.explain(DeepShap{others}); }).find("not prepared for this background"),
      std::string::npos);
  const auto each = static_cast<std::int64_t>(explainer.inputs()[0].shape[0]);
  Method picked = GradientShap{.background = images, .samples = 1};
  picked.given["picks"] = {{1, each}, std::vector<float>(static_cast<std::size_t>(each), 2.f)};
  EXPECT_NE(refusal([&] { run.explain(picked); }).find("names an image"), std::string::npos);
  EXPECT_NE(refusal([&] {
              run.explain(Method{"deeplift", {}, {{"baseline", images}}});
            }).find("'baseline' must have the extents"),
            std::string::npos);
}

TEST(Differences, ABackgroundBeyondTheLimitIsRefused) {
  const Tensor images = background_for(explainer_for("vgg", {Saliency{}}), 40);
  const auto plan = explainer_for("vgg", {DeepLift{}});
  try {
    explainer_for("vgg", {DeepShap{images}},
                  [](ExplainerOptions& options) { options.pool.memory_limit = 4 << 20; });
    FAIL() << "40 reference runs fit in the memory of one";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
    EXPECT_NE(std::string(error.what()).find("background"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace fovea
