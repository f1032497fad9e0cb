// A model of which only a part can be computed, or is wanted.
#include "api/partial.hpp"

#include <gtest/gtest.h>

#include "graph/infer.hpp"

namespace fovea {
namespace {

using Shapes = std::map<std::string, Shape>;

ValueInfo info(const std::string& name, Shape shape, std::vector<std::string> dimensions) {
  ValueInfo out;
  out.name = name;
  out.shape = std::move(shape);
  out.dimensions = std::move(dimensions);
  return out;
}

TEST(NamedExtents, FollowFromThoseThatAreGiven) {
  const std::vector<ValueInfo> inputs = {info("a", {-1, 3, -1, -1}, {"N", "", "H", "W"}),
                                         info("b", {-1, 1, -1, -1}, {"N", "", "H", "W"}),
                                         info("c", {-1, -1}, {"N", "L"})};
  EXPECT_EQ(api::with_named_extents(inputs, {}), Shapes{});
  EXPECT_EQ(api::with_named_extents(inputs, {{"a", {2, 3, 8, 9}}}),
            (Shapes{{"a", {2, 3, 8, 9}}, {"b", {2, 1, 8, 9}}, {"c", {2, -1}}}));
  EXPECT_EQ(api::with_named_extents(inputs, {{"a", {2, 3, 8, 9}}, {"b", {-1, 1, -1, 7}}}),
            (Shapes{{"a", {2, 3, 8, 9}}, {"b", {2, 1, 8, 7}}, {"c", {2, -1}}}))
      << "what is given stays, and W is no number";
}

TEST(NamedExtents, NamesThatSayNothing) {
  for (const auto* name : {"?", "None", "unknown", ""}) {
    const std::vector<ValueInfo> inputs = {info("a", {-1, -1}, {name, name}),
                                           info("b", {-1}, {name})};
    EXPECT_EQ(api::with_named_extents(inputs, {{"a", {4, 4}}}), (Shapes{{"a", {4, 4}}})) << name;
  }
  const std::vector<ValueInfo> inputs = {info("a", {-1, -1}, {"n", "n"}), info("b", {-1}, {"n"})};
  EXPECT_EQ(api::with_named_extents(inputs, {{"a", {4, 5}}}), (Shapes{{"a", {4, 5}}}));
}

/// y = relu(x), z = relu(t); s has as many elements as t has extents.
struct Net {
  graph::Graph source;
  graph::ValueId x, t, y, z;
  Net() {
    x = source.add_input("x", graph::DType::f32, {1, 2});
    t = source.add_input("t", graph::DType::f32, {-1, 3});
    const auto add = [&](const char* name, graph::Op op, graph::ValueId from) {
      return source.node(source.add_node(name, "", std::move(op), {from}, {name})).outputs[0];
    };
    y = add("y", graph::Unary{graph::UnaryKind::relu}, x);
    z = add("z", graph::Unary{graph::UnaryKind::relu}, t);
    source.outputs = {y, z};
  }
  graph::Graph bound() const {
    auto out = source;
    graph::bind(out, {}, 1);
    return out;
  }
};

TEST(UnneededInputs, LeaveWithWhatDependsOnThem) {
  Net net;
  auto bound = net.bound();
  api::drop_unneeded_inputs(net.source, bound, std::vector{net.y});
  for (const auto* graph : {&net.source, &bound}) {
    EXPECT_EQ(graph->inputs, std::vector{net.x});
    EXPECT_EQ(graph->outputs, std::vector{net.y});
    EXPECT_EQ(graph->nodes().size(), 1U);
  }
  EXPECT_TRUE(api::is_lost(bound, net.z));
  EXPECT_FALSE(api::is_lost(bound, net.y));
  EXPECT_EQ(api::shapes_of(bound), (Shapes{{"x", {1, 2}}, {"y", {1, 2}}}));
  EXPECT_EQ(api::inputs_of(bound, {info("t", {-1, 3}, {}), info("x", {1, 2}, {})}).size(), 1U);
}

TEST(UnneededInputs, StayWhereTheirExtentsAreNeeded) {
  Net net;
  const auto size = net.source.add_node("n", "Shape", graph::ShapeOf{}, {net.t}, {"n"});
  const auto real = net.source.add_node("f", "Cast", graph::Cast{graph::DType::f32},
                                        {net.source.node(size).outputs[0]}, {"f"});
  const auto sum = net.source.add_node("s", "Add", graph::Binary{graph::BinaryKind::add},
                                       {net.y, net.source.node(real).outputs[0]}, {"s"});
  const auto wanted = net.source.node(sum).outputs[0];
  auto bound = net.bound();
  api::drop_unneeded_inputs(net.source, bound, std::vector{wanted});
  EXPECT_EQ(bound.inputs.size(), 2U);
}

TEST(UnneededInputs, StayWhereNoneIsNeeded) {
  Net net;
  const auto constant = net.source.add_constant("k", graph::Constant::of_floats({}, {1}));
  auto bound = net.bound();
  api::drop_unneeded_inputs(net.source, bound, std::vector{constant});
  EXPECT_EQ(bound.inputs.size(), 2U);
}

}  // namespace
}  // namespace fovea
