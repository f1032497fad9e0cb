// Weights: read when they are packed, packed once for the plans that live, told apart by what they
// hold.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "engine/plan.hpp"
#include "engine/weight_cache.hpp"
#include "graph/infer.hpp"

namespace fovea::engine {
namespace {

using graph::Constant;
using graph::ValueId;

std::vector<float> noise(std::size_t count, unsigned state) {
  std::vector<float> out(count);
  for (auto& v : out) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(state >> 8) / 8388608.0f - 1;
  }
  return out;
}

/// Numbers that are made anew each time; counts how often, and fails where it is told to.
class Source : public graph::Deferred {
 public:
  Source(std::int64_t count, unsigned seed)
      : Deferred(count, seed), data_(noise(static_cast<std::size_t>(count), seed)) {}
  void read(std::int64_t first, std::span<float> out) const override {
    if (fails) throw Error(ErrorCode::bad_model, "the source is gone");
    ++reads;
    std::copy_n(data_.begin() + first, out.size(), out.begin());
  }
  mutable std::atomic<int> reads = 0;
  std::atomic<bool> fails = false;

 private:
  std::vector<float> data_;
};

/// x -> Conv -> BatchNorm -> Relu -> Flatten -> Gemm -> y, all weights deferred.
struct Net {
  static constexpr std::int64_t kChannels = 32, kClasses = 24;
  graph::Graph graph;
  std::shared_ptr<Source> conv = std::make_shared<Source>(kChannels * kChannels * 9, 1);
  std::shared_ptr<Source> fc = std::make_shared<Source>(kClasses * kChannels * 36, 2);
  ValueId x, norm, y;

  Net() {
    x = graph.add_input("x", graph::DType::f32, {1, kChannels, 6, 6});
    const auto w = constant("w", {kChannels, kChannels, 3, 3}, conv);
    auto v =
        node("conv", graph::Conv{.window = {.pads_begin = {1, 1}, .pads_end = {1, 1}}}, {x, w});
    std::vector<ValueId> inputs{v};
    for (unsigned i = 0; i < 4; ++i) {
      auto data = noise(kChannels, 10 + i);
      for (auto& d : data) d = i == 3 ? d + 2 : d;
      inputs.push_back(graph.add_constant("p" + std::to_string(i),
                                          Constant::of_floats({kChannels}, std::move(data))));
    }
    norm = node("norm", graph::BatchNorm{}, inputs);
    v = node("flat", graph::Reshape{graph::ReshapeKind::flatten, {}, false},
             {node("relu", graph::Unary{graph::UnaryKind::relu}, {norm})});
    y = node("fc", graph::Gemm{.trans_b = true},
             {v, constant("fcw", {kClasses, kChannels * 36}, fc)});
    graph.outputs = {y};
    graph::bind(graph, {}, 1);
  }

  ValueId constant(const std::string& name, Shape shape, std::shared_ptr<const Source> source) {
    return graph.add_constant(name, Constant::of_deferred(std::move(shape), std::move(source)));
  }
  ValueId node(const std::string& name, graph::Op op, std::vector<ValueId> inputs) {
    const std::string type(graph::name_of(op));
    return graph.node(graph.add_node(name, type, std::move(op), std::move(inputs), {name}))
        .outputs[0];
  }
  std::shared_ptr<const Plan> plan(WeightCache& weights, PlanSpec spec = {}) const {
    spec.fetches = {y};
    return Plan::build(graph, spec, weights);
  }
  int reads() const { return conv->reads * 100 + fc->reads; }
};

std::vector<float> run(const Plan& plan) {
  auto workspace = plan.make_workspace();
  const auto input = noise(static_cast<std::size_t>(Net::kChannels) * 36, 5);
  const std::span<const float> feed(input);
  plan.forward(workspace, std::span(&feed, 1), {});
  const auto view = plan.fetch(workspace, 0);
  std::int64_t count = 1;
  for (const auto extent : view.shape) count *= extent;
  return {view.data, view.data + count};
}

void expect_near(const std::vector<float>& got, const std::vector<float>& want, float relative) {
  ASSERT_EQ(got.size(), want.size());
  float largest = 0;
  for (const float v : want) largest = std::max(largest, std::abs(v));
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], want[i], relative * largest) << i;
}

TEST(Weights, PlansThatLiveShareAndTheLastOneGivesBack) {
  const Net net;
  WeightCache weights;
  auto first = net.plan(weights);
  EXPECT_EQ(net.reads(), 101) << "each weight is read once";
  const auto want = run(*first);
  auto second = net.plan(weights);
  EXPECT_EQ(net.reads(), 101) << "and not again while a plan holds it";
  first.reset();
  EXPECT_EQ(run(*second), want);
  second.reset();
  EXPECT_EQ(run(*net.plan(weights)), want);
  EXPECT_EQ(net.reads(), 202);
}

TEST(Weights, TheFoldedConvolutionIsThePlainOne) {
  const Net net;
  WeightCache weights;
  PlanSpec obvious;
  obvious.optimize = false;
  const auto folded = net.plan(weights), plain = net.plan(weights, obvious);
  expect_near(run(*folded), run(*plain), 2e-5f);
}

TEST(Weights, WhatNoStepReadsIsNotLoaded) {
  const Net net;
  WeightCache weights;
  PlanSpec spec;
  spec.fetches = {net.norm};
  const auto plan = Plan::build(net.graph, spec, weights);
  EXPECT_EQ(net.reads(), 100);
}

TEST(Packer, LaysWeightsOfAllSizesSideBySide) {
  const std::vector<std::int64_t> rows = {1, 7, 300, 5000, 1, 20000, 3, 4096, 4096, 4096, 4096, 9};
  constexpr std::int64_t kColumns = 63;
  std::vector<Weights> packed;
  std::vector<std::vector<float>> want;
  {
    Packer packer;
    for (const auto n : rows) {
      const auto data = noise(static_cast<std::size_t>(n * kColumns), static_cast<unsigned>(n));
      const Desc columns_first({n, kColumns}, Type::f32, Dims{1, n});
      packed.push_back(packer.pack(Constant::of_floats({n, kColumns}, data),
                                   plain_desc({n, kColumns}), columns_first));
      auto& transposed = want.emplace_back(data.size());
      for (std::int64_t i = 0; i < n * kColumns; ++i)
        transposed[static_cast<std::size_t>(i % kColumns * n + i / kColumns)] =
            data[static_cast<std::size_t>(i)];
    }
  }
  packed[2].reset();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!packed[i]) continue;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(packed[i].get()) % base::kAlignment, 0u);
    const auto* floats = reinterpret_cast<const float*>(packed[i].get());
    EXPECT_EQ(std::vector<float>(floats, floats + want[i].size()), want[i]) << rows[i];
  }
}

TEST(Weights, ManyThreadsPackOnce) {
  const Net net;
  WeightCache weights;
  std::vector<std::shared_ptr<const Plan>> plans(6);
  std::vector<std::thread> threads;
  for (auto& plan : plans) threads.emplace_back([&] { plan = net.plan(weights); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(net.reads(), 101);
  for (const auto& plan : plans) EXPECT_EQ(run(*plan), run(*plans[0]));
}

TEST(Weights, AFailureIsToldAndNotRemembered) {
  const Net net;
  WeightCache weights;
  for (const auto& source : {net.conv, net.fc}) {
    source->fails = true;
    try {
      net.plan(weights);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_model);
      EXPECT_EQ(error.sentence(), "the source is gone");
    }
    source->fails = false;
  }
  EXPECT_NO_THROW(net.plan(weights));
}

// Two plans fold different things into one convolution, and give the result the same name.
TEST(Weights, WeightsOfOneNameAreToldApart) {
  Net net;
  auto data = noise(Net::kChannels, 30);
  const auto s =
      net.graph.add_constant("s", Constant::of_floats({1, Net::kChannels, 1, 1}, std::move(data)));
  const auto scaled = net.node("scaled", graph::Binary{graph::BinaryKind::mul}, {net.norm, s});
  net.graph.outputs = {scaled};
  graph::bind(net.graph, {}, 1);
  PlanSpec all, part, obvious;
  all.fetches = part.fetches = obvious.fetches = {scaled};
  part.maps = {net.norm};
  obvious.optimize = false;
  WeightCache weights, others;
  const auto plan_all = Plan::build(net.graph, all, weights);
  const auto plan_part = Plan::build(net.graph, part, weights);
  const auto plan_plain = Plan::build(net.graph, obvious, others);
  const auto want = run(*plan_plain);
  expect_near(run(*plan_all), want, 2e-5f);
  expect_near(run(*plan_part), want, 2e-5f);
}

// A square matrix and its transpose, both packed for bf16 in the same layout.
TEST(Weights, AMatrixAndItsTransposeAreToldApart) {
  if (!bf16_supported()) GTEST_SKIP() << "this CPU has no bf16";
  constexpr std::int64_t kSize = 64;
  graph::Graph graph;
  const auto x = graph.add_input("x", graph::DType::f32, {1, kSize});
  const auto w = graph.add_constant(
      "w", Constant::of_floats({kSize, kSize}, noise(static_cast<std::size_t>(kSize) * kSize, 3)));
  const auto node = graph.add_node("fc", "Gemm", graph::Gemm{.trans_b = true}, {x, w}, {"y"});
  const auto y = graph.node(node).outputs[0];
  graph.outputs = {y};
  graph::bind(graph, {}, 1);
  PlanSpec spec;
  spec.fetches = {y};
  spec.gradients = {{y, x}};
  const auto gradient = [&](Precision precision) {
    spec.precision = precision;
    WeightCache weights;
    const auto plan = Plan::build(graph, spec, weights);
    auto workspace = plan->make_workspace();
    const auto input = noise(static_cast<std::size_t>(kSize), 5);
    const std::span<const float> feed(input);
    plan->forward(workspace, std::span(&feed, 1), {});
    plan->backward(workspace, 0, noise(static_cast<std::size_t>(kSize), 6), {});
    const auto view = plan->gradient(workspace, 0);
    return std::vector<float>(view.data, view.data + kSize);
  };
  expect_near(gradient(Precision::bf16), gradient(Precision::f32), 0.03f);
}

}  // namespace
}  // namespace fovea::engine
