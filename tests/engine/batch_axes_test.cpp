#include "graph/query/batch_axes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "engine/op_graph.hpp"
#include "graph/ops.hpp"

/// Where an operator puts the images of a batch, against what changing one image changes.
namespace fovea::engine_test {
namespace {

using graph::detail::Along;
using reference::Array;

/// Of a flat element: which image it belongs to.
std::int64_t image_of(const Shape& shape, const Along& where, std::int64_t images,
                      std::size_t element) {
  auto after = where.inner;
  for (auto axis = where.axis + 1; axis < shape.size(); ++axis) after *= shape[axis];
  return static_cast<std::int64_t>(element) / after % images;
}

/// Per image: which elements of each result change when the image does.
std::vector<std::vector<std::set<std::size_t>>> changes(const Bench& bench, graph::ValueId id,
                                                        const Along& start, std::int64_t images) {
  const auto before = expected(bench);
  std::vector<std::vector<std::set<std::size_t>>> out;
  // Maxima and minima only change when something goes above or below them.
  const std::vector<std::pair<double, double>> scale_and_offset{{-0.7, 0.3}, {1, 5}, {1, -5}};
  for (std::int64_t image = 0; image < images; ++image) {
    auto& changed = out.emplace_back(before.size());
    for (const auto& [scale, offset] : scale_and_offset) {
      auto other = bench;
      auto& array = other.arrays.at(id.index);
      for (std::size_t e = 0; e < array.data.size(); ++e)
        if (image_of(array.shape, start, images, e) == image)
          array.data[e] = scale * array.data[e] + offset;
      const auto after = expected(other);
      for (std::size_t r = 0; r < before.size(); ++r)
        for (std::size_t e = 0; e < before[r].data.size(); ++e)
          if (before[r].data[e] != after[r].data[e]) changed[r].insert(e);
    }
  }
  return out;
}

struct Counts {
  int axis = 0, picked = 0, mixed = 0, unknown = 0;
};

void check(const Bench& bench, graph::ValueId id, const Along& start, std::int64_t images,
           Counts& counts) {
  const auto where = graph::detail::follow_images(bench.graph, id, start, images);
  const auto changed = changes(bench, id, start, images);
  for (std::size_t r = 0; r < bench.results.size(); ++r) {
    const auto& value = bench.graph.value(bench.results[r]);
    const auto& found = where[static_cast<std::size_t>(bench.results[r].index)];
    SCOPED_TRACE("images along axis " + std::to_string(start.axis) + " / " +
                 std::to_string(start.inner) + " of " + bench.graph.value(id).name);
    switch (found.kind) {
      case Along::Kind::nowhere:
        for (const auto& of_image : changed) EXPECT_TRUE(of_image[r].empty());
        break;
      case Along::Kind::axis:
        ++counts.axis;
        ASSERT_LT(found.axis, value.shape.size());
        EXPECT_EQ(value.shape[found.axis] % (found.inner * images), 0);
        for (std::int64_t image = 0; image < images; ++image)
          for (const auto e : changed[static_cast<std::size_t>(image)][r])
            ASSERT_EQ(image_of(value.shape, found, images, e), image) << "element " << e;
        break;
      case Along::Kind::mixed: {
        ++counts.mixed;
        std::size_t several = 0, any = 0;
        for (std::size_t e = 0; e < static_cast<std::size_t>(reference::count(value.shape)); ++e) {
          int touched = 0;
          for (const auto& of_image : changed) touched += of_image[r].contains(e) ? 1 : 0;
          any += touched > 0 ? 1 : 0;
          several += touched > 1 ? 1 : 0;
        }
        EXPECT_TRUE(several > 0 || any == 0) << "nothing depends on two images";
        break;
      }
      case Along::Kind::picked: {
        ++counts.picked;
        // No element is of two images: that would be mixed.
        std::size_t most = 0;
        for (std::size_t e = 0; e < static_cast<std::size_t>(reference::count(value.shape)); ++e) {
          std::size_t touched = 0;
          for (const auto& of_image : changed) touched += of_image[r].contains(e) ? 1U : 0U;
          most = std::max(most, touched);
        }
        EXPECT_LE(most, 1U);
        break;
      }
      case Along::Kind::unknown:
        ++counts.unknown;
        break;
    }
  }
}

TEST(BatchAxes, OfEveryOperatorAreWhatOneImageChanges) {
  Counts counts;
  for (const auto& one : cases()) {
    SCOPED_TRACE(one.name);
    const auto bench = build_bench(one, false);
    for (const auto id : bench.fed) {
      const Shape shape = bench.graph.value(id).shape;
      for (std::size_t axis = 0; axis < shape.size(); ++axis)
        for (std::int64_t images = 2; images <= shape[axis]; ++images) {
          if (shape[axis] % images != 0) continue;
          for (std::int64_t inner = 1; inner <= shape[axis] / images; ++inner)
            if (shape[axis] / images % inner == 0)
              check(bench, id, graph::detail::along(axis, inner), images, counts);
        }
    }
  }
  // Most of what the cases have is known, so that the rules above are really asked.
  EXPECT_GT(counts.axis, counts.unknown);
  EXPECT_GT(counts.mixed, 50);
  EXPECT_GT(counts.picked, 5);
}

/// The operators that take images apart in networks are followed, and not given up.
TEST(BatchAxes, FollowBatchesThroughWhatNetworksDo) {
  int lost = 0;
  for (const auto& one : cases()) {
    const auto bench = build_bench(one, false);
    if (bench.fed.size() != 1 || bench.arrays.size() < 1) continue;
    const auto& shape = bench.graph.value(bench.fed[0]).shape;
    const bool follows = std::holds_alternative<graph::Conv>(one.op) ||
                         std::holds_alternative<graph::Pool>(one.op) ||
                         std::holds_alternative<graph::Unary>(one.op) ||
                         std::holds_alternative<graph::BatchNorm>(one.op);
    if (!follows || shape.empty() || shape[0] < 2) continue;
    const auto where =
        graph::detail::follow_images(bench.graph, bench.fed[0], graph::detail::along(0), shape[0]);
    const auto& found = where[static_cast<std::size_t>(bench.results[0].index)];
    if (!(found == graph::detail::along(0))) ++lost;
  }
  EXPECT_EQ(lost, 0);
}

}  // namespace
}  // namespace fovea::engine_test
