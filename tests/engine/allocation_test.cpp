#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/parallel.hpp"
#include "engine/counting_allocator.hpp"
#include "engine/op_graph.hpp"
#include "engine/plan.hpp"
#include "graph/infer.hpp"
#include "graph/query.hpp"
#include "onnx/importer.hpp"

/// In the steady state nothing of fovea's asks the heap for memory: a run's time does not hang on
/// the allocator, and nothing is left to fail half-way. oneDNN makes a table of its arguments per
/// primitive; that is counted apart, and the same from run to run.
namespace fovea::engine_test {
namespace {

constexpr std::int64_t kOpenExtent = 49;
constexpr int kSettled = 3;  // runs until OpenMP and oneDNN have what they keep
/// oneDNN's table: an entry per argument, and what holds it.
constexpr std::size_t kMaxPerPrimitive = 24;

/// A plan and what it takes to run it forward and, where it has a gradient, back.
struct Runner {
  std::shared_ptr<const engine::Plan> plan;
  std::unique_ptr<engine::Workspace> workspace;
  std::vector<std::vector<float>> data;
  std::vector<std::span<const float>> feeds;
  std::vector<float> seeds;

  void run() {
    plan->forward(*workspace, feeds, {});
    if (!seeds.empty()) plan->backward(*workspace, 0, seeds, {});
  }
};

void expect_steady(Runner runner, const std::string& name) {
  runner.workspace = std::make_unique<engine::Workspace>(runner.plan->make_workspace());
  for (const auto& d : runner.data) runner.feeds.emplace_back(d);
  for (int i = 0; i < kSettled; ++i) runner.run();
  std::vector<Allocations> counts;
  for (int i = 0; i < 2; ++i) {
    AllocationCount count;
    runner.run();
    counts.push_back(count.stop());
  }
  EXPECT_EQ(counts[0].own, 0U) << name;
  EXPECT_EQ(counts[1].own, 0U) << name;
  EXPECT_EQ(counts[0].onednns, counts[1].onednns) << name;
  for (const auto n : counts[0].onednns) EXPECT_LE(n, kMaxPerPrimitive) << name;
}

TEST(AllocationCount, SeesWhoAsks) {
  AllocationCount count;
  // Volatile, so that the compiler leaves out none of them.
  void* volatile created = ::operator new(100);
  void* volatile asked = std::malloc(100);
  void* volatile cleared = std::calloc(10, 10);
  void* volatile grown = std::realloc(asked, 10000);
  void* volatile aligned = std::aligned_alloc(64, 128);
  const auto seen = count.stop();
  EXPECT_EQ(seen.own, 5U);
  EXPECT_EQ(seen.openmp, 0U);
  EXPECT_TRUE(seen.onednns.empty());
  ::operator delete(created);
  for (void* memory : {cleared, grown, aligned}) std::free(memory);
}

class SteadyState : public testing::TestWithParam<int> {};

TEST_P(SteadyState, EveryOperatorRunsWithoutTheHeap) {
  const base::ThreadScope scope(GetParam());
  for (const auto& one : all_cases())
    for (const bool behind_conv : {false, true}) {
      const Bench bench = build_bench(one, behind_conv);
      engine::PlanSpec spec;
      spec.fetches = bench.results;
      for (const auto argument : bench.arguments)
        if (one.differentiable && argument && !bench.graph.value(argument).constant)
          spec.gradients = {{bench.results[0], argument}};
      engine::WeightCache weights;
      Runner runner;
      runner.plan = engine::Plan::build(bench.graph, spec, weights);
      for (const auto id : bench.fed) runner.data.push_back(floats(bench.arrays.at(id.index)));
      if (!spec.gradients.empty())
        runner.seeds = floats(spread(data(bench.graph.value(bench.results[0]).shape), 9));
      expect_steady(std::move(runner), one.name + (behind_conv ? " behind a convolution" : ""));
    }
}

TEST_P(SteadyState, WholeNetworksRunWithoutTheHeap) {
  const base::ThreadScope scope(GetParam());
  const std::filesystem::path root = std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/golden/data";
  int networks = 0;
  for (const auto& folder : std::filesystem::directory_iterator(root)) {
    const auto file = folder.path() / "model.onnx";
    if (!std::filesystem::exists(file)) continue;
    auto graph = onnx::import_file(file, {}).graph;
    std::map<std::string, Shape> shapes;
    for (const auto id : graph.inputs) {
      Shape shape = graph.value(id).shape;
      for (std::size_t d = 0; d < shape.size(); ++d)
        if (shape[d] < 0) shape[d] = d == 0 ? 1 : kOpenExtent;
      shapes[graph.value(id).name] = shape;
    }
    graph::bind(graph, shapes, 1);
    engine::fold_constants(graph);
    const auto scores = graph::find_scores(graph, "");
    const auto layer = graph::find_default_layer(graph, scores.logits);
    engine::PlanSpec spec;
    spec.fetches = {scores.logits};
    spec.maps = {layer.value};
    spec.gradients = {{scores.logits, layer.value}};
    engine::WeightCache weights;
    Runner runner;
    runner.plan = engine::Plan::build(graph, spec, weights);
    for (const auto id : graph.inputs)
      runner.data.push_back(floats(spread(data(graph.value(id).shape), 1)));
    runner.seeds = floats(spread(data(graph.value(scores.logits).shape), 9));
    expect_steady(std::move(runner), folder.path().filename());
    ++networks;
  }
  EXPECT_GT(networks, 20);
}

INSTANTIATE_TEST_SUITE_P(Threads, SteadyState, testing::Values(1, 2, 4));

}  // namespace
}  // namespace fovea::engine_test
