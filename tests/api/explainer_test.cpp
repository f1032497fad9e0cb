#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <thread>

#include "api/support.hpp"

namespace fovea::api_test {
namespace {

/// For `resnet`, whose batch and extents the file leaves open; other models have their own.
ExplainerOptions with_batch(std::int64_t n) {
  ExplainerOptions out;
  out.compile.input_shapes["input"] = {n, 3, 49, 49};
  return out;
}

TEST(Explainer, PredictsOnceAndExplainsAsOftenAsWanted) {
  // A fully connected head: every explanation runs backward over what the forward pass left.
  const Explainer explainer(Model::load(golden_model("vgg")));
  fovea::Run run = explainer.forward(random_input(explainer, 1));
  const auto first = run.explain(GradCam{}, Target::class_index(0));
  const auto other = run.explain(GradCam{}, Target::class_index(1));
  const auto again = run.explain(GradCam{}, Target::class_index(0));
  EXPECT_EQ(first.feature_map.data, again.feature_map.data);
  EXPECT_NE(first.feature_map.data, other.feature_map.data);
  EXPECT_EQ(first.method, "gradcam");
  EXPECT_EQ(first.layer, explainer.default_layer());
  EXPECT_EQ(first.prediction.value().class_index, 0);
  EXPECT_GT(first.timings_ms.backward, 0);
}

/// A fast head, one that runs backward, and one whose logits are the pooled channels.
TEST(Explainer, AllClassesAtOnceAreTheMapsOfEach) {
  for (const auto* name : {"gap", "vgg", "squeezenet"}) {
    const Explainer explainer(Model::load(golden_model(name)));
    fovea::Run run = explainer.forward(random_input(explainer, 4));
    const auto all = run.class_maps();
    const auto classes = run.logits().shape[1];
    ASSERT_EQ(all.shape[0], classes) << name;
    for (std::int64_t k = 0; k < classes; ++k) {
      const auto one = run.explain(GradCam{}, Target::class_index(k)).feature_map;
      ASSERT_EQ(Shape(all.shape.begin() + 1, all.shape.end()), one.shape);
      const auto each = static_cast<std::int64_t>(one.data.size());
      const float top = *std::max_element(one.data.begin(), one.data.end());
      for (std::int64_t p = 0; p < each; ++p)
        ASSERT_NEAR(all.data[static_cast<std::size_t>(k * each + p)],
                    one.data[static_cast<std::size_t>(p)], 1e-5f * top + 1e-7f)
            << name << ' ' << k;
    }
    EXPECT_EQ(code_of([&] { run.class_maps(GradCam{}, 99); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { run.class_maps(Method{"none"}); }), ErrorCode::invalid_argument);
  }
}

TEST(Explainer, PredictionsAreRankedAndSumToOne) {
  const Explainer explainer(Model::load(golden_model("resnet")), with_batch(1));
  fovea::Run run = explainer.forward(random_input(explainer, 2));
  const auto& ranking = run.predictions();
  ASSERT_EQ(ranking.size(), static_cast<std::size_t>(run.logits().shape[1]));
  float sum = 0;
  for (std::size_t i = 0; i < ranking.size(); ++i) {
    sum += ranking[i].probability;
    EXPECT_GE(ranking[i == 0 ? 0 : i - 1].logit, ranking[i].logit);
    EXPECT_EQ(ranking[i].logit,
              run.logits().data[static_cast<std::size_t>(ranking[i].class_index)]);
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_EQ(run.explain(GradCam{}, Target::ranked(1)).prediction.value().class_index,
            ranking[1].class_index);
}

TEST(Explainer, ASigmoidHeadGivesEachClassItsOwnProbability) {
  const Explainer explainer(Model::load(golden_model("sigmoid_end")));
  fovea::Run run = explainer.forward(random_input(explainer, 3));
  for (const auto& p : run.predictions())
    EXPECT_NEAR(p.probability, 1 / (1 + std::exp(-p.logit)), 1e-6);
  ExplainerOptions multi;
  multi.compile.multi_label = true;
  const Explainer labels(Model::load(golden_model("gap")), multi);
  fovea::Run other = labels.forward(random_input(labels, 3));
  for (const auto& p : other.predictions())
    EXPECT_NEAR(p.probability, 1 / (1 + std::exp(-p.logit)), 1e-6);
}

TEST(Explainer, ABatchAndSeveralTargetsInOneCallAreTheSingleOnes) {
  const Model model = Model::load(golden_model("resnet"));
  for (const bool optimize : {true, false}) {  // from the head's weights, and by running backward
    ExplainerOptions options = with_batch(3);
    options.compile.optimize = optimize;
    const Explainer three(model, options);
    options.compile.input_shapes["input"][0] = 1;
    const Explainer single(model, options);
    const Tensor batch = random_input(three, 4);
    const std::vector<Target> targets = {Target::top1(), Target::class_index(2)};
    const auto all = three.forward(batch).explain(GradCam{}, targets);
    ASSERT_EQ(all.size(), 6u);
    const auto each = batch.data.size() / 3;
    for (std::size_t n = 0; n < 3; ++n) {
      Tensor image{single.inputs()[0].shape,
                   {batch.data.begin() + static_cast<std::ptrdiff_t>(n * each),
                    batch.data.begin() + static_cast<std::ptrdiff_t>((n + 1) * each)}};
      fovea::Run run = single.forward(image);
      for (std::size_t t = 0; t < 2; ++t) {
        const auto want = run.explain(GradCam{}, targets[t]);
        const auto& got = all[n * 2 + t];
        EXPECT_EQ(got.image, static_cast<std::int64_t>(n));
        EXPECT_EQ(got.prediction.value().class_index, want.prediction.value().class_index);
        for (std::size_t i = 0; i < want.feature_map.data.size(); ++i)
          EXPECT_NEAR(got.feature_map.data[i], want.feature_map.data[i], 1e-5) << optimize;
      }
    }
  }
}

TEST(Explainer, LoadsFromBytesInMemory) {
  std::ifstream in(golden_model("gap"), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const Model model = Model::from_bytes(std::as_bytes(std::span(text)));
  ExplainerOptions same;  // algorithms that are timed may differ, and with them the last bits
  same.compile.tuning = Tuning::off;
  const Explainer a(model, same), b(Model::load(golden_model("gap")), same);
  const Tensor input = random_input(a, 5);
  EXPECT_EQ(a.forward(input).logits().data, b.forward(input).logits().data);
}

TEST(Explainer, ExternalWeightsAreRefusedFromBytesWithoutAFolder) {
  std::ifstream in(golden_model("densenet"), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_THROW(Model::from_bytes(std::as_bytes(std::span(text))), Error);
  LoadOptions options;
  options.external_data = golden_model("densenet").parent_path();
  EXPECT_NO_THROW(Model::from_bytes(std::as_bytes(std::span(text)), options));
}

TEST(Explainer, ManyThreadsShareOneExplainerAndAgreeWithOne) {
  ExplainerOptions options;
  options.pool.threads = 1;
  options.pool.max_workspaces = 3;
  const Explainer explainer(Model::load(golden_model("vgg")), options);
  std::vector<Tensor> inputs;
  std::vector<std::vector<float>> want;
  for (unsigned i = 0; i < 4; ++i) {
    inputs.push_back(random_input(explainer, 10 + i));
    want.push_back(explainer.explain(inputs.back()).feature_map.data);
  }
  std::vector<std::thread> callers;
  std::vector<int> wrong(8, 0);
  for (std::size_t caller = 0; caller < 8; ++caller)
    callers.emplace_back([&, caller] {
      for (std::size_t k = 0; k < 20; ++k) {
        const std::size_t i = (caller + k) % 4;
        if (explainer.explain(inputs[i]).feature_map.data != want[i]) ++wrong[caller];
      }
    });
  for (auto& caller : callers) caller.join();
  for (const int w : wrong) EXPECT_EQ(w, 0);
}

TEST(Explainer, TwoExplainersOfOneModelDoNotDisturbEachOther) {
  const Model model = Model::load(golden_model("resnet"));
  const Explainer first(model, with_batch(1));
  const Tensor input = random_input(first, 7);
  const auto before = first.explain(input).feature_map.data;
  {
    ExplainerOptions options = with_batch(2);
    options.compile.optimize = false;
    const Explainer second(model, options);
    second.explain(random_input(second, 8));
  }
  EXPECT_EQ(first.explain(input).feature_map.data, before);
}

TEST(Explainer, FetchesInnerValuesByName) {
  const Model model = Model::load(golden_model("gap"));
  ExplainerOptions options;
  options.compile.fetches = {"relu_1"};
  const Explainer explainer(model, options);
  const fovea::Run run = explainer.forward(random_input(explainer, 9));
  const Tensor inner = run.output("relu_1");
  EXPECT_EQ(inner.shape, explainer.shapes().at("relu_1"));
  for (const float v : inner.data) EXPECT_GE(v, 0);
  EXPECT_THROW(run.output("relu_2"), Error);
  EXPECT_EQ(run.output("linear").data, run.logits().data);
}

TEST(Explainer, EveryLayerOfferedCanBeExplained) {
  for (const std::string name : {"densenet", "shufflenet", "efficientnet", "convnext", "vit",
                                 "vit_torch_attention", "vit_registers", "swin"}) {
    const Model model = Model::load(golden_model(name));
    const Explainer offered(model);
    ExplainerOptions options;
    for (const auto& layer : offered.layers()) options.prepare.layers.push_back(layer.name);
    ASSERT_GT(options.prepare.layers.size(), 5u);
    const Explainer explainer(model, options);
    fovea::Run run = explainer.forward(random_input(explainer, 11));
    for (const auto& layer : offered.layers()) {
      const auto map = run.explain(GradCam{}, Target::top1(), {Normalize::none, layer.name});
      EXPECT_EQ(map.layer, layer.name);
      EXPECT_EQ(map.feature_map.shape, layer.grid) << layer.name;
      for (const float v : map.feature_map.data) ASSERT_TRUE(std::isfinite(v)) << layer.name;
    }
  }
}

}  // namespace
}  // namespace fovea::api_test
