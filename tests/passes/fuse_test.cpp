#include "passes/support.hpp"

namespace fovea::passes::test {
namespace {

TEST(FusePostOps, AnActivation) {
  for (const auto kind : {UnaryKind::relu, UnaryKind::sigmoid, UnaryKind::tanh,
                          UnaryKind::hard_swish, UnaryKind::gelu, UnaryKind::mish}) {
    Builder b;
    const auto y = b.unary("act", kind, conv(b, "conv", b.input("x", {1, 3, 4, 4}), 3, 4));
    b.output(y);
    EXPECT_TRUE(run_pass(b, fuse_post_ops));
    EXPECT_EQ(ops_of(b.graph), "Conv");
    EXPECT_EQ(post_of(b.graph, y), name_of(kind));
    EXPECT_EQ(b.graph.nodes()[0].name, "conv");
    EXPECT_FALSE(run_pass(b, fuse_post_ops));
  }
}

TEST(FusePostOps, ANormsReluAndNothingElse) {
  for (const auto kind : {UnaryKind::relu, UnaryKind::sigmoid}) {
    Builder b;
    const auto x = b.unary("before", UnaryKind::softplus, b.input("x", {1, 4, 4, 4}));
    const auto y = b.unary("act", kind, norm(b, "norm", x, 4));
    b.output(y);
    EXPECT_EQ(run_pass(b, fuse_post_ops), kind == UnaryKind::relu);
    EXPECT_EQ(post_of(b.graph, kind == UnaryKind::relu ? y : x),
              kind == UnaryKind::relu ? "Relu" : "not a product");
  }
}

TEST(FusePostOps, ANormTakesNoAdd) {
  Builder b;
  const auto x = b.unary("before", UnaryKind::softplus, b.input("x", {1, 4, 4, 4}));
  b.output(b.binary("add", BinaryKind::add, norm(b, "norm", x, 4), x));
  EXPECT_FALSE(run_pass(b, fuse_post_ops));
}

TEST(FusePostOps, TheActivationsNumbersCome) {
  Builder b;
  const auto c = conv(b, "conv", b.input("x", {1, 3, 4, 4}), 3, 4);
  b.output(b.op("act", Unary{.kind = UnaryKind::clip, .alpha = -0.5f, .beta = 0.5f}, {c}));
  EXPECT_TRUE(run_pass(b, fuse_post_ops));
  EXPECT_EQ(ops_of(b.graph), "Conv");
}

TEST(FusePostOps, OtherFunctionsStay) {
  Builder b;
  b.output(b.unary("act", UnaryKind::softplus, conv(b, "conv", b.input("x", {1, 3, 4, 4}), 3, 4)));
  EXPECT_FALSE(run_pass(b, fuse_post_ops));
}

/// relu(conv2(relu(conv1(x))) + x)
ValueId residual(Builder& b, ValueId x) {
  const auto a = b.unary("relu1", UnaryKind::relu, conv(b, "conv1", x, 4, 4));
  const auto c = conv(b, "conv2", a, 4, 4, false);
  return b.unary("relu2", UnaryKind::relu, b.binary("add", BinaryKind::add, x, c));
}

TEST(FusePostOps, AResidualBlock) {
  Builder b;
  const auto x = b.input("x", {1, 4, 5, 5});
  const auto y = residual(b, x);
  b.output(y);
  EXPECT_TRUE(run_pass(b, fuse_post_ops));
  EXPECT_EQ(ops_of(b.graph), "Conv Conv");
  EXPECT_EQ(post_of(b.graph, y), "Add Relu");
  const auto& node = b.graph.nodes()[1];
  // The place of the absent bias stays empty.
  ASSERT_EQ(node.inputs.size(), 4u);
  EXPECT_FALSE(node.inputs[2]);
  EXPECT_EQ(node.inputs[3], x);
  EXPECT_EQ(std::get<Conv>(node.op).post[0].input, 3);
}

TEST(FusePostOps, AnAddWithoutActivation) {
  Builder b;
  const auto x = b.input("x", {1, 4, 5, 5});
  const auto y = b.binary("add", BinaryKind::add, conv(b, "conv", x, 4, 4), x);
  b.output(b.unary("out", UnaryKind::softplus, y));
  EXPECT_TRUE(run_pass(b, fuse_post_ops));
  EXPECT_EQ(post_of(b.graph, y), "Add");
}

TEST(FusePostOps, OfTwoConvolutionsTheLaterTakesTheAdd) {
  Builder b;
  const auto x = b.input("x", {1, 4, 5, 5});
  const auto first = conv(b, "conv1", x, 4, 4);
  const auto second = conv(b, "conv2", x, 4, 4);
  const auto y = b.unary("y", UnaryKind::relu, b.binary("add", BinaryKind::add, first, second));
  b.output(y);
  EXPECT_TRUE(run_pass(b, fuse_post_ops));
  EXPECT_EQ(ops_of(b.graph), "Conv Conv");
  EXPECT_EQ(post_of(b.graph, y), "Add Relu");
  EXPECT_EQ(b.graph.nodes()[1].name, "conv2");
  EXPECT_EQ(post_of(b.graph, first), "");
}

TEST(FusePostOps, WaitsForAnAddendThatIsComputedLater) {
  Builder b;
  const auto x = b.input("x", {1, 4, 5, 5});
  const auto c = conv(b, "conv", x, 4, 4);
  const auto later = b.unary("later", UnaryKind::tanh, x);
  const auto y = b.binary("add", BinaryKind::add, c, later);
  b.output(y);
  EXPECT_TRUE(run_pass(b, fuse_post_ops));
  EXPECT_EQ(ops_of(b.graph), "Tanh Conv");
  EXPECT_EQ(post_of(b.graph, y), "Add");
}

TEST(FusePostOps, GemmAndMatMul) {
  Builder b;
  const auto x = b.input("x", {3, 4});
  const auto fc = b.op("fc", Gemm{}, {x, b.weights("w", {4, 4}), b.weights("c", {4})});
  const auto a = b.unary("a", UnaryKind::relu, b.binary("add", BinaryKind::add, fc, x));
  const auto mm = b.op("mm", MatMul{}, {a, b.weights("v", {4, 4})});
  const auto y = b.unary("y", UnaryKind::sigmoid, b.binary("add2", BinaryKind::add, x, mm));
  b.output(y);
  EXPECT_TRUE(run_pass(b, fuse_post_ops));
  EXPECT_EQ(ops_of(b.graph), "Gemm MatMul");
  EXPECT_EQ(post_of(b.graph, a), "Add Relu");
  EXPECT_EQ(post_of(b.graph, y), "Add Sigmoid");
  EXPECT_EQ(b.graph.nodes()[0].inputs.size(), 4u);
  EXPECT_EQ(b.graph.nodes()[1].inputs.size(), 3u);
}

TEST(FusePostOps, AKeptValueIsNotSwallowed) {
  for (const char* name : {"conv2", "add", "relu2", "relu1", "conv1"}) {
    Builder b;
    const auto y = residual(b, b.input("x", {1, 4, 5, 5}));
    b.output(y);
    const auto kept = b.graph.find_value(name);
    EXPECT_TRUE(run_pass(b, fuse_post_ops, {kept})) << name;
    const std::string ops = ops_of(b.graph);
    if (std::string(name) == "conv2") {
      EXPECT_EQ(ops, "Conv Conv Add Relu");
    }
    if (std::string(name) == "add") {
      EXPECT_EQ(ops, "Conv Conv Relu");
      EXPECT_EQ(post_of(b.graph, kept), "Add");
    }
    if (std::string(name) == "conv1") {
      EXPECT_EQ(ops, "Conv Relu Conv");
    }
    if (std::string(name).starts_with("relu")) {
      EXPECT_EQ(ops, "Conv Conv");
    }
  }
}

TEST(FusePostOps, ASharedValueIsNotSwallowed) {
  Builder b;
  const auto c = conv(b, "conv", b.input("x", {1, 4, 5, 5}), 4, 4);
  b.output(b.binary("y", BinaryKind::mul, b.unary("r", UnaryKind::relu, c), c));
  EXPECT_FALSE(run_pass(b, fuse_post_ops));
}

TEST(FusePostOps, ABroadcastOrConstantAddStays) {
  Builder b;
  const auto x = b.input("x", {1, 4, 5, 5});
  const auto small = b.input("small", {1, 4, 1, 1});
  b.output(b.binary("add", BinaryKind::add, conv(b, "conv", x, 4, 4), small));
  EXPECT_FALSE(run_pass(b, fuse_post_ops));
  Builder c;
  const auto y = c.input("x", {1, 4, 5, 5});
  c.output(
      c.binary("add", BinaryKind::add, conv(c, "conv", y, 4, 4), c.weights("k", {1, 4, 5, 5})));
  EXPECT_FALSE(run_pass(c, fuse_post_ops));
}

TEST(FusePostOps, ASumOfItselfStays) {
  Builder b;
  const auto c = conv(b, "conv", b.input("x", {1, 4, 5, 5}), 4, 4);
  b.output(b.binary("add", BinaryKind::add, c, c));
  EXPECT_FALSE(run_pass(b, fuse_post_ops));
}

TEST(Optimize, AWholeNetwork) {
  Builder b;
  const auto x = b.input("x", {2, 3, 6, 6});
  auto v = norm(b, "bn0", conv(b, "stem", x, 3, 4, false), 4);
  v = b.binary("silu", BinaryKind::mul, v, b.unary("gate", UnaryKind::sigmoid, v));
  const auto skip = b.unary("drop", UnaryKind::identity, v);
  v = b.unary("relu", UnaryKind::relu, norm(b, "bn1", conv(b, "c1", skip, 4, 4, false), 4));
  v = norm(b, "bn2", conv(b, "c2", v, 4, 4, false), 4);
  const auto map = b.unary("map", UnaryKind::relu, b.binary("add", BinaryKind::add, v, skip));
  v = b.op("gap", Reduce{.spatial = true}, {map});
  v = b.op("flat", Reshape{},
           {v, b.op("target", Concat{},
                    {b.op("n", Gather{}, {b.op("shape", ShapeOf{}, {v}), b.ints("zero", {0})}),
                     b.ints("rest", {-1})})});
  v = b.op("fc", MatMul{}, {v, b.weights("fcw", {4, 5})});
  b.output(b.binary("logits", BinaryKind::add, v, b.weights("fcb", {5})));
  const auto pass = [](Graph& graph, const Keep& keep) {
    optimize(graph, keep);
    return true;
  };
  EXPECT_TRUE(run_pass(b, pass, {map}));
  EXPECT_EQ(ops_of(b.graph), "Conv Conv Conv ReduceMean Reshape Gemm");
  EXPECT_EQ(post_of(b.graph, map), "Add Relu");
}

TEST(Optimize, AKeptConvolutionKeepsItsNumbers) {
  Builder b;
  const auto c = conv(b, "conv", b.input("x", {1, 3, 4, 4}), 3, 4);
  b.output(b.unary("y", UnaryKind::relu, norm(b, "bn", c, 4)));
  const auto pass = [](Graph& graph, const Keep& keep) {
    optimize(graph, keep);
    return true;
  };
  EXPECT_TRUE(run_pass(b, pass, {c}));
  EXPECT_EQ(ops_of(b.graph), "Conv BatchNormalization");
}

}  // namespace
}  // namespace fovea::passes::test
