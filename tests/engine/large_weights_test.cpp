#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "engine/net.hpp"

/// A linear layer whose weights are more than caches hold, behind an activation that leaves zeros:
/// the weights lie with the rows of each input together, in one form for every plan.
namespace fovea::engine_test {
namespace {

using graph::ValueId;

constexpr std::int64_t kChannels = 50, kRows = 6, kColumns = 10, kInputs = kChannels * 15,
                       kOutputs = 5700;

/// x [images, channels, 6, 10] -> Relu -> MaxPool -> Flatten -> Gemm.
struct LargeHead {
  Net net;
  ValueId x, above, weights, bias, y;

  explicit LargeHead(std::int64_t images) {
    x = net.input({images, kChannels, kRows, kColumns});
    above = net.relu(x);
    graph::Pool pool;
    pool.window.kernel = pool.window.strides = {2, 2};
    const auto flat = net.flatten(net.node("MaxPool", pool, {above}));
    weights = net.weight({kOutputs, kInputs}, 0.1f);
    bias = net.weight({kOutputs});
    graph::Gemm gemm;
    gemm.trans_b = true;
    y = net.node("Gemm", gemm, {flat, weights, bias});
    net.finish(y);
  }

  std::size_t images() const { return static_cast<std::size_t>(net.graph.value(x).shape[0]); }

  /// Scores of maps as they are behind the ReLU, in double.
  std::vector<double> scores(const std::vector<float>& maps) const {
    const auto w = net.graph.value(weights).constant->floats();
    const auto b = net.graph.value(bias).constant->floats();
    std::vector<double> out;
    for (std::size_t n = 0; n < images(); ++n) {
      std::vector<double> pooled;
      for (std::int64_t c = 0; c < kChannels; ++c)
        for (std::int64_t i = 0; i < kRows; i += 2)
          for (std::int64_t j = 0; j < kColumns; j += 2) {
            const auto at = [&](std::int64_t di, std::int64_t dj) {
              return maps[static_cast<std::size_t>(
                  ((static_cast<std::int64_t>(n) * kChannels + c) * kRows + i + di) * kColumns + j +
                  dj)];
            };
            pooled.push_back(std::max({at(0, 0), at(0, 1), at(1, 0), at(1, 1)}));
          }
      for (std::size_t o = 0; o < static_cast<std::size_t>(kOutputs); ++o) {
        double sum = b[o];
        for (std::size_t k = 0; k < pooled.size(); ++k) sum += pooled[k] * w[o * pooled.size() + k];
        out.push_back(sum);
      }
    }
    return out;
  }
};

/// Builds the plan and holds its scores of `fed` to those of `maps`.
std::shared_ptr<const engine::Plan> expect_scores(const LargeHead& head, engine::PlanSpec spec,
                                                  const std::vector<float>& fed,
                                                  const std::vector<float>& maps) {
  spec.fetches = {head.y};
  engine::WeightCache cache;
  auto plan = engine::Plan::build(head.net.graph, spec, cache);
  auto workspace = plan->make_workspace();
  plan->forward(workspace, std::vector<std::span<const float>>{fed}, {});
  const float* got = plan->fetch(workspace, 0).data;
  const auto want = head.scores(maps);
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 2e-4) << i;
  return plan;
}

std::string product_of(const engine::Plan& plan) {
  for (const auto& step : plan.steps())
    if (step.op == "Gemm" && !step.backward && step.flops > 0) return step.implementation;
  return {};
}

TEST(LargeWeights, GiveSumsOfProductsForFewRowsAndMany) {
  for (const std::int64_t images : {1, 3, 9}) {
    const LargeHead head(images);
    const auto x = random_floats(images * kChannels * kRows * kColumns, 3);
    auto above = x;
    for (auto& v : above) v = std::max(v, 0.f);
    expect_scores(head, {}, x, above);
  }
}

TEST(LargeWeights, PassGradientsAndTheirMeans) {
  for (const bool means : {false, true}) {
    const LargeHead head(2);
    engine::PlanSpec spec;
    spec.fetches = {head.y};
    spec.maps = {head.above};
    spec.gradients = {{head.y, head.above}};
    if (means) spec.gradients[0].reduce = engine::GradientReduce::spatial_mean;
    engine::WeightCache cache;
    const auto plan = engine::Plan::build(head.net.graph, spec, cache);
    auto workspace = plan->make_workspace();
    const auto x = random_floats(2 * kChannels * kRows * kColumns, 3);
    const auto seeds = random_floats(2 * kOutputs, 4);
    const std::vector<std::span<const float>> feeds{x};
    plan->forward(workspace, feeds, {});
    plan->backward(workspace, 0, seeds, {});
    const auto view = plan->gradient(workspace, 0);
    // What each pooled value passes on arrives at one position, so that sums over positions tell.
    const auto w = head.net.graph.value(head.weights).constant->floats();
    const double positions = kRows * kColumns;
    for (std::size_t n = 0; n < 2; ++n)
      for (std::size_t c = 0; c < static_cast<std::size_t>(kChannels); ++c) {
        double want = 0, got = 0;
        for (std::size_t o = 0; o < static_cast<std::size_t>(kOutputs); ++o)
          for (std::size_t p = 0; p < 15; ++p)
            want += static_cast<double>(seeds[n * kOutputs + o]) * w[o * kInputs + c * 15 + p];
        if (means) {
          got = view.data[n * kChannels + c] * positions;
        } else {
          const auto all = row_major(view);
          for (std::size_t p = 0; p < static_cast<std::size_t>(positions); ++p)
            got += all[(n * kChannels + c) * static_cast<std::size_t>(positions) + p];
        }
        ASSERT_NEAR(got, want, 1e-2) << n << ", " << c;
      }
  }
}

TEST(FewPositions, LeaveOutMostOfTheWeightsAndGiveTheSameScores) {
  const LargeHead head(9);
  std::vector<float> maps(9 * kChannels * kRows * kColumns, 0.f);
  const auto values = random_floats(9 * kChannels, 5);
  for (std::size_t n = 0; n < 9; ++n)
    for (std::size_t c = 0; c < static_cast<std::size_t>(kChannels); ++c)
      maps[(n * kChannels + c) * 60 + 7 * n] = std::max(values[n * kChannels + c], 0.f);
  engine::PlanSpec spec;
  spec.feeds = {head.above};
  for (const bool few : {true, false}) {
    spec.few_positions = few;
    EXPECT_EQ(product_of(*expect_scores(head, spec, maps, maps)) == "fovea", few);
  }
  // The hint is one: maps without zeros have the scores that they have.
  const auto full = random_floats(9 * kChannels * kRows * kColumns, 6);
  spec.few_positions = true;
  expect_scores(head, spec, full, full);
}

}  // namespace
}  // namespace fovea::engine_test
