#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

#include "engine/memory.hpp"
#include "engine/net.hpp"
#include "engine/ops/op.hpp"

/// What forward steps keep for backward passes (ForwardContext::keep): norms keep their moments.
namespace fovea::engine_test {
namespace {

using graph::ValueId;

constexpr std::int64_t kRows = 4, kWidth = 6;
constexpr float kEpsilon = 1e-3F;

ValueId norm(Net& net, ValueId x, std::int64_t width) {
  graph::LayerNorm op{-1};
  op.epsilon = kEpsilon;
  return net.node("LayerNormalization", op, {x, net.weight({width}), net.weight({width})});
}

/// One row's norm, as it is defined.
std::vector<double> normed(std::vector<double> x, std::span<const float> scale,
                           std::span<const float> bias) {
  double mean = 0, variance = 0;
  const auto n = static_cast<double>(x.size());
  for (const auto v : x) mean += v / n;
  for (const auto v : x) variance += (v - mean) * (v - mean) / n;
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = (x[i] - mean) / std::sqrt(variance + kEpsilon) * scale[i] + bias[i];
  return x;
}

/// Two norms one behind the other, and their weights.
struct Norms {
  Net net;
  ValueId x, first, second;
  std::vector<float> scale[2], bias[2];

  Norms() {
    x = net.input({kRows, kWidth});
    first = norm(net, x, kWidth);
    second = norm(net, first, kWidth);
    net.finish(second);
    for (int k = 0; k < 2; ++k) {
      const auto& node = net.graph.nodes()[static_cast<std::size_t>(k)];
      scale[k] = floats_of(node.inputs[1]);
      bias[k] = floats_of(node.inputs[2]);
    }
  }
  std::vector<float> floats_of(ValueId id) const {
    const auto floats = net.graph.value(id).constant->floats();
    return {floats.data.begin(), floats.data.end()};
  }

  /// The slope of sum(seeds * the value behind `norms` norms), by differences in double.
  std::vector<float> slopes(const std::vector<float>& data, const std::vector<float>& seeds,
                            int norms) const {
    std::vector<float> out;
    for (std::size_t row = 0; row < kRows; ++row) {
      const auto at = row * kWidth;
      const auto score = [&](std::size_t moved, double by) {
        std::vector<double> v(data.begin() + static_cast<std::ptrdiff_t>(at),
                              data.begin() + static_cast<std::ptrdiff_t>(at) + kWidth);
        v[moved] += by;
        for (int k = 0; k < norms; ++k) v = normed(v, scale[k], bias[k]);
        double sum = 0;
        for (std::size_t i = 0; i < v.size(); ++i) sum += v[i] * seeds[at + i];
        return sum;
      };
      for (std::size_t i = 0; i < kWidth; ++i)
        out.push_back(static_cast<float>((score(i, 1e-5) - score(i, -1e-5)) / 2e-5));
    }
    return out;
  }
};

TEST(Keep, WalksReadTheLastForwardRunOfTheirWorkspace) {
  const Norms norms;
  engine::PlanSpec spec;
  spec.fetches = {norms.second};
  spec.gradients = {{norms.first, norms.x}, {norms.second, norms.x}};
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(norms.net.graph, spec, weights);
  engine::Workspace spaces[] = {plan->make_workspace(), plan->make_workspace()};
  std::vector<float> data[2];
  const auto run = [&](int space, unsigned seed) {
    data[space] = random_floats(kRows * kWidth, seed);
    plan->forward(spaces[space], std::vector<std::span<const float>>{data[space]}, {});
  };
  const auto check = [&](int space, std::size_t backward_pass, unsigned seed) {
    const auto seeds = random_floats(kRows * kWidth, seed);
    plan->backward(spaces[space], backward_pass, seeds, {});
    const auto got = row_major(plan->gradient(spaces[space], backward_pass));
    const auto want = norms.slopes(data[space], seeds, static_cast<int>(backward_pass) + 1);
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i)
      EXPECT_NEAR(got[i], want[i], 2e-4)
          << "workspace " << space << ", walk " << backward_pass << ", " << i;
  };
  run(0, 1);
  run(1, 2);
  for (unsigned round = 0; round < 2; ++round) {
    check(0, 1, 10 + round);
    check(1, 0, 20 + round);
    check(0, 0, 30 + round);
    check(0, 1, 40 + round);
    run(0, 3 + round);
    check(1, 1, 50 + round);
  }
}

/// A chain of as many norms of short rows, whose moments take as much as the map.
struct Chain {
  Net net;
  ValueId x, last;

  explicit Chain(int norms) {
    x = net.input({512, 2});
    auto v = x;
    for (int k = 0; k < norms; ++k) v = norm(net, v, 2);
    last = v;
    net.finish(net.dense(last, 2, 3));
  }
  static constexpr std::int64_t kMoments = 512 * 2 * 4;
  ValueId scores() const { return net.graph.outputs[0]; }
  /// Of the plan with the gradient with respect to `wrt`; none: forward only.
  std::shared_ptr<const engine::Plan> plan(ValueId wrt, bool rescale = false) const {
    engine::PlanSpec spec;
    spec.fetches = {scores()};
    if (wrt) spec.gradients = {{scores(), wrt}};
    if (rescale) spec.gradients[0].rule = engine::GradientRule::rescale;
    engine::WeightCache weights;
    return engine::Plan::build(net.graph, spec, weights);
  }
};

/// What the forward pass's norms read and write.
std::int64_t bytes_of_norms(const engine::Plan& plan) {
  std::int64_t out = 0;
  for (const auto& step : plan.steps())
    if (!step.backward && step.op == "LayerNormalization") out += step.bytes;
  return out;
}

TEST(Keep, NothingIsKeptThatNoWalkReads) {
  const Chain five(5), seven(7);
  const auto forward = seven.plan({}), behind = seven.plan(seven.last), whole = seven.plan(seven.x);
  EXPECT_EQ(bytes_of_norms(*behind), bytes_of_norms(*forward));
  EXPECT_EQ(bytes_of_norms(*whole), bytes_of_norms(*forward) + 7 * Chain::kMoments);
  // Its rule reads the reference run's values, and finds the moments of both.
  EXPECT_EQ(bytes_of_norms(*seven.plan(seven.x, true)), bytes_of_norms(*forward));
  // A chain of any length takes the same, unless what is kept grows with it.
  EXPECT_EQ(forward->arena_bytes(), five.plan({})->arena_bytes());
  EXPECT_EQ(behind->arena_bytes(), five.plan(five.last)->arena_bytes());
  // With the maps that the backward pass reads, and the moments of two norms.
  EXPECT_GE(whole->arena_bytes(), five.plan(five.x)->arena_bytes() + 2 * (2 * Chain::kMoments));
}

class KeptBuffers : public testing::Test {
 protected:
  KeptBuffers() {
    x_ = net_.input({1, 8});
    y_ = net_.relu(x_);
    net_.finish(y_);
    builder_.emplace(net_.graph, engine::PlanSpec{.feeds = {x_}}, weights_);
    builder_->begin_node("relu", "Relu");
  }
  const graph::Node& node() const { return net_.graph.nodes()[0]; }
  engine::BackwardContext backward_pass(engine::BackwardReads reads) {
    return {*builder_, node(), *gradients_, path_, reads};
  }
  void step(const std::vector<engine::Operand>& reads, const std::vector<engine::Operand>& writes) {
    builder_->kernel([](engine::Pointers) {}, reads, writes);
  }

  Net net_;
  ValueId x_, y_;
  engine::WeightCache weights_;
  std::optional<engine::Builder> builder_;
  std::vector<bool> path_ = std::vector<bool>(8, true);
  std::optional<engine::Gradients> gradients_;
};

TEST_F(KeptBuffers, AreSeveralOfAnyTypeAndLiveToTheEnd) {
  using engine::Type;
  engine::ForwardContext forward(*builder_, node(), true);
  EXPECT_TRUE(forward.keeps());
  EXPECT_FALSE(engine::ForwardContext(*builder_, node()).keeps());
  const auto gates = forward.keep(engine::plain_desc({5, 8}));
  const auto indices = forward.keep(engine::plain_desc({100}, Type::u8));
  const auto unread = forward.keep(engine::plain_desc({64}));
  step({}, {gates, indices, unread});
  for (int k = 0; k < 3; ++k) step({}, {builder_->make(engine::plain_desc({64}))});
  gradients_.emplace(*builder_);
  for (int backward_passes = 0; backward_passes < 2; ++backward_passes) {
    builder_->begin_gradient(engine::GradientRule::plain);
    auto back = backward_pass({.kept = true});
    EXPECT_TRUE(same_place(back.kept(0), gates));
    EXPECT_TRUE(same_place(back.kept(1), indices));
    EXPECT_EQ(back.kept(1).desc.get_size(), 100U);
    step({back.kept(1)}, {builder_->make(engine::plain_desc({64}))});
    if (backward_passes == 0) step({back.kept(0)}, {builder_->make(engine::plain_desc({64}))});
  }
  auto& buffers = builder_->buffers();
  const auto steps = static_cast<int>(builder_->steps().size());
  engine::plan_memory(buffers, steps);
  const auto of = [&](const engine::Operand& t) {
    return buffers[static_cast<std::size_t>(t.buffer)];
  };
  for (const auto& kept : {gates, indices}) {
    EXPECT_EQ(of(kept).first, 0);
    EXPECT_EQ(of(kept).last, steps);
    for (const auto& other : buffers) {
      if (other.offset == of(kept).offset && other.bytes == of(kept).bytes) continue;
      EXPECT_TRUE(other.offset >= of(kept).offset + of(kept).bytes ||
                  of(kept).offset >= other.offset + other.bytes);
    }
  }
  EXPECT_EQ(of(unread).last, 0);
}

TEST_F(KeptBuffers, AreRefusedWhereNobodySaidSo) {
  engine::ForwardContext(*builder_, node(), true).keep(engine::plain_desc({4}));
  gradients_.emplace(*builder_);
  builder_->begin_gradient(engine::GradientRule::plain);
  const auto said = [&](engine::BackwardReads reads, std::size_t i) {
    try {
      backward_pass(reads).kept(i);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::internal);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(said({.kept = true}, 0), "accepted");
  EXPECT_NE(said({.inputs = 1, .output = true}, 0).find("without declaring it"), std::string::npos);
  EXPECT_NE(said({.kept = true}, 1).find("no forward step kept"), std::string::npos);
}

}  // namespace
}  // namespace fovea::engine_test
