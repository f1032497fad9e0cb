#include <algorithm>

#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

const Pool& pool_of(const Graph& graph) {
  return std::get<Pool>(graph.nodes()[0].op);
}

Graph pooled(const Shape& x, const Pool& op) {
  Builder b;
  b.op("y", op, {b.input("x", x)});
  return b.bound();
}

/// Counts the positions a window takes, one after the other.
std::int64_t count_windows(std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                           std::int64_t dilation, std::int64_t begin, std::int64_t end,
                           bool ceil_mode) {
  const auto reach = (kernel - 1) * dilation;
  std::int64_t count = 0;
  for (auto start = -begin;; start += stride) {
    const bool inside = start + reach < extent + end;
    // A window that hangs over the end counts in ceil mode, if the one before it did not end there
    // exactly and it begins in the input or the padding before it.
    const bool hangs = ceil_mode && start + reach - stride < extent + end - 1 && start < extent;
    if (!inside && !hangs) return count;
    ++count;
    if (!inside) return count;
  }
}

TEST(Window, PoolExtentsMatchACount) {
  int checked = 0;
  for (std::int64_t extent = 1; extent <= 11; ++extent)
    for (std::int64_t kernel = 1; kernel <= 4; ++kernel)
      for (std::int64_t stride = 1; stride <= 4; ++stride)
        for (std::int64_t dilation = 1; dilation <= 2; ++dilation)
          for (std::int64_t begin = 0; begin <= 2; ++begin)
            for (std::int64_t end = 0; end <= 2; ++end)
              for (const bool ceil_mode : {false, true}) {
                const auto expected =
                    count_windows(extent, kernel, stride, dilation, begin, end, ceil_mode);
                const auto reach = (kernel - 1) * dilation + 1;
                if (expected == 0 || begin >= reach || end >= reach) continue;
                if (begin > 0 && extent < dilation) continue;
                const auto graph = pooled({1, 1, extent}, {.window = {.kernel = {kernel},
                                                                      .strides = {stride},
                                                                      .dilations = {dilation},
                                                                      .pads_begin = {begin},
                                                                      .pads_end = {end}},
                                                           .ceil_mode = ceil_mode});
                ASSERT_TRUE(has_shape(graph, graph.outputs[0], {1, 1, expected}))
                    << "extent " << extent << " kernel " << kernel << " stride " << stride
                    << " dilation " << dilation << " pads " << begin << " " << end << " ceil "
                    << ceil_mode;
                // The pads are final: the window that floors finds the same extent.
                const auto& w = pool_of(graph).window;
                EXPECT_EQ(w.pads_end[0], end + pool_of(graph).ceil_extra[0]);
                EXPECT_FALSE(pool_of(graph).ceil_mode);
                ++checked;
              }
  EXPECT_GT(checked, 2000);
}

TEST(Window, SamePadsKeepTheRatio) {
  for (std::int64_t extent = 1; extent <= 12; ++extent)
    for (std::int64_t kernel = 1; kernel <= 5; ++kernel)
      for (std::int64_t stride = 1; stride <= 4; ++stride)
        for (const auto mode : {AutoPad::same_upper, AutoPad::same_lower}) {
          const auto graph =
              pooled({1, 1, extent},
                     {.window = {.kernel = {kernel}, .strides = {stride}, .auto_pad = mode}});
          ASSERT_TRUE(has_shape(graph, graph.outputs[0], {1, 1, (extent + stride - 1) / stride}));
          const auto& w = pool_of(graph).window;
          const auto more = w.pads_end[0] - w.pads_begin[0];
          EXPECT_TRUE(more == 0 || more == (mode == AutoPad::same_upper ? 1 : -1));
          EXPECT_EQ(w.auto_pad, AutoPad::explicit_pads);
        }
}

TEST(Window, ValidPadsNothing) {
  const auto graph =
      pooled({1, 1, 7}, {.window = {.kernel = {3}, .strides = {3}, .auto_pad = AutoPad::valid}});
  EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 1, 2}));
}

TEST(Window, AutoPadMayRepeatThePadsItMeans) {
  const Pool repeated{
      .window = {
          .kernel = {3}, .pads_begin = {1}, .pads_end = {1}, .auto_pad = AutoPad::same_upper}};
  const auto graph = pooled({1, 1, 7}, repeated);
  EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 1, 7}));
}

// GoogLeNet's 3x3 pools of stride 2 over 112 and 56, and SqueezeNet's over 113.
TEST(Window, CeilModeOfKnownNetworks) {
  for (const auto& [in, out] : {std::pair{112, 56}, {56, 28}, {113, 56}, {111, 55}}) {
    const auto graph = pooled({1, 2, in, in},
                              {.window = {.kernel = {3, 3}, .strides = {2, 2}}, .ceil_mode = true});
    EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 2, out, out}));
    const auto extra = in % 2 == 0 ? 1 : 0;
    EXPECT_EQ(pool_of(graph).ceil_extra, (Ints{extra, extra}));
  }
}

struct ConvCase {
  Shape x, w;
  Conv op;
  Shape y;
};

TEST(Window, ConvExtents) {
  const ConvCase cases[] = {
      {{2, 3, 224, 224},
       {64, 3, 7, 7},
       {.window = {.strides = {2, 2}, .pads_begin = {3, 3}, .pads_end = {3, 3}}},
       {2, 64, 112, 112}},
      {{1, 8, 10}, {6, 4, 3}, {.window = {.dilations = {2}}, .group = 2}, {1, 6, 6}},
      {{1, 4, 9, 9},
       {4, 1, 3, 3},
       {.window = {.auto_pad = AutoPad::same_upper}, .group = 4},
       {1, 4, 9, 9}},
      {{1, 2, 5, 6, 7},
       {3, 2, 2, 3, 1},
       {.window = {.strides = {1, 2, 3}, .pads_begin = {0, 1, 0}, .pads_end = {1, 0, 0}}},
       {1, 3, 5, 3, 3}},
      {{1, 1, 5, 5},
       {1, 1, 2, 2},
       {.window = {.kernel = {2, 2}, .strides = {2, 2}, .auto_pad = AutoPad::same_lower}},
       {1, 1, 3, 3}},
  };
  for (const auto& c : cases) {
    Builder b;
    const auto y =
        b.op("y", c.op, {b.input("x", c.x), b.weights("w", c.w), b.weights("b", {c.w[0]})});
    EXPECT_TRUE(has_shape(b.bound(), y, c.y));
    EXPECT_EQ(std::get<Conv>(b.graph.nodes()[0].op).window.kernel,
              Shape(c.w.begin() + 2, c.w.end()));
  }
}

const ConvTranspose& transposed(const Graph& graph) {
  return std::get<ConvTranspose>(graph.nodes()[0].op);
}

Graph transpose_conv(const Shape& x, const Shape& w, const ConvTranspose& op) {
  Builder b;
  b.op("y", op, {b.input("x", x), b.weights("w", w)});
  return b.bound();
}

// The operator's own conformance cases.
TEST(Window, ConvTransposeExtents) {
  auto graph = transpose_conv({1, 1, 3, 3}, {1, 2, 3, 3}, {});
  EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 2, 5, 5}));
  graph = transpose_conv({1, 1, 3, 3}, {1, 2, 3, 3},
                         {.window = {.strides = {3, 2}}, .output_padding = {1, 1}});
  EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 2, 10, 8}));
  graph = transpose_conv({1, 1, 3, 3}, {1, 2, 3, 3},
                         {.window = {.strides = {3, 2}}, .output_shape = {10, 8}});
  EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 2, 10, 8}));
  EXPECT_EQ(transposed(graph).output_padding, (Ints{1, 1}));
  graph = transpose_conv({1, 1, 3, 3}, {1, 2, 3, 3},
                         {.window = {.strides = {3, 2}, .pads_begin = {1, 2}, .pads_end = {1, 2}}});
  EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 2, 7, 3}));
  graph = transpose_conv({1, 1, 3, 3}, {1, 1, 2, 2}, {.window = {.dilations = {2, 2}}});
  EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 1, 5, 5}));
  graph = transpose_conv({1, 4, 3}, {4, 3, 2}, {.group = 2});
  EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 6, 4}));
}

TEST(Window, ConvTransposeAutoPad) {
  for (const auto mode : {AutoPad::same_upper, AutoPad::same_lower}) {
    const auto graph = transpose_conv({1, 1, 3, 3}, {1, 2, 3, 3},
                                      {.window = {.strides = {2, 2}, .auto_pad = mode}});
    EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 2, 6, 6}));
    // Seven become six: the odd one is cut at the end for same_upper.
    EXPECT_EQ(transposed(graph).window.pads_end,
              (mode == AutoPad::same_upper ? Ints{1, 1} : Ints{0, 0}));
  }
  const auto graph = transpose_conv({1, 1, 3}, {1, 2, 2},
                                    {.window = {.strides = {3}, .auto_pad = AutoPad::valid}});
  EXPECT_TRUE(has_shape(graph, graph.outputs[0], {1, 2, 8}));
}

}  // namespace
}  // namespace fovea::graph::test
