#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>

#include "engine/net.hpp"
#include "engine/op_graph.hpp"
#include "engine/ops/op.hpp"
#include "engine/plan.hpp"
#include "reference/reference.hpp"

/// Operands that depend on the image: weights, a bias, a scale, statistics, bounds. Every float
/// operand of every operator's cases is cut out of one vector. Its slope is that of the slow
/// reference by central differences in double, or the plan is refused by name: no path is left out.
/// Where one of them alone has no gradient, it is a constant the second time.
namespace fovea::engine_test {
namespace {

using graph::ValueId;
using reference::Array;

constexpr double kStep = 1e-4;
constexpr std::size_t kSampled = 16;

bool is_cut_out(const Operand& operand) {
  using Role = Operand::Role;
  return operand.type == graph::DType::f32 &&
         (operand.role == Role::data || operand.role == Role::weight);
}

/// The case on one input vector.
struct Joined {
  Bench bench;
  ValueId vector;
  std::map<std::size_t, std::int64_t> begins;  ///< in the vector, by operand
  std::int64_t size = 0;
};

class Joiner {
 public:
  /// `cut`: a bit per operand of those that are cut out, if at all.
  Joiner(const Case& one, bool behind_conv, unsigned cut = ~0u) : behind_conv_(behind_conv) {
    for (std::size_t i = 0; i < one.operands.size(); ++i)
      if (is_cut_out(one.operands[i]) && (cut >> i & 1u) != 0) {
        out_.begins[i] = out_.size;
        out_.size += reference::count(one.operands[i].shape);
      }
    auto& graph = out_.bench.graph;
    out_.vector = graph.add_input("z", graph::DType::f32, {out_.size});
    std::vector<ValueId> inputs;
    Array all(Shape{out_.size});
    for (std::size_t i = 0; i < one.operands.size(); ++i) {
      inputs.push_back(operand(i, one.operands[i], all));
    }
    out_.bench.fed.insert(out_.bench.fed.begin(), out_.vector);
    out_.bench.arrays[out_.vector.index] = all;
    std::vector<std::string> names;
    for (std::size_t o = 0; o < one.outputs; ++o) names.push_back("y" + std::to_string(o));
    const auto node = graph.add_node("the_op", one.name, one.op, inputs, names);
    graph.outputs = graph.node(node).outputs;
    graph::bind(graph, {}, 1);
    out_.bench.op = graph.node(node).op;
    out_.bench.arguments = graph.node(node).inputs;
    out_.bench.results = graph.node(node).outputs;
  }

  Joined take() { return std::move(out_); }

 private:
  ValueId operand(std::size_t i, const Operand& own, Array& all) {
    auto& graph = out_.bench.graph;
    const std::string name = "x" + std::to_string(i);
    if (own.role == Operand::Role::absent) return {};
    const Array values = spread(own, static_cast<unsigned>(i) + 1);
    ValueId id;
    if (out_.begins.contains(i)) {
      const auto begin = out_.begins.at(i), end = begin + reference::count(own.shape);
      std::copy(values.data.begin(), values.data.end(), all.data.begin() + begin);
      graph::Slice slice;
      slice.starts = graph::Ints{begin};
      slice.ends = graph::Ints{end};
      slice.axes = graph::Ints{0};
      slice.steps = graph::Ints{1};
      id = node("Slice", slice, {out_.vector}, name + "_cut");
      graph::Reshape reshape;
      reshape.spec = own.shape;
      id = node("Reshape", reshape, {id}, name);
      if (behind_conv_ && own.shape.size() == 4 && i == 0) id = mapped(id, own.shape[1], name);
    } else if (own.role == Operand::Role::data) {
      id = graph.add_input(name, own.type, own.shape);
      out_.bench.fed.push_back(id);
    } else if (is_cut_out(own)) {
      id = graph.add_constant(name, graph::Constant::of_floats(own.shape, floats(values)));
    } else {
      id = graph.add_constant(name, graph::Constant::of_ints(own.shape, own.integers, own.type));
    }
    out_.bench.arrays[id.index] = values;
    return id;
  }

  /// By the identity as a convolution: in the layout that maps have.
  ValueId mapped(ValueId id, std::int64_t c, const std::string& name) {
    std::vector<float> eye(static_cast<std::size_t>(c * c), 0.f);
    for (std::int64_t i = 0; i < c; ++i) eye[static_cast<std::size_t>(i * c + i)] = 1.f;
    const auto w =
        out_.bench.graph.add_constant(name + "_w", graph::Constant::of_floats({c, c, 1, 1}, eye));
    return node("Conv", graph::Conv{}, {id, w}, name + "_map");
  }

  ValueId node(const std::string& type, graph::Op op, std::vector<ValueId> inputs,
               const std::string& name) {
    auto& graph = out_.bench.graph;
    const auto id = graph.add_node(name, type, std::move(op), std::move(inputs), {name});
    return graph.node(id).outputs[0];
  }

  bool behind_conv_;
  Joined out_;
};

class Operands : public testing::TestWithParam<std::tuple<std::size_t, bool, bool>> {
 protected:
  const Case& one() const { return cases()[std::get<0>(GetParam())]; }

  void expect_refused(const Joined& joined) {
    for (const auto of : joined.bench.results) {
      engine::PlanSpec spec;
      spec.gradients = {{of, joined.vector}};
      engine::WeightCache weights;
      try {
        engine::Plan::build(joined.bench.graph, spec, weights);
        ADD_FAILURE() << one().name;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::unsupported) << error.what();
        EXPECT_EQ(error.context().op, one().name) << error.what();
      }
    }
  }

  /// Sampled elements of each operand against central differences.
  void check(Joined& joined, std::size_t output, std::span<const float> got, const Array& seeds) {
    auto& bench = joined.bench;
    const auto score = [&] {
      const auto y = expected(bench)[output];
      double sum = 0;
      for (std::size_t i = 0; i < y.data.size(); ++i) sum += y.data[i] * seeds.data[i];
      return sum;
    };
    for (const auto& [operand, begin] : joined.begins) {
      // What inference made a field of is no argument any more.
      if (operand >= bench.arguments.size() || !bench.arguments[operand]) continue;
      Array& x = bench.arrays.at(bench.arguments[operand].index);
      const auto own = got.subspan(static_cast<std::size_t>(begin), x.data.size());
      if (engine::is_stopped(bench.op, operand)) {
        EXPECT_TRUE(std::all_of(own.begin(), own.end(), [](float g) { return g == 0; }));
        continue;
      }
      double scale = 1e-2;
      for (const float g : own) scale = std::max(scale, static_cast<double>(std::abs(g)));
      const std::size_t stride = std::max<std::size_t>(1, x.data.size() / kSampled);
      for (std::size_t i = 0; i < x.data.size(); i += stride) {
        const double kept = x.data[i];
        x.data[i] = kept + kStep;
        const double up = score();
        x.data[i] = kept - kStep;
        const double down = score();
        x.data[i] = kept;
        ASSERT_NEAR(own[i], (up - down) / (2 * kStep), 1e-3 * scale)
            << one().name << " operand " << operand << " element " << i << " output " << output;
      }
    }
  }
};

TEST_P(Operands, HaveTheReferencesSlopeOrAreRefused) {
  const auto& [index, optimize, behind_conv] = GetParam();
  if (std::none_of(one().operands.begin(), one().operands.end(), is_cut_out))
    return;  // of flags and integers alone
  std::optional<Joined> joined;
  try {
    joined = Joiner(one(), behind_conv).take();
  } catch (const Error& error) {  // an operand that must be known before the run
    EXPECT_EQ(error.code(), ErrorCode::unsupported) << error.what();
    EXPECT_EQ(error.context().op, one().name) << error.what();
    return;
  }
  unsigned with_gradient = 0;
  for (const auto& [i, begin] : joined->begins)
    if (engine::has_gradient(one().op, i) || engine::is_stopped(one().op, i))
      with_gradient |= 1u << i;
  if (one().differentiable && std::popcount(with_gradient) < std::ssize(joined->begins)) {
    expect_refused(*joined);
    joined = Joiner(one(), behind_conv, with_gradient).take();
  }
  auto& bench = joined->bench;
  for (std::size_t o = 0; o < bench.results.size(); ++o) {
    engine::PlanSpec spec;
    spec.optimize = optimize;
    spec.fetches = {bench.results[o]};
    spec.gradients = {{bench.results[o], joined->vector}};
    engine::WeightCache weights;
    if (!one().differentiable) {
      EXPECT_THROW(engine::Plan::build(bench.graph, spec, weights), Error) << one().name;
      continue;
    }
    const auto plan = engine::Plan::build(bench.graph, spec, weights);
    auto workspace = plan->make_workspace();
    forward(*plan, workspace, bench);
    const Array seeds = spread(data(bench.graph.value(bench.results[o]).shape, -1.3, 1.1), 99);
    plan->backward(workspace, 0, floats(seeds), {});
    const auto got = plain(plan->gradient(workspace, 0));
    plan->backward(workspace, 0, floats(seeds), {});
    EXPECT_EQ(got, plain(plan->gradient(workspace, 0))) << one().name;
    check(*joined, o, got, seeds);
  }
}

std::vector<std::size_t> indices() {
  std::vector<std::size_t> out(cases().size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
  return out;
}

std::string name_of_case(const testing::TestParamInfo<Operands::ParamType>& info) {
  const auto& [index, optimize, behind_conv] = info.param;
  std::string name;
  for (const char ch : cases()[index].name)
    name += std::isalnum(static_cast<unsigned char>(ch)) ? ch : '_';
  return std::to_string(index) + "_" + name + (optimize ? "_optimized" : "_plain") +
         (behind_conv ? "_map" : "");
}

INSTANTIATE_TEST_SUITE_P(Plain, Operands,
                         testing::Combine(testing::ValuesIn(indices()), testing::Values(false),
                                          testing::Values(false)),
                         name_of_case);
INSTANTIATE_TEST_SUITE_P(Optimized, Operands,
                         testing::Combine(testing::ValuesIn(indices()), testing::Values(true),
                                          testing::Values(true)),
                         name_of_case);

/// Every operand that an operator has, in some case: none is skipped by all of them.
TEST(OperandCases, HoldEveryInputWithAGradient) {
  std::map<std::string, std::set<std::size_t>> seen;
  for (const auto& one : cases())
    for (std::size_t i = 0; i < one.operands.size(); ++i)
      if (is_cut_out(one.operands[i])) seen[std::string(graph::name_of(one.op))].insert(i);
  for (const auto& one : cases()) {
    const std::string name(graph::name_of(one.op));
    const bool any_number = engine::has_gradient(one.op, 31);
    for (std::size_t i = 0; i < (any_number ? 1u : 31u); ++i)
      EXPECT_TRUE(!engine::has_gradient(one.op, i) || seen[name].contains(i))
          << name << " input " << i;
  }
}

std::optional<ErrorCode> refusal(Net& net, ValueId of, ValueId wrt,
                                 engine::GradientRule rule = engine::GradientRule::plain) {
  engine::PlanSpec spec;
  spec.fetches = {of};
  spec.gradients = {{of, wrt}};
  spec.gradients[0].rule = rule;
  engine::WeightCache weights;
  try {
    engine::Plan::build(net.graph, spec, weights);
  } catch (const Error& error) {
    EXPECT_EQ(error.context().node.substr(0, 2), "n_") << error.what();
    return error.code();
  }
  return std::nullopt;
}

graph::Binary binary(graph::BinaryKind kind) {
  return graph::Binary{kind};
}

TEST(EveryPath, IsRefusedWhereAnOperatorHasNoGradientForIt) {
  Net net;
  const auto x = net.input({2, 3});
  const auto rest = net.node("Mod", binary(graph::BinaryKind::mod), {x, net.weight({3})});
  const auto y = net.add(net.relu(x), rest);
  net.finish(y);
  EXPECT_EQ(refusal(net, y, x), ErrorCode::unsupported);
}

/// Where the path begins behind what has no gradient, or ends before it, nothing is left out.
TEST(EveryPath, IsAskedForBetweenTheTwoEndsOnly) {
  Net net;
  const auto x = net.input({2, 3});
  const auto rest = net.node("Mod", binary(graph::BinaryKind::mod), {x, net.weight({3})});
  const auto from = net.relu(rest);
  const auto to = net.add(from, rest);
  const auto y = net.node("Mod", binary(graph::BinaryKind::mod), {to, net.weight({3})});
  net.finish(y);
  EXPECT_EQ(refusal(net, to, from), std::nullopt);
}

/// Flags and integers have slope 0: a mask that is computed from the image is no path.
TEST(EveryPath, LeavesOutWhatHasNoSlope) {
  Net net;
  const auto x = net.input({2, 3});
  const auto above = net.node("Greater", binary(graph::BinaryKind::greater), {x, net.weight({3})});
  const auto mask = net.node("Cast", graph::Cast{graph::DType::f32}, {above});
  const auto masked = net.node("Mul", binary(graph::BinaryKind::mul), {x, mask});
  const auto y = net.node("Where", graph::Where{}, {above, masked, x});
  net.finish(y);
  EXPECT_EQ(refusal(net, y, x), std::nullopt);
}

/// The rule of differences is not defined for these.
TEST(EveryPath, IsRefusedUnderTheRescaleRuleWhereParametersVary) {
  const auto channels = [](Net& net, ValueId x) {
    return net.reshape(net.mean(x, {0, 2, 3}, false), {3});
  };
  using Make = ValueId (*)(Net&, ValueId x, ValueId parameter, ValueId fixed);
  const Make makes[] = {
      [](Net& net, ValueId x, ValueId p, ValueId fixed) {
        return net.node("InstanceNormalization", graph::InstanceNorm{}, {x, p, fixed});
      },
      [](Net& net, ValueId x, ValueId p, ValueId fixed) {
        return net.node("BatchNormalization", graph::BatchNorm{}, {x, fixed, p, fixed, fixed});
      },
      [](Net& net, ValueId x, ValueId p, ValueId) {
        return net.node("Conv", graph::Conv{}, {x, net.reshape(p, {1, 3, 1, 1})});
      },
      [](Net& net, ValueId x, ValueId p, ValueId) {
        return net.node("ConvTranspose", graph::ConvTranspose{}, {x, net.reshape(p, {3, 1, 1, 1})});
      }};
  for (const auto make : makes) {
    Net net;
    const auto x = net.input({1, 3, 4, 5});
    const auto y = make(net, x, channels(net, x), net.weight({3}));
    net.finish(y);
    EXPECT_EQ(refusal(net, y, x, engine::GradientRule::rescale), ErrorCode::unsupported);
    EXPECT_EQ(refusal(net, y, x), std::nullopt);
    // From another input they are as good as constants, and read by the way back.
    Net apart;
    const auto from = apart.input({1, 3, 4, 5}), other = apart.input({1, 3, 4, 5});
    const auto to = make(apart, from, channels(apart, other), apart.weight({3}));
    apart.finish(to);
    EXPECT_EQ(refusal(apart, to, from, engine::GradientRule::rescale), std::nullopt);
    EXPECT_EQ(refusal(apart, to, from), std::nullopt);
  }
}

}  // namespace
}  // namespace fovea::engine_test
