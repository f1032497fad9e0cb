#include <cmath>
#include <limits>
#include <utility>

#include "simd/reference.hpp"
#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

class PoolTest : public SimdTest {};
FOVEA_SIMD_SUITE(PoolTest);

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// One axis: how many outputs there are, from extent, kernel, stride, dilation and padding.
struct Axis {
  i64 src, kernel, stride, dilation, pad;
  i64 outputs() const { return (src + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1; }
};

PoolWindow window(std::vector<Axis> axes) {
  axes.insert(axes.begin(), 3 - axes.size(), Axis{1, 1, 1, 1, 0});
  PoolWindow w{};
  for (std::size_t i = 0; i < 3; ++i) {
    w.src[i] = axes[i].src;
    w.dst[i] = axes[i].outputs();
    w.kernel[i] = axes[i].kernel;
    w.stride[i] = axes[i].stride;
    w.dilation[i] = axes[i].dilation;
    w.pad[i] = axes[i].pad;
  }
  return w;
}

std::vector<PoolWindow> windows() {
  return {window({{6, 2, 2, 1, 0}, {8, 2, 2, 1, 0}}),
          window({{7, 3, 2, 1, 1}, {9, 3, 2, 1, 1}}),
          window({{5, 3, 1, 1, 1}, {4, 3, 1, 1, 1}}),
          window({{9, 2, 3, 2, 0}, {7, 3, 1, 2, 2}}),
          window({{11, 4, 3, 1, 0}}),
          window({{3, 2, 5, 1, 4}, {3, 1, 1, 1, 0}}),
          window({{5, 3, 2, 1, 1}, {4, 2, 1, 1, 0}, {6, 2, 2, 1, 0}}),
          window({{4, 4, 1, 1, 0}, {5, 5, 1, 1, 0}})};
}

i64 product(const i64 (&extents)[3]) {
  return extents[0] * extents[1] * extents[2];
}

std::vector<MapLayout> layouts(const PoolWindow& w) {
  std::vector<MapLayout> all;
  for (const i64 channels : {1, 3, 16, 21, 37})
    for (const i64 block : {i64{1}, i64{4}, i64{8}, i64{16}, channels})
      all.push_back({channels, product(w.src), block});
  return all;
}

/// Few different values, so that windows hold equal maxima, and a NaN here and there; what pads the
/// last block is NaN.
std::vector<float> map_of(MapLayout layout, unsigned seed, bool with_nan) {
  std::mt19937 random(seed);
  std::vector<float> map(static_cast<std::size_t>(padded_channels(layout) * layout.positions),
                         kNaN);
  for (i64 c = 0; c < layout.channels; ++c)
    for (i64 p = 0; p < layout.positions; ++p) {
      const auto value = static_cast<float>(random() % 4) - 1.5f;
      map[static_cast<std::size_t>(reference::offset(layout, c, p))] =
          with_nan && random() % 11 == 0 ? kNaN : value;
    }
  return map;
}

void expect_near(Fenced<float>& got, const std::vector<double>& want, const MapLayout& layout,
                 const char* what) {
  for (std::size_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(got[static_cast<i64>(i)], want[i], 1e-5)
        << what << ' ' << layout.channels << " in " << layout.block << " at " << i;
}

TEST_P(PoolTest, MaxGoesToTheFirstOfEqualMaximaAndToNaN) {
  for (const auto& w : windows())
    for (const auto& layout : layouts(w)) {
      const MapLayout outputs = {layout.channels, product(w.dst), layout.block};
      Fenced<float> src{map_of(layout, 1, true)}, diff{map_of(outputs, 2, false)};
      Fenced<float> whole(src.size()), pieces(src.size());
      k().max_pool_backward(diff.data(), src.data(), layout, &w, 0, layout.channels, whole.data());
      expect_near(whole, reference::max_pool_backward(diff.data(), src.data(), layout, w), layout,
                  "max");
      const i64 cut = layout.channels / 2 / layout.block * layout.block;
      for (const auto& [begin, end] :
           {std::pair<i64, i64>{0, cut}, std::pair<i64, i64>{cut, layout.channels}})
        k().max_pool_backward(diff.data(), src.data(), layout, &w, begin, end, pieces.data());
      EXPECT_EQ(pieces.copy(), whole.copy());
      EXPECT_TRUE(whole.intact() && pieces.intact());
    }
}

TEST_P(PoolTest, AverageIsShared) {
  for (const auto& w : windows())
    for (const auto& layout : layouts(w)) {
      const MapLayout outputs = {layout.channels, product(w.dst), layout.block};
      Fenced<float> diff{map_of(outputs, 2, false)};
      Fenced<float> divisors{random_floats(outputs.positions, 1, 9, 3)};
      Fenced<float> whole(padded_channels(layout) * layout.positions), pieces(whole.size());
      k().average_pool_backward(diff.data(), layout, &w, divisors.data(), 0, layout.channels,
                                whole.data());
      expect_near(whole, reference::average_pool_backward(diff.data(), layout, w, divisors.data()),
                  layout, "average");
      const i64 cut = layout.channels / 2;  // inside a block, too
      for (const auto& [begin, end] :
           {std::pair<i64, i64>{0, cut}, std::pair<i64, i64>{cut, layout.channels}})
        k().average_pool_backward(diff.data(), layout, &w, divisors.data(), begin, end,
                                  pieces.data());
      EXPECT_EQ(pieces.copy(), whole.copy());
      EXPECT_TRUE(whole.intact() && pieces.intact());
    }
}

TEST_P(PoolTest, SpreadGivesEveryPositionItsChannelsValue) {
  for (const i64 positions : {1, 7, 49})
    for (const i64 channels : {1, 5, 16, 37})
      for (const i64 block : {i64{1}, i64{8}, i64{16}, channels}) {
        const MapLayout layout = {channels, positions, block};
        Fenced<float> src{random_floats(channels, -1, 1)};
        Fenced<float> dst(padded_channels(layout) * positions);
        k().channel_spread(src.data(), 0.5f, layout, 0, channels / 3, dst.data());
        k().channel_spread(src.data(), 0.5f, layout, channels / 3, channels, dst.data());
        for (i64 c = 0; c < padded_channels(layout); ++c)
          for (i64 p = 0; p < positions; ++p)
            ASSERT_EQ(dst[reference::offset(layout, c, p)], c < channels ? src[c] * 0.5f : 0.f);
        EXPECT_TRUE(dst.intact());
      }
}

}  // namespace
}  // namespace fovea::simd::test
