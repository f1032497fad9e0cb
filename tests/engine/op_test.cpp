#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "base/parallel.hpp"
#include "engine/op_case.hpp"
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

/// Different values, evenly spread, none within half a spacing of zero or of another: no kink and
/// no tie lies within a step.
Array spread(const Operand& operand, unsigned seed) {
  Array out(operand.shape);
  if (operand.role == Operand::Role::integers) {
    std::copy(operand.integers.begin(), operand.integers.end(), out.data.begin());
    return out;
  }
  const auto n = static_cast<double>(out.data.size());
  for (std::size_t i = 0; i < out.data.size(); ++i)
    out.data[i] = operand.low + (static_cast<double>(i) + 0.53) * (operand.high - operand.low) / n;
  std::mt19937 random(seed);
  std::shuffle(out.data.begin(), out.data.end(), random);
  for (auto& v : out.data)
    v = operand.type == graph::DType::boolean ? v > 0.5 : static_cast<float>(v);
  return out;
}

std::vector<float> floats(const Array& a) {
  return {a.data.begin(), a.data.end()};
}

struct Bench {
  graph::Graph graph;
  graph::Op op;                    // resolved
  std::vector<ValueId> arguments;  // of the node, after inference
  std::vector<ValueId> results;
  std::vector<ValueId> fed;
  std::map<int, Array> arrays;  // by value
};

/// The case as a graph; `behind_conv` puts a 1x1 convolution before each data operand of rank 4.
Bench build(const Case& one, bool behind_conv) {
  Bench bench;
  std::vector<ValueId> inputs;
  unsigned seed = 1;
  for (const auto& operand : one.operands) {
    const std::string name = "x" + std::to_string(inputs.size());
    const Array values = spread(operand, seed++);
    switch (operand.role) {
      case Operand::Role::absent:
        inputs.push_back({});
        continue;
      case Operand::Role::integers:
        inputs.push_back(bench.graph.add_constant(
            name, graph::Constant::of_ints(operand.shape, operand.integers, operand.type)));
        break;
      case Operand::Role::weight:
        inputs.push_back(bench.graph.add_constant(
            name, graph::Constant::of_floats(operand.shape, floats(values))));
        break;
      case Operand::Role::data: {
        ValueId id = bench.graph.add_input(name, operand.type, operand.shape);
        bench.fed.push_back(id);
        bench.arrays[id.index] = values;
        if (behind_conv && operand.shape.size() == 4 && operand.type == graph::DType::f32) {
          // The identity, so that the operand keeps its values and their distances.
          const auto c = operand.shape[1];
          std::vector<float> eye(static_cast<std::size_t>(c * c), 0.f);
          for (std::int64_t i = 0; i < c; ++i) eye[static_cast<std::size_t>(i * c + i)] = 1.f;
          const auto w =
              bench.graph.add_constant(name + "_w", graph::Constant::of_floats({c, c, 1, 1}, eye));
          const auto node =
              bench.graph.add_node(name + "_conv", "Conv", graph::Conv{}, {id, w}, {name + "_c"});
          id = bench.graph.node(node).outputs[0];
          bench.arrays[id.index] = values;
        }
        inputs.push_back(id);
        continue;
      }
    }
    bench.arrays[inputs.back().index] = values;
  }
  std::vector<std::string> names;
  for (std::size_t o = 0; o < one.outputs; ++o) names.push_back("y" + std::to_string(o));
  const auto node = bench.graph.add_node("the_op", one.name, one.op, inputs, names);
  bench.graph.outputs = bench.graph.node(node).outputs;
  graph::bind(bench.graph, {}, 1);
  bench.op = bench.graph.node(node).op;
  bench.arguments = bench.graph.node(node).inputs;
  bench.results = bench.graph.node(node).outputs;
  return bench;
}

std::vector<Array> expected(const Bench& bench) {
  std::vector<Array> in;
  for (const auto id : bench.arguments) in.push_back(id ? bench.arrays.at(id.index) : Array());
  std::vector<Shape> shapes;
  for (const auto id : bench.results) shapes.push_back(bench.graph.value(id).shape);
  for (std::size_t i = 0; i < in.size(); ++i)
    if (!bench.arguments[i]) in[i].data.clear();
  return reference::evaluate(bench.op, in, shapes);
}

double largest(const std::vector<double>& v) {
  double out = 0;
  for (const double x : v) out = std::max(out, std::abs(x));
  return out;
}

void run_forward(const engine::Plan& plan, engine::Workspace& workspace, const Bench& bench) {
  std::vector<std::vector<float>> data;
  std::vector<std::span<const float>> feeds;
  for (const auto id : bench.fed) data.push_back(floats(bench.arrays.at(id.index)));
  for (const auto& d : data) feeds.emplace_back(d);
  plan.forward(workspace, feeds, {});
}

/// Row-major copy of what a plan shows in a layout of its own.
std::vector<float> plain(const engine::ValueView& view) {
  const auto n = reference::count(view.shape);
  std::vector<float> out(static_cast<std::size_t>(n));
  if (view.block == 1 || view.shape.size() < 3) {
    std::copy_n(view.data, n, out.begin());
    return out;
  }
  const auto channels = view.shape[1], positions = n / view.shape[0] / channels;
  for (std::int64_t i = 0; i < view.shape[0]; ++i)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t p = 0; p < positions; ++p)
        out[static_cast<std::size_t>((i * channels + c) * positions + p)] =
            view.data[i * view.image_stride + (c / view.block * positions + p) * view.block +
                      c % view.block];
  return out;
}

class Ops : public testing::TestWithParam<std::tuple<std::size_t, bool, int>> {};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = all_cases();
  return all;
}

TEST_P(Ops, ForwardIsTheReferences) {
  const auto& [index, optimize, threads] = GetParam();
  const base::ThreadScope scope(threads);
  for (const bool behind_conv : {false, true}) {
    Bench bench = build(cases()[index], behind_conv);
    engine::PlanSpec spec;
    spec.optimize = optimize;
    spec.fetches = bench.results;
    engine::WeightCache weights;
    const auto plan = engine::Plan::build(bench.graph, spec, weights);
    auto workspace = plan->make_workspace();
    run_forward(*plan, workspace, bench);
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
    Bench bench = build(one, behind_conv);
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
        run_forward(*plan, workspace, bench);
        Operand seed_values = data(bench.graph.value(of).shape, -1.3, 1.1);
        const Array seeds = spread(seed_values, 99);
        plan->backward(workspace, 0, floats(seeds), {});
        const auto got = plain(plan->gradient(workspace, 0));
        // Twice gives the same: a walk back leaves intact what it reads.
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
      graph::Op(graph::ShapeOf{}).index(), graph::Op(graph::SizeOf{}).index()};
  for (std::size_t i = 0; i < std::variant_size_v<graph::Op>; ++i)
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
