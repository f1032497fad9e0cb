// If: both branches are read, one is taken when the extents are known.
#include "graph/choice.hpp"
#include "graph/infer.hpp"
#include "import_helpers.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

constexpr auto kBad = ErrorCode::bad_model;
constexpr auto kUnsupported = ErrorCode::unsupported;

fovea_onnx::GraphProto graph_of(const std::vector<NodeProto>& nodes, const Strings& outputs,
                                const std::vector<TensorProto>& constants = {}) {
  fovea_onnx::GraphProto out;
  for (const auto& proto : nodes) *out.add_node() = proto;
  for (const auto& name : outputs) out.add_output()->set_name(name);
  for (const auto& constant : constants) *out.add_initializer() = constant;
  return out;
}
AttributeProto attr(const std::string& name, const fovea_onnx::GraphProto& value) {
  auto out = attr_of_type(name, 5);
  *out.mutable_g() = value;
  return out;
}
using test::attr;

NodeProto choice(const std::string& condition, const fovea_onnx::GraphProto& then,
                 const fovea_onnx::GraphProto& other, const Strings& outputs = {"y"},
                 const std::string& name = "choice") {
  return node("If", {condition}, outputs, {attr("then_branch", then), attr("else_branch", other)},
              name);
}

/// x [1, 2], a condition `c` that is a constant, and y.
ModelBuilder model_with(const NodeProto& node, bool truth = true) {
  ModelBuilder out;
  out.input("x", {1, 2})
      .initializer(raw_tensor("c", {}, kBool, std::vector<char>{truth ? '\1' : '\0'}))
      .add(node)
      .output("y");
  return out;
}

/// The operator that makes y once the graph is bound, looked at through what an If became.
std::string taken(const ModelBuilder& model, const std::map<std::string, Shape>& shapes = {}) {
  auto graph = import(model).graph;
  graph::bind(graph, shapes, 1);
  auto id = graph.find_value("y");
  while (graph.node(graph.value(id).producer).op_type == graph::kChoice) {
    const auto& node = graph.node(graph.value(id).producer);
    EXPECT_EQ(node.inputs.size(), 1U);
    if (!graph.value(node.inputs[0]).producer) return graph.value(node.inputs[0]).name;
    id = node.inputs[0];
  }
  return graph.node(graph.value(id).producer).op_type;
}

void expect_unbound(const ModelBuilder& model, ErrorCode code, const std::string& part) {
  auto graph = import(model).graph;
  try {
    graph::bind(graph, {}, 1);
    ADD_FAILURE() << "bound";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

const auto kRelu = graph_of({node("Relu", {"x"}, {"a"})}, {"a"});
const auto kTanh = graph_of({node("Tanh", {"x"}, {"b"})}, {"b"});

TEST(Branches, OneIsTaken) {
  EXPECT_EQ(taken(model_with(choice("c", kRelu, kTanh), true)), "Relu");
  EXPECT_EQ(taken(model_with(choice("c", kRelu, kTanh), false)), "Tanh");
}

TEST(Branches, KeepTheirNamesWhereTheseAreFree) {
  const auto same = graph_of({node("Tanh", {"x"}, {"a"}, {}, "other")}, {"a"});
  auto model = model_with(choice("c", kRelu, same));
  model.add("Neg", {"x"}, {"a_2"});
  const auto got = import(model);
  EXPECT_TRUE(got.graph.find_value("a"));
  EXPECT_TRUE(got.graph.find_value("a_3")) << "the other branch's, which may be called the same";
  EXPECT_EQ(got.info.nodes[2].name, "choice");
  EXPECT_EQ(got.info.nodes[2].inputs, (Strings{"c", "a", "a_3"}));
}

TEST(Branches, SeeWhatIsAroundThem) {
  // A value of the branch hides one of the same name outside; the result may come from outside.
  const auto hides = graph_of({node("Relu", {"x"}, {"h"}), node("Tanh", {"h"}, {"out"})}, {"out"});
  const auto outer = graph_of({}, {"h"});
  auto model = model_with(choice("c", hides, outer, {"y"}), false);
  ModelBuilder sorted;
  sorted.input("x", {1, 2})
      .initializer(model.proto.graph().initializer(0))
      .add("Neg", {"x"}, {"h"})
      .add(model.last())
      .output("y");
  EXPECT_EQ(taken(sorted), "Neg");
  const auto inner_constant =
      graph_of({node("Add", {"x", "k"}, {"a"})}, {"a"}, {tensor("k", {2}, Floats{1, 2})});
  EXPECT_EQ(taken(model_with(choice("c", inner_constant, kTanh))), "Add");
  const auto only_constant = graph_of({}, {"k"}, {tensor("k", {1, 2}, Floats{1, 2})});
  EXPECT_EQ(taken(model_with(choice("c", only_constant, kTanh))), "k");
}

TEST(Branches, SeeNothingOfEachOther) {
  const auto reads = graph_of({node("Relu", {"b"}, {"a"})}, {"a"});
  expect_error(model_with(choice("c", kTanh, reads)), kBad,
               "a graph within reads 'b', which is defined nowhere (file model.onnx, node choice");
  const auto early = graph_of({node("Relu", {"a"}, {"b"})}, {"b"});
  auto model = model_with(choice("c", early, early));
  model.add(choice("c", kRelu, kRelu, {"z"}, "later"));
  expect_error(model, kBad, "the input 'a' is defined nowhere");
}

TEST(Branches, Nest) {
  const auto constant = raw_tensor("no", {1}, kBool, std::vector<char>{0});
  const auto inner = graph_of({choice("no", kRelu, kTanh, {"i"}, "inner")}, {"i"}, {constant});
  const auto outer = graph_of({choice("c", inner, kRelu, {"o"}, "outer")}, {"o"});
  EXPECT_EQ(taken(model_with(choice("c", outer, kRelu))), "Tanh");
}

TEST(Branches, ShapesDecide) {
  ModelBuilder model;
  model.input("x", {-1, 2})
      .initializer("place", {1}, Ints{0})
      .initializer("one", {1}, Ints{1})
      .add("Shape", {"x"}, {"s"})
      .add("Gather", {"s", "place"}, {"n"})
      .add("Equal", {"n", "one"}, {"c"})
      // What is not taken need not fit: an axis of extent 3 cannot be squeezed.
      .add(choice("c", graph_of({node("Squeeze", {"x", "place"}, {"a"})}, {"a"}), kTanh))
      .output("y");
  EXPECT_EQ(taken(model), "Squeeze");
  EXPECT_EQ(taken(model, {{"x", {3, 2}}}), "Tanh");
}

TEST(Branches, SeveralOutputs) {
  const auto both = [](const char* first, const char* second) {
    return graph_of({node(first, {"x"}, {"p"}), node(second, {"x"}, {"q"})}, {"p", "q"});
  };
  auto model = model_with(choice("c", both("Relu", "Neg"), both("Tanh", "Abs"), {"z", "y"}), false);
  EXPECT_EQ(taken(model), "Abs");
  auto unnamed = model_with(choice("c", both("Relu", "Neg"), both("Tanh", "Abs"), {"", "y"}));
  EXPECT_EQ(taken(unnamed), "Neg");
}

TEST(Branches, WhatIsNotTakenNeedNotBeSupported) {
  const auto foo =
      graph_of({node("Foo", {"x"}, {"f"}, {}, "foo"), node("Relu", {"f"}, {"g"})}, {"g"});
  EXPECT_EQ(taken(model_with(choice("c", foo, kTanh), false)), "Tanh");
  expect_unbound(model_with(choice("c", foo, kTanh), true), kUnsupported,
                 "the branch that an If takes cannot be read (node choice, op If)");
  expect_error(model_with(choice("c", foo, foo)), kUnsupported,
               "the model has 2 nodes that are not supported: 'foo' (Foo, opset 13), 'foo' (Foo");
}

TEST(Branches, AreNoInputs) {
  for (const Strings& inputs : {Strings{"c"}, Strings{"c", "x", "x"}}) {
    const auto error = import_error(model_with(node("If", inputs, {"y"})));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), kBad);
    EXPECT_NE(std::string(error->what()).find("then_branch"), std::string::npos) << error->what();
  }
}

TEST(Branches, ConditionsThatAreNotKnown) {
  auto computed = model_with(choice("d", kRelu, kTanh));
  ModelBuilder model;
  model.input("x", {1, 2})
      .add("ReduceMax", {"x"}, {"m"})
      .add("Cast", {"m"}, {"d"}, {attr("to", kBool)})
      .add(computed.last())
      .output("y");
  expect_unbound(model, kUnsupported, "the condition of an If depends on more than constants");
  auto wide = model_with(choice("wide", kRelu, kTanh));
  wide.initializer(raw_tensor("wide", {2}, kBool, std::vector<char>{1, 1}));
  expect_unbound(wide, kBad, "is not one truth value");
  auto number = model_with(choice("number", kRelu, kTanh));
  number.initializer("number", {}, Ints{1});
  expect_unbound(number, kBad, "is not one truth value");
}

TEST(Branches, Contradictions) {
  const auto without = [](const char* name) {
    auto out = choice("c", kRelu, kTanh);
    auto& attributes = *out.mutable_attribute();
    attributes.DeleteSubrange(name == std::string("then_branch") ? 0 : 1, 1);
    return model_with(out);
  };
  expect_error(without("then_branch"), kBad, "then_branch and else_branch");
  expect_error(without("else_branch"), kBad, "then_branch and else_branch");
  auto more = choice("c", kRelu, kTanh);
  *more.add_attribute() = attr("further", 1);
  expect_error(model_with(more), kBad, "(file model.onnx, node choice, op If)");
  auto two = kRelu;
  two.add_output()->set_name("x");
  expect_error(model_with(choice("c", two, kTanh)), kBad, "another number of outputs");
  auto taking = kRelu;
  taking.add_input()->set_name("z");
  expect_error(model_with(choice("c", taking, kTanh)), kBad, "has inputs");
  const auto twice = graph_of({node("Relu", {"x"}, {"a"}), node("Tanh", {"x"}, {"a"})}, {"a"});
  expect_error(model_with(choice("c", twice, kTanh)), kBad, "a branch defines a value twice");
  const auto ghost = graph_of({node("Relu", {"ghost"}, {"a"})}, {"a"});
  expect_error(model_with(choice("c", ghost, kTanh)), kBad, "'ghost' is defined nowhere");
  const auto control = graph_of({node("Relu", {"x"}, {"a\x01"})}, {"a\x01"});
  expect_error(model_with(choice("c", control, kTanh)), kBad, "control character");
}

fovea_onnx::FunctionProto& add_function(ModelBuilder& model, const std::string& name,
                                        const std::vector<NodeProto>& nodes) {
  auto& out = *model.proto.add_functions();
  out.set_domain("local");
  out.set_name(name);
  out.add_input("a");
  out.add_input("c");
  out.add_output("b");
  for (const auto& proto : nodes) *out.add_node() = proto;
  return out;
}
NodeProto call(const std::string& name, const Strings& inputs, const Strings& outputs,
               const std::string& node_name = {}) {
  auto out = node(name, inputs, outputs, {}, node_name);
  out.set_domain("local");
  return out;
}

TEST(Branches, WithinFunctions) {
  auto slope = node("LeakyRelu", {"a"}, {"l"}, {}, "leaky");
  auto* reference = slope.add_attribute();
  reference->set_name("alpha");
  reference->set_type(1);
  reference->set_ref_attr_name("slope");
  const auto then = graph_of({slope}, {"l"});
  auto use = call("f", {"x", "c"}, {"y"}, "use");
  *use.add_attribute() = attr("slope", 0.25);
  auto model = model_with(use);
  add_function(model, "f", {choice("c", then, graph_of({}, {"a"}), {"b"})});
  EXPECT_EQ(taken(model), "LeakyRelu");
  const auto got = import(model);
  EXPECT_EQ(got.info.nodes[0].name, "use/leaky");
  EXPECT_EQ(got.info.nodes[0].outputs, Strings{"use/l"});
  EXPECT_EQ(std::get<graph::Unary>(got.graph.nodes()[0].op).alpha, 0.25f);
  auto outside = model_with(use);
  add_function(outside, "f", {choice("c", kRelu, kRelu, {"b"})});
  expect_error(outside, kBad, "reads 'x', which it does not define");
}

TEST(Branches, CallFunctions) {
  const auto calls = graph_of({call("f", {"x", ""}, {"r"}, "inner")}, {"r"});
  auto model = model_with(choice("c", calls, kTanh));
  add_function(model, "f", {node("Neg", {"a"}, {"b"})});
  EXPECT_EQ(taken(model), "Neg");
  auto recursive = model_with(call("f", {"x", "c"}, {"y"}, "use"));
  const auto again = graph_of({call("f", {"a", "c"}, {"r"}, "again")}, {"r"});
  add_function(recursive, "f", {choice("c", again, again, {"b"})});
  expect_error(recursive, kBad, "a local function calls itself");
}

TEST(Branches, TowersOfFunctionsAreRefusedBeforeTheyAreBuilt) {
  ModelBuilder model = model_with(call("f0", {"x", "c"}, {"y"}, "use"));
  for (int i = 0; i < 40; ++i) {
    const auto next = "f" + std::to_string(i + 1);
    const auto inner = graph_of({call(next, {"a", "c"}, {"r"}, "n")}, {"r"});
    add_function(model, "f" + std::to_string(i), {choice("c", inner, inner, {"b"})});
  }
  add_function(model, "f40", {node("Relu", {"a"}, {"b"})});
  expect_error(model, kBad, "more than 100000 nodes once its local functions are inlined");
}

TEST(Branches, LargeConstantsStayInTheFile) {
  const auto large = tensor("k", {1, 1 << 16}, Floats(1 << 16, 2.5f));
  const auto add =
      graph_of({node("ReduceSum", {"k"}, {"s"}), node("Add", {"x", "s"}, {"a"})}, {"a"}, {large});
  const auto got = import(model_with(choice("c", add, kTanh)));
  const auto& constant = *got.graph.value(got.graph.find_value("k")).constant;
  EXPECT_EQ(constant.size(), std::size_t{1} << 16);
  std::vector<float> one(1);
  constant.read(12345, one);
  EXPECT_EQ(one[0], 2.5f);
}

}  // namespace
}  // namespace fovea::test
