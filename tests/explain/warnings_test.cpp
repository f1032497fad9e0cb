#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "../onnx/model_builder.hpp"
#include "explain/support.hpp"

namespace fovea {
namespace {

TEST(Warnings, TellAnEmptyMapFromOneThatSpeaksAgainst) {
  for (const auto& [weight, sentence] : std::vector<std::pair<float, std::string>>{
           {0, "zero everywhere"}, {-1, "no value is above"}}) {
    test::ModelBuilder builder;
    builder.input("x", {-1, 1, 2, 2})
        .output("y")
        .initializer("w", {4, 1}, test::Floats(4, weight))
        .add("Flatten", {"x"}, {"flat"})
        .add("MatMul", {"flat", "w"}, {"y"});
    const Occlusion method{.window = 1, .stride = 1};
    ExplainerOptions options;
    options.prepare.methods = {method};
    const Explainer explainer(Model::from_bytes(test::as_bytes(builder.serialize())), options);
    const auto map = explainer.explain(Tensor{{1, 1, 2, 2}, std::vector<float>(4, 1.f)}, method);
    ASSERT_EQ(map.warnings.size(), 1U);
    EXPECT_NE(map.warnings[0].find(sentence), std::string::npos) << map.warnings[0];
  }
}

}  // namespace
}  // namespace fovea
