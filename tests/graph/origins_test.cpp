#include "graph/query/origins.hpp"

#include <cmath>
#include <numeric>
#include <random>

#include "base/checked.hpp"
#include "graph/interpret.hpp"
#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

using Through = Origin::Through;

std::vector<std::int64_t> every_place(const Graph& graph, ValueId id) {
  std::vector<std::int64_t> out(
      static_cast<std::size_t>(base::element_count(graph.value(id).shape)));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

/// Chains of moves, drawn by a seed, over two values that a network computes.
class Drawn : public Builder {
 public:
  explicit Drawn(std::uint32_t seed) : random_(seed) {}

  std::int64_t pick(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
  }
  std::string name() { return "v" + std::to_string(count_++); }

  /// The extents are known as the chain grows: no image's extent is moved.
  ValueId move(ValueId x, Shape& shape, ValueId other, const Shape& other_shape) {
    switch (pick(0, 7)) {
      case 0: {
        Ints perm(shape.size());
        std::iota(perm.begin(), perm.end(), 0);
        std::shuffle(perm.begin() + 1, perm.end(), random_);
        Shape moved;
        for (const auto axis : perm) moved.push_back(shape[static_cast<std::size_t>(axis)]);
        shape = moved;
        return op(name(), Transpose{perm}, {x});
      }
      case 1: {
        std::int64_t count = 1;
        for (const auto extent : shape) count *= extent;
        Shape to{1, count};
        for (const std::int64_t by : {2, 3, 5})
          if (to.back() % by == 0) {
            to.back() /= by;
            to.push_back(by);
          }
        shape = to;
        return op(name(), Reshape{ReshapeKind::reshape, to, false}, {x});
      }
      case 2: {
        const auto axis =
            static_cast<std::size_t>(pick(1, static_cast<std::int64_t>(shape.size()) - 1));
        const auto extent = shape[axis];
        const auto begin = pick(0, extent - 1);
        const auto step = pick(0, 3) == 0 ? std::int64_t{-1} : pick(1, 2);
        const auto end = step < 0 ? std::numeric_limits<std::int64_t>::min() : extent;
        shape[axis] = step < 0 ? begin + 1 : (extent - begin + step - 1) / step;
        return op(name(),
                  Slice{Ints{begin}, Ints{end}, Ints{static_cast<std::int64_t>(axis)}, Ints{step}},
                  {x});
      }
      case 3: {
        const auto axis =
            static_cast<std::size_t>(pick(1, static_cast<std::int64_t>(shape.size()) - 1));
        const auto extent = shape[axis];
        Ints picked;
        for (auto n = pick(1, 4); n > 0; --n) picked.push_back(pick(-extent, extent - 1));
        shape[axis] = static_cast<std::int64_t>(picked.size());
        const auto indices = ints(name(), picked);
        return op(name(), Gather{static_cast<std::int64_t>(axis)}, {x, indices});
      }
      case 4: {
        const auto axis =
            static_cast<std::size_t>(pick(1, static_cast<std::int64_t>(shape.size()) - 1));
        if (shape[axis] < 2) return x;
        const auto first = pick(1, shape[axis] - 1);
        const auto outputs =
            ops(name(), Split{static_cast<std::int64_t>(axis), Ints{first, shape[axis] - first}},
                {x}, {name(), name()});
        const auto which = static_cast<std::size_t>(pick(0, 1));
        shape[axis] = which == 0 ? first : shape[axis] - first;
        return outputs[which];
      }
      case 5: {
        if (other_shape.size() < 2) return x;
        // Both flat, one behind the other.
        std::int64_t a = 1, b = 1;
        for (const auto extent : shape) a *= extent;
        for (const auto extent : other_shape) b *= extent;
        const auto flat_x = op(name(), Reshape{ReshapeKind::reshape, Ints{1, a}, false}, {x});
        const auto flat_y = op(name(), Reshape{ReshapeKind::reshape, Ints{1, b}, false}, {other});
        const bool turned = pick(0, 1) == 1;
        shape = {1, a + b};
        return op(name(), Concat{1},
                  turned ? std::vector{flat_y, flat_x} : std::vector{flat_x, flat_y});
      }
      case 6:
        return unary(name(), UnaryKind::identity, x);
      default:
        return op(name(), Cast{DType::f32}, {x});
    }
  }

  std::mt19937 random_;
  int count_ = 0;
};

Doubles numbers(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  Doubles out(count);
  for (auto& v : out) v = std::uniform_real_distribution<double>(-2, 2)(random);
  return out;
}

TEST(Origins, OfDrawnMovesHoldWhatTheElementHolds) {
  int moved = 0, through_sigmoid = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    Drawn d(seed);
    const Shape shape{1, d.pick(1, 4), d.pick(1, 5), d.pick(1, 3)};
    const auto x = d.input("x", shape);
    const auto a = d.unary("a", UnaryKind::tanh, x);
    const auto b = d.unary("b", UnaryKind::relu, x);
    auto at = a;
    Shape extents = shape;
    for (auto n = d.pick(0, 4); n > 0; --n) at = d.move(at, extents, b, shape);
    const bool has_sigmoid = d.pick(0, 1) == 1;
    if (has_sigmoid) at = d.unary("sigmoid", UnaryKind::sigmoid, at);
    for (auto n = d.pick(0, 4); n > 0; --n) at = d.move(at, extents, a, {});
    if (at == a) continue;
    d.output(at);
    const auto& graph = d.bound();
    const auto values = interpret(
        graph, {{x, numbers(static_cast<std::size_t>(base::element_count(shape)), seed)}});
    const auto places = every_place(graph, at);
    const auto found = find_origins(graph, at, places, true);
    ASSERT_EQ(found.size(), places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto& origin = found[i];
      ASSERT_TRUE(origin.value == a || origin.value == b)
          << "seed " << seed << ": " << graph.value(origin.value).name;
      ASSERT_EQ(origin.through, has_sigmoid ? Through::sigmoid : Through::nothing) << seed;
      const auto number = values.at(origin.value)[static_cast<std::size_t>(origin.at)];
      ASSERT_NEAR(values.at(at)[i], has_sigmoid ? 1 / (1 + std::exp(-number)) : number, 1e-12)
          << "seed " << seed << " element " << i;
    }
    moved += static_cast<int>(places.size());
    through_sigmoid += has_sigmoid ? 1 : 0;
  }
  EXPECT_GT(moved, 3000);
  EXPECT_GT(through_sigmoid, 100);
}

TEST(Origins, GoThroughOneSoftmaxAndNotFurther) {
  Builder b;
  const auto x = b.input("x", {1, 3, 4});
  const auto inner = b.unary("inner", UnaryKind::sigmoid, x);
  const auto turned = b.op("turned", Transpose{{0, 2, 1}}, {inner});
  const auto softmax = b.op("softmax", Softmax{2}, {turned});
  const auto y = b.op("y", Transpose{{0, 2, 1}}, {softmax});
  b.output(y);
  const auto& graph = b.bound();
  const std::int64_t at[] = {7};
  EXPECT_EQ(find_origins(graph, y, at, true).front(), (Origin{Through::softmax, inner, 7}));
  EXPECT_EQ(find_origins(graph, y, at, false).front(), (Origin{Through::nothing, softmax, 10}));
}

TEST(Origins, StopAtWhatComputesAndWhereImagesMove) {
  Builder b;
  const auto x = b.input("x", {2, 3, 4});
  const auto made = b.unary("made", UnaryKind::tanh, x);
  const auto rows = b.op("rows", Reshape{ReshapeKind::reshape, Ints{6, 4}, false}, {made});
  const auto back = b.op("back", Reshape{ReshapeKind::reshape, Ints{2, 3, 4}, false}, {rows});
  const auto doubled = b.binary("doubled", BinaryKind::add, back, back);
  const auto y = b.unary("y", UnaryKind::identity, doubled);
  b.output(y);
  b.output(rows);
  const auto& graph = b.bound(2);
  const std::int64_t at[] = {13};
  EXPECT_EQ(find_origins(graph, y, at, true).front(), (Origin{Through::nothing, doubled, 13}));
  EXPECT_EQ(find_origins(graph, back, at, true).front(), (Origin{Through::nothing, made, 13}));
  // Its first extent counts something else: whose image's the element is would be lost.
  EXPECT_EQ(find_origins(graph, rows, at, true).front(), (Origin{Through::nothing, rows, 13}));
}

TEST(Origins, StopAtIndicesThatAreComputed) {
  Builder b;
  const auto x = b.input("x", {1, 4});
  const auto indices = b.input("indices", {2}, DType::i64);
  const auto y = b.op("y", Gather{1}, {x, indices});
  b.output(y);
  const auto& graph = b.bound();
  const std::int64_t at[] = {1};
  EXPECT_EQ(find_origins(graph, y, at, true).front(), (Origin{Through::nothing, y, 1}));
}

}  // namespace
}  // namespace fovea::graph::test
