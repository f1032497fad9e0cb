#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fovea/fovea.hpp"
#include "support/npy.hpp"

/// Layer-wise relevance propagation as zennit and captum do it (README.md in this folder), and its
/// sum rule on every golden network.
namespace fovea {
namespace {

using nlohmann::json;
using testing_support::read_npy;

const std::filesystem::path kGoldens = std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/golden";

json manifest(const char* folder) {
  std::ifstream in(kGoldens / folder / "manifest.json");
  return json::parse(in);
}

std::vector<std::string> composites() {
  for (const auto& info : methods())
    if (info.name == "lrp") return info.options.front().choices;
  return {};
}

LrpComposite composite_named(const std::string& name) {
  const auto all = composites();
  return static_cast<LrpComposite>(std::find(all.begin(), all.end(), name) - all.begin());
}

float largest(std::span<const float> v) {
  float out = 0;
  for (const float x : v) out = std::max(out, std::abs(x));
  return out;
}

double pearson(std::span<const float> a, std::span<const float> b) {
  const auto mean = [](std::span<const float> v) {
    double sum = 0;
    for (const float x : v) sum += static_cast<double>(x);
    return sum / static_cast<double>(v.size());
  };
  const double ma = mean(a), mb = mean(b);
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double da = static_cast<double>(a[i]) - ma, db = static_cast<double>(b[i]) - mb;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / std::sqrt(aa * bb);
}

Explainer explainer_for(const json& network, const char* folder, const Method& method,
                        const std::string& layer, bool optimize, const Tensor& input) {
  ExplainerOptions options;
  options.batch = input.shape[0];
  options.input_shapes[network["input_name"].get<std::string>()] = input.shape;
  options.methods = {method};
  options.optimize = optimize;
  options.tuning = Tuning::off;
  if (!layer.empty()) options.layers = {layer};
  return Explainer(Model::load(kGoldens / folder / network["model"].get<std::string>()), options);
}

class RelevanceGolden : public testing::TestWithParam<json> {};

TEST_P(RelevanceGolden, IsThePeers) {
  const auto& network = GetParam();
  const Tensor input = read_npy(kGoldens / "relevance" / network["input"].get<std::string>());
  for (const auto& one : network["cases"])
    for (const bool optimize : {true, false}) {
      Lrp lrp;
      lrp.composite = composite_named(one["composite"]);
      lrp.epsilon = one["options"].value("epsilon", lrp.epsilon);
      lrp.gamma = one["options"].value("gamma", lrp.gamma);
      lrp.low = one["options"].value("low", lrp.low);
      lrp.high = one["options"].value("high", lrp.high);
      for (const auto& [name, rule] : one["layer_rules"].items()) lrp.rules[name] = rule;
      const std::string layer = one["layer"].is_null() ? "" : one["layer"].get<std::string>();
      const auto explainer = explainer_for(network, "relevance", lrp, layer, optimize, input);
      const auto target = Target::class_index(one["class"]);
      const Tensor want = read_npy(kGoldens / "relevance" / one["expected"].get<std::string>());
      const std::string what = one["peer"].get<std::string>() + ", " +
                               one["composite"].get<std::string>() + ", " + layer +
                               one["layer_rules"].dump() + (optimize ? "" : ", plain plan");
      for (const auto& got :
           explainer.forward(input).explain(lrp, std::span(&target, 1), {.layer = layer})) {
        const auto each = want.data.size() / static_cast<std::size_t>(want.shape[0]);
        const auto expected =
            std::span(want.data).subspan(static_cast<std::size_t>(got.image) * each, each);
        const auto& values = layer.empty() ? got.attribution.data : got.feature_map.data;
        ASSERT_EQ(values.size(), each) << what;
        EXPECT_EQ(got.layer.empty(), false) << what;
        const float allowed = one["tolerance"].get<float>() * largest(expected);
        std::size_t far = 0;
        float most = 0;
        for (std::size_t i = 0; i < each; ++i) {
          most = std::max(most, std::abs(values[i] - expected[i]));
          far += !(std::abs(values[i] - expected[i]) <= allowed);
        }
        // A pooling tie that rounding decides the other way moves a pixel.
        EXPECT_LE(static_cast<double>(far), 1e-3 * static_cast<double>(each))
            << what << ": up to " << most / largest(expected) << " of the maximum";
        EXPECT_GE(pearson(values, expected), 0.9999) << what;
        ASSERT_TRUE(got.sum_rule) << what;
        if (layer.empty()) {
          EXPECT_LT(got.sum_rule->error, 1e-4) << what;
        }
        EXPECT_NEAR(got.sum_rule->expected, got.score, 1e-4 * std::abs(got.score)) << what;
      }
    }
}

std::string name_of(const testing::TestParamInfo<json>& info) {
  return info.param["name"].get<std::string>();
}

INSTANTIATE_TEST_SUITE_P(Networks, RelevanceGolden, testing::ValuesIn(manifest("relevance")),
                         name_of);

class Conservation : public testing::TestWithParam<json> {};

TEST_P(Conservation, HoldsForEveryComposite) {
  const auto& network = GetParam();
  const Tensor input = read_npy(kGoldens / "data" / network["input"].get<std::string>());
  const auto all = composites();
  ASSERT_FALSE(all.empty());
  // Its sequences have the tokens first, so that of a batch only the sum is told.
  const bool by_image = network["name"] != "vit_torch_attention";
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const bool optimize : {true, false}) {
      Lrp lrp;
      lrp.composite = static_cast<LrpComposite>(i);
      if (all[i] == "epsilon") lrp.epsilon = 0.05;
      const auto explainer = explainer_for(network, "data", lrp, "", optimize, input);
      const auto target = Target::top1();
      double start = 0, found = 0;
      for (const auto& one : explainer.forward(input).explain(lrp, std::span(&target, 1))) {
        ASSERT_TRUE(one.sum_rule);
        const auto& rule = *one.sum_rule;
        start += rule.expected;
        found += rule.attributed + rule.biases + rule.stabilizers;
        if (by_image) {
          EXPECT_LT(rule.error, 1e-4)
              << all[i] << ", image " << one.image << (optimize ? "" : ", plain plan") << ": "
              << rule.expected << " = " << rule.attributed << " + " << rule.biases << " + "
              << rule.stabilizers;
        }
      }
      EXPECT_NEAR(found, start, 1e-4 * std::abs(start)) << all[i];
    }
}

INSTANTIATE_TEST_SUITE_P(Networks, Conservation, testing::ValuesIn(manifest("data")), name_of);

}  // namespace
}  // namespace fovea
