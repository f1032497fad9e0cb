#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "golden/maps.hpp"

/// Maps of the methods that hide parts of the image, by other people's packages (README.md in this
/// folder).
namespace fovea {
namespace {

using golden::largest;
using nlohmann::json;

Tensor load(const json& file) {
  return golden::load("perturbation", file);
}

class PerturbationGolden : public testing::TestWithParam<json> {
 protected:
  static std::vector<Explanation> explain(const json& one, bool optimize, std::int64_t batch) {
    Method method{one["method"]};
    for (const auto& [name, value] : one["options"].items()) method.options[name] = value;
    for (const auto& [name, file] : one["given"].items()) method.given[name] = load(file);
    const Tensor input = load(GetParam()["input"]);
    auto options = golden::options_for(GetParam(), input, method, optimize);
    options.prepare.perturbation_batch = batch;
    options.compile.multi_label = one["target"]["kind"] == "sigmoid";
    auto target = Target::class_index(one["target"]["class"]);
    if (options.compile.multi_label) target = target.of_probability();
    const Explainer explainer(golden::model_of("perturbation", GetParam()), options);
    return explainer.forward(input).explain(method, std::span(&target, 1));
  }
};

TEST_P(PerturbationGolden, IsThePeers) {
  for (const auto& one : GetParam()["cases"]) {
    const Tensor want = load(one["expected"]);
    const auto each = want.data.size() / static_cast<std::size_t>(want.shape[0]);
    for (const bool optimize : {true, false})
      for (const auto& why : explain(one, optimize, optimize ? 0 : 3)) {
        const auto peers = golden::image_of(want, why.image);
        ASSERT_EQ(why.feature_map.data.size(), each);
        const float most = largest(peers);
        const float factor = one["factor"].is_null() ? most / largest(why.feature_map.data)
                                                     : one["factor"].get<float>();
        float off = 0;
        for (std::size_t p = 0; p < each; ++p)
          off = std::max(off, std::abs(factor * why.feature_map.data[p] - peers[p]));
        EXPECT_LE(off / most, 1e-3f)
            << one["method"] << " " << one["options"] << " by " << one["peer"] << ", image "
            << why.image << ", optimize " << optimize;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, PerturbationGolden,
                         testing::ValuesIn(golden::manifest("perturbation")),
                         [](const auto& network) {
                           return network.param["name"].template get<std::string>();
                         });

}  // namespace
}  // namespace fovea
