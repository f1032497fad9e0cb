#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/parallel.hpp"
#include "engine/op_graph.hpp"
#include "engine/ops/op.hpp"
#include "engine/plan.hpp"
#include "graph/infer.hpp"
#include "reference/reference.hpp"

/// Every operator against the slow reference: its result, and its gradient against central
/// differences of the reference in double. Each case also runs between two convolutions, where
/// values arrive and gradients come back in oneDNN's blocked layouts.
namespace fovea::engine_test {
namespace {

using graph::ValueId;
using reference::Array;

constexpr double kStep = 1e-4;  // of the differences; values of an operand lie further apart
constexpr std::size_t kSampled = 24;

double largest(const std::vector<double>& v) {
  double out = 0;
  for (const double x : v) out = std::max(out, std::abs(x));
  return out;
}

class Ops : public testing::TestWithParam<std::tuple<std::size_t, bool, int>> {};

TEST_P(Ops, ForwardIsTheReferences) {
  const auto& [index, optimize, threads] = GetParam();
  const base::ThreadScope scope(threads);
  for (const bool behind_conv : {false, true}) {
    Bench bench = build_bench(cases()[index], behind_conv);
    engine::PlanSpec spec;
    spec.optimize = optimize;
    spec.fetches = bench.results;
    engine::WeightCache weights;
    const auto plan = engine::Plan::build(bench.graph, spec, weights);
    auto workspace = plan->make_workspace();
    forward(*plan, workspace, bench);
    const auto want = expected(bench);
    for (std::size_t o = 0; o < want.size(); ++o) {
      const auto view = plan->fetch(workspace, o);
      ASSERT_EQ(view.shape, want[o].shape);
      const double bound = 2e-5 * std::max(1.0, largest(want[o].data));
      for (std::size_t i = 0; i < want[o].data.size(); ++i)
        ASSERT_NEAR(view.data[i], want[o].data[i], bound)
            << cases()[index].name << " output " << o << " element " << i << " behind_conv "
            << behind_conv;
    }
  }
}

TEST_P(Ops, GradientIsTheReferencesSlope) {
  const auto& [index, optimize, threads] = GetParam();
  const Case& one = cases()[index];
  const base::ThreadScope scope(threads);
  for (const bool behind_conv : {false, true}) {
    Bench bench = build_bench(one, behind_conv);
    for (const auto of : bench.results) {
      for (std::size_t argument = 0; argument < bench.arguments.size(); ++argument) {
        const ValueId wrt = bench.arguments[argument];
        if (!wrt || bench.graph.value(wrt).constant) continue;
        engine::PlanSpec spec;
        spec.optimize = optimize;
        spec.fetches = {of};
        spec.gradients = {{of, wrt}};
        engine::WeightCache weights;
        if (!one.differentiable) {
          EXPECT_THROW(engine::Plan::build(bench.graph, spec, weights), Error) << one.name;
          continue;
        }
        const auto plan = engine::Plan::build(bench.graph, spec, weights);
        auto workspace = plan->make_workspace();
        forward(*plan, workspace, bench);
        Operand seed_values = data(bench.graph.value(of).shape, -1.3, 1.1);
        const Array seeds = spread(seed_values, 99);
        plan->backward(workspace, 0, floats(seeds), {});
        const auto got = plain(plan->gradient(workspace, 0));
        // Twice gives the same: a backward pass leaves intact what it reads.
        plan->backward(workspace, 0, floats(seeds), {});
        EXPECT_EQ(got, plain(plan->gradient(workspace, 0))) << one.name;

        const auto place = static_cast<std::size_t>(
            std::find(bench.results.begin(), bench.results.end(), of) - bench.results.begin());
        Array& x = bench.arrays.at(wrt.index);
        const auto score = [&] {
          const auto y = expected(bench)[place];
          double sum = 0;
          for (std::size_t i = 0; i < y.data.size(); ++i) sum += y.data[i] * seeds.data[i];
          return sum;
        };
        const std::size_t stride = std::max<std::size_t>(1, x.data.size() / kSampled);
        double scale = 1e-2;
        for (const float g : got) scale = std::max(scale, static_cast<double>(std::abs(g)));
        for (std::size_t i = 0; i < x.data.size(); i += stride) {
          const double kept = x.data[i];
          x.data[i] = kept + kStep;
          const double up = score();
          x.data[i] = kept - kStep;
          const double down = score();
          x.data[i] = kept;
          ASSERT_NEAR(got[i], (up - down) / (2 * kStep), 1e-3 * scale)
              << one.name << " input " << argument << " element " << i << " behind_conv "
              << behind_conv;
        }
      }
    }
  }
}

std::vector<std::size_t> indices() {
  std::vector<std::size_t> out(cases().size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
  return out;
}

std::string name_of_case(const testing::TestParamInfo<Ops::ParamType>& info) {
  const auto& [index, optimize, threads] = info.param;
  std::string name;
  for (const char ch : cases()[index].name)
    name += std::isalnum(static_cast<unsigned char>(ch)) ? ch : '_';
  return std::to_string(index) + "_" + name + (optimize ? "_optimized" : "_plain") + "_" +
         std::to_string(threads);
}

INSTANTIATE_TEST_SUITE_P(Plain, Ops,
                         testing::Combine(testing::ValuesIn(indices()), testing::Values(false),
                                          testing::Values(1)),
                         name_of_case);
INSTANTIATE_TEST_SUITE_P(Optimized, Ops,
                         testing::Combine(testing::ValuesIn(indices()), testing::Values(true),
                                          testing::Values(3)),
                         name_of_case);

/// Indices that are known at run time only are still there when the backward pass reads them.
TEST(OpReads, IndicesOfARun) {
  struct Use {
    graph::Op op;
    Shape data;
    Operand indices;
    std::vector<Operand> more;
  };
  const std::vector<Use> uses{
      {graph::Gather{0}, {4, 3}, integers({2}, {3, -1}), {}},
      {graph::GatherElements{1}, {2, 3}, integers({2, 2}, {2, 2, 0, -3}), {}},
      {graph::GatherND{0}, {4, 3}, integers({2, 2}, {3, 1, 0, 2}), {}},
      {graph::ScatterND{}, {4, 3}, integers({2, 1}, {2, 0}), {weight({2, 3})}},
      {graph::ScatterElements{0}, {4, 3}, integers({2, 2}, {2, 0, 1, 1}), {weight({2, 2})}}};
  for (const auto& use : uses) {
    const std::string name(graph::name_of(use.op));
    std::vector<Operand> operands{data(use.data), use.indices};
    operands.insert(operands.end(), use.more.begin(), use.more.end());
    const Bench folded = build_bench({name, use.op, operands}, false);
    operands[1].role = Operand::Role::data;
    operands[1].type = graph::DType::i64;
    const Bench fed = build_bench({name, use.op, operands}, false);
    std::vector<std::vector<float>> gradients;
    for (const auto* bench : {&folded, &fed}) {
      engine::PlanSpec spec;
      spec.fetches = bench->results;
      spec.gradients = {{bench->results[0], bench->arguments[0]}};
      engine::WeightCache weights;
      const auto plan = engine::Plan::build(bench->graph, spec, weights);
      auto workspace = plan->make_workspace();
      forward(*plan, workspace, *bench);
      const Array seeds = spread(data(bench->graph.value(bench->results[0]).shape), 7);
      plan->backward(workspace, 0, floats(seeds), {});
      gradients.push_back(plain(plan->gradient(workspace, 0)));
    }
    EXPECT_EQ(gradients[0], gradients[1]) << name;
  }
}

/// A value that the plan did not keep for the backward pass may be another by then.
TEST(OpReads, AreRefusedWhereTheyAreNotDeclared) {
  const Bench bench = build_bench(
      {"Mul", graph::Binary{graph::BinaryKind::mul}, {data({2, 3}), data({2, 3})}}, false);
  const auto& node = bench.graph.nodes().back();
  const engine::PlanSpec spec;
  engine::WeightCache weights;
  engine::Builder builder(bench.graph, spec, weights);
  for (const auto id : {node.inputs[0], node.inputs[1], node.outputs[0]})
    builder.set_value(id, builder.make(engine::plain_desc({2, 3})));
  engine::Gradients gradients(builder);
  const std::vector<bool> path(bench.graph.values().size(), true);
  const auto code_of = [](const auto& read) -> std::optional<ErrorCode> {
    try {
      read();
    } catch (const Error& error) {
      return error.code();
    }
    return std::nullopt;
  };
  for (const unsigned declared : {0u, 1u, 2u, 3u})
    for (const bool output : {false, true}) {
      engine::BackwardContext c(builder, node, gradients, path, {declared, output});
      const std::optional<ErrorCode> refused = ErrorCode::internal;
      for (const std::size_t i : {0u, 1u}) {
        const auto want = (declared >> i & 1u) != 0 ? std::nullopt : refused;
        EXPECT_EQ(code_of([&] { c.in(i); }), want);
        EXPECT_EQ(code_of([&] { c.plain_factor(i); }), want);
      }
      EXPECT_EQ(code_of([&] { c.dst(); }), output ? std::nullopt : refused);
    }
}

/// A score behind indices: which operator cuts the path is said, and no other.
TEST(OpStops, AreNamedWhereTheyCutThePath) {
  graph::Graph graph;
  const auto node = [&](const char* name, graph::Op op, std::vector<ValueId> inputs) {
    const std::string type(graph::name_of(op));
    const auto id =
        graph.add_node(name, type, std::move(op), std::move(inputs), {std::string(name) + "_out"});
    return graph.node(id).outputs[0];
  };
  const auto x = graph.add_input("x", graph::DType::f32, {1, 6});
  const auto relu = node("relu", graph::Unary{.kind = graph::UnaryKind::relu}, {x});
  node("elsewhere", graph::Hardmax{-1}, {relu});
  node("other", graph::TopK{-1, true, 1}, {relu});
  const auto best = node("best", graph::TopK{-1, true, 3}, {relu});
  const auto score = node("score", graph::Cast{graph::DType::f32}, {best});
  graph.outputs = {score};
  graph::bind(graph, {}, 1);
  engine::PlanSpec spec;
  spec.fetches = {score};
  spec.gradients = {{score, x}};
  engine::WeightCache weights;
  try {
    engine::Plan::build(graph, spec, weights);
    ADD_FAILURE() << "a path through indices";
  } catch (const Error& error) {
    EXPECT_EQ(error.sentence(),
              "no gradient leads from 'score_out' back to 'x': the path is cut at TopK 'best'");
  }
}

TEST(OpCases, NameEveryOperatorAndKindAtLeastEightTimes) {
  std::map<std::string, int> seen;
  std::set<std::size_t> alternatives;
  for (const auto& one : cases()) {
    ++seen[std::string(graph::name_of(one.op))];
    alternatives.insert(one.op.index());
  }
  for (const auto& [name, times] : seen) EXPECT_GE(times, 8) << name << " has too few cases";
  // Constants by the time a plan is built; graph's tests evaluate them.
  const std::set<std::size_t> exempt = {
      graph::Op(graph::ConstantOfShape{}).index(), graph::Op(graph::Range{}).index(),
      graph::Op(graph::ShapeOf{}).index(),         graph::Op(graph::SizeOf{}).index(),
      graph::Op(graph::NonZero{}).index(),         graph::Op(graph::NonMaxSuppression{}).index()};
  for (std::size_t i = 0; i < std::variant_size_v<graph::AnyOperator>; ++i)
    EXPECT_TRUE(alternatives.contains(i) || exempt.contains(i))
        << "operator " << i << " has no case";
  for (int k = 0; k <= static_cast<int>(graph::UnaryKind::logical_not); ++k)
    EXPECT_TRUE(seen.contains(
        std::string(graph::name_of(graph::Op(graph::Unary{static_cast<graph::UnaryKind>(k)})))))
        << "unary " << k;
  for (int k = 0; k <= static_cast<int>(graph::BinaryKind::logical_xor); ++k)
    EXPECT_TRUE(seen.contains(
        std::string(graph::name_of(graph::Op(graph::Binary{static_cast<graph::BinaryKind>(k)})))))
        << "binary " << k;
}

}  // namespace
}  // namespace fovea::engine_test
