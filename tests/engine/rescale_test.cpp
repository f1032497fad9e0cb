#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/net.hpp"
#include "engine/op_graph.hpp"
#include "engine/plan.hpp"
#include "reference/reference.hpp"

/// DeepLIFT's rescale rule: differences add up, operator by operator, and where the reference run
/// is the run itself, the gradient comes out.
namespace fovea::engine_test {
namespace {

using engine::GradientRule;
using graph::ValueId;
using reference::Array;

/// Of which the reference picks another.
bool is_largest_sample(const graph::Op& op) {
  const auto* align = std::get_if<graph::RoiAlign>(&op);
  return align != nullptr && align->max;
}

bool is_refused(const Case& one, std::size_t argument) {
  const auto* reduce = std::get_if<graph::Reduce>(&one.op);
  return (reduce != nullptr && reduce->kind == graph::ReduceKind::prod) ||
         std::holds_alternative<graph::Hardmax>(one.op) || is_largest_sample(one.op) ||
         std::holds_alternative<graph::Recurrent>(one.op) ||
         (std::holds_alternative<graph::GridSample>(one.op) && argument == 1);
}

/// The values that feed the argument: itself, or what the convolution in front of it reads.
std::vector<ValueId> holders(const Bench& bench, ValueId argument) {
  std::vector<ValueId> out{argument};
  const auto& value = bench.graph.value(argument);
  if (value.producer)
    for (const auto id : bench.graph.node(value.producer).inputs)
      if (id && !bench.graph.value(id).constant) out.push_back(id);
  return out;
}

/// Under these references the rule's gradient (the plan's first) is the plain one (its second),
/// within `tolerance` of the largest element, or of `least` where that is more.
void expect_the_gradient(const engine::Plan& plan, engine::Workspace& workspace,
                         std::span<const float> seeds, const engine::References& references,
                         float tolerance, float least, const std::string& what) {
  plan.backward(workspace, 0, seeds, {}, &references);
  const auto limit = plain(plan.gradient(workspace, 0));
  plan.backward(workspace, 1, seeds, {});
  const auto gradient = plain(plan.gradient(workspace, 1));
  float most = least;
  for (const float g : gradient) most = std::max(most, std::abs(g));
  ASSERT_EQ(limit.size(), gradient.size()) << what;
  for (std::size_t i = 0; i < limit.size(); ++i)
    ASSERT_NEAR(limit[i], gradient[i], tolerance * most) << what << " element " << i;
}

class Rescale : public testing::TestWithParam<std::tuple<std::size_t, bool>> {};

TEST_P(Rescale, DifferencesAddUp) {
  const auto& [index, optimize] = GetParam();
  const Case& one = cases()[index];
  for (const bool behind_conv : {false, true}) {
    Bench bench = build_bench(one, behind_conv);
    for (std::size_t place = 0; place < bench.results.size(); ++place)
      for (std::size_t argument = 0; argument < bench.arguments.size(); ++argument) {
        const ValueId wrt = bench.arguments[argument], of = bench.results[place];
        if (!wrt || bench.graph.value(wrt).constant) continue;
        engine::PlanSpec spec;
        spec.optimize = optimize;
        spec.fetches = {of};
        spec.gradients = {{.of = of, .wrt = wrt, .rule = GradientRule::rescale}, {of, wrt}};
        engine::WeightCache weights;
        if (is_refused(one, argument)) {
          EXPECT_THROW(engine::Plan::build(bench.graph, spec, weights), Error) << one.name;
          continue;
        }
        const auto plan = engine::Plan::build(bench.graph, spec, weights);
        auto workspace = plan->make_workspace();
        const Array seeds = spread(data(bench.graph.value(of).shape, -1.3, 1.1), 99);

        // Other values of the same range, in one argument: the others stay.
        const Array x = bench.arrays.at(wrt.index);
        const Operand& operand = one.operands[argument];
        Operand other = operand;
        other.low = operand.low + 0.21 * (operand.high - operand.low);
        const Array r = spread(other, 77);
        const auto y = expected(bench)[place].data;
        for (const auto id : holders(bench, wrt)) bench.arrays[id.index] = r;
        const auto y_r = expected(bench)[place].data;
        forward(*plan, workspace, bench);
        const auto references = plan->save_references(workspace);
        for (const auto id : holders(bench, wrt)) bench.arrays[id.index] = x;
        forward(*plan, workspace, bench);
        plan->backward(workspace, 0, floats(seeds), {}, &references);
        const auto got = plain(plan->gradient(workspace, 0));
        double sum = 0, size = 1e-2, want = 0;
        for (std::size_t i = 0; i < got.size(); ++i) {
          sum += got[i] * (x.data[i] - r.data[i]);
          size += std::abs(got[i] * (x.data[i] - r.data[i]));
        }
        for (std::size_t i = 0; i < y.size(); ++i) want += seeds.data[i] * (y[i] - y_r[i]);
        ASSERT_NEAR(sum, want, 1e-4 * size)
            << one.name << " input " << argument << " behind_conv " << behind_conv;
        if (std::holds_alternative<graph::Unary>(one.op)) {
          for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_NEAR(got[i] * (x.data[i] - r.data[i]), seeds.data[i] * (y[i] - y_r[i]),
                        2e-5 * std::max({1.0, std::abs(y[i]), std::abs(y_r[i])}))
                << one.name << " element " << i;
        }

        // The run as its own reference: the gradient.
        const auto self = plan->save_references(workspace);
        expect_the_gradient(*plan, workspace, floats(seeds), self, 1e-4f, 1e-2f,
                            one.name + " input " + std::to_string(argument));
      }
  }
}

std::vector<std::size_t> indices() {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < cases().size(); ++i)
    if (cases()[i].differentiable) out.push_back(i);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Cases, Rescale,
                         testing::Combine(testing::ValuesIn(indices()), testing::Bool()),
                         [](const auto& one) {
                           std::string name;
                           for (const char ch : cases()[std::get<0>(one.param)].name)
                             name += std::isalnum(static_cast<unsigned char>(ch)) ? ch : '_';
                           return std::to_string(std::get<0>(one.param)) + "_" + name +
                                  (std::get<1>(one.param) ? "_optimized" : "_plain");
                         });

/// What a network makes of two signals, both of which the image changes.
struct Pair {
  std::string name;
  ValueId (*join)(Net& net, ValueId a, ValueId b);
};

ValueId join(Net& net, graph::BinaryKind kind, ValueId a, ValueId b) {
  return net.node("Pair", graph::Binary{kind}, {a, b});
}
ValueId positive(Net& net, ValueId x) {
  return net.node("Softplus", graph::Unary{graph::UnaryKind::softplus}, {x});
}
ValueId sigmoid(Net& net, ValueId x) {
  return net.node("Sigmoid", graph::Unary{graph::UnaryKind::sigmoid}, {x});
}

const std::vector<Pair> kPairs = {
    {"mul", [](Net& n, ValueId a, ValueId b) { return join(n, graph::BinaryKind::mul, a, b); }},
    {"square", [](Net& n, ValueId a, ValueId) { return join(n, graph::BinaryKind::mul, a, a); }},
    {"gate",
     [](Net& n, ValueId a, ValueId b) {
       return join(n, graph::BinaryKind::mul, a, sigmoid(n, n.mean(b, {2, 3})));
     }},
    {"gate_of_positions",
     [](Net& n, ValueId a, ValueId b) {
       return join(n, graph::BinaryKind::mul, sigmoid(n, n.mean(b, {1})), a);
     }},
    {"silu_spelt_out",
     [](Net& n, ValueId a, ValueId) { return join(n, graph::BinaryKind::mul, a, sigmoid(n, a)); }},
    {"div", [](Net& n, ValueId a,
               ValueId b) { return join(n, graph::BinaryKind::div, a, positive(n, b)); }},
    {"pow", [](Net& n, ValueId a,
               ValueId b) { return join(n, graph::BinaryKind::pow, positive(n, a), b); }},
    {"max", [](Net& n, ValueId a, ValueId b) { return join(n, graph::BinaryKind::max, a, b); }},
    {"min", [](Net& n, ValueId a, ValueId b) { return join(n, graph::BinaryKind::min, a, b); }},
    {"prelu",
     [](Net& n, ValueId a, ValueId b) {
       return n.node("PRelu", graph::PRelu{}, {a, b});
     }},
    {"matmul",
     [](Net& n, ValueId a, ValueId b) {
       return n.node("MatMul", graph::MatMul{}, {a, n.transpose(b, {0, 1, 3, 2})});
     }},
    {"gemm",
     [](Net& n, ValueId a, ValueId b) {
       graph::Gemm op;
       op.trans_b = true;
       op.alpha = 0.7f;
       return n.node("Gemm", op, {n.reshape(a, {-1, 6}), n.reshape(b, {-1, 6})});
     }},
    {"einsum",
     [](Net& n, ValueId a, ValueId b) {
       return n.node("Einsum", graph::Einsum{"bchw,bdhw->bcd"}, {a, b});
     }},
    {"einsum_sums",
     [](Net& n, ValueId a, ValueId b) {
       return n.node("Einsum", graph::Einsum{"bchw,bdhv->bhd"}, {a, b});
     }},
    {"einsum_pools",
     [](Net& n, ValueId a, ValueId b) {
       return n.relu(n.node("Einsum", graph::Einsum{"bchw->cb"}, {n.add(a, b)}));
     }},
    {"attention",
     [](Net& n, ValueId a, ValueId b) {
       const auto scores = n.node("MatMul", graph::MatMul{}, {a, n.transpose(b, {0, 1, 3, 2})});
       return n.node("MatMul", graph::MatMul{},
                     {n.node("Softmax", graph::Softmax{3}, {scores}), n.relu(b)});
     }},
    {"shared_relu",
     [](Net& n, ValueId a, ValueId b) { return n.relu(n.add(n.relu(a), n.relu(n.add(a, b)))); }},
};

/// Two convolutions of an input, joined: fetches the result y, and runs backward under the rule and
/// without one.
std::pair<std::shared_ptr<const engine::Plan>, ValueId> plan_of(Net& net, const Pair& pair,
                                                                const Shape& shape, bool optimize) {
  const auto x = net.input(shape);
  const auto a = net.conv(x, 16, 16, 1, 0), b = net.conv(x, 16, 16, 3, 1);
  const auto y = pair.join(net, a, b);
  net.finish(y);
  engine::PlanSpec spec;
  spec.optimize = optimize;
  spec.fetches = {y};
  spec.gradients = {{.of = y, .wrt = x, .rule = GradientRule::rescale, .canonical = true}, {y, x}};
  engine::WeightCache weights;
  return {engine::Plan::build(net.graph, spec, weights), y};
}

class RescalePairs : public testing::TestWithParam<std::tuple<std::size_t, bool>> {};

TEST_P(RescalePairs, DifferencesAddUp) {
  const auto& [index, optimize] = GetParam();
  const Shape shape{2, 16, 5, 6};
  Net net;
  const auto made = plan_of(net, kPairs[index], shape, optimize);
  const auto& plan = made.first;
  const auto y = made.second;
  auto workspace = plan->make_workspace();
  const auto n = count_of(shape), m = count_of(net.graph.value(y).shape);
  const auto image = random_floats(n, 5), baseline = random_floats(n, 6);
  const auto seeds = random_floats(m, 7);
  const auto run = [&](std::span<const float> values) {
    plan->forward(workspace, std::vector<std::span<const float>>{values}, {});
    const auto* result = plan->fetch(workspace, 0).data;
    return std::vector<float>(result, result + m);
  };
  const auto before = run(baseline);
  const auto references = plan->save_references(workspace);
  EXPECT_GT(references.bytes(), 0u);
  EXPECT_EQ(static_cast<std::int64_t>(references.bytes()), plan->reference_bytes());
  const auto after = run(image);
  plan->backward(workspace, 0, seeds, {}, &references);
  const auto got = plain(plan->gradient(workspace, 0));
  double sum = 0, size = 0, want = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    sum += double{got[i]} * (image[i] - baseline[i]);
    size += std::abs(double{got[i]} * (image[i] - baseline[i]));
  }
  for (std::size_t i = 0; i < after.size(); ++i)
    want += double{seeds[i]} * (double{after[i]} - before[i]);
  EXPECT_NEAR(sum, want, 2e-5 * size) << kPairs[index].name;
  const auto self = plan->save_references(workspace);
  expect_the_gradient(*plan, workspace, seeds, self, 1e-4f, 0, kPairs[index].name);
}

/// Where the two runs hardly differ, their difference is rounding: the gradient comes out.
TEST_P(RescalePairs, OfAReferenceThatIsNearly) {
  const auto& [index, optimize] = GetParam();
  const Shape shape{1, 16, 5, 6};
  Net net;
  const auto made = plan_of(net, kPairs[index], shape, optimize);
  const auto& plan = made.first;
  const auto y = made.second;
  auto workspace = plan->make_workspace();
  const auto image = random_floats(count_of(shape), 5);
  auto nearly = image;
  for (std::size_t i = 0; i < nearly.size(); ++i) nearly[i] *= i % 2 == 0 ? 1 + 1e-6f : 1 - 1e-6f;
  plan->forward(workspace, std::vector<std::span<const float>>{nearly}, {});
  const auto references = plan->save_references(workspace);
  plan->forward(workspace, std::vector<std::span<const float>>{image}, {});
  const auto seeds = random_floats(count_of(net.graph.value(y).shape), 7);
  expect_the_gradient(*plan, workspace, seeds, references, 1e-3f, 0, kPairs[index].name);
}

std::vector<std::size_t> pair_indices() {
  std::vector<std::size_t> out(kPairs.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
  return out;
}

INSTANTIATE_TEST_SUITE_P(Pairs, RescalePairs,
                         testing::Combine(testing::ValuesIn(pair_indices()), testing::Bool()),
                         [](const auto& one) {
                           return kPairs[std::get<0>(one.param)].name +
                                  (std::get<1>(one.param) ? "_optimized" : "_plain");
                         });

/// What is added to all of a row changes nothing, and no share grows with its exponential.
TEST(RescaleSoftmax, OfAReferenceFarAway) {
  for (const float apart : {0.f, 8.f, -8.f, 40.f, 1000.f, -1000.f}) {
    Net net;
    const auto x = net.input({1, 16});
    const auto y = net.node("Softmax", graph::Softmax{1}, {x});
    net.finish(y);
    engine::PlanSpec spec;
    spec.fetches = {y};
    spec.gradients = {{.of = y, .wrt = x, .rule = GradientRule::rescale}};
    engine::WeightCache weights;
    const auto plan = engine::Plan::build(net.graph, spec, weights);
    auto workspace = plan->make_workspace();
    const auto image = random_floats(16, 5), seeds = random_floats(16, 7);
    auto baseline = random_floats(16, 6);
    for (auto& v : baseline) v += apart;
    const auto run = [&](std::span<const float> values) {
      plan->forward(workspace, std::vector<std::span<const float>>{values}, {});
      const auto* result = plan->fetch(workspace, 0).data;
      return std::vector<float>(result, result + 16);
    };
    const auto before = run(baseline);
    const auto references = plan->save_references(workspace);
    const auto after = run(image);
    plan->backward(workspace, 0, seeds, {}, &references);
    const auto got = plain(plan->gradient(workspace, 0));
    double sum = 0, want = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double share = double{got[i]} * (image[i] - baseline[i]);
      EXPECT_LT(std::abs(share), 3 + std::abs(apart)) << apart;
      sum += share;
      want += double{seeds[i]} * (double{after[i]} - before[i]);
    }
    EXPECT_NEAR(sum, want, 1e-6 * (10 + std::abs(apart))) << apart;
  }
}

TEST(RescaleRefusals, NameTheNode) {
  Net net;
  const auto x = net.input({1, 16, 4, 4});
  const auto a = net.conv(x, 16, 16, 1, 0);
  const auto above =
      net.node("Greater", graph::Binary{graph::BinaryKind::greater}, {a, net.weight({1})});
  const auto y = net.node("Where", graph::Where{}, {above, a, net.relu(a)});
  net.finish(y);
  engine::PlanSpec spec;
  spec.fetches = {y};
  spec.gradients = {{.of = y, .wrt = x, .rule = GradientRule::rescale}};
  engine::WeightCache weights;
  try {
    engine::Plan::build(net.graph, spec, weights);
    FAIL() << "a choice by the image itself has no way for differences";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(std::string(error.what()).find("Where"), std::string::npos) << error.what();
  }
}

TEST(RescaleRefusals, NoReferenceRun) {
  Net net;
  const auto x = net.input({1, 16, 4, 4});
  const auto y = net.relu(net.conv(x, 16, 16, 1, 0));
  net.finish(y);
  engine::PlanSpec spec;
  spec.fetches = {y};
  spec.gradients = {{.of = y, .wrt = x, .rule = GradientRule::rescale}};
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(net.graph, spec, weights);
  auto workspace = plan->make_workspace();
  EXPECT_THROW(plan->backward(workspace, 0, random_floats(256, 1), {}), Error);
}

}  // namespace
}  // namespace fovea::engine_test
