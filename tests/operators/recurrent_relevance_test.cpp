#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "operators/recurrent_nets.hpp"

/// Relevance through recurrent operators.
namespace fovea::test {
namespace {

using nlohmann::json;

/// Gates are what is multiplied with a signal, which takes all of the relevance; activations pass
/// it on; sums share it out. With initial states, those take theirs.
TEST(RecurrentOperators, PassRelevanceAsTheirStepsDo) {
  for_each_net(6, [](const Net& net, Draw& draw) {
    if (net.time == 57) return;  // shares of sums near zero, times each other
    // Of constants, its reset times a bias is the gate's alone.
    if (net.reset_after && !net.with_states) return;
    const auto feeds = net.feeds(draw);
    const auto got = run(as_node(net), feeds, {}, epsilon_rule());
    const auto want = run(Steps(net).build(), feeds, {}, epsilon_rule());
    for (std::size_t o = 0; o < want.results.size(); ++o)
      for (std::size_t i = 0; i < want.gradients[o].size(); ++i) {
        float most = 1e-2f;
        for (const float v : want.gradients[o][i]) most = std::max(most, std::abs(v));
        for (std::size_t k = 0; k < want.gradients[o][i].size(); ++k)
          ASSERT_NEAR(got.gradients[o][i][k], want.gradients[o][i][k], 1e-3f * most)
              << "output " << o << " input " << i << " element " << k;
      }
  });
}

std::filesystem::path relevance_folder() {
  const char* drawn = std::getenv("FOVEA_RELEVANCE");
  return drawn != nullptr ? std::filesystem::path(drawn)
                          : std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/operators/relevance";
}

/// By make_relevance.py: gates detached, in double.
TEST(RecurrentOperators, PassRelevanceAsAutogradHasItWithoutGates) {
  std::ifstream in(relevance_folder() / "expected.json");
  const json cases = json::parse(in);
  ASSERT_GE(cases.size(), 18U);
  for (const auto& one : cases) {
    SCOPED_TRACE(one["model"].get<std::string>());
    std::ifstream file(relevance_folder() / one["model"].get<std::string>(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto got =
        run(import(bytes).graph, one["feeds"], {one["given"].get<Numbers>()}, epsilon_rule());
    expect_near(got.results[0], one["y"], "values");
    for (std::size_t i = 0; i < one["relevance"].size(); ++i) {
      const Numbers want = one["relevance"][i];
      float most = 1e-2f;
      for (const float v : want) most = std::max(most, std::abs(v));
      for (std::size_t k = 0; k < want.size(); ++k)
        ASSERT_NEAR(got.gradients[0][i][k], want[k], 1e-3f * most)
            << "input " << i << " element " << k;
    }
  }
}

/// What arrives nowhere is in biases and stabilizers.
TEST(RecurrentOperators, ConserveRelevance) {
  for_each_net(7, [](Net net, Draw& draw) {
    for (const bool biased : {true, false}) {
      if (!biased) std::fill(net.bias.begin(), net.bias.end(), 0.f);
      const auto feeds = net.feeds(draw);
      const auto got = run(as_node(net), feeds, {}, epsilon_rule());
      for (std::size_t o = 0; o < got.results.size(); ++o) {
        double given = 0, arrived = got.absorbed[o], size = 1;
        for (const float v : seeds_for(got.results[o].size())) given += static_cast<double>(v);
        for (const auto& of_input : got.gradients[o])
          for (const float v : of_input) {
            arrived += static_cast<double>(v);
            size += static_cast<double>(std::abs(v));
          }
        ASSERT_NEAR(arrived, given, 1e-4 * size) << "output " << o;
        if (biased) continue;
        ASSERT_NEAR(got.absorbed[o], 0, 1e-2 * size) << "output " << o;
      }
    }
  });
}

/// There is no rule of differences for what gates do over time.
TEST(RecurrentOperators, AreRefusedByDeepLift) {
  for (const char* op : {"LSTM", "GRU", "RNN"}) {
    Draw draw{std::mt19937(1)};
    auto graph = import(as_node(Net(op, 3, "forward", false, draw))).graph;
    graph::bind(graph, {}, 1);
    engine::PlanSpec spec;
    spec.gradients = {{graph.outputs[0], graph.inputs[0]}};
    spec.gradients[0].rule = engine::GradientRule::rescale;
    engine::WeightCache weights;
    try {
      engine::Plan::build(graph, spec, weights);
      ADD_FAILURE() << op;
    } catch (const Error& error) {
      EXPECT_EQ(to_string(error.code()), to_string(ErrorCode::unsupported));
      EXPECT_EQ(error.context().op, op) << error.what();
    }
  }
}

}  // namespace
}  // namespace fovea::test
