#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "api/support.hpp"
#include "support/chains.hpp"

/// Networks of tens of thousands of nodes.
namespace fovea::test {

inline void PrintTo(const Chain& chain, std::ostream* stream) {
  *stream << chain.name;
}

}  // namespace fovea::test

namespace fovea::api_test {
namespace {

using test::Chain;

ExplainerOptions options() {
  ExplainerOptions out;
  out.prepare.layers = {"layer"};
  out.prepare.methods = {GradCam{}, GuidedBackprop{}, FullGrad{}};
  out.compile.tuning = Tuning::off;
  out.pool.threads = 1;
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

/// What takes time with the square of their number does not end within the test's limit, nor what
/// recurses on the stack; bench/models/chain shows how the time grows.
TEST_P(Chains, OfManyNodesAreExplained) {
  constexpr int kNodes = 40000;
  make_and_explain(GetParam().model(kNodes));
}

INSTANTIATE_TEST_SUITE_P(All, Chains, testing::ValuesIn(test::all_chains()),
                         [](const auto& chain) { return chain.param.name; });

TEST(ManyLayers, OfALongChainAreExplained) {
  constexpr int kNodes = 18000;
  const auto bytes = test::chains::residuals(kNodes);
  const auto model = Model::from_bytes(std::as_bytes(std::span(bytes)));
  auto all = options();
  all.prepare.methods = {EigenCam{}};
  all.prepare.layers.clear();
  for (int i = 0; i < kNodes / 3; i += 4) all.prepare.layers.push_back("v" + std::to_string(i));
  const Explainer explainer(model, all);
  auto run = explainer.forward(random_input(explainer, 1));
  for (const auto& layer : {all.prepare.layers.front(), all.prepare.layers.back()}) {
    const auto map = run.explain(EigenCam{}, Target::top1(), {.layer = layer}).feature_map;
    EXPECT_FALSE(map.data.empty()) << layer;
  }
}

}  // namespace
}  // namespace fovea::api_test
