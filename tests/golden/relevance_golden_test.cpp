#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "golden/maps.hpp"

/// Layer-wise relevance propagation as zennit and captum do it (README.md in this folder), and its
/// sum rule on every golden network.
namespace fovea {
namespace {

using golden::largest;
using nlohmann::json;

std::vector<std::string> composites() {
  for (const auto& info : methods())
    if (info.name == "lrp") return info.options.front().choices;
  return {};
}

LrpComposite composite_named(const std::string& name) {
  const auto all = composites();
  return static_cast<LrpComposite>(std::find(all.begin(), all.end(), name) - all.begin());
}

Explainer explainer_for(const json& network, const char* folder, const Method& method,
                        const std::string& layer, bool optimize, const Tensor& input) {
  auto options = golden::options_for(network, input, method, optimize);
  if (!layer.empty()) options.prepare.layers = {layer};
  return Explainer(golden::model_of(folder, network), options);
}

class RelevanceGolden : public testing::TestWithParam<json> {};

TEST_P(RelevanceGolden, IsThePeers) {
  const auto& network = GetParam();
  const Tensor input = golden::load("relevance", network["input"]);
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
      const Tensor want = golden::load("relevance", one["expected"]);
      const std::string what = one["peer"].get<std::string>() + ", " +
                               one["composite"].get<std::string>() + ", " + layer +
                               one["layer_rules"].dump() + (optimize ? "" : ", plain plan");
      for (const auto& got :
           explainer.forward(input).explain(lrp, std::span(&target, 1), {.layer = layer})) {
        const auto expected = golden::image_of(want, got.image);
        const auto each = expected.size();
        const auto& values = layer.empty() ? got.attribution.data : got.feature_map.data;
        ASSERT_EQ(values.size(), each) << what;
        EXPECT_EQ(got.layer.empty(), false) << what;
        const float allowed = one["tolerance"].get<float>() * largest(expected);
        float most = 0;
        for (std::size_t i = 0; i < each; ++i)
          most = std::max(most, std::abs(values[i] - expected[i]));
        // A pooling tie that rounding decides the other way moves a pixel.
        EXPECT_LE(static_cast<double>(golden::far_apart(values, expected, allowed)),
                  1e-3 * static_cast<double>(each))
            << what << ": up to " << most / largest(expected) << " of the maximum";
        EXPECT_GE(golden::pearson(values, expected), 0.9999) << what;
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

INSTANTIATE_TEST_SUITE_P(Networks, RelevanceGolden,
                         testing::ValuesIn(golden::manifest("relevance")), name_of);

class Conservation : public testing::TestWithParam<json> {};

TEST_P(Conservation, HoldsForEveryComposite) {
  const auto& network = GetParam();
  const Tensor input = golden::load("data", network["input"]);
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

INSTANTIATE_TEST_SUITE_P(Networks, Conservation, testing::ValuesIn(golden::manifest("data")),
                         name_of);

}  // namespace
}  // namespace fovea
