#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/net.hpp"
#include "engine/plan.hpp"
#include "explain/rules/rules.hpp"
#include "reference/reference.hpp"

/// Every rule on every linear operator, against the papers' sums over single products, in double.
namespace fovea::explain {
namespace {

using engine_test::Net;
using graph::ValueId;
using reference::Array;

struct Layer {
  const char* name;
  Shape input;
  std::function<ValueId(Net&, ValueId)> build;
};

graph::Conv conv_op(std::int64_t pad, std::int64_t stride = 1, std::int64_t dilation = 1,
                    std::int64_t group = 1) {
  graph::Conv op;
  op.window.pads_begin = op.window.pads_end = {pad, pad};
  op.window.strides = {stride, stride};
  op.window.dilations = {dilation, dilation};
  op.group = group;
  return op;
}

const std::vector<Layer>& layers() {
  static const std::vector<Layer> all = {
      {"Conv",
       {2, 3, 5, 4},
       [](Net& n, ValueId x) {
         return n.node("Conv", conv_op(1), {x, n.weight({5, 3, 3, 3}), n.weight({5})});
       }},
      {"ConvBlocked",
       {1, 16, 3, 3},
       [](Net& n, ValueId x) {
         return n.node("Conv", conv_op(1), {x, n.weight({32, 16, 3, 3}), n.weight({32})});
       }},
      {"ConvPointwise",
       {1, 16, 3, 2},
       [](Net& n, ValueId x) {
         return n.node("Conv", conv_op(0), {x, n.weight({20, 16, 1, 1}), n.weight({20})});
       }},
      {"ConvStrided",
       {1, 3, 7, 6},
       [](Net& n, ValueId x) {
         return n.node("Conv", conv_op(1, 2), {x, n.weight({4, 3, 3, 3}), n.weight({4})});
       }},
      {"ConvStridedWide",
       {1, 16, 5, 5},
       [](Net& n, ValueId x) {
         return n.node("Conv", conv_op(1, 2), {x, n.weight({16, 16, 3, 3}), n.weight({16})});
       }},
      {"ConvDilated",
       {1, 4, 6, 6},
       [](Net& n, ValueId x) {
         return n.node("Conv", conv_op(2, 1, 2), {x, n.weight({3, 4, 3, 3}), n.weight({3})});
       }},
      {"ConvGrouped",
       {1, 6, 4, 4},
       [](Net& n, ValueId x) {
         return n.node("Conv", conv_op(1, 1, 1, 2), {x, n.weight({4, 3, 3, 3}), n.weight({4})});
       }},
      {"ConvDepthwise",
       {2, 16, 4, 4},
       [](Net& n, ValueId x) {
         return n.node("Conv", conv_op(1, 1, 1, 16), {x, n.weight({16, 1, 3, 3}), n.weight({16})});
       }},
      {"ConvWithoutBias",
       {1, 3, 4, 4},
       [](Net& n, ValueId x) {
         return n.node("Conv", conv_op(1), {x, n.weight({4, 3, 3, 3})});
       }},
      {"ConvTranspose",
       {1, 4, 3, 3},
       [](Net& n, ValueId x) {
         graph::ConvTranspose op;
         op.window.strides = {2, 2};
         op.window.pads_begin = op.window.pads_end = {1, 1};
         return n.node("ConvTranspose", op, {x, n.weight({4, 5, 3, 3}), n.weight({5})});
       }},
      {"ConvTransposeGrouped",
       {1, 4, 3, 2},
       [](Net& n, ValueId x) {
         graph::ConvTranspose op;
         op.group = 2;
         return n.node("ConvTranspose", op, {x, n.weight({4, 3, 2, 2}), n.weight({6})});
       }},
      {"Gemm", {3, 9}, [](Net& n, ValueId x) { return n.linear(x, 9, 7); }},
      {"GemmScaled",
       {1, 9},
       [](Net& n, ValueId x) {
         graph::Gemm op;
         op.alpha = -0.7f;
         op.beta = 1.5f;
         return n.node("Gemm", op, {x, n.weight({9, 5}), n.weight({5})});
       }},
      {"MatMul",
       {2, 3, 8},
       [](Net& n, ValueId x) {
         return n.node("MatMul", graph::MatMul{}, {x, n.weight({8, 6})});
       }},
  };
  return all;
}

/// A layer with one input written out: y_j = sum_i w[j][i] x_i + b_j.
struct Written {
  std::vector<std::vector<double>> w;
  std::vector<std::vector<bool>> reads;  ///< which inputs a result is connected to
  std::vector<double> b;

  Written(const graph::Graph& graph, const graph::Node& node) {
    const auto& in = graph.value(node.inputs[0]).shape;
    const auto& out = graph.value(node.outputs[0]).shape;
    std::vector<Array> arrays{Array(in)};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      const auto& value = graph.value(node.inputs[i]);
      arrays.emplace_back(value.shape);
      const auto floats = value.constant->floats();
      arrays.back().data.assign(floats.data.begin(), floats.data.end());
    }
    const auto run = [&] { return reference::evaluate(node.op, arrays, {out})[0].data; };
    b = run();
    const auto count = static_cast<std::size_t>(reference::count(in));
    w.assign(b.size(), std::vector<double>(count));
    reads.assign(b.size(), std::vector<bool>(count));
    for (std::size_t i = 0; i < count; ++i) {
      arrays[0].data[i] = 1;
      const auto y = run();
      for (std::size_t j = 0; j < y.size(); ++j) w[j][i] = y[j] - b[j];
      arrays[0].data[i] = 0;
    }
    for (auto& v : arrays[1].data) v = 1;
    for (std::size_t i = 0; i < count; ++i) {
      arrays[0].data[i] = 1;
      const auto y = run();
      for (std::size_t j = 0; j < y.size(); ++j) reads[j][i] = std::abs(y[j] - b[j]) > 1e-9;
      arrays[0].data[i] = 0;
    }
  }
};

double above(double v) {
  return std::max(v, 0.0);
}
double below(double v) {
  return std::min(v, 0.0);
}

/// What input i contributes to result j under a rule, and the bias's contribution.
struct Contributions {
  std::vector<double> parts;
  double bias = 0;
  double scale = 1;
};

std::vector<Contributions> contributions(const std::string& rule, const Written& layer,
                                         std::size_t j, const std::vector<double>& x,
                                         const RuleOptions& o) {
  const auto& w = layer.w[j];
  const double b = layer.b[j];
  const auto each = [&](auto part, double bias, double scale = 1) {
    Contributions out{{}, bias, scale};
    for (std::size_t i = 0; i < x.size(); ++i) out.parts.push_back(part(i));
    return out;
  };
  if (rule == "epsilon") return {each([&](std::size_t i) { return x[i] * w[i]; }, b)};
  const auto positive = [&](std::size_t i) { return above(x[i] * w[i]); };
  const auto negative = [&](std::size_t i) { return below(x[i] * w[i]); };
  if (rule == "z-plus" || rule == "alpha1-beta0") return {each(positive, above(b))};
  if (rule == "z-plus-zero-bias") return {each(positive, 0)};
  if (rule == "alpha2-beta1") return {each(positive, above(b), 2), each(negative, below(b), -1)};
  if (rule == "gamma") {
    double z = b;
    for (std::size_t i = 0; i < x.size(); ++i) z += x[i] * w[i];
    const double sign = z > 0 ? 1 : -1, g = static_cast<double>(o.gamma);
    return {each([&](std::size_t i) { return x[i] * w[i] + g * sign * above(sign * x[i] * w[i]); },
                 b + g * sign * above(sign * b))};
  }
  if (rule == "flat") return {each([&](std::size_t i) { return layer.reads[j][i] ? 1 : 0; }, 0)};
  if (rule == "w-square") return {each([&](std::size_t i) { return w[i] * w[i]; }, b * b)};
  EXPECT_EQ(rule, "z-box");
  return {each(
      [&](std::size_t i) {
        return x[i] * w[i] - static_cast<double>(o.low) * above(w[i]) -
               static_cast<double>(o.high) * below(w[i]);
      },
      0)};
}

struct Expected {
  std::vector<double> relevance;
  double biases = 0, stabilizers = 0;
};

Expected expected(const std::string& rule, const Written& layer, const std::vector<double>& x,
                  const std::vector<float>& r, const RuleOptions& o) {
  Expected out{std::vector<double>(x.size(), 0.0)};
  const double epsilon = rule == "epsilon" ? static_cast<double>(o.epsilon) : 1e-6;
  for (std::size_t j = 0; j < r.size(); ++j)
    for (const auto& all : contributions(rule, layer, j, x, o)) {
      double z = all.bias;
      for (const double part : all.parts) z += part;
      const double stabilized = z < 0 ? z - epsilon : z + epsilon;
      const double s = all.scale * static_cast<double>(r[j]) / stabilized;
      for (std::size_t i = 0; i < x.size(); ++i) out.relevance[i] += s * all.parts[i];
      out.biases += s * all.bias;
      out.stabilizers += s * (stabilized - z);
    }
  return out;
}

/// What a layer reads. Rules are shorter where that is known never to be below 0.
struct Source {
  const char* name;
  ValueId (*build)(Net& net, ValueId x);
};

const std::vector<Source> kSources = {
    {"the input", [](Net&, ValueId x) { return x; }},
    {"a ReLU", [](Net& n, ValueId x) { return n.relu(x); }},
    {"a sum with a ReLU", [](Net& n, ValueId x) { return n.add(n.relu(x), x); }},
    {"a product with a ReLU",
     [](Net& n, ValueId x) {
       const auto twice = n.node("Mul", graph::Binary{graph::BinaryKind::mul}, {x, n.weight({1})});
       return n.add(n.node("Mul", graph::Binary{graph::BinaryKind::mul}, {n.relu(x), x}), twice);
     }},
    {"the lesser of a ReLU and the input",
     [](Net& n, ValueId x) {
       return n.node("Min", graph::Binary{graph::BinaryKind::min}, {n.relu(x), x});
     }},
    {"SiLU",
     [](Net& n, ValueId x) { return n.node("Silu", graph::Unary{graph::UnaryKind::silu}, {x}); }},
};

void check(const Layer& layer, const std::string& rule, std::size_t source, bool optimize) {
  const RuleOptions options{0.03f, 0.4f, -2.5f, 2.f};
  Net net;
  const auto x = net.input(layer.input);
  const auto from = kSources[source].build(net, x);
  const auto y = layer.build(net, from);
  net.finish(y);
  const auto one = rule_named(rule, options);
  engine::PlanSpec spec;
  spec.optimize = optimize;
  spec.fetches = {y, from};
  spec.gradients = {{.of = y, .wrt = from}};
  spec.gradients[0].relevance = engine::Relevance{one, one, {}, {}, {}};
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(net.graph, spec, weights);
  auto space = plan->make_workspace();
  const auto input = engine_test::random_floats(reference::count(layer.input), 7);
  const std::vector<std::span<const float>> feeds{input};
  plan->forward(space, feeds, {});
  const auto r = engine_test::random_floats(reference::count(net.graph.value(y).shape), 8);
  plan->backward(space, 0, r, {});

  static std::map<std::pair<std::string, std::size_t>, Written>
      known;  // weights depend on these alone
  const Written& written =
      known
          .try_emplace({layer.name, source}, net.graph, net.graph.node(net.graph.value(y).producer))
          .first->second;
  const auto read = engine_test::row_major(plan->fetch(space, 1));
  const std::vector<double> values(read.begin(), read.end());
  const auto want = expected(rule, written, values, r, options);
  const auto got = engine_test::row_major(plan->gradient(space, 0));
  ASSERT_EQ(got.size(), want.relevance.size());
  double most = 0;
  for (const double v : want.relevance) most = std::max(most, std::abs(v));
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(double{got[i]}, want.relevance[i], 2e-4 * most)
        << layer.name << " of " << kSources[source].name << ", " << rule << ", element " << i;
  double start = 0, moved = 0, biases = 0, stabilizers = 0;
  for (const float v : r) {
    start += static_cast<double>(v);
    moved += std::abs(static_cast<double>(v));
  }
  for (const double v : want.relevance) moved += std::abs(v);
  for (const auto& one_image : plan->absorbed(space, 0)) {
    biases += one_image.biases;
    stabilizers += one_image.stabilizers;
  }
  const std::string where = std::string(layer.name) + ", " + rule;
  EXPECT_NEAR(biases, want.biases, 2e-4 * moved) << where;
  EXPECT_NEAR(stabilizers, want.stabilizers, 2e-4 * moved) << where;
  double attributed = 0;
  for (const double v : want.relevance) attributed += v;
  EXPECT_NEAR(attributed + want.biases + want.stabilizers, start, 1e-9 * moved) << where;
}

class Rules : public testing::TestWithParam<std::string> {};

TEST_P(Rules, AreThePapersSumsOfProducts) {
  for (const auto& layer : layers())
    for (std::size_t source = 0; source < (&layer == layers().data() ? kSources.size() : 2);
         ++source)
      for (const bool optimize : {true, false}) check(layer, GetParam(), source, optimize);
}

std::string test_name(const testing::TestParamInfo<std::string>& rule) {
  std::string name = rule.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Rules,
                         testing::ValuesIn(std::vector<std::string>(Lrp::kRules.begin(),
                                                                    Lrp::kRules.end())),
                         test_name);

}  // namespace
}  // namespace fovea::explain
