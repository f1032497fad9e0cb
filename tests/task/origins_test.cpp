#include "fovea/origins.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "golden/maps.hpp"

namespace fovea {
namespace {

/// Every golden network that ends in a softmax or a sigmoid: the output's elements are those of the
/// logits, which its manifest names.
TEST(OriginFinder, FindsTheLogitsOfGoldenNetworks) {
  int softmax = 0, sigmoid = 0;
  for (const auto& network : golden::manifest("data")) {
    if (network["end"].is_null()) continue;
    const std::string name = network["name"], output = network["output_name"],
                      logits = network["logits_output_name"];
    const auto input = golden::load("data", network["input"]);
    ExplainerOptions options;
    options.compile.input_shapes[network["input_name"].get<std::string>()] = input.shape;
    options.compile.batch = input.shape[0];
    options.compile.tuning = Tuning::off;
    options.compile.fetches = {output, logits};
    const auto model = golden::model_of("data", network);
    const Explainer explainer(model, options);
    const OriginFinder finder(explainer);
    const auto run = explainer.forward(input);
    const auto probabilities = run.output(output), numbers = run.output(logits);
    const auto classes = finder.shape(output).back();
    std::vector<std::int64_t> at;
    for (std::int64_t c = 0; c < classes; ++c) at.push_back(c);
    const auto found = finder.logits(output, at);
    ASSERT_EQ(found.values.size(), 1U) << name;
    EXPECT_EQ(found.values[0].name, logits) << name;
    const bool is_softmax = network["end"] == "softmax";
    (is_softmax ? softmax : sigmoid) += 1;
    double sum = 0;
    for (std::int64_t c = 0; c < classes; ++c)
      sum += std::exp(numbers.data[static_cast<std::size_t>(c)]);
    for (std::int64_t c = 0; c < classes; ++c) {
      const auto k = static_cast<std::size_t>(c);
      EXPECT_EQ(found.elements[k].through, is_softmax ? Through::softmax : Through::sigmoid)
          << name;
      const auto own = static_cast<std::size_t>(found.elements[k].at);
      const double x = numbers.data[own];
      EXPECT_NEAR(probabilities.data[k], is_softmax ? std::exp(x) / sum : 1 / (1 + std::exp(-x)),
                  1e-5)
          << name;
      EXPECT_EQ(finder.sources(output, {{c}}).elements[0].through, Through::nothing);
    }
    EXPECT_EQ(OriginFinder(model, options.compile).find_logits()(output, at).values[0].name,
              logits);
    EXPECT_EQ(finder.shapes().at(output), explainer.shapes().at(output));
  }
  EXPECT_GT(softmax, 0);
  EXPECT_GT(sigmoid, 0);
}

TEST(OriginFinder, RefusesWhatIsNotThere) {
  const OriginFinder finder(golden::model_of("data", golden::manifest("data")[0]), {});
  EXPECT_THROW(finder.logits("missing", {}), Error);
  const auto some = finder.shapes().begin()->first;
  EXPECT_THROW(finder.logits(some, {{-1}}), Error);
}

}  // namespace
}  // namespace fovea
