// Local functions are inlined; what cannot be is refused in bounded time.
#include <sys/resource.h>

#include "import_helpers.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

constexpr auto kBad = ErrorCode::bad_model;

fovea_onnx::FunctionProto& add_function(ModelBuilder& model, const std::string& name,
                                        const Strings& inputs, const Strings& outputs,
                                        const std::vector<NodeProto>& nodes,
                                        std::int64_t opset = 0) {
  auto& out = *model.proto.add_functions();
  out.set_domain("local");
  out.set_name(name);
  for (const auto& input : inputs) out.add_input(input);
  for (const auto& output : outputs) out.add_output(output);
  for (const auto& proto : nodes) *out.add_node() = proto;
  if (opset != 0) {
    auto* import = out.add_opset_import();
    import->set_domain("");
    import->set_version(opset);
  }
  return out;
}
NodeProto call(const std::string& name, const Strings& inputs, const Strings& outputs,
               const Attrs& attributes = {}, const std::string& node_name = {}) {
  auto out = node(name, inputs, outputs, attributes, node_name);
  out.set_domain("local");
  return out;
}
Strings ops(const onnx::Imported& model) {
  Strings out;
  for (const auto& info : model.info.nodes) out.push_back(info.op);
  return out;
}

TEST(Functions, AreInlined) {
  ModelBuilder model(20);
  add_function(model, "act", {"a"}, {"b"},
               {node("Sigmoid", {"a"}, {"inner"}), node("Mul", {"a", "inner"}, {"b"}, {}, "mul")});
  model.input("x", {1, 2})
      .add(call("act", {"x"}, {"h"}, {}, "act1"))
      .add(call("act", {"h"}, {"y"}, {}, "act2"))
      .output("y");
  const auto got = import(model);
  EXPECT_EQ(ops(got), (Strings{"Sigmoid", "Mul", "Sigmoid", "Mul"}));
  EXPECT_EQ(got.info.nodes[0].name, "act1/inner");
  EXPECT_EQ(got.info.nodes[1].name, "act1/mul");
  EXPECT_EQ(got.info.nodes[1].inputs, (Strings{"x", "act1/inner"}));
  EXPECT_EQ(got.info.nodes[3].inputs, (Strings{"h", "act2/inner"}));
  EXPECT_EQ(got.info.nodes[3].outputs, Strings{"y"});
}

TEST(Functions, NamesDoNotCollide) {
  ModelBuilder model(20);
  add_function(model, "act", {"a"}, {"b"},
               {node("Relu", {"a"}, {"t"}), node("Relu", {"t"}, {"b"})});
  // The same node name twice, and a value that is called as an inner one would be.
  model.input("x", {1})
      .add("Relu", {"x"}, {"same/t"})
      .add(call("act", {"same/t"}, {"h"}, {}, "same"))
      .add(call("act", {"h"}, {"y"}, {}, "same"))
      .output("y");
  EXPECT_EQ(import(model).graph.nodes().size(), 5U);
}

TEST(Functions, AttributesAreBound) {
  ModelBuilder model(20);
  auto body = node("LeakyRelu", {"a"}, {"b"});
  auto* reference = body.add_attribute();
  reference->set_name("alpha");
  reference->set_type(1);
  reference->set_ref_attr_name("slope");
  auto& function = add_function(model, "leaky", {"a"}, {"b"}, {body});
  model.input("x", {1})
      .add(call("leaky", {"x"}, {"h"}, {attr("slope", 0.25)}))
      .add(call("leaky", {"h"}, {"y"}))
      .output("y");
  const auto alpha = [&](std::size_t i) {
    const auto got = import(model);
    return std::get<graph::Unary>(got.graph.nodes().at(i).op).alpha;
  };
  EXPECT_EQ(alpha(0), 0.25f);
  EXPECT_EQ(alpha(1), 0.01f) << "left out: the operator's own default";
  *function.add_attribute_proto() = attr("slope", 0.75);
  EXPECT_EQ(alpha(0), 0.25f);
  EXPECT_EQ(alpha(1), 0.75f) << "left out: the function's default";
}

TEST(Functions, HaveAnOpsetOfTheirOwn) {
  ModelBuilder model(20);
  add_function(model, "sq", {"a"}, {"b"}, {node("Squeeze", {"a"}, {"b"}, {attr("axes", Ints{0})})},
               12);
  model.input("x", {1, 2}).add(call("sq", {"x"}, {"y"})).output("y");
  EXPECT_EQ(only_op<graph::Reshape>(import(model)).spec, Ints{0});
  model.proto.mutable_functions(0)->mutable_opset_import(0)->set_version(3);
  expect_error(model, ErrorCode::unsupported, "operator set version 3");
}

TEST(Functions, OptionalInputsAndUnusedOutputs) {
  ModelBuilder model(13);
  add_function(model, "clip", {"a", "low", "high"}, {"b", "c"},
               {node("Clip", {"a", "low", "high"}, {"b"}), node("Relu", {"a"}, {"c"})});
  model.input("x", {1})
      .initializer("low", {}, Floats{0})
      .add(call("clip", {"x", "low"}, {"y"}))
      .output("y");
  const auto got = import(model);
  ASSERT_EQ(got.graph.nodes().size(), 2U);
  EXPECT_EQ(got.graph.nodes()[0].inputs.size(), 2U);
}

TEST(Functions, PassThrough) {
  ModelBuilder model(13);
  add_function(model, "same", {"a"}, {"a", "b", "b"}, {node("Relu", {"a"}, {"b"})});
  model.input("x", {1})
      .add(call("same", {"x"}, {"p", "q", "r"}))
      .add("Sum", {"p", "q", "r"}, {"y"})
      .output("y");
  EXPECT_EQ(ops(import(model)), (Strings{"Relu", "Identity", "Identity", "Sum"}));
}

TEST(Functions, Nested) {
  ModelBuilder model(13);
  add_function(model, "outer", {"a"}, {"b"}, {call("inner", {"a"}, {"b"}, {}, "i")});
  add_function(model, "inner", {"a"}, {"b"}, {node("Relu", {"a"}, {"b"}, {}, "r")});
  model.input("x", {1}).add(call("outer", {"x"}, {"y"}, {}, "o")).output("y");
  const auto got = import(model);
  ASSERT_EQ(got.graph.nodes().size(), 1U);
  EXPECT_EQ(got.graph.nodes()[0].name, "o/i/r");
}

TEST(Functions, Recursion) {
  ModelBuilder direct(13);
  add_function(direct, "f", {"a"}, {"b"}, {call("f", {"a"}, {"b"})});
  direct.input("x", {1}).add(call("f", {"x"}, {"y"})).output("y");
  expect_error(direct, kBad, "calls itself");
  ModelBuilder mutual(13);
  add_function(mutual, "f", {"a"}, {"b"}, {call("g", {"a"}, {"b"})});
  add_function(mutual, "g", {"a"}, {"b"}, {call("f", {"a"}, {"b"})});
  mutual.input("x", {1}).add(call("f", {"x"}, {"y"})).output("y");
  expect_error(mutual, kBad, "calls itself");
}

TEST(Functions, Chains) {
  const auto chain = [](int length) {
    ModelBuilder model(13);
    for (int i = 0; i + 1 < length; ++i)
      add_function(model, "f" + std::to_string(i), {"a"}, {"b"},
                   {call("f" + std::to_string(i + 1), {"a"}, {"b"}, {}, "c")});
    add_function(model, "f" + std::to_string(length - 1), {"a"}, {"b"},
                 {node("Relu", {"a"}, {"b"}, {}, "r")});
    return model.input("x", {1}).add(call("f0", {"x"}, {"y"}, {}, "c")).output("y");
  };
  EXPECT_NO_THROW(import(chain(100)));
  expect_error(chain(101), kBad, "more than 100 deep");
}

TEST(Functions, Towers) {
  // Each calls the next ten times: 10^12 leaves.
  const auto tower = [](const std::vector<NodeProto>& leaf) {
    ModelBuilder model(13);
    for (int i = 0; i < 12; ++i) {
      std::vector<NodeProto> calls;
      for (int c = 0; c < 10; ++c)
        calls.push_back(call("f" + std::to_string(i + 1), {"a"}, {c == 0 ? "b" : ""}, {}, "c"));
      add_function(model, "f" + std::to_string(i), {"a"}, {"b"}, calls);
    }
    add_function(model, "f12", {"a"}, {"b"}, leaf);
    return model.input("x", {1}).add(call("f0", {"x"}, {"y"}, {}, "c")).output("y");
  };
  expect_error(tower({node("Relu", {"a"}, {"b"})}), kBad,
               "more than 100000 nodes once its local functions are inlined");
  expect_error(tower({}), kBad, "");
}

long peak_kilobytes() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(Functions, TowersAreRefusedBeforeTheyAreBuilt) {
  // Forty functions that call the next one twice: 2^40 leaves in a file of a few kilobytes.
  ModelBuilder model(13);
  for (int i = 0; i < 40; ++i)
    add_function(model, "f" + std::to_string(i), {"a"}, {"b"},
                 {call("f" + std::to_string(i + 1), {"a"}, {"t"}, {}, "c"),
                  call("f" + std::to_string(i + 1), {"t"}, {"b"}, {}, "d")});
  add_function(model, "f40", {"a"}, {"b"}, {node("Relu", {"a"}, {"b"}, {}, "r")});
  model.input("x", {1}).add(call("f0", {"x"}, {"y"}, {}, "c")).output("y");
  const auto before = peak_kilobytes();
  expect_error(model, kBad, "more than 100000 nodes once its local functions are inlined");
  EXPECT_LT(peak_kilobytes() - before, 32 << 10);
}

TEST(Functions, TowersUpToTheLimitAreInlined) {
  // 2^12 leaves; the last but one call stands for a value that goes through unchanged.
  ModelBuilder model(13);
  for (int i = 0; i < 12; ++i)
    add_function(model, "f" + std::to_string(i), {"a"}, {"b"},
                 {call("f" + std::to_string(i + 1), {"a"}, {"t"}, {}, "c"),
                  call("f" + std::to_string(i + 1), {"t"}, {"b"}, {}, "d")});
  add_function(model, "f12", {"a"}, {"b"}, {node("Relu", {"a"}, {"b"}, {}, "r")});
  add_function(model, "through", {"a"}, {"a"}, {});
  model.input("x", {1})
      .add(call("f0", {"x"}, {"h"}, {}, "c"))
      .add(call("through", {"h"}, {"y"}, {}, "t"))
      .output("y");
  const auto got = import(model);
  EXPECT_EQ(got.graph.nodes().size(), (std::size_t{1} << 12) + 1);
}

TEST(Functions, LongNamesOfCallsCount) {
  // Each name within has those of all calls around it in front: 100 calls of 4 kB names around a
  // body of 2,000 nodes would take gigabytes of names.
  ModelBuilder model(13);
  const std::string name(4000, 'n');
  for (int i = 0; i < 99; ++i)
    add_function(model, "f" + std::to_string(i), {"a"}, {"b"},
                 {call("f" + std::to_string(i + 1), {"a"}, {"b"}, {}, name)});
  std::vector<NodeProto> body;
  for (int i = 0; i < 2000; ++i)
    body.push_back(node("Relu", {i == 0 ? "a" : "v" + std::to_string(i - 1)},
                        {i == 1999 ? "b" : "v" + std::to_string(i)}));
  add_function(model, "f99", {"a"}, {"b"}, body);
  model.input("x", {1}).add(call("f0", {"x"}, {"y"}, {}, name)).output("y");
  const auto before = peak_kilobytes();
  expect_error(model, kBad, "larger than 256 MiB once its local functions are inlined");
  EXPECT_LT(peak_kilobytes() - before, 32 << 10);
}

TEST(Functions, BigBodies) {
  ModelBuilder model(13);
  constexpr int kCount = 1 << 20;  // of ten bytes each, in the message itself
  TensorProto big = empty_tensor("", {kCount}, kInt32);
  for (int i = 0; i < kCount; ++i) big.add_int32_data(-1);
  add_function(model, "f", {"a"}, {"b"},
               {node("Constant", {}, {"c"}, {attr("value", big)}), node("Add", {"a", "c"}, {"b"})});
  model.input("x", {1});
  for (int i = 0; i < 40; ++i) model.add(call("f", {"x"}, {"y" + std::to_string(i)}));
  model.output("y0");
  expect_error(model, kBad, "larger than 256 MiB once its local functions are inlined");
}

TEST(Functions, LargeConstantsAreSharedByAllCalls) {
  for (const int type : {kFloat, kFloat16, kInt64}) {
    ModelBuilder model(13);
    const auto big = raw_tensor("", {1 << 20}, type,
                                std::vector<char>(type == kFloat   ? 4 << 20
                                                  : type == kInt64 ? 8 << 20
                                                                   : 2 << 20));
    add_function(model, "f", {}, {"b"}, {node("Constant", {}, {"b"}, {attr("value", big)})});
    for (int i = 0; i < 40; ++i) model.add(call("f", {}, {"y" + std::to_string(i)}));
    model.output("y0");
    const auto got = import(model);
    const auto constant = [&](const char* name) {
      return *got.graph.value(got.graph.find_value(name)).constant;
    };
    const auto first = constant("y0"), last = constant("y39");
    EXPECT_EQ(first.ints.data(), last.ints.data()) << type;
    EXPECT_EQ(first.deferred(), last.deferred()) << type;
    if (type != kInt64) {
      EXPECT_EQ(first.floats().data.data(), last.floats().data.data()) << type;
    }
  }
}

TEST(Functions, Contradictions) {
  const auto model = [](const Strings& inputs, const Strings& outputs,
                        const std::vector<NodeProto>& nodes, const NodeProto& user) {
    ModelBuilder out(13);
    add_function(out, "f", inputs, outputs, nodes);
    return out.input("x", {1}).add(user).output("y");
  };
  const auto relu = node("Relu", {"a"}, {"b"});
  const auto use = call("f", {"x"}, {"y"}, {}, "use");
  EXPECT_NO_THROW(import(model({"a"}, {"b"}, {relu}, use)));
  expect_error(model({"a"}, {"b"}, {relu}, call("f", {"x", "x"}, {"y"})), kBad,
               "more inputs or outputs than it has");
  expect_error(model({"a"}, {"b"}, {relu}, call("f", {"x"}, {"y", "z"})), kBad,
               "more inputs or outputs than it has");
  expect_error(model({"a", "a"}, {"b"}, {relu}, use), kBad, "repeats an input name");
  expect_error(model({"a"}, {"b"}, {relu, relu}, use), kBad, "defines a value twice");
  expect_error(model({"a"}, {"b"}, {relu, node("Relu", {"b"}, {"a"})}, use), kBad,
               "defines a value twice");
  expect_error(model({"a"}, {"b"}, {node("Add", {"a", "x"}, {"b"})}, use), kBad,
               "reads 'x', which it does not define");
  expect_error(model({"a"}, {"ghost"}, {relu}, use), kBad, "defined nowhere");
  auto twice = model({"a"}, {"b"}, {relu}, use);
  *twice.proto.add_functions() = twice.proto.functions(0);
  expect_error(twice, kBad, "a local function is defined twice");
}

TEST(Functions, OverloadsAreDistinct) {
  ModelBuilder model(13);
  add_function(model, "f", {"a"}, {"b"}, {node("Relu", {"a"}, {"b"})}).set_overload("one");
  add_function(model, "f", {"a"}, {"b"}, {node("Tanh", {"a"}, {"b"})}).set_overload("two");
  auto user = call("f", {"x"}, {"y"});
  user.set_overload("two");
  model.input("x", {1}).add(user).output("y");
  EXPECT_EQ(ops(import(model)), Strings{"Tanh"});
}

TEST(Functions, TheirUnsupportedNodesAreListed) {
  ModelBuilder model(13);
  add_function(model, "f", {"a"}, {"b"}, {node("Foo", {"a"}, {"b"}, {}, "foo")});
  model.input("x", {1}).add(call("f", {"x"}, {"y"}, {}, "use")).output("y");
  expect_error(model, ErrorCode::unsupported, "'use/foo' (Foo, opset 13)");
}

}  // namespace
}  // namespace fovea::test
