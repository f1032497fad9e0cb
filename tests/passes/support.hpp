#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "graph/interpret.hpp"
#include "graph/support.hpp"
#include "passes/passes.hpp"

namespace fovea::passes::test {

using namespace fovea::graph;        // NOLINT: the tests are about graphs
using namespace fovea::graph::test;  // NOLINT

using Pass = bool (*)(Graph&, const Keep&);

/// Runs the pass on a bound graph, verifies it, and expects the same numbers in every output and
/// every kept value. Returns what the pass returned.
inline bool run_pass(Builder& b, Pass pass, const Keep& keep = {}) {
  b.bound();
  const auto before = b.graph;
  const bool changed = pass(b.graph, keep);
  verify(b.graph, "the pass");
  EXPECT_EQ(changed, print(before) != print(b.graph));

  std::map<ValueId, Doubles> feeds;
  std::uint32_t state = 7;
  for (const auto id : before.inputs) {
    std::size_t count = 1;
    for (const auto extent : before.value(id).shape) count *= static_cast<std::size_t>(extent);
    for (std::size_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      feeds[id].push_back(static_cast<double>(state >> 8) / 8388608.0 * 2 - 2);
    }
  }
  const auto expected = interpret(before, feeds);
  const auto got = interpret(b.graph, feeds);
  auto checked = keep;
  checked.insert(before.outputs.begin(), before.outputs.end());
  EXPECT_EQ(before.outputs, b.graph.outputs);
  for (const auto id : checked) {
    EXPECT_EQ(before.value(id).name, b.value(id).name);
    EXPECT_TRUE(got.contains(id)) << before.value(id).name << " is not computed any more";
    if (!got.contains(id)) continue;
    const auto& a = expected.at(id);
    const auto& c = got.at(id);
    EXPECT_EQ(a.size(), c.size());
    for (std::size_t i = 0; i < a.size() && i < c.size(); ++i)
      EXPECT_NEAR(a[i], c[i], 2e-5 * (1 + std::abs(a[i]))) << before.value(id).name << " " << i;
  }
  return changed;
}

/// The operators of the nodes in order: "Conv Relu".
inline std::string ops_of(const Graph& graph) {
  std::string out;
  for (const auto& node : graph.nodes())
    out += (out.empty() ? "" : " ") + std::string(name_of(node.op));
  return out;
}

/// What the post-ops of the value's producer are: "Add Relu".
inline std::string post_of(const Graph& graph, ValueId id) {
  const auto& node = graph.node(graph.value(id).producer);
  const PostOps* post = nullptr;
  if (const auto* conv = std::get_if<Conv>(&node.op)) post = &conv->post;
  if (const auto* gemm = std::get_if<Gemm>(&node.op)) post = &gemm->post;
  if (const auto* matmul = std::get_if<MatMul>(&node.op)) post = &matmul->post;
  if (const auto* norm = std::get_if<BatchNorm>(&node.op)) post = &norm->post;
  if (post == nullptr) return "not a product";
  std::string out;
  for (const auto& step : *post) {
    if (!out.empty()) out += " ";
    out += step.kind == PostOp::Kind::add_input ? "Add" : std::string(name_of(step.unary.kind));
  }
  return out;
}

/// A 3x3 convolution with its bias.
inline ValueId conv(Builder& b, const std::string& name, ValueId x, std::int64_t in,
                    std::int64_t out, bool bias = true) {
  std::vector<ValueId> inputs{x, b.weights(name + "/w", {out, in, 3, 3})};
  if (bias) inputs.push_back(b.weights(name + "/b", {out}));
  return b.op(name, Conv{.window = {.pads_begin = {1, 1}, .pads_end = {1, 1}}}, inputs);
}

inline ValueId norm(Builder& b, const std::string& name, ValueId x, std::int64_t channels) {
  return b.op(name, BatchNorm{1e-3f},
              {x, b.weights(name + "/g", {channels}), b.weights(name + "/b", {channels}),
               b.weights(name + "/m", {channels}), b.weights(name + "/v", {channels}, 0.2f, 2)});
}

}  // namespace fovea::passes::test
