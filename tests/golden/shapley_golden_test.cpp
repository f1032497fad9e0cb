#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "golden/maps.hpp"

/// DeepLIFT, Deep SHAP and Gradient SHAP beside captum's, which shap's equal (README.md).
namespace fovea {
namespace {

using nlohmann::json;

Tensor load(const json& file) {
  return golden::load("shapley", file);
}

class ShapleyGolden : public testing::TestWithParam<std::tuple<json, bool>> {};

TEST_P(ShapleyGolden, IsThePeers) {
  const auto& [network, optimize] = GetParam();
  for (const auto& one : network["cases"]) {
    SCOPED_TRACE(one["method"].get<std::string>());
    Method method{one["method"]};
    for (const auto& [name, file] : one["given"].items()) method.given[name] = load(file);
    const Tensor input = load(network["input"]);
    const Explainer explainer(golden::model_of("shapley", network),
                              golden::options_for(network, input, method, optimize));
    const auto target = Target::class_index(one["class"].get<std::int64_t>());
    const auto found = explainer.forward(input).explain(method, std::span(&target, 1));
    const Tensor want = load(one["expected"]);
    for (const auto& explanation : found) {
      const auto& got = explanation.attribution.data;
      const auto each = got.size();
      ASSERT_EQ(each * found.size(), want.data.size());
      const auto peer = golden::image_of(want, explanation.image);
      const auto far = golden::far_apart(got, peer, 1e-3f * golden::largest(peer));
      EXPECT_LE(static_cast<double>(far), 1e-3 * static_cast<double>(each));
      EXPECT_GE(golden::pearson(got, peer), 0.9999);
      ASSERT_TRUE(explanation.sum_rule);
      double sum = 0;
      for (const float v : got) sum += v;
      EXPECT_NEAR(explanation.sum_rule->attributed, sum, 1e-4 * std::abs(sum) + 1e-6);
      if (one["method"] != "gradient-shap") {
        EXPECT_LT(explanation.sum_rule->error, 1e-4);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ShapleyGolden,
                         testing::Combine(testing::ValuesIn(golden::manifest("shapley")),
                                          testing::Bool()),
                         [](const auto& one) {
                           return std::get<0>(one.param)["name"].template get<std::string>() +
                                  (std::get<1>(one.param) ? "_optimized" : "_plain");
                         });

}  // namespace
}  // namespace fovea
