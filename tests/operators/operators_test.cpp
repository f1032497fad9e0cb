#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "engine/plan.hpp"
#include "graph/infer.hpp"
#include "operators/case_models.hpp"

/// What ONNX's evaluator has for every operator and element type (README.md in this folder), as
/// arithmetic on the input and as constants that are folded.
namespace fovea::test {
namespace {

using nlohmann::json;

constexpr double kExact = 1 << 24;  // of integers that a run holds as floats

bool is_large(const json& data) {
  for (const auto& value : data[2])
    if (!is_real(data[0]) && std::abs(number(value)) >= kExact) return true;
  return false;
}

/// As arithmetic on the input it makes sense only where something is fed, and floats hold it.
bool runs(const json& one) {
  bool fed = false;
  for (const auto& operand : one["in"]) {
    if (operand.is_null()) continue;
    fed = fed || operand.size() <= 3;
    if (is_large(operand)) return false;
  }
  const auto op = one["op"].get<std::string>();
  return fed && op != "Shape" && op != "Size" && !is_large(one["out"]);
}

double tolerance(const json& one) {
  return one["out"][0] == "float16" ? 2e-3 : 1e-5;
}

void compare(const graph::Graph& graph, const std::vector<std::vector<float>>& feeds,
             const json& one) {
  const auto& want = one["out"];
  const auto id = graph.outputs[0];
  const auto& value = graph.value(id);
  ASSERT_EQ(value.shape, want[1].get<Shape>());
  const auto n = want[2].size();
  if (value.constant && value.constant->type != graph::DType::f32) {
    ASSERT_FALSE(is_real(want[0]));
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_EQ(value.constant->ints[i], integer(want[2][i])) << "element " << i;
    return;
  }
  std::vector<float> got(n);
  if (value.constant) {
    value.constant->read(0, got);
  } else {
    engine::PlanSpec spec;
    spec.fetches = {id};
    engine::WeightCache weights;
    const auto plan = engine::Plan::build(graph, spec, weights);
    auto workspace = plan->make_workspace();
    std::vector<std::span<const float>> spans(feeds.begin(), feeds.end());
    plan->forward(workspace, spans, {});
    const auto view = plan->fetch(workspace, 0);
    ASSERT_TRUE(view.block == 1 || view.shape.size() < 3);
    std::copy_n(view.data, n, got.begin());
  }
  ASSERT_EQ(value.type == graph::DType::f32, is_real(want[0]));
  for (std::size_t i = 0; i < n; ++i) {
    const double expected = number(want[2][i]), found = got[i];
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(found)) << "element " << i;
    } else if (is_real(want[0])) {
      const bool same = found == expected;
      ASSERT_TRUE(same || std::abs(found - expected) <= tolerance(one) * (1 + std::abs(expected)))
          << "element " << i << ": " << found << " for " << expected;
    } else {
      ASSERT_EQ(found, expected) << "element " << i;
      ASSERT_FALSE(found == 0 && std::signbit(found)) << "a negative zero at element " << i;
    }
  }
}

/// What is refused, by operator and a word for the type.
std::set<std::string> check(bool at_run_time) {
  std::set<std::string> refused;
  std::size_t computed = 0;
  for (const auto& one : cases()) {
    if (at_run_time && !runs(one)) continue;
    SCOPED_TRACE(name_of(one));
    const auto built = build(one, at_run_time);
    try {
      auto graph = import(built.model).graph;
      graph::bind(graph, {}, 1);
      if (!at_run_time) engine::fold_constants(graph);
      compare(graph, built.feeds, one);
      ++computed;
    } catch (const Error& error) {
      EXPECT_EQ(to_string(error.code()), to_string(ErrorCode::unsupported)) << error.what();
      const auto type = [&] {
        for (const auto& operand : one["in"])
          if (!operand.is_null()) return operand[0].get<std::string>();
        return std::string();
      }();
      const auto* kind = type == "bool" ? " bool" : is_real(type) ? " float" : " integer";
      refused.insert(one["op"].get<std::string>() + kind);
    }
    if (testing::Test::HasFatalFailure()) return {};
  }
  EXPECT_GT(computed, 600u);
  return refused;
}

const std::set<std::string> kRefused{
    "Einsum integer", "Gemm integer",     "MatMul integer",       "MaxPool integer",
    "PRelu integer",  "ReduceL2 integer", "ReduceLogSum integer", "ReduceLogSumExp integer"};

/// Of cases that were drawn anew, some of them.
void expect_refused(const std::set<std::string>& refused) {
  if (std::getenv("FOVEA_OPERATOR_CASES") == nullptr) {
    EXPECT_EQ(refused, kRefused);
    return;
  }
  for (const auto& one : refused) EXPECT_TRUE(kRefused.contains(one)) << one;
}

TEST(Operators, AtRunTime) {
  expect_refused(check(true));
}

TEST(Operators, OfConstants) {
  // What only a run cannot hold.
  EXPECT_EQ(check(false), std::set<std::string>{});
}

}  // namespace
}  // namespace fovea::test
