#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "engine/net.hpp"
#include "engine/plan.hpp"
#include "explain/rules/rules.hpp"

/// Where relevance goes at what is no linear layer, and which layers count as the first. Every way
/// to share it out conserves it, so that sums tell nothing.
namespace fovea::explain {
namespace {

using engine_test::Net;
using graph::BinaryKind;
using graph::UnaryKind;
using graph::ValueId;
using Matrix = std::vector<double>;

constexpr std::size_t kSide = 4;

ValueId unary(Net& n, UnaryKind kind, ValueId x) {
  return n.node("Unary", graph::Unary{kind}, {x});
}
ValueId binary(Net& n, BinaryKind kind, ValueId a, ValueId b) {
  return n.node("Binary", graph::Binary{kind}, {a, b});
}
ValueId turned(Net& n, ValueId x) {
  return n.transpose(x, {0, 1, 3, 2});
}
ValueId product(Net& n, ValueId a, ValueId b) {
  return n.node("MatMul", graph::MatMul{}, {a, b});
}
ValueId softmax(Net& n, ValueId x) {
  return n.node("Softmax", graph::Softmax{3}, {x});
}
ValueId pool(Net& n, ValueId x, graph::PoolKind kind) {
  graph::Pool op;
  op.kind = kind;
  op.window.kernel = op.window.strides = {2, 2};
  return n.node("Pool", op, {x});
}

/// Row and column exchanged, by places that are the elements'.
ValueId sampled(Net& n, ValueId x) {
  std::vector<float> places;
  for (std::size_t i = 0; i < kSide; ++i)
    for (std::size_t j = 0; j < kSide; ++j)
      for (const auto at : {i, j})  // the column first
        places.push_back(2 * static_cast<float>(at) / (kSide - 1) - 1);
  const auto grid = n.graph.add_constant(
      "grid", graph::Constant::of_floats({1, kSide, kSide, 2}, std::move(places)));
  return n.node("GridSample",
                graph::GridSample{graph::ResizeMode::linear, graph::GridPadding::border, true},
                {x, grid});
}

/// Four blocks of two rows and two columns, in an image of three.
ValueId columns(Net& n, ValueId x) {
  graph::Col2Im op;
  op.image = graph::Ints{3, 3};
  op.window.kernel = {2, 2};
  return n.node(
      "Col2Im", op,
      {n.node("Reshape", graph::Reshape{graph::ReshapeKind::reshape, graph::Ints{1, 4, 4}}, {x})});
}
std::size_t column_place(std::size_t i) {
  const auto element = i / 4, block = i % 4;
  return (block / 2 + element / 2) * 3 + block % 2 + element % 2;
}

double& at(Matrix& m, std::size_t row, std::size_t column) {
  return m[row * kSide + column];
}
Matrix turned(const Matrix& m) {
  Matrix out(m.size());
  for (std::size_t i = 0; i < m.size(); ++i) out[i % kSide * kSide + i / kSide] = m[i];
  return out;
}
Matrix multiplied(Matrix a, Matrix b) {
  Matrix out(a.size(), 0.0);
  for (std::size_t i = 0; i < kSide; ++i)
    for (std::size_t j = 0; j < kSide; ++j)
      for (std::size_t k = 0; k < kSide; ++k) at(out, i, j) += at(a, i, k) * at(b, k, j);
  return out;
}
Matrix combined(const Matrix& a, const Matrix& b, const std::function<double(double, double)>& f) {
  Matrix out;
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back(f(a[i], b[i]));
  return out;
}
Matrix times(const Matrix& a, const Matrix& b) {
  return combined(a, b, std::multiplies<>());
}
Matrix over(const Matrix& a, const Matrix& b) {
  return combined(a, b, std::divides<>());
}
Matrix plus(const Matrix& a, const Matrix& b) {
  return combined(a, b, std::plus<>());
}
Matrix half(Matrix m) {
  for (auto& v : m) v /= 2;
  return m;
}
Matrix softmax(Matrix m) {
  for (std::size_t i = 0; i < kSide; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < kSide; ++j) sum += at(m, i, j) = std::exp(at(m, i, j));
    for (std::size_t j = 0; j < kSide; ++j) at(m, i, j) /= sum;
  }
  return m;
}
/// The 2 x 2 window that position i lies in.
std::size_t window_of(std::size_t i) {
  return i / kSide / 2 * (kSide / 2) + i % kSide / 2;
}

struct Case {
  const char* name;
  ValueId (*build)(Net& net, ValueId x);
  /// Of x, whose values are above 0, and of what reaches the result.
  Matrix (*expected)(const Matrix& x, const Matrix& r);
};

Matrix all_of_it(const Matrix&, const Matrix& r) {
  return r;
}

const std::vector<Case> kCases = {
    {"sigmoid gate",
     [](Net& n, ValueId x) {
       return binary(n, BinaryKind::mul, x, unary(n, UnaryKind::sigmoid, turned(n, x)));
     },
     all_of_it},
    {"hard sigmoid gate",
     [](Net& n, ValueId x) {
       return binary(n, BinaryKind::mul, unary(n, UnaryKind::hard_sigmoid, turned(n, x)), x);
     },
     all_of_it},
    {"softmax gate, moved",
     [](Net& n, ValueId x) {
       const auto gate = n.reshape(turned(n, softmax(n, x)), {1, 1, 4, 4});
       return binary(n, BinaryKind::mul, gate, x);
     },
     all_of_it},
    {"a value for all positions",
     [](Net& n, ValueId x) {
       return binary(n, BinaryKind::mul, n.mean(x, {2, 3}), x);
     },
     all_of_it},
    {"product of two signals",
     [](Net& n, ValueId x) { return binary(n, BinaryKind::mul, x, turned(n, x)); },
     [](const Matrix&, const Matrix& r) { return half(plus(r, turned(r))); }},
    {"product of two gates",
     [](Net& n, ValueId x) {
       return binary(n, BinaryKind::mul, unary(n, UnaryKind::sigmoid, x),
                     unary(n, UnaryKind::sigmoid, turned(n, x)));
     },
     [](const Matrix&, const Matrix& r) { return half(plus(r, turned(r))); }},
    {"square", [](Net& n, ValueId x) { return binary(n, BinaryKind::mul, x, x); }, all_of_it},
    {"quotient", [](Net& n, ValueId x) { return binary(n, BinaryKind::div, x, turned(n, x)); },
     all_of_it},
    {"sum", [](Net& n, ValueId x) { return n.add(x, turned(n, x)); },
     [](const Matrix& x, const Matrix& r) {
       const Matrix s = over(r, plus(x, turned(x)));
       return times(x, plus(s, turned(s)));
     }},
    {"maximum of two",
     [](Net& n, ValueId x) { return binary(n, BinaryKind::max, x, turned(n, x)); },
     [](const Matrix& x, const Matrix& r) {
       const Matrix share = combined(x, turned(x), [](double a, double b) {
         return a > b ? 1.0 : a == b ? 0.5 : 0.0;
       });
       return times(share, plus(r, turned(r)));
     }},
    {"matrix product of two signals", [](Net& n, ValueId x) { return product(n, x, turned(n, x)); },
     [](const Matrix& x, const Matrix& r) {
       const Matrix s = half(over(r, multiplied(x, turned(x))));
       return times(x, multiplied(plus(s, turned(s)), x));
     }},
    {"attention", [](Net& n, ValueId x) { return product(n, softmax(n, x), turned(n, x)); },
     [](const Matrix& x, const Matrix& r) {
       const Matrix p = softmax(x), v = turned(x);
       const Matrix s = over(r, multiplied(p, v));
       return turned(times(v, multiplied(turned(p), s)));
     }},
    {"cumulative sum", [](Net& n, ValueId x) { return n.node("CumSum", graph::CumSum{3}, {x}); },
     [](const Matrix& x, const Matrix& r) {
       Matrix out(x.size(), 0.0);
       for (std::size_t i = 0; i < kSide; ++i)
         for (std::size_t k = 0; k < kSide; ++k) {
           double sum = 0;
           for (std::size_t j = 0; j <= k; ++j) sum += x[i * kSide + j];
           for (std::size_t j = 0; j <= k; ++j)
             out[i * kSide + j] += x[i * kSide + j] * r[i * kSide + k] / sum;
         }
       return out;
     }},
    {"a grid that turns the map", [](Net& n, ValueId x) { return sampled(n, x); },
     [](const Matrix&, const Matrix& r) { return turned(r); }},
    {"columns that overlap", columns,
     [](const Matrix& x, const Matrix& r) {
       Matrix sum(r.size(), 0.0), out(x.size(), 0.0);
       for (std::size_t i = 0; i < x.size(); ++i) sum[column_place(i)] += x[i];
       for (std::size_t i = 0; i < x.size(); ++i)
         out[i] = x[i] / sum[column_place(i)] * r[column_place(i)];
       return out;
     }},
    {"max pool", [](Net& n, ValueId x) { return pool(n, x, graph::PoolKind::max); },
     [](const Matrix& x, const Matrix& r) {
       Matrix most(r.size(), 0.0), out(x.size(), 0.0);
       for (std::size_t i = 0; i < x.size(); ++i)
         most[window_of(i)] = std::max(most[window_of(i)], x[i]);
       for (std::size_t i = 0; i < x.size(); ++i)
         if (x[i] == most[window_of(i)]) out[i] = r[window_of(i)];
       return out;
     }},
    {"average pool", [](Net& n, ValueId x) { return pool(n, x, graph::PoolKind::average); },
     [](const Matrix& x, const Matrix& r) {
       Matrix sum(r.size(), 0.0), out;
       for (std::size_t i = 0; i < x.size(); ++i) sum[window_of(i)] += x[i];
       for (std::size_t i = 0; i < x.size(); ++i)
         out.push_back(x[i] / sum[window_of(i)] * r[window_of(i)]);
       return out;
     }},
    {"einsum of one that sums",
     [](Net& n, ValueId x) { return n.node("Einsum", graph::Einsum{"bchw->bcw"}, {x}); },
     [](const Matrix& x, const Matrix& r) {
       Matrix sum(kSide, 0.0), out;
       for (std::size_t i = 0; i < x.size(); ++i) sum[i % kSide] += x[i];
       for (std::size_t i = 0; i < x.size(); ++i)
         out.push_back(x[i] / sum[i % kSide] * r[i % kSide]);
       return out;
     }},
    {"einsum of one that moves",
     [](Net& n, ValueId x) { return n.node("Einsum", graph::Einsum{"bchw->bcwh"}, {x}); },
     [](const Matrix&, const Matrix& r) { return turned(r); }},
    {"layer norm",
     [](Net& n, ValueId x) {
       return n.node("LayerNorm", graph::LayerNorm{3}, {x, n.weight({4}), n.weight({4})});
     },
     all_of_it},
    {"softmax", [](Net& n, ValueId x) { return softmax(n, x); }, all_of_it},
};

Matrix propagated(const Net& net, ValueId of, ValueId wrt, std::span<const float> x,
                  std::span<const float> r, const engine::Relevance& relevance, bool optimize) {
  engine::PlanSpec spec;
  spec.optimize = optimize;
  spec.fetches = {of};
  spec.gradients = {{.of = of, .wrt = wrt}};
  spec.gradients[0].relevance = relevance;
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(net.graph, spec, weights);
  auto space = plan->make_workspace();
  plan->forward(space, std::vector<std::span<const float>>{x}, {});
  plan->backward(space, 0, r, {});
  const auto out = engine_test::row_major(plan->gradient(space, 0));
  return {out.begin(), out.end()};
}

std::vector<float> positive_floats(std::int64_t n, unsigned seed) {
  auto out = engine_test::random_floats(n, seed);
  for (auto& v : out) v = std::abs(v) + 0.2f;
  return out;
}

TEST(Treatments, ShareRelevanceOut) {
  for (const auto& one : kCases)
    for (const bool optimize : {true, false}) {
      SCOPED_TRACE(std::string(one.name) + (optimize ? "" : ", plain plan"));
      Net net;
      const auto x = net.input({1, 1, kSide, kSide});
      const auto y = one.build(net, x);
      net.finish(y);
      const auto values = positive_floats(kSide * kSide, 3);
      const auto r = engine_test::random_floats(engine_test::count_of(net.graph.value(y).shape), 4);
      const auto got =
          propagated(net, y, x, values, r, composite_of(LrpComposite::epsilon, {}), optimize);
      const auto want = one.expected({values.begin(), values.end()}, {r.begin(), r.end()});
      ASSERT_EQ(got.size(), want.size());
      for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-4) << i;
    }
}

/// Nothing is lost in what takes the maximum of nothing but zeros.
TEST(Treatments, AMaxPoolOfZerosPassesAllOn) {
  Net net;
  const auto x = net.input({1, 1, kSide, kSide});
  const auto y = pool(net, x, graph::PoolKind::max);
  net.finish(y);
  const std::vector<float> zeros(kSide * kSide, 0.f), r{1, 2, 3, 4};
  const auto got = propagated(net, y, x, zeros, r, composite_of(LrpComposite::epsilon, {}), true);
  EXPECT_EQ(got, (Matrix{1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0}));
}

/// The rule of the layer that reads the image, which may be a matrix product.
TEST(Treatments, TheFirstLayerOfAComposite) {
  const RuleOptions options;
  const auto map = [&](const engine::Relevance& relevance, bool convolution) {
    Net net;
    const auto x = net.input({1, 3, 2, 2});
    const auto from = net.flatten(x);
    const auto y = convolution ? net.conv(x, 3, 5, 1, 0) : net.linear(from, 12, 5);
    const auto z = convolution ? net.relu(net.conv(net.relu(y), 5, 2, 1, 0))
                               : net.relu(net.linear(net.relu(y), 5, 2));
    net.finish(z);
    const auto values = positive_floats(12, 3);
    const std::vector<float> r(engine_test::count_of(net.graph.value(z).shape), 1.f);
    return propagated(net, z, x, values, r, relevance, true);
  };
  const auto rule = [&](const char* name) { return rule_named(name, options); };
  const auto two = [&](const char* first, const char* then) {
    return engine::Relevance{rule(then), rule(then), rule(first), rule(first), {}};
  };
  const auto composite = [&](LrpComposite which, bool convolution) {
    return map(composite_of(which, options), convolution);
  };
  struct Want {
    LrpComposite which;
    const char *convolutions[2], *products[2];
  };
  for (const auto& [which, convolutions, products] : std::vector<Want>{
           {LrpComposite::epsilon_plus, {"z-plus", "z-plus"}, {"epsilon", "epsilon"}},
           {LrpComposite::epsilon_plus_flat, {"flat", "z-plus"}, {"flat", "epsilon"}},
           {LrpComposite::epsilon_alpha2_beta1,
            {"alpha2-beta1", "alpha2-beta1"},
            {"epsilon", "epsilon"}},
           {LrpComposite::epsilon_alpha2_beta1_flat, {"flat", "alpha2-beta1"}, {"flat", "epsilon"}},
           {LrpComposite::epsilon_gamma_box, {"z-box", "gamma"}, {"epsilon", "epsilon"}},
           {LrpComposite::excitation_backprop, {"z-plus", "z-plus"}, {"z-plus", "z-plus"}},
           {LrpComposite::epsilon, {"epsilon", "epsilon"}, {"epsilon", "epsilon"}},
           {LrpComposite::epsilon_plus_flat_zero_bias,
            {"flat", "z-plus-zero-bias"},
            {"flat", "epsilon"}}}) {
    EXPECT_EQ(composite(which, true), map(two(convolutions[0], convolutions[1]), true));
    EXPECT_EQ(composite(which, false), map(two(products[0], products[1]), false));
  }
}

/// Weights, a bias, a scale, statistics or a slope that the network computes from the image: no
/// rule says what they take, and none of them is left out.
TEST(Treatments, ParametersFromTheImageAreRefused) {
  using Make = ValueId (*)(Net & net, ValueId x, ValueId parameter);
  const Make makes[] = {
      [](Net& n, ValueId x, ValueId p) {
        return n.node("Conv", graph::Conv{}, {x, n.reshape(p, {1, 2, 1, 1})});
      },
      [](Net& n, ValueId x, ValueId p) {
        return n.node("Conv", graph::Conv{}, {x, n.weight({2, 2, 1, 1}), p});
      },
      [](Net& n, ValueId x, ValueId p) {
        return n.node("ConvTranspose", graph::ConvTranspose{}, {x, n.weight({2, 2, 1, 1}), p});
      },
      [](Net& n, ValueId x, ValueId p) {
        return n.node("InstanceNormalization", graph::InstanceNorm{}, {x, p, n.weight({2})});
      },
      [](Net& n, ValueId x, ValueId p) {
        const auto w = n.weight({2});
        return n.node("BatchNormalization", graph::BatchNorm{}, {x, w, w, p, p});
      },
      [](Net& n, ValueId x, ValueId p) {
        return n.node("PRelu", graph::PRelu{}, {x, n.reshape(p, {2, 1, 1})});
      },
      [](Net& n, ValueId x, ValueId p) {
        return n.node("Gemm", graph::Gemm{}, {n.reshape(x, {1, -1}), n.weight({24, 2}), p});
      }};
  for (const auto make : makes) {
    Net net;
    const auto x = net.input({1, 2, 3, 4});
    const auto parameter = net.reshape(net.mean(unary(net, UnaryKind::exp, x), {2, 3}), {2});
    const auto y = make(net, x, parameter);
    net.finish(y);
    engine::PlanSpec spec;
    spec.fetches = {y};
    spec.gradients = {{y, x}};
    spec.gradients[0].relevance = composite_of(LrpComposite::epsilon, {});
    engine::WeightCache weights;
    const auto& op = net.graph.node(net.graph.value(y).producer).op_type;
    try {
      engine::Plan::build(net.graph, spec, weights);
      ADD_FAILURE() << op << " is not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unsupported) << error.what();
      EXPECT_EQ(error.context().op, op) << error.what();
    }
  }
}

}  // namespace
}  // namespace fovea::explain
