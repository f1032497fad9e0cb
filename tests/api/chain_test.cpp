#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <ostream>

#include "api/support.hpp"
#include "support/chains.hpp"

/// Networks of tens of thousands of nodes: what is made of them takes time in proportion.
namespace fovea::test {

inline void PrintTo(const Chain& chain, std::ostream* stream) {
  *stream << chain.name;
}

}  // namespace fovea::test

namespace fovea::api_test {
namespace {

using test::Chain;

double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

ExplainerOptions options() {
  ExplainerOptions out;
  out.layers = {"layer"};
  out.methods = {GradCam{}, GuidedBackprop{}, FullGrad{}};
  out.tuning = Tuning::off;
  out.threads = 1;
  return out;
}

void make_and_explain(const std::string& bytes) {
  const auto model = Model::from_bytes(std::as_bytes(std::span(bytes)));
  const Explainer explainer(model, options());
  const auto map = explainer.explain(random_input(explainer, 1)).feature_map;
  EXPECT_TRUE(
      std::all_of(map.data.begin(), map.data.end(), [](float v) { return std::isfinite(v); }));
}

class Chains : public testing::TestWithParam<Chain> {};

TEST_P(Chains, TakeTimeInProportion) {
  constexpr int kNodes = 4000, kTimes = 6;
  const auto few = GetParam().model(kNodes), many = GetParam().model(kTimes * kNodes);
  const auto seconds = [](const std::string& bytes) {
    const double start = processor_seconds();
    make_and_explain(bytes);
    return processor_seconds() - start;
  };
  make_and_explain(few);  // what the first of a process sets up
  const double least = std::min(seconds(few), seconds(few));
  // The square would be 36 times as much.
  EXPECT_LT(seconds(many), 2.5 * kTimes * least);
}

INSTANTIATE_TEST_SUITE_P(All, Chains, testing::ValuesIn(test::all_chains()),
                         [](const auto& chain) { return chain.param.name; });

TEST(ManyLayers, TakeTimeInProportion) {
  constexpr int kNodes = 3000, kTimes = 6;
  const auto seconds = [](int nodes) {
    const auto bytes = test::chains::residuals(nodes);
    const auto model = Model::from_bytes(std::as_bytes(std::span(bytes)));
    auto all = options();
    all.methods = {EigenCam{}};
    all.layers.clear();
    for (int i = 0; i < nodes / 3; i += 4) all.layers.push_back("v" + std::to_string(i));
    const double start = processor_seconds();
    const Explainer explainer(model, all);
    return processor_seconds() - start;
  };
  seconds(kNodes);
  EXPECT_LT(seconds(kTimes * kNodes), 3 * kTimes * std::min(seconds(kNodes), seconds(kNodes)));
}

}  // namespace
}  // namespace fovea::api_test
