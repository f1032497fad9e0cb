#include "engine/concat_aliases.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "engine/plan.hpp"
#include "graph/infer.hpp"

/// Concatenations whose operands are computed in their place, against the plan that copies.
namespace fovea::engine_test {
namespace {

using graph::ValueId;

/// A small network under construction; every convolution has weights of its own.
class Net {
 public:
  graph::Graph graph;

  ValueId input(Shape shape) {
    return graph.add_input("x" + std::to_string(count_++), graph::DType::f32, std::move(shape));
  }
  ValueId conv(ValueId x, std::int64_t from, std::int64_t to) {
    std::vector<float> w(static_cast<std::size_t>(from * to));
    for (std::size_t i = 0; i < w.size(); ++i)
      w[i] = std::sin(static_cast<float>(i + 17 * static_cast<std::size_t>(count_))) * 0.2f;
    const auto id =
        graph.add_constant(name(), graph::Constant::of_floats({to, from, 1, 1}, std::move(w)));
    return add("Conv", graph::Conv{}, {x, id});
  }
  ValueId relu(ValueId x) { return add("Relu", graph::Unary{graph::UnaryKind::relu}, {x}); }
  ValueId sum(ValueId a, ValueId b) {
    return add("Add", graph::Binary{graph::BinaryKind::add}, {a, b});
  }
  ValueId concat(std::vector<ValueId> parts) {
    return add("Concat", graph::Concat{1}, std::move(parts));
  }
  ValueId constant(Shape shape) {
    std::vector<float> v(static_cast<std::size_t>(shape[1] * shape[2] * shape[3]));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = std::cos(static_cast<float>(i));
    return graph.add_constant(name(), graph::Constant::of_floats(std::move(shape), std::move(v)));
  }

 private:
  std::string name() { return "v" + std::to_string(count_++); }
  ValueId add(const char* type, graph::Op op, std::vector<ValueId> inputs) {
    const auto n = name();
    return graph.node(graph.add_node("n" + n, type, std::move(op), std::move(inputs), {n}))
        .outputs[0];
  }
  int count_ = 0;
};

struct Result {
  std::vector<std::vector<float>> fetches;
  std::vector<float> gradient;  // in the plan's own layout of the first fetch's input
  std::size_t copies = 0;       // steps that move data
};

Result run(const graph::Graph& graph, bool optimize) {
  engine::PlanSpec spec;
  spec.fetches = graph.outputs;
  spec.optimize = optimize;
  spec.gradients.push_back({graph.outputs[0], graph.inputs[0]});
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(graph, spec, weights);
  auto workspace = plan->make_workspace();
  std::vector<std::vector<float>> data;
  std::vector<std::span<const float>> feeds;
  for (const auto id : graph.inputs) {
    std::size_t n = 1;
    for (const auto extent : graph.value(id).shape) n *= static_cast<std::size_t>(extent);
    data.emplace_back(n);
    for (std::size_t i = 0; i < n; ++i)
      data.back()[i] = std::sin(static_cast<float>(i) * 0.7f + static_cast<float>(id.index));
  }
  for (const auto& d : data) feeds.emplace_back(d);
  plan->forward(workspace, feeds, {});
  Result out;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const auto view = plan->fetch(workspace, i);
    std::size_t n = 1;
    for (const auto extent : view.shape) n *= static_cast<std::size_t>(extent);
    out.fetches.emplace_back(view.data, view.data + n);
  }
  std::vector<float> seeds(out.fetches[0].size());
  for (std::size_t i = 0; i < seeds.size(); ++i) seeds[i] = std::cos(static_cast<float>(i));
  plan->backward(workspace, 0, seeds, {});
  const auto view = plan->gradient(workspace, 0);
  for (std::int64_t c = 0; c < view.shape[1]; ++c)
    for (std::int64_t p = 0; p < view.shape[2] * view.shape[3]; ++p)
      out.gradient.push_back(
          view.data[(c / view.block * view.shape[2] * view.shape[3] + p) * view.block +
                    c % view.block]);
  for (const auto& step : plan->steps())
    out.copies +=
        !step.backward && (step.op == "Concat" || step.op == "reorder") && step.node != "" ? 1 : 0;
  return out;
}

/// Equal to the plan that copies, with this many steps that move data.
void check(Net& net, std::vector<ValueId> outputs, std::size_t copies) {
  net.graph.outputs = std::move(outputs);
  graph::bind(net.graph, {}, 1);
  const auto joined = run(net.graph, true), plain = run(net.graph, false);
  for (std::size_t i = 0; i < plain.fetches.size(); ++i)
    for (std::size_t k = 0; k < plain.fetches[i].size(); ++k)
      ASSERT_NEAR(joined.fetches[i][k], plain.fetches[i][k], 1e-4f) << i << ' ' << k;
  ASSERT_EQ(joined.gradient.size(), plain.gradient.size());
  for (std::size_t k = 0; k < plain.gradient.size(); ++k)
    ASSERT_NEAR(joined.gradient[k], plain.gradient[k], 1e-4f) << k;
  EXPECT_EQ(joined.copies, copies);
}

TEST(ConcatAliases, BranchesAreComputedInTheirPlace) {
  Net net;
  const auto x = net.input({1, 16, 5, 7});
  const auto joined = net.concat({net.relu(net.conv(x, 16, 32)), net.conv(x, 16, 16)});
  check(net, {net.conv(joined, 48, 8)}, 1);  // the input, to blocks
}

TEST(ConcatAliases, DenseBlocksArePrefixesOfOneMemory) {
  Net net;
  const auto x = net.conv(net.input({1, 16, 6, 5}), 16, 32);
  const auto a = net.conv(net.relu(x), 32, 16);
  const auto two = net.concat({x, a});
  const auto b = net.conv(net.relu(two), 48, 16);
  const auto three = net.concat({x, a, b});
  const auto c = net.conv(net.relu(three), 64, 32);
  const auto all = net.concat({x, a, b, c});
  check(net, {net.conv(net.relu(all), 96, 8), three}, 1);
}

TEST(ConcatAliases, AValueInTwoPlacesIsCopiedToOneOfThem) {
  Net net;
  const auto x = net.conv(net.input({1, 16, 4, 4}), 16, 16);
  const auto a = net.conv(x, 16, 16), b = net.conv(x, 16, 16);
  const auto one = net.concat({a, b}), other = net.concat({b, a, a});
  check(net, {net.sum(net.conv(one, 32, 8), net.conv(other, 48, 8))}, 4);
}

TEST(ConcatAliases, InputsAndConstantsAreCopied) {
  Net net;
  const auto x = net.input({1, 16, 3, 5});
  const auto joined = net.concat({x, net.constant({1, 16, 3, 5}), net.conv(x, 16, 16)});
  check(net, {net.conv(joined, 48, 8)}, 3);
}

TEST(ConcatAliases, NestedConcatenationsShareTheOuterMemory) {
  Net net;
  const auto x = net.conv(net.input({1, 16, 5, 5}), 16, 16);
  const auto inner = net.concat({net.conv(x, 16, 16), net.conv(x, 16, 32)});
  const auto outer = net.concat({net.relu(net.conv(x, 16, 16)), inner});
  check(net, {net.conv(outer, 64, 8), net.conv(inner, 48, 8)}, 1);
}

TEST(ConcatAliases, ASumIntoAPlaceKeepsWhatIsAdded) {
  Net net;
  const auto x = net.conv(net.input({1, 16, 5, 5}), 16, 16);
  const auto y = net.relu(net.sum(net.conv(x, 16, 16), x));
  const auto joined = net.concat({y, net.conv(y, 16, 16)});
  check(net, {net.conv(joined, 32, 8), net.conv(x, 16, 8)}, 2);
}

TEST(ConcatAliases, OtherExtentsAreCopied) {
  for (const Shape& shape : {Shape{2, 16, 4, 4}, Shape{1, 10, 4, 4}}) {
    Net net;
    const auto x = net.input(shape);
    const auto joined = net.concat({net.conv(x, shape[1], shape[1]), net.conv(x, shape[1], 16)});
    net.graph.outputs = {net.conv(joined, shape[1] + 16, 8)};
    graph::bind(net.graph, {}, 1);
    const auto fast = run(net.graph, true), plain = run(net.graph, false);
    for (std::size_t k = 0; k < plain.fetches[0].size(); ++k)
      ASSERT_NEAR(fast.fetches[0][k], plain.fetches[0][k], 1e-4f) << k;
  }
}

}  // namespace
}  // namespace fovea::engine_test
