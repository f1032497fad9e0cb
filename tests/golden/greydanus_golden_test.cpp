#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "golden/maps.hpp"

/// Greydanus' perturbation saliency by its formula (README.md in this folder).
namespace fovea {
namespace {

using nlohmann::json;

const std::filesystem::path kShared =
    std::filesystem::path(FOVEA_SOURCE_DIR) / "../shared/structured";

class GreydanusGolden : public testing::TestWithParam<json> {
 protected:
  /// None where its network lies beside the checkout, and does not.
  static std::optional<Model> model() {
    const auto name = GetParam()["model"].get<std::string>();
    if (name.starts_with("../")) return golden::model_of("greydanus", GetParam());
    if (!std::filesystem::exists(kShared / name)) return std::nullopt;
    return Model::load(kShared / name);
  }

  static std::vector<Explanation> explain(const Model& model, const json& one,
                                          const std::vector<std::string>& target_values,
                                          const Target& target, std::int64_t batch) {
    Method method{"greydanus"};
    for (const auto& [name, value] : one["options"].items()) method.options[name] = value;
    std::map<std::string, Tensor> inputs;
    ExplainerOptions options;
    for (const auto& [name, file] : GetParam()["inputs"].items()) {
      inputs[name] = golden::load("greydanus", file);
      options.compile.input_shapes[name] = inputs[name].shape;
      options.compile.batch = inputs[name].shape[0];
    }
    options.compile.tuning = Tuning::off;
    options.prepare.methods = {method};
    options.prepare.target_values = target_values;
    options.prepare.perturbation_batch = batch;
    const Explainer explainer(model, options);
    return explainer.forward(Feeds(inputs.begin(), inputs.end())).explain(method, {{target}});
  }

  static void expect_map(const std::vector<Explanation>& found, const json& one) {
    const Tensor want = golden::load("greydanus", one["expected"]);
    ASSERT_EQ(static_cast<std::int64_t>(found.size()), want.shape[0]);
    for (const auto& why : found) {
      const auto own = golden::image_of(want, why.image);
      ASSERT_EQ(why.feature_map.data.size(), own.size());
      const float most = golden::largest(own);
      for (std::size_t p = 0; p < own.size(); ++p)
        ASSERT_NEAR(why.feature_map.data[p], own[p], 1e-3f * most) << one["output"] << " " << p;
    }
  }
};

TEST_P(GreydanusGolden, IsTheFormula) {
  const auto network = model();
  if (!network) GTEST_SKIP() << "no structured networks beside the checkout";
  for (const auto& one : GetParam()["cases"]) {
    const auto output = one["output"].get<std::string>();
    for (const std::int64_t batch : {0, 3})
      expect_map(explain(*network, one, {output}, Target::element(output, {0}), batch), one);
  }
}

TEST_P(GreydanusGolden, IsOfAllNumbersOfTheTargetsValues) {
  const auto network = model();
  if (!network) GTEST_SKIP() << "no structured networks beside the checkout";
  std::vector<std::string> all;
  for (const auto& one : GetParam()["cases"]) all.push_back(one["output"]);
  if (all.size() == 1) {
    // Whichever of them the target is.
    const auto& one = GetParam()["cases"][0];
    expect_map(explain(*network, one, {}, Target::ranked(1), 0), one);
    return;
  }
  for (const auto& one : GetParam()["cases"])
    expect_map(explain(*network, one, all, Target::element(one["output"], {-1}), 0), one);
}

INSTANTIATE_TEST_SUITE_P(Networks, GreydanusGolden,
                         testing::ValuesIn(golden::manifest("greydanus")), [](const auto& network) {
                           return network.param["name"].template get<std::string>();
                         });

}  // namespace
}  // namespace fovea
