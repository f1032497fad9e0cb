#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fovea/fovea.hpp"
#include "support/npy.hpp"

/// DeepLIFT, Deep SHAP and Gradient SHAP beside captum's, which shap's equal (README.md).
namespace fovea {
namespace {

using nlohmann::json;
using testing_support::read_npy;

const std::filesystem::path kShapley =
    std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/golden/shapley";

json networks() {
  std::ifstream in(kShapley / "manifest.json");
  return json::parse(in);
}

Tensor load(const json& file) {
  return read_npy(kShapley / file.get<std::string>());
}

class ShapleyGolden : public testing::TestWithParam<std::tuple<json, bool>> {};

double pearson(std::span<const float> a, std::span<const float> b) {
  const auto n = static_cast<double>(a.size());
  double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ma += a[i] / n;
    mb += b[i] / n;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) * (a[i] - ma);
    bb += (b[i] - mb) * (b[i] - mb);
  }
  return ab / std::sqrt(aa * bb);
}

TEST_P(ShapleyGolden, IsThePeers) {
  const auto& [network, optimize] = GetParam();
  for (const auto& one : network["cases"]) {
    SCOPED_TRACE(one["method"].get<std::string>());
    Method method{one["method"]};
    for (const auto& [name, file] : one["given"].items()) method.given[name] = load(file);
    ExplainerOptions options;
    const Tensor input = load(network["input"]);
    options.batch = input.shape[0];
    options.input_shapes[network["input_name"].get<std::string>()] = input.shape;
    options.methods = {method};
    options.optimize = optimize;
    options.tuning = Tuning::off;
    const Explainer explainer(Model::load(kShapley / network["model"].get<std::string>()), options);
    const auto target = Target::class_index(one["class"].get<std::int64_t>());
    const auto found = explainer.forward(input).explain(method, std::span(&target, 1));
    const Tensor want = load(one["expected"]);
    for (const auto& explanation : found) {
      const auto& got = explanation.attribution.data;
      const auto each = got.size();
      ASSERT_EQ(each * found.size(), want.data.size());
      const auto peer =
          std::span(want.data).subspan(static_cast<std::size_t>(explanation.image) * each, each);
      float most = 0;
      for (const float v : peer) most = std::max(most, std::abs(v));
      std::size_t far = 0;
      for (std::size_t i = 0; i < each; ++i) far += !(std::abs(got[i] - peer[i]) <= 1e-3f * most);
      EXPECT_LE(static_cast<double>(far), 1e-3 * static_cast<double>(each));
      EXPECT_GE(pearson(got, peer), 0.9999);
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
                         testing::Combine(testing::ValuesIn(networks()), testing::Bool()),
                         [](const auto& one) {
                           return std::get<0>(one.param)["name"].template get<std::string>() +
                                  (std::get<1>(one.param) ? "_optimized" : "_plain");
                         });

}  // namespace
}  // namespace fovea
