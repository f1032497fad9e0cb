#include "engine/ops/resize_taps.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

#include "engine/op_graph.hpp"
#include "engine/plan.hpp"
#include "graph/infer.hpp"
#include "reference/reference.hpp"

/// Resizes: which element nearest and linear take, against fractions of integers; and every mode,
/// drawn, against the slow reference.
namespace fovea::engine_test {
namespace {

using graph::NearestMode;
using graph::Resize;
using graph::ResizeCoordinates;
using graph::ResizeMode;
using reference::Array;

/// numerator / denominator, denominator > 0.
struct Fraction {
  std::int64_t numerator, denominator;
  std::int64_t floor() const {
    const auto q = numerator / denominator;
    return q * denominator > numerator ? q - 1 : q;
  }
  std::int64_t ceil() const { return -Fraction{-numerator, denominator}.floor(); }
  Fraction plus_half() const { return {2 * numerator + denominator, 2 * denominator}; }
  Fraction minus_half() const { return {2 * numerator - denominator, 2 * denominator}; }
};

/// Where element i of `out` lies among `in`, of sizes.
Fraction place(ResizeCoordinates coordinates, std::int64_t i, std::int64_t in, std::int64_t out) {
  switch (coordinates) {
    case ResizeCoordinates::pytorch_half_pixel:
      if (out == 1) return {0, 1};
      break;
    case ResizeCoordinates::align_corners:
      return out == 1 ? Fraction{0, 1} : Fraction{i * (in - 1), out - 1};
    case ResizeCoordinates::asymmetric:
      return {i * in, out};
    case ResizeCoordinates::tf_half_pixel_for_nn:
      return {(2 * i + 1) * in, 2 * out};
    case ResizeCoordinates::tf_crop_and_resize:  // of the whole
      return out == 1 ? Fraction{in - 1, 2} : Fraction{i * (in - 1), out - 1};
    case ResizeCoordinates::half_pixel:
    case ResizeCoordinates::half_pixel_symmetric:
      break;
  }
  return {(2 * i + 1) * in - out, 2 * out};
}

std::int64_t rounded(NearestMode mode, const Fraction& x) {
  switch (mode) {
    case NearestMode::floor:
      return x.floor();
    case NearestMode::ceil:
      return x.ceil();
    case NearestMode::round_prefer_floor:
      return x.minus_half().ceil();
    case NearestMode::round_prefer_ceil:
      return x.plus_half().floor();
  }
  return 0;
}

/// What inference makes of a resize of one axis by sizes.
Resize by_sizes(ResizeMode mode, ResizeCoordinates coordinates, std::int64_t in, std::int64_t out) {
  Resize op{.mode = mode, .coordinates = coordinates, .sizes = graph::Ints{out}};
  op.factors = {{static_cast<double>(out), static_cast<double>(in)}};
  if (coordinates == ResizeCoordinates::tf_crop_and_resize) op.roi = {0, 1};
  return op;
}

constexpr std::array kCoordinates{
    ResizeCoordinates::half_pixel,         ResizeCoordinates::half_pixel_symmetric,
    ResizeCoordinates::pytorch_half_pixel, ResizeCoordinates::align_corners,
    ResizeCoordinates::asymmetric,         ResizeCoordinates::tf_half_pixel_for_nn,
    ResizeCoordinates::tf_crop_and_resize};
constexpr std::int64_t kMax = 64;

template <class Check>  // check(coordinates, in, out)
void for_all_extents(Check check) {
  for (const auto coordinates : kCoordinates)
    for (std::int64_t in = 1; in <= kMax; ++in)
      for (std::int64_t out = 1; out <= kMax; ++out) {
        check(coordinates, in, out);
        if (testing::Test::HasFailure()) {
          ADD_FAILURE() << "coordinates " << static_cast<int>(coordinates) << ", " << in << " to "
                        << out;
          return;
        }
      }
}

TEST(Resizes, NearestBySizesTakesTheElementOfTheExactFraction) {
  for (const auto nearest : {NearestMode::floor, NearestMode::ceil, NearestMode::round_prefer_floor,
                             NearestMode::round_prefer_ceil})
    for_all_extents([&](ResizeCoordinates coordinates, std::int64_t in, std::int64_t out) {
      auto op = by_sizes(ResizeMode::nearest, coordinates, in, out);
      op.nearest = nearest;
      const auto taps = engine::resize_taps(op, 0, in);
      ASSERT_EQ(taps.rows(), out);
      for (std::int64_t i = 0; i < out; ++i) {
        const auto x = in == out ? i : rounded(nearest, place(coordinates, i, in, out));
        ASSERT_EQ(taps.index[static_cast<std::size_t>(i)], std::clamp<std::int64_t>(x, 0, in - 1))
            << "element " << i;
      }
    });
}

TEST(Resizes, LinearBySizesWeighsByTheExactFraction) {
  for_all_extents([](ResizeCoordinates coordinates, std::int64_t in, std::int64_t out) {
    const auto taps =
        engine::resize_taps(by_sizes(ResizeMode::linear, coordinates, in, out), 0, in);
    ASSERT_EQ(taps.rows(), out);
    for (std::int64_t i = 0; i < out; ++i) {
      const auto x = in == out ? Fraction{i, 1} : place(coordinates, i, in, out);
      const auto low = x.floor();
      const double weight = static_cast<double>(x.numerator - low * x.denominator) /
                            static_cast<double>(x.denominator);
      std::vector<double> want(static_cast<std::size_t>(in), 0), got = want;
      want[static_cast<std::size_t>(std::clamp<std::int64_t>(low, 0, in - 1))] += 1 - weight;
      want[static_cast<std::size_t>(std::clamp<std::int64_t>(low + 1, 0, in - 1))] += weight;
      const auto row = static_cast<std::size_t>(i);
      for (auto k = taps.begin[row]; k < taps.begin[row + 1]; ++k)
        got[static_cast<std::size_t>(taps.index[k])] += taps.weight[k];
      for (std::size_t k = 0; k < want.size(); ++k) ASSERT_NEAR(got[k], want[k], 1e-7);
    }
  });
}

TEST(Resizes, AlignedCornersByScalesReachTheUnroundedExtent) {
  Resize op{.coordinates = ResizeCoordinates::align_corners, .nearest = NearestMode::floor};
  op.sizes = graph::Ints{7};  // of 7.5
  op.factors = {{1.5, 1}};
  const auto taps = engine::resize_taps(op, 0, 5);
  // i 4 / 6.5, where i 4 / 6 would have 2 at i = 3 and 4 at i = 6.
  EXPECT_EQ(taps.index, (std::vector<std::int64_t>{0, 0, 1, 1, 2, 3, 3}));
}

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  Case one() {
    Resize op;
    op.mode = pick({ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic});
    op.coordinates = kCoordinates[below(kCoordinates.size())];
    op.nearest = pick({NearestMode::round_prefer_floor, NearestMode::round_prefer_ceil,
                       NearestMode::floor, NearestMode::ceil});
    if (op.mode != ResizeMode::nearest) {
      op.antialias = chance(0.4);
      op.exclude_outside = chance(0.4);
    }
    if (chance(0.5)) op.cubic_a = static_cast<float>(-1 + 0.125 * static_cast<double>(below(8)));
    const auto rank = 3 + below(2);
    Shape shape;
    for (std::size_t d = 0; d < rank; ++d) shape.push_back(extent(d < 2 ? 3 : 12));
    const bool crops = op.coordinates == ResizeCoordinates::tf_crop_and_resize;
    op.sizes = graph::Ints{};
    for (std::size_t d = 0; d < rank; ++d) {
      const bool changes = d > 1 || chance(0.2);
      const bool by_scale = changes && chance(0.4);
      const float scale = 0.3f + 0.2f * static_cast<float>(below(12));
      const auto in = shape[d];
      auto out = changes ? extent(14) : in;
      if (by_scale)
        out = std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<float>(in) * scale));
      op.sizes->push_back(out);
      // A scale that makes nothing of the axis is no model.
      if (by_scale && static_cast<float>(in) * scale >= 1)
        op.factors.push_back({scale, 1});
      else
        op.factors.push_back({static_cast<double>(out), static_cast<double>(in)});
    }
    if (crops) {
      op.extrapolation = chance(0.5) ? 0.f : 1.75f;
      for (std::size_t d = 0; d < 2 * rank; ++d)
        op.roi.push_back((d < rank ? 0.f : 1.f) +
                         (d % rank < 2 ? 0.f : 0.37f * static_cast<float>(below(3)) - 0.3f));
    }
    return {"Resize", op, {data(shape)}};
  }

 private:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random_) < p; }
  std::int64_t extent(std::size_t most) { return 1 + static_cast<std::int64_t>(below(most)); }
  template <class T>
  T pick(std::initializer_list<T> all) {
    return all.begin()[below(all.size())];
  }

  std::mt19937 random_;
};

void expect_the_references(const Case& one) {
  const Bench bench = build_bench(one, false);
  const auto of = bench.results[0], wrt = bench.arguments[0];
  engine::PlanSpec spec;
  spec.fetches = {of};
  spec.gradients = {{of, wrt}};
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(bench.graph, spec, weights);
  auto workspace = plan->make_workspace();
  forward(*plan, workspace, bench);
  const Array want = expected(bench)[0];
  const auto got = plain(plan->fetch(workspace, 0));
  ASSERT_EQ(got.size(), want.data.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], want.data[i], 1e-5 * (1 + std::abs(want.data[i]))) << "element " << i;

  // The result is affine in the input: a difference over any step is the slope.
  const Array seeds = spread(data(want.shape, -1.3, 1.1), 99);
  plan->backward(workspace, 0, floats(seeds), {});
  const auto slopes = plain(plan->gradient(workspace, 0));
  Bench moved = bench;
  Array& x = moved.arrays.at(wrt.index);
  for (std::size_t i = 0; i < x.data.size(); i += 1 + x.data.size() / 12) {
    const double kept = x.data[i];
    double slope = 0;
    x.data[i] = kept + 1;
    const Array up = expected(moved)[0];
    x.data[i] = kept;
    for (std::size_t k = 0; k < up.data.size(); ++k)
      slope += (up.data[k] - want.data[k]) * seeds.data[k];
    ASSERT_NEAR(slopes[i], slope, 1e-5 * (1 + std::abs(slope))) << "slope " << i;
  }
}

/// FOVEA_DRAWN: how many; FOVEA_DRAWN_FIRST: the number of the first.
std::int64_t environment(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

TEST(Resizes, DrawnOnesAreTheReferences) {
  const auto first = environment("FOVEA_DRAWN_FIRST", 0), count = environment("FOVEA_DRAWN", 300);
  for (auto seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ASSERT_NO_FATAL_FAILURE(expect_the_references(Draw(static_cast<unsigned>(seed)).one()));
  }
}

}  // namespace
}  // namespace fovea::engine_test
