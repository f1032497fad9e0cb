#include "engine/primitive_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <dnnl.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/plan.hpp"
#include "graph/infer.hpp"

namespace fovea::engine_test {
namespace {

using graph::Unary;
using graph::UnaryKind;

constexpr std::int64_t kIn = 12, kOut = 16, kSide = 24;

struct Activation {
  const char* name;
  Unary op;
  float (*of)(float);
};

const std::vector<Activation>& activations() {
  static const std::vector<Activation> all = {
      {"relu", {UnaryKind::relu}, [](float x) { return std::max(x, 0.f); }},
      {"silu", {UnaryKind::silu, 1.f}, [](float x) { return x / (1 + std::exp(-x)); }},
      {"sigmoid", {UnaryKind::sigmoid}, [](float x) { return 1 / (1 + std::exp(-x)); }},
      {"tanh", {UnaryKind::tanh}, [](float x) { return std::tanh(x); }},
      {"elu", {UnaryKind::elu, 0.5f}, [](float x) { return x > 0 ? x : 0.5f * std::expm1(x); }},
      {"leaky_relu", {UnaryKind::leaky_relu, 0.25f}, [](float x) { return x > 0 ? x : x / 4; }},
  };
  return all;
}

/// A 3x3 convolution, and an activation behind it if there is one.
graph::Graph convolution(const Activation* activation) {
  graph::Graph graph;
  const auto x = graph.add_input("x", graph::DType::f32, {1, kIn, kSide, kSide});
  std::vector<float> weights(kOut * kIn * 9);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = std::sin(static_cast<float>(i)) * 0.2f;
  const auto w =
      graph.add_constant("w", graph::Constant::of_floats({kOut, kIn, 3, 3}, std::move(weights)));
  graph::Conv conv;
  conv.window.pads_begin = conv.window.pads_end = {1, 1};
  auto last = graph.add_node("conv", "Conv", conv, {x, w}, {"y"});
  if (activation != nullptr)
    last = graph.add_node("activation", activation->name, activation->op,
                          {graph.node(last).outputs[0]}, {"z"});
  graph.outputs = graph.node(last).outputs;
  graph::bind(graph, {}, 1);
  return graph;
}

std::vector<float> run(const graph::Graph& graph, Tuning tuning) {
  engine::PlanSpec spec;
  spec.fetches = graph.outputs;
  spec.tuning = tuning;
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(graph, spec, weights);
  auto workspace = plan->make_workspace();
  std::vector<float> x(kIn * kSide * kSide);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::cos(static_cast<float>(i));
  const std::span<const float> feed(x);
  plan->forward(workspace, std::span(&feed, 1), {});
  const auto view = plan->fetch(workspace, 0);
  return {view.data, view.data + kOut * kSide * kSide};
}

/// What freed memory had in it is overwritten.
void overwrite_freed_memory() {
  constexpr std::size_t kPieces = 4000, kStep = 8;
  std::vector<std::unique_ptr<char[]>> pieces;
  for (std::size_t i = 1; i < kPieces; ++i) {
    pieces.push_back(std::make_unique<char[]>(kStep * i));
    std::memset(pieces.back().get(), static_cast<int>(i), kStep * i);
  }
}

float furthest(const std::vector<float>& got, const std::vector<float>& bare,
               const Activation& activation) {
  float out = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    out = std::max(out, std::fabs(got[i] - activation.of(bare[i])));
  return out;
}

// oneDNN hands out what an earlier, now dead plan described.
TEST(PrimitiveCache, ATunedPlanHasItsOwnActivationWhateverWasPlannedBefore) {
  const auto bare = run(convolution(nullptr), Tuning::off);
  for (const auto& activation : activations()) {
    const auto graph = convolution(&activation);
    EXPECT_LT(furthest(run(graph, Tuning::off), bare, activation), 1e-4f) << activation.name;
    overwrite_freed_memory();
    EXPECT_LT(furthest(run(graph, Tuning::quick), bare, activation), 1e-4f) << activation.name;
  }
}

TEST(PrimitiveCache, PlansMadeAtOnceHaveTheirOwnActivations) {
  constexpr int kThreads = 4, kRounds = 12;
  const auto bare = run(convolution(nullptr), Tuning::off);
  std::vector<std::vector<float>> furthest_of(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        const auto& activation =
            activations()[static_cast<std::size_t>(t + i) % activations().size()];
        const auto tuning = (t + i) % 2 == 0 ? Tuning::quick : Tuning::off;
        furthest_of[static_cast<std::size_t>(t)].push_back(
            furthest(run(convolution(&activation), tuning), bare, activation));
      }
    });
  for (auto& thread : threads) thread.join();
  for (const auto& all : furthest_of) {
    EXPECT_EQ(all.size(), std::size_t{kRounds});
    for (const float one : all) EXPECT_LT(one, 1e-4f);
  }
}

/// Another thread wants the primitives kept for as long as this lives.
class KeptByAnother {
 public:
  KeptByAnother() { begun_.get_future().wait(); }
  ~KeptByAnother() {
    ends_.set_value();
    thread_.join();
  }
  KeptByAnother(const KeptByAnother&) = delete;
  KeptByAnother& operator=(const KeptByAnother&) = delete;

 private:
  std::promise<void> begun_, ends_;
  std::thread thread_{[this] {
    const auto kept = engine::keep_primitives_cached();
    begun_.set_value();
    ends_.get_future().wait();
  }};
};

TEST(PrimitiveCache, IsOnlyEmptiedWhereNobodyWantsItKept) {
  const int capacity = dnnl::get_primitive_cache_capacity();
  int asked = 0;
  {
    const KeptByAnother another;
    const engine::WithoutPrimitiveCache refused([&] { return ++asked < 2; });
    EXPECT_FALSE(refused);
    EXPECT_EQ(dnnl::get_primitive_cache_capacity(), capacity);
  }
  EXPECT_EQ(asked, 2);
  auto own = engine::keep_primitives_cached();
  {
    const engine::NeedNotStayCached waiting(own);
    const engine::WithoutPrimitiveCache uncached([] { return true; });
    EXPECT_TRUE(uncached);
    EXPECT_EQ(dnnl::get_primitive_cache_capacity(), 0);
  }
  EXPECT_TRUE(own.owns_lock());
  EXPECT_EQ(dnnl::get_primitive_cache_capacity(), capacity);
}

}  // namespace
}  // namespace fovea::engine_test
