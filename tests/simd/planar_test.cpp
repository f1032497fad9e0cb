#include "simd/reference.hpp"
#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

class PlanarTest : public SimdTest {};
FOVEA_SIMD_SUITE(PlanarTest);

u8 source_value(const PlanarSpec& spec, const u8* pixel, i64 c) {
  if (spec.src_channels == 1) return pixel[0];
  if (spec.dst_channels == 1) return reference::grey(pixel);
  return pixel[spec.bgr ? 2 - c : c];
}

TEST_P(PlanarTest, EqualsTheFormula) {
  for (const i64 width : {1, 3, 4, 15, 16, 17, 33, 224, 255, 256, 257, 530})
    for (const i64 src_channels : {1, 3, 4})
      for (const i64 dst_channels : {1, 3})
        for (const bool bgr : {false, true}) {
          const PlanarSpec spec = {src_channels,
                                   dst_channels,
                                   bgr,
                                   1.f / 255.f,
                                   {0.485f, 0.456f, 0.406f},
                                   {0.229f, 0.224f, 0.225f}};
          const i64 height = 3;
          const i64 src_stride = width * src_channels + 2;
          const i64 row_stride = width + 1;
          const i64 plane_stride = height * row_stride;
          // The last row ends where its pixels end.
          Fenced<u8> src{random_bytes(height * src_stride - 2)};
          Fenced<float> dst(dst_channels * plane_stride);
          std::fill_n(dst.data(), dst.size(), -7.f);
          for (const auto& [begin, end] : {std::pair(i64{0}, i64{1}), std::pair(i64{1}, height)})
            k().planar(src.data(), src_stride, &spec, width, begin, end, dst.data(), row_stride,
                       plane_stride);
          for (i64 c = 0; c < dst_channels; ++c)
            for (i64 y = 0; y < height; ++y) {
              for (i64 x = 0; x < width; ++x) {
                const u8 v = source_value(spec, &src[y * src_stride + x * src_channels], c);
                const float scaled = static_cast<float>(v) * spec.scale;
                ASSERT_EQ(dst[c * plane_stride + y * row_stride + x],
                          (scaled - spec.mean[c]) / spec.std[c])
                    << width << " " << src_channels << " " << dst_channels;
              }
              ASSERT_EQ(dst[c * plane_stride + y * row_stride + width], -7.f);
            }
          EXPECT_TRUE(dst.intact());
        }
}

}  // namespace
}  // namespace fovea::simd::test
