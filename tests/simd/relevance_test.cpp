#include <cmath>
#include <limits>
#include <vector>

#include "simd/reference.hpp"
#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

class RelevanceTest : public SimdTest {};
FOVEA_SIMD_SUITE(RelevanceTest);

std::vector<MapLayout> layouts() {
  std::vector<MapLayout> all;
  for (const i64 channels : {1, 3, 8, 17, 37})
    for (const i64 positions : {1, 7, 16, 65, 300})
      for (const i64 block : {i64{1}, i64{8}, i64{16}, channels})
        all.push_back({channels, positions, block});
  return all;
}

/// Random values, of which some are exactly 0, other ones for each seed; what pads the last block
/// is NaN.
std::vector<float> values_of(MapLayout layout, unsigned seed) {
  auto values = random_floats(padded_channels(layout) * layout.positions, -1, 1, seed);
  std::vector<float> map(values.size(), std::numeric_limits<float>::quiet_NaN());
  for (i64 c = 0; c < layout.channels; ++c)
    for (i64 p = 0; p < layout.positions; ++p) {
      const auto at = static_cast<std::size_t>(reference::offset(layout, c, p));
      map[at] = (at + seed) % 11 == 0 ? 0.f : values[at];
    }
  return map;
}

TEST_P(RelevanceTest, DividesAndAddsUp) {
  constexpr float kScale = -1.5f, kEpsilon = 0.01f;
  for (const MapLayout layout : layouts())
    for (const int which : {0, 1, -1}) {
      const i64 size = padded_channels(layout) * layout.positions;
      Fenced<float> r{values_of(layout, 1)}, z{values_of(layout, 2)}, side{values_of(layout, 3)};
      Fenced<float> dst(size);
      std::vector<double> sums(static_cast<std::size_t>(2 * layout.channels), 7.0);
      const auto run = [&](i64 begin, i64 end) {
        k().relevance_ratio(r.data(), z.data(), which != 0 ? side.data() : nullptr, layout, kScale,
                            kEpsilon, which, begin, end, dst.data(), sums.data());
      };
      const i64 middle = layout.channels / 2 / 16 * 16;
      if (middle > 0) run(0, middle);
      run(middle, layout.channels);
      for (i64 c = 0; c < layout.channels; ++c) {
        double passed = 0, lost = 0, most = 0;
        for (i64 p = 0; p < layout.positions; ++p) {
          const i64 at = reference::offset(layout, c, p);
          const double stabilizer = static_cast<double>(z[at] < 0 ? -kEpsilon : kEpsilon);
          const double all = static_cast<double>(kScale) * static_cast<double>(r[at]);
          double want = all / (static_cast<double>(z[at]) + stabilizer);
          if (which != 0 && !(static_cast<float>(which) * side[at] > 0)) want = 0;
          ASSERT_NEAR(dst[at], want, 1e-5 * std::abs(want) + 1e-12) << layout.block << " " << which;
          passed += want;
          lost += want * stabilizer + (which == 1 && side[at] == 0 ? all : 0);
          most += std::abs(want);
        }
        EXPECT_NEAR(sums[static_cast<std::size_t>(2 * c)], passed, 1e-6 * most);
        EXPECT_NEAR(sums[static_cast<std::size_t>(2 * c + 1)], lost,
                    1e-6 * (most + static_cast<double>(layout.positions)));
      }
      for (i64 c = layout.channels; c < padded_channels(layout); ++c)
        for (i64 p = 0; p < layout.positions; ++p)
          EXPECT_EQ(dst[reference::offset(layout, c, p)], 0.f);
      EXPECT_TRUE(dst.intact());
    }
}

}  // namespace
}  // namespace fovea::simd::test
