#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "golden/maps.hpp"

/// Maps of every method that other people's packages have (README.md in this folder).
namespace fovea {
namespace {

using golden::image_of;
using golden::largest;
using golden::pearson;
using nlohmann::json;

Tensor load(const json& file) {
  return golden::load("methods", file);
}

Method method_of(const json& one) {
  Method out{one["method"]};
  for (const auto& [name, value] : one["options"].items()) out.options[name] = value;
  if (one["choices"].contains("rule"))
    out.options["rule"] = one["choices"]["rule"] == "gausslegendre" ? 0 : 1;
  for (const auto& [name, file] : one["given"].items()) {
    Tensor tensor = load(file);
    if (name == "baseline") tensor.shape.erase(tensor.shape.begin());
    out.given[name] = std::move(tensor);
  }
  return out;
}

Target target_of(const json& target) {
  if (target.is_null()) return Target::top1();
  const std::int64_t index = target["class"];
  const std::string kind = target["kind"];
  if (kind == "probability") return Target::class_index(index).of_probability();
  if (kind == "counterfactual") return Target::class_index(index).counterfactual();
  if (kind == "difference") return Target::difference(index, target["minus"]);
  if (kind == "rest") return Target::rest(index);
  EXPECT_EQ(kind, "class");
  return Target::class_index(index);
}

class MethodGolden : public testing::TestWithParam<json> {
 protected:
  std::vector<Explanation> explain(const json& one, ExplainOptions how, bool optimize) const {
    const Tensor input = load(GetParam()["input"]);
    const auto method = method_of(one);
    auto options = golden::options_for(GetParam(), input, method, optimize);
    options.prepare.smoothing = how.smooth;
    for (const auto& layer : one["layers"]) options.prepare.layers.push_back(layer);
    const Explainer explainer(golden::model_of("methods", GetParam()), options);
    const auto target = target_of(one["target"]);
    return explainer.forward(input).explain(method, std::span(&target, 1), how);
  }

  void check_close(std::span<const float> got, std::span<const float> want, const json& one,
                   const std::string& what) const {
    ASSERT_EQ(got.size(), want.size()) << what;
    const std::string tolerance = one["tolerance"];
    const float allowed = (tolerance == "hessian" ? 1e-2f : 1e-3f) * largest(want);
    const auto far_with = [&](float sign) {
      std::vector<float> signed_map(got.begin(), got.end());
      for (auto& v : signed_map) v *= sign;
      return golden::far_apart(signed_map, want, allowed);
    };
    const auto far =
        one["sign_free"].get<bool>() ? std::min(far_with(1), far_with(-1)) : far_with(1);
    float most = 0;
    for (std::size_t i = 0; i < want.size(); ++i) most = std::max(most, std::abs(got[i] - want[i]));
    if (tolerance != "pixel") {
      EXPECT_EQ(far, 0u) << what << ": up to " << most / largest(want) << " of the maximum";
      return;
    }
    // A ReLU or a pooling tie that rounding decides the other way moves a pixel.
    EXPECT_LE(static_cast<double>(far), 1e-3 * static_cast<double>(want.size())) << what;
    EXPECT_GE(pearson(got, want), 0.9999) << what;
  }
};

std::string name_of(const json& one) {
  return one["method"].get<std::string>() + " of " + one["layers"].dump() + " for " +
         one["target"].dump() + " by " + one["peer"].get<std::string>();
}

TEST_P(MethodGolden, IsThePeers) {
  for (const auto& one : GetParam()["cases"]) {
    if (!one["variant"].is_null() || !one["expected"].contains("feature_map")) continue;
    const Tensor want = load(one["expected"]["feature_map"]);
    for (const bool optimize : {true, false}) {
      const auto maps = explain(one, {.keep_sign = true}, optimize);
      for (const auto& map : maps)
        check_close(map.feature_map.data, image_of(want, map.image), one,
                    name_of(one) + (optimize ? "" : ", plain plan"));
    }
  }
}

TEST_P(MethodGolden, AttributionsAreThePeers) {
  int compared = 0;
  for (const auto& one : GetParam()["cases"]) {
    if (!one["expected"].contains("attribution")) continue;
    // captum's saliency is the absolute gradient; "signed" is what Explanation::attribution holds.
    const bool is_signed = one["variant"] == "signed";
    if (!one["variant"].is_null() && !is_signed) continue;
    const Tensor want = load(one["expected"]["attribution"]);
    for (auto& map : explain(one, {}, true)) {
      if (one["method"] == "saliency" && !is_signed)
        for (auto& v : map.attribution.data) v = std::abs(v);
      check_close(map.attribution.data, image_of(want, map.image), one, name_of(one));
      ++compared;
    }
  }
  if (compared == 0) GTEST_SKIP() << "no package's attributions are kept for this network";
}

TEST_P(MethodGolden, FinishedMapsAreThePeers) {
  int compared = 0;
  for (const auto& one : GetParam()["cases"]) {
    if (!one["variant"].is_null() || !one["expected"].contains("package_map")) continue;
    // A map of the other sign has another positive part.
    if (one["sign_free"]) continue;
    const Tensor want = load(one["expected"]["package_map"]);
    ExplainOptions how{.normalize = Normalize::minmax};
    how.smooth = !one["augment"].is_null();
    for (const auto& layer : one["layers"])
      if (one["layers"].size() > 1) how.layers.push_back(layer);
    if (one["fusion"] == "max") how.fuse = Fuse::max;
    if (one["fusion"] == "product") how.fuse = Fuse::product;
    for (const auto& map : explain(one, how, true)) {
      // grad-cam scales twice, at the layer's grid and after resizing, but not after smoothing;
      // torch-cam does not scale what it has fused.
      const bool as_is = one["peer"].get<std::string>().starts_with("torchcam");
      const Tensor again =
          as_is || how.smooth ? map.feature_map : normalized(map.map, Normalize::minmax);
      check_close(again.data, image_of(want, map.image), one, name_of(one) + ", finished");
      ++compared;
    }
  }
  if (compared == 0) GTEST_SKIP() << "no package's finished map is kept for this network";
}

INSTANTIATE_TEST_SUITE_P(Networks, MethodGolden, testing::ValuesIn(golden::manifest("methods")),
                         [](const auto& network) {
                           return network.param["name"].template get<std::string>();
                         });

/// Methods for which no package is a reference.
TEST(MethodGoldens, EveryMethodHasOne) {
  std::set<std::string> have = {"cam",  // golden_test.cpp: Grad-CAM times the positions
                                "lrp",  // relevance_golden_test.cpp
                                "deeplift",      "deep-shap",
                                "gradient-shap",  // shapley_golden_test.cpp
                                "greydanus"};     // greydanus_golden_test.cpp
  for (const char* folder : {"methods", "perturbation"})
    for (const auto& network : golden::manifest(folder))
      for (const auto& one : network["cases"])
        if (one["variant"].is_null()) have.insert(one["method"]);
  for (const auto& info : methods()) EXPECT_TRUE(have.contains(info.name)) << info.name;
}

}  // namespace
}  // namespace fovea
