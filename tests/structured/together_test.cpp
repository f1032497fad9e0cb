// All words, boxes and characters of one picture in one walk back, beside a walk each.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "fovea/fovea.hpp"

namespace fovea::structured {
namespace {

using Path = std::filesystem::path;

struct Network {
  std::string name;  ///< of a file beside the checkout, or of the demo
  std::string value;
  std::function<Shape(std::int64_t)> place;  ///< of a target
  std::map<std::string, Shape> extents = {};
};

const std::vector<Network>& networks() {
  static const std::vector<Network> all = {
      {"demo_caption", "word_logits",
       [](std::int64_t i) {
         return Shape{i, 2 * i % 18};
       }},
      {"cap_shapes_lstm_op18", "word_logits",
       [](std::int64_t i) {
         return Shape{i, 3 + i};
       }},
      {"ocr_ppocr_en_bilstm_ctc_op12",
       "save_infer_model/scale_0.tmp_1",
       [](std::int64_t i) {
         return Shape{2 * i, 7 * i + 1};
       },
       {{"x", {1, 3, 32, 96}}}},
      {"det_yolox_nano_op11", "output",
       [](std::int64_t i) {
         return Shape{3390 + 17 * i, 5 + i};
       }},
      {"det_ultraface_rfb320_ssd_op9", "scores",
       [](std::int64_t i) {
         return Shape{4370 + i, 1};
       }},
  };
  return all;
}

Path file_of(const std::string& name) {
  if (name == "demo_caption") return Path(FOVEA_SOURCE_DIR) / "tools/demo/models/caption.onnx";
  return Path(FOVEA_SOURCE_DIR) / "../shared/structured/models" / (name + ".onnx");
}

/// Random ones; words and the like are all 0.
std::map<std::string, Tensor> inputs_of(const Explainer& explainer) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::map<std::string, Tensor> out;
  for (const auto& info : explainer.inputs()) {
    std::int64_t count = 1;
    for (const auto extent : info.shape) count *= extent;
    auto& tensor =
        out[info.name] = {info.shape, std::vector<float>(static_cast<std::size_t>(count))};
    if (info.type != DataType::f32) continue;
    for (auto& v : tensor.data) v = normal(random);
  }
  return out;
}

/// Is any step beside those of a single target's walk?
bool has_walk_of_many(const Explainer& one, const Explainer& many) {
  return many.steps().size() > one.steps().size();
}

class StructuredTogether : public testing::TestWithParam<Network> {};

TEST_P(StructuredTogether, IsTheSameAsOneByOne) {
  const auto& network = GetParam();
  const auto file = file_of(network.name);
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "there is no " << file.string();
  const auto model = Model::load(file);
  std::vector<Target> targets;
  for (std::int64_t i = 0; i < 9; ++i)
    targets.push_back(Target::element(network.value, network.place(i)));
  ExplainerOptions options;
  options.compile.tuning = Tuning::off;
  options.compile.input_shapes = network.extents;
  options.prepare.target_values = {network.value};
  options.prepare.targets = targets;
  options.prepare.methods = {GradCam{}, HiResCam{}, Saliency{}};
  const Explainer together(model, options);
  options.prepare.targets_at_once = 1;
  const Explainer single(model, options);
  ASSERT_TRUE(has_walk_of_many(single, together));
  const auto inputs = inputs_of(single);
  Feeds feeds;
  for (const auto& [name, tensor] : inputs) feeds[name] = tensor;
  auto one = single.forward(feeds), many = together.forward(feeds);
  for (const auto& method : options.prepare.methods) {
    SCOPED_TRACE(method.name);
    const ExplainOptions raw{.normalize = Normalize::none, .keep_sign = true};
    const auto got = many.explain(method, targets, raw);
    ASSERT_EQ(got.size(), targets.size());
    bool any = false;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      SCOPED_TRACE("target " + std::to_string(i));
      const auto want = one.explain(method, targets[i], raw);
      ASSERT_EQ(got[i].feature_map.shape, want.feature_map.shape);
      float most = 0;
      for (const float v : want.feature_map.data) most = std::max(most, std::abs(v));
      any = any || most > 0;
      for (std::size_t p = 0; p < want.feature_map.data.size(); ++p)
        ASSERT_NEAR(got[i].feature_map.data[p], want.feature_map.data[p], 1e-4F * most) << p;
      EXPECT_EQ(got[i].score, want.score);
    }
    EXPECT_TRUE(any);
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, StructuredTogether, testing::ValuesIn(networks()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace fovea::structured
