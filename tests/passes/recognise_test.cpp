#include <cmath>

#include "passes/support.hpp"

namespace fovea::passes::test {
namespace {

using Make = std::function<ValueId(Builder&, ValueId)>;

struct Recognised {
  Builder b;
  ValueId x, y;
  explicit Recognised(const Make& make, const std::vector<std::string>& kept = {}) {
    x = b.unary("start", UnaryKind::tanh, b.input("x", {2, 3, 2}));
    y = make(b, x);
    b.output(y);
    Keep keep;
    for (const auto& name : kept) keep.insert(b.graph.find_value(name));
    run_pass(b, recognise_activations, keep);
  }
  std::string ops() const { return ops_of(b.graph); }
  const Unary& unary() const { return std::get<Unary>(b.graph.nodes().back().op); }
};

ValueId mul(Builder& b, const std::string& name, ValueId a, ValueId c) {
  return b.binary(name, BinaryKind::mul, a, c);
}

TEST(RecogniseActivations, Silu) {
  for (const bool swapped : {false, true}) {
    Recognised r([=](Builder& b, ValueId x) {
      const auto s = b.unary("s", UnaryKind::sigmoid, x);
      return swapped ? mul(b, "y", s, x) : mul(b, "y", x, s);
    });
    EXPECT_EQ(r.ops(), "Tanh Swish");
    EXPECT_EQ(r.unary().alpha, 1);
    EXPECT_EQ(r.b.graph.nodes().back().inputs, std::vector<ValueId>{r.x});
  }
}

TEST(RecogniseActivations, SiluOfAMultiple) {
  Recognised r([](Builder& b, ValueId x) {
    const auto k = mul(b, "k", x, b.scalar("c", 1.702f));
    return mul(b, "y", x, b.unary("s", UnaryKind::sigmoid, k));
  });
  EXPECT_EQ(r.ops(), "Tanh Swish");
  EXPECT_EQ(r.unary().alpha, 1.702f);
}

TEST(RecogniseActivations, AGateOfAnotherValueIsNoSilu) {
  Recognised r([](Builder& b, ValueId x) {
    const auto other = b.unary("other", UnaryKind::relu, x);
    return mul(b, "y", x, b.unary("s", UnaryKind::sigmoid, other));
  });
  EXPECT_EQ(r.ops(), "Tanh Relu Sigmoid Mul");
}

TEST(RecogniseActivations, AKeptOrSharedGateStays) {
  const Make silu = [](Builder& b, ValueId x) {
    return mul(b, "y", x, b.unary("s", UnaryKind::sigmoid, x));
  };
  EXPECT_EQ(Recognised(silu, {"s"}).ops(), "Tanh Sigmoid Mul");
  Recognised shared([](Builder& b, ValueId x) {
    const auto s = b.unary("s", UnaryKind::sigmoid, x);
    return b.binary("z", BinaryKind::add, mul(b, "y", x, s), s);
  });
  EXPECT_EQ(shared.ops(), "Tanh Sigmoid Mul Add");
}

TEST(RecogniseActivations, HardSwish) {
  Recognised fused([](Builder& b, ValueId x) {
    const Unary gate{.kind = UnaryKind::hard_sigmoid, .alpha = 1.0f / 6, .beta = 0.5f};
    return mul(b, "y", x, b.op("g", gate, {x}));
  });
  EXPECT_EQ(fused.ops(), "Tanh HardSwish");
  const auto relu6 = [](Builder& b, ValueId x) {
    const auto sum = b.binary("sum", BinaryKind::add, x, b.scalar("three", 3));
    return b.op("clip", Unary{.kind = UnaryKind::clip, .alpha = 0, .beta = 6}, {sum});
  };
  Recognised product_first([&](Builder& b, ValueId x) {
    return b.binary("y", BinaryKind::div, mul(b, "m", x, relu6(b, x)), b.scalar("six", 6));
  });
  EXPECT_EQ(product_first.ops(), "Tanh HardSwish");
  Recognised quotient_first([&](Builder& b, ValueId x) {
    return mul(b, "y", x, b.binary("d", BinaryKind::div, relu6(b, x), b.scalar("six", 6)));
  });
  EXPECT_EQ(quotient_first.ops(), "Tanh HardSwish");
  Recognised gate_only([&](Builder& b, ValueId x) {
    return b.binary("d", BinaryKind::div, relu6(b, x), b.scalar("six", 6));
  });
  EXPECT_EQ(gate_only.ops(), "Tanh HardSigmoid");
  Recognised other_slope([](Builder& b, ValueId x) {
    const Unary gate{.kind = UnaryKind::hard_sigmoid, .alpha = 0.2f, .beta = 0.5f};
    return mul(b, "y", x, b.op("g", gate, {x}));
  });
  EXPECT_EQ(other_slope.ops(), "Tanh HardSigmoid Mul");
}

TEST(RecogniseActivations, Mish) {
  Recognised r([](Builder& b, ValueId x) {
    return mul(b, "y", x, b.unary("t", UnaryKind::tanh, b.unary("s", UnaryKind::softplus, x)));
  });
  EXPECT_EQ(r.ops(), "Tanh Mish");
}

/// (1 + erf(x / sqrt 2)), dividing or multiplying.
ValueId erf_gate(Builder& b, ValueId x, bool divide) {
  const auto u = divide ? b.binary("u", BinaryKind::div, x, b.scalar("r2", std::sqrt(2.0f)))
                        : mul(b, "u", x, b.scalar("r2", std::sqrt(0.5f)));
  return b.binary("gate", BinaryKind::add, b.unary("erf", UnaryKind::erf, u), b.scalar("one", 1));
}

TEST(RecogniseActivations, GeluInEachOrder) {
  for (const bool divide : {false, true}) {
    Recognised half_last([=](Builder& b, ValueId x) {
      return mul(b, "y", mul(b, "m", x, erf_gate(b, x, divide)), b.scalar("half", 0.5f));
    });
    EXPECT_EQ(half_last.ops(), "Tanh Gelu");
    Recognised half_first([=](Builder& b, ValueId x) {
      return mul(b, "y", mul(b, "m", b.scalar("half", 0.5f), x), erf_gate(b, x, divide));
    });
    EXPECT_EQ(half_first.ops(), "Tanh Gelu");
    Recognised half_inside([=](Builder& b, ValueId x) {
      return mul(b, "y", x, mul(b, "m", b.scalar("half", 0.5f), erf_gate(b, x, divide)));
    });
    EXPECT_EQ(half_inside.ops(), "Tanh Gelu");
  }
}

TEST(RecogniseActivations, WithoutItsHalfItIsNoGelu) {
  Recognised r([](Builder& b, ValueId x) { return mul(b, "y", x, erf_gate(b, x, true)); });
  EXPECT_EQ(r.ops(), "Tanh Div Erf Add Mul");
}

TEST(RecogniseActivations, ConstantsRoundedToHalfPrecisionAreLeftAlone) {
  Recognised r([](Builder& b, ValueId x) {
    const auto u = b.binary("u", BinaryKind::div, x, b.scalar("r2", 1.4140625f));
    const auto gate =
        b.binary("gate", BinaryKind::add, b.unary("erf", UnaryKind::erf, u), b.scalar("one", 1));
    return mul(b, "y", mul(b, "m", x, gate), b.scalar("half", 0.5f));
  });
  EXPECT_EQ(r.ops(), "Tanh Div Erf Add Mul Mul");
}

TEST(RecogniseActivations, GeluByTanh) {
  const float k = std::sqrt(2 / std::acos(-1.0f));
  const auto finish = [](Builder& b, ValueId x, ValueId inner) {
    const auto gate = b.binary("gate", BinaryKind::add, b.unary("tanh", UnaryKind::tanh, inner),
                               b.scalar("one", 1));
    return mul(b, "y", mul(b, "half", x, b.scalar("c5", 0.5f)), gate);
  };
  Recognised by_pow([&](Builder& b, ValueId x) {
    const auto cube = b.binary("cube", BinaryKind::pow, x, b.scalar("three", 3));
    const auto sum =
        b.binary("sum", BinaryKind::add, x, mul(b, "cubic", cube, b.scalar("c", 0.044715f)));
    return finish(b, x, mul(b, "inner", sum, b.scalar("k", k)));
  });
  EXPECT_EQ(by_pow.ops(), "Tanh GeluTanh");
  Recognised by_products([&](Builder& b, ValueId x) {
    const auto square = mul(b, "square", mul(b, "cx", x, b.scalar("c", 0.044715f)), x);
    const auto sum = b.binary("sum", BinaryKind::add, b.scalar("uno", 1), square);
    return finish(b, x, mul(b, "inner", mul(b, "kx", x, b.scalar("k", k)), sum));
  });
  EXPECT_EQ(by_products.ops(), "Tanh GeluTanh");
}

TEST(RecogniseActivations, AHostileExponentIsNoGelu) {
  for (const float exponent : {1e30f, std::nanf(""), 2.5f}) {
    Builder b;
    const auto x = b.unary("start", UnaryKind::tanh, b.input("x", {2}));
    const auto cube = b.binary("cube", BinaryKind::pow, x, b.scalar("e", exponent));
    const auto sum =
        b.binary("sum", BinaryKind::add, x, mul(b, "cubic", cube, b.scalar("c", 0.044715f)));
    const auto inner = mul(b, "inner", sum, b.scalar("k", std::sqrt(2 / std::acos(-1.0f))));
    const auto gate = b.binary("gate", BinaryKind::add, b.unary("tanh", UnaryKind::tanh, inner),
                               b.scalar("one", 1));
    mul(b, "y", mul(b, "half", x, b.scalar("c5", 0.5f)), gate);
    b.bound();
    EXPECT_FALSE(recognise_activations(b.graph, {})) << exponent;
  }
}

/// The spelled-out norm over the last `axes`.
ValueId spelled_norm(Builder& b, ValueId x, const Ints& axes, bool by_pow) {
  const Reduce mean{.axes = axes};
  const auto d = b.binary("d", BinaryKind::sub, x, b.op("mean", mean, {x}));
  const auto square =
      by_pow ? b.binary("square", BinaryKind::pow, d, b.scalar("two", 2)) : mul(b, "square", d, d);
  const auto sum =
      b.binary("sum", BinaryKind::add, b.op("variance", mean, {square}), b.scalar("eps", 1e-5f));
  return b.binary("divided", BinaryKind::div, d, b.unary("root", UnaryKind::sqrt, sum));
}

TEST(RecogniseLayerNorm, WithScaleAndBias) {
  for (const bool by_pow : {false, true}) {
    Builder b;
    const auto x = b.input("x", {2, 3, 4});
    auto v = spelled_norm(b, x, {-1}, by_pow);
    v = mul(b, "scaled", v, b.weights("scale", {4}));
    v = b.binary("y", BinaryKind::add, b.weights("bias", {1, 4}), v);
    b.output(v);
    EXPECT_TRUE(run_pass(b, recognise_layernorm));
    ASSERT_EQ(ops_of(b.graph), "LayerNormalization");
    EXPECT_EQ(std::get<LayerNorm>(b.graph.nodes()[0].op).axis, 2);
    EXPECT_EQ(std::get<LayerNorm>(b.graph.nodes()[0].op).epsilon, 1e-5f);
  }
}

TEST(RecogniseLayerNorm, WithoutScale) {
  Builder b;
  b.output(b.unary("y", UnaryKind::relu, spelled_norm(b, b.input("x", {2, 3, 4}), {1, 2}, true)));
  EXPECT_TRUE(run_pass(b, recognise_layernorm));
  EXPECT_EQ(ops_of(b.graph), "LayerNormalization Relu");
}

TEST(RecogniseLayerNorm, OverOtherAxesIsLeftAlone) {
  Builder b;
  b.output(spelled_norm(b, b.input("x", {2, 3, 4}), {1}, true));
  EXPECT_FALSE(run_pass(b, recognise_layernorm));
}

TEST(RecogniseLayerNorm, AKeptPartStays) {
  for (const char* name : {"mean", "d", "square", "variance", "sum", "root"}) {
    Builder b;
    b.output(spelled_norm(b, b.input("x", {2, 3, 4}), {2}, true));
    EXPECT_FALSE(run_pass(b, recognise_layernorm, {b.graph.find_value(name)})) << name;
  }
}

TEST(RecogniseLayerNorm, AKeptNormKeepsItsScaleApart) {
  Builder b;
  const auto v = spelled_norm(b, b.input("x", {2, 3, 4}), {2}, true);
  b.output(mul(b, "y", v, b.weights("scale", {4})));
  EXPECT_TRUE(run_pass(b, recognise_layernorm, {v}));
  EXPECT_EQ(ops_of(b.graph), "LayerNormalization Mul");
}

TEST(RecogniseLayerNorm, ADifferenceReadElsewhereIsLeftAlone) {
  Builder b;
  const auto v = spelled_norm(b, b.input("x", {2, 3, 4}), {2}, true);
  b.output(b.binary("y", BinaryKind::add, v, b.graph.find_value("d")));
  EXPECT_FALSE(run_pass(b, recognise_layernorm));
}

}  // namespace
}  // namespace fovea::passes::test
