// Several seeds in one walk back (GradientSpec::seeds) beside a walk each.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/parallel.hpp"
#include "engine/net.hpp"
#include "engine/op_graph.hpp"
#include "engine/plan.hpp"

namespace fovea::engine_test {
namespace {

using engine::GradientReduce;
using graph::ValueId;

constexpr std::size_t kSeeds = 7;

/// Of a value of so many numbers: dense ones, and ones of a single number, of the last and of none.
std::vector<std::vector<float>> seeds_of(std::size_t size) {
  std::vector<std::vector<float>> out;
  for (std::size_t i = 0; i < kSeeds; ++i) {
    if (i % 2 == 0 && i != 2) {
      out.push_back(random_floats(static_cast<std::int64_t>(size), static_cast<unsigned>(i) + 50));
      continue;
    }
    auto& one = out.emplace_back(size, 0.f);
    if (i != 2 && size > 0) one[i == 1 ? size - 1 : size / i] = 1.5f;
  }
  return out;
}

std::vector<float> joined(const std::vector<std::vector<float>>& seeds, std::size_t count) {
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i) out.insert(out.end(), seeds[i].begin(), seeds[i].end());
  return out;
}

void expect_near(const std::vector<float>& got, const std::vector<float>& want,
                 const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  float most = 1e-3f;
  for (const float v : want) most = std::max(most, std::abs(v));
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], want[i], 2e-5f * most) << what << " element " << i;
}

/// `forward` has run; gradient 0 takes one seed, gradient 1 takes kSeeds.
void expect_as_one_by_one(const engine::Plan& plan, engine::Workspace& workspace, std::size_t size,
                          const std::string& what) {
  const auto seeds = seeds_of(size);
  std::vector<std::vector<float>> want;
  for (const auto& one : seeds) {
    plan.backward(workspace, 0, one, {});
    want.push_back(plain(plan.gradient(workspace, 0)));
  }
  for (const std::size_t count : {kSeeds, std::size_t{1}, std::size_t{3}, kSeeds}) {
    plan.backward(workspace, 1, joined(seeds, count), {});
    for (std::size_t i = 0; i < count; ++i)
      expect_near(plain(plan.gradient(workspace, 1, i)), want[i],
                  what + " seed " + std::to_string(i) + " of " + std::to_string(count));
    if (testing::Test::HasFatalFailure()) return;
  }
}

std::size_t size_of(const graph::Graph& graph, ValueId id) {
  return static_cast<std::size_t>(count_of(graph.value(id).shape));
}

class Seeds : public testing::TestWithParam<std::tuple<bool, int>> {};

TEST_P(Seeds, OfEveryOperator) {
  const auto& [optimize, threads] = GetParam();
  const base::ThreadScope scope(threads);
  std::size_t compared = 0;
  for (const auto& one : cases()) {
    if (!one.differentiable) continue;
    for (const bool behind_conv : {false, true}) {
      const Bench bench = build_bench(one, behind_conv);
      for (const auto of : bench.results)
        for (std::size_t i = 0; i < bench.arguments.size(); ++i) {
          const auto wrt = bench.arguments[i];
          if (!wrt || bench.graph.value(wrt).constant) continue;
          engine::PlanSpec spec;
          spec.optimize = optimize;
          spec.fetches = {of};
          spec.gradients = {{of, wrt}, {of, wrt}};
          spec.gradients[1].seeds = kSeeds;
          engine::WeightCache weights;
          const auto plan = engine::Plan::build(bench.graph, spec, weights);
          auto workspace = plan->make_workspace();
          forward(*plan, workspace, bench);
          expect_as_one_by_one(*plan, workspace, size_of(bench.graph, of),
                               one.name + " input " + std::to_string(i) +
                                   (behind_conv ? " behind a convolution" : ""));
          if (HasFatalFailure()) return;
          ++compared;
        }
    }
  }
  EXPECT_GT(compared, cases().size() / 2);
}

ValueId sigmoid(Net& n, ValueId x) {
  return n.node("Sigmoid", graph::Unary{graph::UnaryKind::sigmoid}, {x});
}

graph::Recurrent cell(graph::CellKind kind, bool both = false) {
  graph::Recurrent op;
  op.kind = kind;
  const graph::CellActivation sigmoid{graph::CellFunction::sigmoid, 0, 0},
      tanh{graph::CellFunction::tanh, 0, 0};
  if (both) op.direction = graph::RecurrentDirection::bidirectional;
  for (int d = 0; d < (both ? 2 : 1); ++d) {
    if (kind != graph::CellKind::rnn) op.activations.push_back(sigmoid);
    op.activations.push_back(tanh);
    if (kind == graph::CellKind::lstm) op.activations.push_back(tanh);
  }
  return op;
}

/// The states of all steps.
ValueId recurrent(Net& n, const graph::Recurrent& op, std::vector<ValueId> inputs) {
  std::vector<std::string> outputs;
  for (int i = 0; i < (op.kind == graph::CellKind::lstm ? 3 : 2); ++i)
    outputs.push_back("states" + std::to_string(i));
  const auto id = n.graph.add_node("cell", "LSTM", op, std::move(inputs), outputs);
  return n.graph.node(id).outputs[0];
}

/// Show and tell: what is seen of `map` [images, 24, 3, 3] is a token, others are in front of it
/// and behind it, a row of the result each.
ValueId captioner(Net& n, ValueId map, std::int64_t images, graph::CellKind kind) {
  constexpr std::int64_t kWidth = 20, kBefore = 1, kBehind = 4, kWords = 9;
  const auto token = n.reshape(n.linear(n.flatten(map), 24 * 9, kWidth), {images, 1, kWidth});
  const auto said =
      n.node("Concat", graph::Concat{1},
             {n.weight({images, kBefore, kWidth}), token, n.weight({images, kBehind, kWidth})});
  const auto gates = graph::gates(kind);
  const auto states =
      recurrent(n, cell(kind),
                {n.transpose(said, {1, 0, 2}), n.weight({1, gates * kWidth, kWidth}),
                 n.weight({1, gates * kWidth, kWidth}), n.weight({1, 2 * gates * kWidth})});
  const auto time = kBefore + 1 + kBehind;
  const auto rows = n.transpose(n.reshape(states, {time, images, kWidth}), {1, 0, 2});
  return n.dense(rows, kWidth, kWords);
}

/// Blocks with sums, strides, pools, groups and two readers of one value.
ValueId features(Net& n, ValueId x) {
  const auto a = n.relu(n.conv(x, 3, 16, 3, 1));
  const auto b = sigmoid(n, n.conv(a, 16, 16, 1, 0));
  graph::Pool pool;
  pool.kind = graph::PoolKind::max;
  pool.window.kernel = {2, 2};
  pool.window.strides = {2, 2};
  const auto c = n.node("MaxPool", pool, {n.add(n.conv(b, 16, 16, 3, 1), a)});
  return n.relu(n.conv(c, 16, 24, 1, 0));
}

struct Network {
  std::string name;
  std::function<ValueId(Net&, ValueId layer, std::int64_t images)> behind;
};

const std::vector<Network>& networks() {
  static const std::vector<Network> all = {
      {"lstm captioner",
       [](Net& n, ValueId x, std::int64_t images) {
         return captioner(n, x, images, graph::CellKind::lstm);
       }},
      {"gru captioner",
       [](Net& n, ValueId x, std::int64_t images) {
         return captioner(n, x, images, graph::CellKind::gru);
       }},
      {"rnn captioner",
       [](Net& n, ValueId x, std::int64_t images) {
         return captioner(n, x, images, graph::CellKind::rnn);
       }},
      {"pool and linear",
       [](Net& n, ValueId x, std::int64_t) {
         return n.linear(n.flatten(n.mean(sigmoid(n, x), {2, 3})), 24, 5);
       }},
      {"convolutions and linear",
       [](Net& n, ValueId x, std::int64_t) {
         const auto y = n.add(n.conv(n.relu(n.conv(x, 24, 24, 3, 1)), 24, 24, 1, 0), x);
         return n.linear(n.flatten(n.relu(y)), 24 * 9, 5);
       }},
      {"sequence, both ways",
       [](Net& n, ValueId x, std::int64_t images) {
         const auto columns = n.transpose(n.mean(x, {2}, false), {2, 0, 1});
         const auto states =
             recurrent(n, cell(graph::CellKind::lstm, true),
                       {columns, n.weight({2, 40, 24}), n.weight({2, 40, 10}), n.weight({2, 80})});
         return n.dense(n.reshape(n.transpose(states, {2, 0, 1, 3}), {images, 3, 20}), 20, 6);
       }},
  };
  return all;
}

TEST_P(Seeds, OfNetworks) {
  const auto& [optimize, threads] = GetParam();
  const base::ThreadScope scope(threads);
  for (const auto& network : networks())
    for (const std::int64_t images : {1, 2})
      for (const auto reduce : {GradientReduce::none, GradientReduce::spatial_mean})
        for (const bool of_input : {false, true}) {
          Net n;
          const auto input = n.input({images, 3, 6, 6});
          const auto layer = features(n, input);
          const auto logits = network.behind(n, layer, images);
          n.finish(logits);
          const auto wrt = of_input ? input : layer;
          engine::PlanSpec spec;
          spec.optimize = optimize;
          spec.fetches = {logits};
          spec.maps = {layer};
          spec.gradients = {{logits, wrt, reduce}, {logits, wrt, reduce}};
          spec.gradients[1].seeds = kSeeds;
          engine::WeightCache weights;
          const auto plan = engine::Plan::build(n.graph, spec, weights);
          auto workspace = plan->make_workspace();
          const auto x = random_floats(images * 3 * 36, 5);
          plan->forward(workspace, {{x}}, {});
          expect_as_one_by_one(*plan, workspace, size_of(n.graph, logits),
                               network.name + ", " + std::to_string(images) + " images" +
                                   (of_input ? ", the input" : ", a layer") +
                                   (reduce == GradientReduce::none ? "" : ", means"));
          if (HasFatalFailure()) return;
        }
}

INSTANTIATE_TEST_SUITE_P(Plans, Seeds, testing::Values(std::tuple{false, 1}, std::tuple{true, 3}),
                         [](const auto& one) {
                           return std::get<0>(one.param) ? "optimized" : "plain";
                         });

TEST(SeedsOfAPlan, AreNotMoreThanItIsMadeFor) {
  Net n;
  const auto x = n.input({1, 3});
  const auto y = sigmoid(n, x);
  n.finish(y);
  engine::PlanSpec spec;
  spec.fetches = {y};
  spec.gradients = {{y, x}};
  spec.gradients[0].seeds = 2;
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(n.graph, spec, weights);
  auto workspace = plan->make_workspace();
  const std::vector<float> data(3, 0.5f);
  plan->forward(workspace, {{data}}, {});
  for (const std::size_t floats : {0, 2, 9})
    EXPECT_THROW(plan->backward(workspace, 0, std::vector<float>(floats), {}), Error) << floats;
}

/// Only the rows of the token are computed, and every other place of the sequence is zero.
TEST(SeedsOfAPlan, WantThePlacesOfASequenceThatTheyLeadTo) {
  Net n;
  const auto x = n.input({1, 3, 6, 6});
  const auto logits = captioner(n, features(n, x), 1, graph::CellKind::lstm);
  n.finish(logits);
  for (const std::int64_t seeds : {1, 4}) {
    engine::PlanSpec spec;
    spec.fetches = {logits};
    spec.gradients = {{logits, x}};
    spec.gradients[0].seeds = seeds;
    engine::WeightCache weights;
    const auto plan = engine::Plan::build(n.graph, spec, weights);
    std::int64_t products = 0;
    for (const auto& step : plan->steps())
      if (step.backward && step.op == "LSTM" && step.flops == 2 * seeds * 80 * 20) ++products;
    EXPECT_EQ(products, 1) << seeds;
  }
}

/// The token is neither the first of the sequence nor the last.
TEST(SeedsOfAPlan, ReachTheTokenWhereItIs) {
  for (const auto kind : {graph::CellKind::lstm, graph::CellKind::gru}) {
    Net n;
    const auto x = n.input({1, 24, 3, 3});
    const auto logits = captioner(n, x, 1, kind);
    n.finish(logits);
    engine::PlanSpec spec;
    spec.fetches = {logits};
    spec.gradients = {{logits, x}, {logits, x}};
    spec.gradients[1].seeds = 2;
    engine::WeightCache weights;
    const auto plan = engine::Plan::build(n.graph, spec, weights);
    auto workspace = plan->make_workspace();
    auto data = random_floats(24 * 9, 5, 0.3f);
    const auto seeds = random_floats(count_of(n.graph.value(logits).shape), 6);
    const auto score = [&] {
      plan->forward(workspace, {{data}}, {});
      const auto y = plan->fetch(workspace, 0);
      double sum = 0;
      for (std::size_t i = 0; i < seeds.size(); ++i)
        sum += static_cast<double>(seeds[i]) * static_cast<double>(y.data[i]);
      return sum;
    };
    score();
    plan->backward(workspace, 0, seeds, {});
    const auto one = plain(plan->gradient(workspace, 0));
    plan->backward(workspace, 1, joined({seeds, seeds}, 2), {});
    const auto second = plain(plan->gradient(workspace, 1, 1));
    double most = 0;
    for (const float v : one) most = std::max(most, static_cast<double>(std::abs(v)));
    ASSERT_GT(most, 0);
    constexpr float kStep = 1e-2f;
    for (std::size_t i = 0; i < data.size(); i += 7) {
      const float kept = data[i];
      data[i] = kept + kStep;
      const double up = score();
      data[i] = kept - kStep;
      const double down = score();
      data[i] = kept;
      const double slope = (up - down) / (2 * static_cast<double>(kStep));
      EXPECT_NEAR(one[i], slope, 1e-2 * most) << i;
      EXPECT_NEAR(second[i], slope, 1e-2 * most) << i;
    }
  }
}

}  // namespace
}  // namespace fovea::engine_test
