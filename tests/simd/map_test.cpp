#include <algorithm>
#include <cmath>
#include <limits>

#include "simd/reference.hpp"
#include "simd/resize.hpp"
#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

class MapTest : public SimdTest {};
FOVEA_SIMD_SUITE(MapTest);

TEST_P(MapTest, CopyFiniteCopiesAndFindsWhatIsNotFinite) {
  for (const i64 n : kLengths) {
    const auto src = random_floats(n, -1e38f, 1e38f);
    Fenced<float> dst{std::vector<float>(src.size(), -1.f)};
    EXPECT_TRUE(k().copy_finite(src.data(), dst.data(), n)) << n;
    EXPECT_EQ(dst.copy(), src);
    EXPECT_TRUE(dst.intact());
    for (const float bad : {kNaN, kInf, -kInf})
      for (i64 i = 0; i < n; i += 5) {
        auto with = src;
        with[static_cast<std::size_t>(i)] = bad;
        EXPECT_FALSE(k().copy_finite(with.data(), dst.data(), n)) << n << ' ' << i;
      }
  }
}

TEST_P(MapTest, MinMaxAndReluMax) {
  for (const i64 n : kLengths) {
    // All negative, all positive, mixed: lanes that do not exist must not show.
    for (const float shift : {-5.f, 5.f, 0.f}) {
      Fenced<float> map{random_floats(n, shift - 2, shift + 2)};
      const std::vector<float> before = map.copy();
      const auto [low, high] = std::minmax_element(before.begin(), before.end());
      const MapStats stats = k().min_max(map.data(), n);
      EXPECT_EQ(stats.min, n == 0 ? kInf : *low) << n;
      EXPECT_EQ(stats.max, n == 0 ? -kInf : *high) << n;
      EXPECT_FALSE(stats.has_nan) << n;
      EXPECT_EQ(map.copy(), before);
      const MapStats after = k().relu_max(map.data(), n);
      EXPECT_EQ(after.min, n == 0 ? kInf : std::max(*low, 0.f)) << n;
      EXPECT_EQ(after.max, n == 0 ? -kInf : std::max(*high, 0.f)) << n;
      for (i64 i = 0; i < n; ++i)
        ASSERT_EQ(map[i], std::max(before[static_cast<std::size_t>(i)], 0.f));
      EXPECT_TRUE(map.intact());
    }
  }
}

TEST_P(MapTest, NaNIsFlaggedAnywhere) {
  for (const i64 n : {1, 5, 16, 35}) {
    for (i64 at = 0; at < n; ++at) {
      Fenced<float> map{random_floats(n, 1, 2)};
      map[at] = kNaN;
      EXPECT_TRUE(k().min_max(map.data(), n).has_nan);
      const MapStats stats = k().relu_max(map.data(), n);
      EXPECT_TRUE(stats.has_nan);
      EXPECT_TRUE(std::isnan(map[at]));
      float others = -kInf;
      for (i64 i = 0; i < n; ++i)
        if (i != at) others = std::max(others, map[i]);
      EXPECT_EQ(stats.max, others);
    }
  }
}

TEST_P(MapTest, InfinityIsNotNaN) {
  std::vector<float> map = {1, kInf, -kInf, 2, 3};
  const MapStats stats = k().min_max(map.data(), 5);
  EXPECT_EQ(stats.min, -kInf);
  EXPECT_EQ(stats.max, kInf);
  EXPECT_FALSE(stats.has_nan);
}

TEST_P(MapTest, ScaleShift) {
  for (const i64 n : kLengths) {
    Fenced<float> map{random_floats(n, -2, 2)};
    const std::vector<float> before = map.copy();
    k().scale_shift(map.data(), n, 0.3f, -0.1f);
    for (i64 i = 0; i < n; ++i)
      ASSERT_NEAR(map[i], before[static_cast<std::size_t>(i)] * 0.3 - 0.1, 2e-7);
    EXPECT_TRUE(map.intact());
  }
}

TEST_P(MapTest, ResizeBilinear) {
  const std::vector<std::pair<i64, i64>> sizes = {{1, 1},   {1, 5}, {7, 224}, {7, 7},   {14, 33},
                                                  {33, 14}, {5, 3}, {2, 65},  {100, 17}};
  for (const auto& vertical : sizes)
    for (const auto& horizontal : sizes) {
      const i64 sh = vertical.first, dh = vertical.second;
      const i64 sw = horizontal.first, dw = horizontal.second;
      Fenced<float> src{random_floats(sh * sw, -1, 1)};
      Fenced<float> whole(dh * dw), pieces(dh * dw), scratch(2 * dw);
      const LinearTaps columns(sw, dw), rows(sh, dh);
      const auto run = [&](i64 begin, i64 end, float* dst) {
        k().resize_bilinear(src.data(), sw, columns.axis(), rows.axis(), dw, begin, end,
                            scratch.data(), dst);
      };
      run(0, dh, whole.data());
      const std::vector<double> want = reference::resize_bilinear(src.data(), sh, sw, dh, dw);
      for (i64 i = 0; i < dh * dw; ++i)
        ASSERT_NEAR(whole[i], want[static_cast<std::size_t>(i)], 5e-6)
            << sh << "x" << sw << " to " << dh << "x" << dw << " at " << i;
      run(dh / 2, dh, pieces.data());
      run(0, dh / 2, pieces.data());
      EXPECT_EQ(pieces.copy(), whole.copy());
      EXPECT_TRUE(whole.intact() && pieces.intact() && scratch.intact());
    }
}

TEST_P(MapTest, AConstantMapStaysConstant) {
  const std::vector<float> src(49, 0.3f);
  std::vector<float> dst(660), scratch(40);
  k().resize_bilinear(src.data(), 7, LinearTaps(7, 20).axis(), LinearTaps(7, 33).axis(), 20, 0, 33,
                      scratch.data(), dst.data());
  for (const float v : dst) EXPECT_EQ(v, 0.3f);
}

TEST(ResizeBilinear, TheConvenientFormIsTheKernel) {
  const std::vector<float> src = random_floats(35, -1, 1);
  std::vector<float> dst(108);
  resize_bilinear(src.data(), 5, 7, dst.data(), 12, 9, 0, 12);
  const std::vector<double> want = reference::resize_bilinear(src.data(), 5, 7, 12, 9);
  for (std::size_t i = 0; i < dst.size(); ++i) EXPECT_NEAR(dst[i], want[i], 1e-6);
}

TEST_P(MapTest, Colormap) {
  const std::vector<u8> lut = random_bytes(768);
  for (const i64 n : kLengths) {
    Fenced<float> map{random_floats(n, -0.2f, 1.2f)};
    for (i64 i = 0; i < std::min<i64>(n, 6); ++i)
      map[i] =
          std::vector<float>{0.f, 1.f, kNaN, kInf, -kInf, 1.f / 255.f}[static_cast<std::size_t>(i)];
    Fenced<u8> rgb(3 * n);
    k().colormap(map.data(), n, lut.data(), rgb.data());
    for (i64 i = 0; i < 3 * n; ++i) {
      const auto entry =
          static_cast<std::size_t>(i64{3} * reference::colour_index(map[i / 3]) + i % 3);
      ASSERT_EQ(rgb[i], lut[entry]) << "value " << map[i / 3];
    }
    EXPECT_TRUE(rgb.intact());
  }
}

TEST_P(MapTest, ColormapTruncatesAtEveryStep) {
  std::vector<u8> lut(768);
  for (std::size_t i = 0; i < lut.size(); ++i) lut[i] = static_cast<u8>(i / 3);
  std::vector<float> map;
  for (int i = 0; i <= 255; ++i)
    for (const float nudge : {-1e-6f, 0.f, 1e-6f})
      map.push_back(static_cast<float>(i) / 255.f + nudge);
  std::vector<u8> rgb(3 * map.size());
  k().colormap(map.data(), static_cast<i64>(map.size()), lut.data(), rgb.data());
  for (std::size_t i = 0; i < map.size(); ++i)
    ASSERT_EQ(int{rgb[3 * i]}, reference::colour_index(map[i])) << map[i];
}

TEST_P(MapTest, Blend) {
  for (const i64 n : kLengths)
    for (const float alpha : {0.f, 0.3f, 0.5f, 1.f}) {
      Fenced<u8> photo{random_bytes(n, 1)};
      Fenced<u8> heat{random_bytes(n, 2)};
      Fenced<u8> dst(n);
      k().blend(photo.data(), heat.data(), alpha, n, dst.data());
      for (i64 i = 0; i < n; ++i) {
        const double exact = reference::blend(photo[i], heat[i], static_cast<double>(alpha));
        // 0.5 is exact in float, so ties go up; elsewhere the nearest byte, or either at a tie.
        if (alpha == 0.5f)
          ASSERT_EQ(dst[i], std::floor(exact + 0.5));
        else
          ASSERT_LE(std::abs(dst[i] - exact), 0.5 + 1e-4);
      }
      EXPECT_TRUE(dst.intact());
      k().blend(photo.data(), heat.data(), alpha, n, photo.data());
      EXPECT_EQ(photo.copy(), dst.copy());
    }
}

TEST(BlendAndColormap, EveryInstructionSetGivesTheSameBytes) {
  const std::vector<u8> photo = random_bytes(5000, 1), heat = random_bytes(5000, 2);
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    if (kernels(isa) == nullptr) continue;
    for (int percent = 0; percent <= 100; ++percent) {
      const float alpha = static_cast<float>(percent) / 100.f;
      std::vector<u8> one(5000), other(5000);
      kernels(Isa::baseline)->blend(photo.data(), heat.data(), alpha, 5000, one.data());
      kernels(isa)->blend(photo.data(), heat.data(), alpha, 5000, other.data());
      ASSERT_EQ(one, other) << to_string(isa) << " " << alpha;
    }
  }
}

}  // namespace
}  // namespace fovea::simd::test
