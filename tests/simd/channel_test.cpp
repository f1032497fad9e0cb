#include <cmath>
#include <limits>

#include "simd/reference.hpp"
#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

class ChannelTest : public SimdTest {};
FOVEA_SIMD_SUITE(ChannelTest);

/// Plain, blocked with and without padding, and channels last, over odd sizes.
std::vector<MapLayout> layouts() {
  std::vector<MapLayout> all;
  for (const i64 channels : {1, 3, 5, 8, 16, 17, 37, 100})
    for (const i64 positions : {1, 2, 7, 16, 49, 65, 130})
      for (const i64 block : {i64{1}, i64{3}, i64{4}, i64{8}, i64{16}, channels})
        all.push_back({channels, positions, block});
  all.push_back({3, 50176, 1});
  all.push_back({9, 12544, 8});
  all.push_back({19, 3136, 16});
  return all;
}

std::string describe(MapLayout layout) {
  return std::to_string(layout.channels) + "x" + std::to_string(layout.positions) + " in " +
         std::to_string(layout.block);
}

/// Random values; what pads the last block is NaN, which no result may show.
std::vector<float> random_map(MapLayout layout, unsigned seed) {
  const i64 size = padded_channels(layout) * layout.positions;
  const std::vector<float> values = random_floats(size, -1, 2, seed);
  std::vector<float> map(values.size(), std::numeric_limits<float>::quiet_NaN());
  for (i64 c = 0; c < layout.channels; ++c)
    for (i64 p = 0; p < layout.positions; ++p) {
      const auto at = static_cast<std::size_t>(reference::offset(layout, c, p));
      map[at] = values[at];
    }
  return map;
}

/// Calls body(begin, end) on three pieces of [0, n).
template <class Body>
void in_pieces(i64 n, Body body) {
  const i64 first = n / 3;
  const i64 second = n - n / 4;
  body(i64{0}, first);
  body(first, second);
  body(second, n);
}

TEST_P(ChannelTest, Mean) {
  for (const MapLayout layout : layouts()) {
    Fenced<float> src{random_map(layout, 1)};
    Fenced<float> whole(layout.channels), pieces(layout.channels);
    k().channel_mean(src.data(), layout, 0, layout.channels, whole.data());
    for (i64 c = 0; c < layout.channels; ++c)
      ASSERT_NEAR(whole[c], reference::channel_mean(src.data(), layout, c), 1e-6)
          << describe(layout) << " channel " << c;
    in_pieces(layout.channels, [&](i64 begin, i64 end) {
      k().channel_mean(src.data(), layout, begin, end, pieces.data());
    });
    EXPECT_EQ(pieces.copy(), whole.copy()) << describe(layout);
    EXPECT_TRUE(whole.intact() && pieces.intact());
  }
}

TEST_P(ChannelTest, WeightedSum) {
  for (const MapLayout layout : layouts()) {
    Fenced<float> src{random_map(layout, 1)};
    Fenced<float> weights{random_floats(layout.channels, -1, 1, 2)};
    Fenced<float> whole(layout.positions), pieces(layout.positions);
    k().weighted_channel_sum(src.data(), layout, weights.data(), 0, layout.positions, whole.data());
    for (i64 p = 0; p < layout.positions; ++p) {
      double magnitude = 0;
      const double want =
          reference::weighted_channel_sum(src.data(), layout, weights.data(), p, &magnitude);
      ASSERT_NEAR(whole[p], want, 1e-6 * magnitude) << describe(layout) << " position " << p;
    }
    in_pieces(layout.positions, [&](i64 begin, i64 end) {
      k().weighted_channel_sum(src.data(), layout, weights.data(), begin, end, pieces.data());
    });
    EXPECT_EQ(pieces.copy(), whole.copy()) << describe(layout);
    EXPECT_TRUE(whole.intact() && pieces.intact());
  }
}

TEST_P(ChannelTest, Dot) {
  for (const MapLayout layout : layouts()) {
    Fenced<float> a{random_map(layout, 1)};
    Fenced<float> b{random_map(layout, 2)};
    Fenced<float> whole(layout.positions), pieces(layout.positions);
    k().channel_dot(a.data(), b.data(), layout, 0, layout.positions, whole.data());
    for (i64 p = 0; p < layout.positions; ++p) {
      double magnitude = 0;
      const double want = reference::channel_dot(a.data(), b.data(), layout, p, &magnitude);
      ASSERT_NEAR(whole[p], want, 1e-6 * magnitude) << describe(layout) << " position " << p;
    }
    in_pieces(layout.positions, [&](i64 begin, i64 end) {
      k().channel_dot(a.data(), b.data(), layout, begin, end, pieces.data());
    });
    EXPECT_EQ(pieces.copy(), whole.copy()) << describe(layout);
    EXPECT_TRUE(whole.intact() && pieces.intact());
  }
}

TEST_P(ChannelTest, Affine) {
  for (const MapLayout layout : layouts()) {
    Fenced<float> src{random_map(layout, 1)};
    Fenced<float> scale{random_floats(layout.channels, -1, 1, 2)};
    Fenced<float> shift{random_floats(layout.channels, -1, 1, 3)};
    for (const bool relu : {false, true})
      for (const float* a : {scale.data(), static_cast<float*>(nullptr)})
        for (const float* b : {shift.data(), static_cast<float*>(nullptr)}) {
          Fenced<float> dst(src.size());
          in_pieces(layout.channels, [&](i64 begin, i64 end) {
            k().channel_affine(src.data(), layout, a, b, relu, begin, end, dst.data());
          });
          for (i64 c = 0; c < padded_channels(layout); ++c)
            for (i64 p = 0; p < layout.positions; ++p) {
              const i64 at = reference::offset(layout, c, p);
              if (c >= layout.channels) {
                ASSERT_EQ(dst[at], 0.f) << describe(layout) << " padding " << c;
                continue;
              }
              const double y = static_cast<double>(src[at]) * (a ? a[c] : 1.f) + (b ? b[c] : 0.f);
              ASSERT_NEAR(dst[at], relu && y < 0 ? 0 : y, 4e-7) << describe(layout);
            }
          EXPECT_TRUE(dst.intact());
        }
  }
}

TEST_P(ChannelTest, AffineInPlaceKeepsNaN) {
  const MapLayout layout = {5, 3, 8};
  Fenced<float> map{random_map(layout, 1)};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  map[reference::offset(layout, 2, 1)] = nan;
  k().channel_affine(map.data(), layout, nullptr, nullptr, true, 0, 5, map.data());
  EXPECT_TRUE(std::isnan(map[reference::offset(layout, 2, 1)]));
  EXPECT_EQ(map[reference::offset(layout, 6, 1)], 0.f);
}

TEST(ClearPadding, TouchesThePaddingOnly) {
  const MapLayout layout = {21, 5, 8};
  std::vector<float> map(static_cast<std::size_t>(padded_channels(layout) * 5), 3.f);
  clear_padding(map.data(), layout);
  for (i64 c = 0; c < 24; ++c)
    for (i64 p = 0; p < 5; ++p)
      EXPECT_EQ(map[static_cast<std::size_t>(reference::offset(layout, c, p))], c < 21 ? 3.f : 0.f);
}

}  // namespace
}  // namespace fovea::simd::test
