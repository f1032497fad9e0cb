#include "graph/query.hpp"
#include "graph/query/live.hpp"
#include "graph/support.hpp"

/// Operands that a network computes, to the queries that go through every operator.
namespace fovea::graph::test {
namespace {

/// x [1, 3, 4, 5], a number per channel that x decides, and the operator that `make` puts behind.
struct Net {
  Builder b;
  ValueId x, parameter, y;

  using Make = ValueId (*)(Builder& b, ValueId x, ValueId parameter);
  explicit Net(Make make) {
    x = b.input("x", {1, 3, 4, 5});
    Reduce mean;
    mean.axes = Ints{0, 2, 3};
    mean.keep_dims = false;
    parameter = b.op("parameter", mean, {x});
    y = make(b, x, parameter);
    b.output(y);
    b.bound();
  }
};

ValueId fixed(Builder& b, const char* name) {
  return b.weights(name, {3}, 0.5f, 2.f);
}

TEST(PiecewiseLinear, InTheOperandsThatAreNotDividedBy) {
  struct Case {
    Net::Make make;
    bool of_parameter, of_both;
  };
  const Case cases[] = {
      {[](Builder& b, ValueId, ValueId p) {
         return b.binary("y", BinaryKind::div, p, fixed(b, "w"));
       },
       true, true},
      {[](Builder& b, ValueId, ValueId p) {
         return b.binary("y", BinaryKind::div, fixed(b, "w"), p);
       },
       false, false},
      {[](Builder& b, ValueId x, ValueId p) {
         return b.op("y", BatchNorm{}, {x, p, fixed(b, "b"), fixed(b, "m"), fixed(b, "v")});
       },
       false, false},
      {[](Builder& b, ValueId x, ValueId p) {
         return b.op("y", BatchNorm{}, {x, fixed(b, "s"), fixed(b, "b"), fixed(b, "m"), p});
       },
       false, false},
      {[](Builder& b, ValueId x, ValueId) {
         const auto w = fixed(b, "w");
         return b.op("y", BatchNorm{}, {x, w, w, w, w});
       },
       false, true},
      {[](Builder& b, ValueId x, ValueId p) {
         return b.op("y", Conv{}, {x, b.weights("w", {3, 3, 1, 1}), p});
       },
       true, false},
      {[](Builder& b, ValueId x, ValueId p) {
         return b.op("y", InstanceNorm{}, {x, p, fixed(b, "b")});
       },
       false, false}};
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const Net net(cases[i].make);
    if (i != 4) {  // which leaves the parameter out
      EXPECT_EQ(is_piecewise_linear(net.b.graph, net.parameter, net.y), cases[i].of_parameter) << i;
    }
    EXPECT_EQ(is_piecewise_linear(net.b.graph, net.x, net.y), cases[i].of_both) << i;
  }
}

/// A scale per channel has as many numbers as a map has columns: it is still no row of columns.
TEST(Live, AllOfTheParametersOfChannels) {
  Builder b;
  const auto x = b.input("x", {1, 5, 4, 5});
  Reduce mean;
  mean.axes = Ints{0, 2, 3};
  mean.keep_dims = false;
  const auto scale = b.op("scale", mean, {x});
  const auto w = b.weights("w", {5}, 0.5f, 2.f);
  const auto y = b.op("y", BatchNorm{}, {x, scale, w, w, w});
  Slice cut;
  cut.starts = Ints{1};
  cut.ends = Ints{2};
  cut.axes = Ints{3};
  cut.steps = Ints{1};
  const auto logits = b.op("cut", cut, {y});
  b.output(logits);
  b.bound();
  const auto live = detail::live_parts(b.graph, logits);
  EXPECT_EQ(live[static_cast<std::size_t>(scale.index)].part, detail::Live::Part::everything);
  EXPECT_EQ(live[static_cast<std::size_t>(y.index)].part, detail::Live::Part::range);
}

}  // namespace
}  // namespace fovea::graph::test
