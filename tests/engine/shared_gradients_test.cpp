#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "engine/net.hpp"
#include "engine/plan.hpp"

/// Networks in which one gradient goes several ways. Steps of a backward pass write over what they
/// have read, and add into what is there already: where somebody else still reads it, they must
/// not.
namespace fovea::engine_test {
namespace {

using graph::ValueId;

constexpr std::int64_t kChannels = 80, kExtent = 3;
constexpr std::size_t kSize = kChannels * kExtent * kExtent;
const Shape kMap = {1, kChannels, kExtent, kExtent};

// Smooth functions only, so that differences are slopes.
ValueId sigmoid(Net& n, ValueId x) {
  return n.node("Sigmoid", graph::Unary{graph::UnaryKind::sigmoid}, {x});
}
ValueId tanh(Net& n, ValueId x) {
  return n.node("Tanh", graph::Unary{graph::UnaryKind::tanh}, {x});
}
ValueId product(Net& n, ValueId a, ValueId b) {
  return n.node("Mul", graph::Binary{graph::BinaryKind::mul}, {a, b});
}
ValueId conv(Net& n, ValueId x, std::int64_t kernel = 1) {
  graph::Conv op;
  op.window.pads_begin = op.window.pads_end = {kernel / 2, kernel / 2};
  const float scale =
      0.7f / (static_cast<float>(kernel) * std::sqrt(static_cast<float>(kChannels)));
  return n.node("Conv", op, {x, n.weight({kChannels, kChannels, kernel, kernel}, scale)});
}

struct Case {
  const char* name;
  std::function<ValueId(Net&, ValueId)> build;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"TwoFunctionsOfOneValue",
       [](Net& n, ValueId x) { return n.add(sigmoid(n, x), tanh(n, x)); }},
      {"ConvolutionBesideAnIdentity", [](Net& n, ValueId x) { return n.add(conv(n, x), x); }},
      {"ConvolutionBesideItsInput",
       [](Net& n, ValueId x) {
         const auto u = sigmoid(n, conv(n, x, 3));
         return conv(n, tanh(n, n.add(conv(n, u), u)), 3);
       }},
      {"ThreeReadersOfOneValue",
       [](Net& n, ValueId x) {
         const auto u = sigmoid(n, x);
         return n.add(n.add(conv(n, u), conv(n, u, 3)), n.add(conv(n, u), u));
       }},
      {"AValueReadBehindItself",
       [](Net& n, ValueId x) {
         const auto u = sigmoid(n, x), v = conv(n, u), w = tanh(n, v);
         return n.add(n.add(w, u), v);
       }},
      {"AnotherViewOfOneGradient",
       [](Net& n, ValueId x) {
         const auto u = sigmoid(n, x);
         const auto flat = tanh(n, n.reshape(u, {1, static_cast<std::int64_t>(kSize)}));
         return n.add(n.reshape(flat, {1, kChannels, kExtent, kExtent}), u);
       }},
      {"ResidualBlocks",
       [](Net& n, ValueId x) {
         for (int i = 0; i < 3; ++i)
           x = tanh(n, n.add(conv(n, sigmoid(n, conv(n, x, 3))), i == 1 ? conv(n, x) : x));
         return x;
       }},
      {"AProductWithItself",
       [](Net& n, ValueId x) {
         const auto u = tanh(n, x);
         return n.add(product(n, u, sigmoid(n, u)), product(n, u, u));
       }},
  };
  return all;
}

std::vector<float> values(float phase) {
  std::vector<float> out(kSize);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::sin(static_cast<float>(3 * i) + phase);
  return out;
}

/// Row-major copy of a gradient in a layout of the plan's own.
std::vector<float> plain(const engine::ValueView& view) {
  std::vector<float> out(kSize);
  constexpr std::int64_t kPositions = kExtent * kExtent;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(kSize); ++i) {
    const auto c = i / kPositions, p = i % kPositions;
    out[static_cast<std::size_t>(i)] =
        view.data[(c / view.block * kPositions + p) * view.block + c % view.block];
  }
  return out;
}

class SharedGradients : public testing::TestWithParam<Case> {};

TEST_P(SharedGradients, AreTheSlopes) {
  for (const bool optimize : {false, true}) {
    Net net;
    const auto x = net.input(kMap);
    net.finish(GetParam().build(net, x));
    engine::PlanSpec spec;
    spec.fetches = net.graph.outputs;
    spec.gradients = {{net.graph.outputs[0], x}};
    spec.optimize = optimize;
    engine::WeightCache weights;
    const auto plan = engine::Plan::build(net.graph, spec, weights);
    auto workspace = plan->make_workspace();
    auto input = values(0.3f);
    const auto seeds = values(1.1f);
    const auto score = [&] {
      const std::span<const float> feed(input);
      plan->forward(workspace, std::span(&feed, 1), {});
      const float* y = plan->fetch(workspace, 0).data;
      double out = 0;
      for (std::size_t i = 0; i < kSize; ++i) out += static_cast<double>(y[i]) * seeds[i];
      return out;
    };
    score();
    plan->backward(workspace, 0, seeds, {});
    const auto got = plain(plan->gradient(workspace, 0));
    float largest = 0;
    for (const float g : got) largest = std::max(largest, std::abs(g));
    for (std::size_t i = 0; i < kSize; i += 19) {
      constexpr float kStep = 1e-2f;
      const float kept = input[i];
      input[i] = kept + kStep;
      const double up = score();
      input[i] = kept - kStep;
      const double down = score();
      input[i] = kept;
      EXPECT_NEAR(got[i], (up - down) / (2 * kStep), 2e-2 * largest)
          << i << " optimize " << optimize;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, SharedGradients, testing::ValuesIn(cases()),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace fovea::engine_test
