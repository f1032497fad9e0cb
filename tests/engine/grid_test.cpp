#include <gtest/gtest.h>

#include <algorithm>

#include "engine/net.hpp"

/// Values that keep their channels last, as maps of a grid: held to the values themselves.
namespace fovea::engine_test {
namespace {

using engine::GradientReduce;

struct Tokens {
  Net net;
  graph::ValueId layer, scores;
  Shape shape;
  graph::Grid grid;
};

/// A layer of `shape` [n, positions..., c] between two products, so that its gradient differs from
/// position to position.
Tokens tokens(const Shape& shape, const graph::Grid& grid) {
  Tokens out{{}, {}, {}, shape, grid};
  const auto channels = shape.back();
  out.layer = out.net.relu(out.net.dense(out.net.input(shape), channels, channels));
  const auto flat = out.net.flatten(out.layer);
  out.scores = out.net.linear(flat, count_of(shape) / shape[0], 3);
  out.net.finish(out.scores);
  return out;
}

struct Results {
  std::vector<float> map, gradient;  ///< row-major [n, c, positions of the view]
  std::vector<float> means;
  Shape map_shape, means_shape;
};

std::vector<float> row_major(const engine::ValueView& view) {
  const auto images = view.shape[0], channels = view.shape[1];
  const auto positions = count_of(view.shape) / images / channels;
  std::vector<float> out;
  for (std::int64_t n = 0; n < images; ++n)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t p = 0; p < positions; ++p)
        out.push_back(view.data[n * view.image_stride +
                                (c / view.block * positions + p) * view.block + c % view.block]);
  return out;
}

Results run(const Tokens& tokens, bool with_grid, bool optimize) {
  engine::PlanSpec spec;
  spec.optimize = optimize;
  spec.fetches = {tokens.scores};
  spec.maps = {tokens.layer};
  spec.gradients = {{tokens.scores, tokens.layer, GradientReduce::none},
                    {tokens.scores, tokens.layer, GradientReduce::spatial_mean}};
  if (with_grid) spec.grids[tokens.layer] = tokens.grid;
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(tokens.net.graph, spec, weights);
  auto workspace = plan->make_workspace();
  const auto data = random_floats(count_of(tokens.shape), 77);
  const std::vector<std::span<const float>> feeds{data};
  plan->forward(workspace, feeds, {});
  const auto seeds = random_floats(3 * tokens.shape[0], 5);
  plan->backward(workspace, 0, seeds, {});
  Results out;
  out.map = row_major(plan->map(workspace, 0));
  out.map_shape = plan->map(workspace, 0).shape;
  out.gradient = row_major(plan->gradient(workspace, 0));
  EXPECT_EQ(plan->gradient(workspace, 0).shape, out.map_shape);
  plan->backward(workspace, 1, seeds, {});
  const auto means = plan->gradient(workspace, 1);
  out.means.assign(means.data, means.data + count_of(means.shape));
  out.means_shape = means.shape;
  return out;
}

/// Of a row-major value: the grid's positions, as [n, c, positions].
std::vector<float> cut_out(const std::vector<float>& all, const Shape& shape,
                           const graph::Grid& grid) {
  std::int64_t channels = 1;
  for (const auto axis : grid.channels) channels *= shape[axis];
  const auto images = shape[grid.images], patches = count_of(grid.extents);
  std::vector<float> out(static_cast<std::size_t>(images * channels * patches));
  for (std::int64_t i = 0; i < count_of(shape); ++i) {
    std::int64_t rest = count_of(shape), n = 0, c = 0, p = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      const auto before = rest;
      rest /= shape[axis];
      const auto place = i % before / rest;
      if (axis == grid.images)
        n = place;
      else if (std::count(grid.channels.begin(), grid.channels.end(), axis) > 0)
        c = c * shape[axis] + place;
      else
        p = p * shape[axis] + place;
    }
    p -= grid.prefix;
    if (p >= 0 && p < patches)
      out[static_cast<std::size_t>((n * channels + c) * patches + p)] =
          all[static_cast<std::size_t>(i)];
  }
  return out;
}

void expect_near(const std::vector<float>& got, const std::vector<float>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], 2e-6) << i;
}

TEST(GridViews, HoldTheGridsPositionsAlone) {
  struct Case {
    Shape shape;
    graph::Grid grid;
  };
  std::vector<Case> cases = {{{2, 3, 5, 7}, {{3, 5}, 0, 0, {3}}},
                             {{1, 2, 3, 2, 18}, {{2, 3, 2}, 0, 0, {4}}}};
  for (const std::int64_t channels : {1, 3, 8, 16, 17, 48, 61})
    cases.push_back({{2, 12, channels}, {{3, 3}, 2, 0, {2}}});
  cases.push_back({{3, 6, 5}, {{2, 3}, 0, 0, {2}}});
  // Tokens before images; an RNN's [time, directions, images, hidden]; channels before images.
  cases.push_back({{7, 3, 5}, {{2, 3}, 1, 1, {2}}});
  cases.push_back({{6, 1, 5}, {{2, 3}, 0, 1, {2}}});
  cases.push_back({{4, 2, 3, 6}, {{4}, 0, 2, {1, 3}}});
  cases.push_back({{5, 2, 2, 3}, {{2, 3}, 0, 1, {0}}});
  cases.push_back({{2, 4, 7, 3}, {{4, 7}, 0, 3, {0}}});
  for (const auto& [shape, grid] : cases)
    for (const bool optimize : {true, false}) {
      SCOPED_TRACE(testing::PrintToString(shape));
      const auto built = tokens(shape, grid);
      const auto plain = run(built, false, optimize), view = run(built, true, optimize);
      Shape wanted{shape[grid.images], 1};
      for (const auto axis : grid.channels) wanted[1] *= shape[axis];
      EXPECT_EQ(view.means_shape, wanted);
      wanted.insert(wanted.end(), grid.extents.begin(), grid.extents.end());
      EXPECT_EQ(view.map_shape, wanted);
      expect_near(view.map, cut_out(plain.map, shape, grid));
      const auto gradient = cut_out(plain.gradient, shape, grid);
      expect_near(view.gradient, gradient);
      std::vector<float> means;
      const auto positions = static_cast<std::size_t>(count_of(grid.extents));
      for (std::size_t i = 0; i < gradient.size(); i += positions) {
        double sum = 0;
        for (std::size_t p = 0; p < positions; ++p) sum += gradient[i + p];
        means.push_back(static_cast<float>(sum / static_cast<double>(positions)));
      }
      expect_near(view.means, means);
      EXPECT_GT(*std::max_element(means.begin(), means.end()), 1e-3F);
    }
}

TEST(GridViews, PositionsInOneExtentAreFolded) {
  const auto built = tokens({2, 5, 6}, {{2, 3}, 0, 0, {1}});
  const auto plain = run(built, false, true), view = run(built, true, true);
  EXPECT_EQ(view.map_shape, (Shape{2, 5, 2, 3}));
  EXPECT_EQ(view.map, plain.map);
  EXPECT_EQ(view.gradient, plain.gradient);
  EXPECT_EQ(view.means, plain.means);
}

}  // namespace
}  // namespace fovea::engine_test
