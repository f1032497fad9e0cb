#include <cmath>
#include <limits>

#include "simd/reference.hpp"
#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
const std::vector<Binary> kKinds = {Binary::add, Binary::sub, Binary::mul,     Binary::div,
                                    Binary::max, Binary::min, Binary::add_relu};

class ElementwiseTest : public SimdTest {};
FOVEA_SIMD_SUITE(ElementwiseTest);

float exact(Binary kind, float a, float b) {
  return static_cast<float>(reference::binary(kind, a, b));
}

TEST_P(ElementwiseTest, BinaryIsCorrectlyRounded) {
  for (const Binary kind : kKinds) {
    for (const i64 n : kLengths) {
      Fenced<float> a{random_floats(n, -3, 3, 1)};
      Fenced<float> b{random_floats(n, -3, 3, 2)};
      Fenced<float> dst(n);
      k().binary(kind, a.data(), b.data(), dst.data(), n);
      for (i64 i = 0; i < n; ++i)
        ASSERT_EQ(dst[i], exact(kind, a[i], b[i])) << static_cast<int>(kind) << " " << n;
      EXPECT_TRUE(dst.intact());
    }
  }
}

TEST_P(ElementwiseTest, OneOperandForAll) {
  for (const Binary kind : kKinds) {
    for (const i64 n : kLengths) {
      Fenced<float> a{random_floats(n, -3, 3, 1)};
      Fenced<float> right(n), left(n);
      k().binary_scalar(kind, a.data(), 0.7f, right.data(), n);
      k().scalar_binary(kind, 0.7f, a.data(), left.data(), n);
      for (i64 i = 0; i < n; ++i) {
        ASSERT_EQ(right[i], exact(kind, a[i], 0.7f)) << static_cast<int>(kind) << " " << n;
        ASSERT_EQ(left[i], exact(kind, 0.7f, a[i])) << static_cast<int>(kind) << " " << n;
      }
      EXPECT_TRUE(right.intact() && left.intact());
    }
  }
}

TEST_P(ElementwiseTest, InPlaceOnEitherSide) {
  const i64 n = 37;
  for (const Binary kind : kKinds) {
    Fenced<float> a{random_floats(n, -3, 3, 1)};
    Fenced<float> b{random_floats(n, -3, 3, 2)};
    Fenced<float> dst(n), copy{a.copy()};
    k().binary(kind, a.data(), b.data(), dst.data(), n);
    k().binary(kind, copy.data(), b.data(), copy.data(), n);
    EXPECT_EQ(copy.copy(), dst.copy());
    k().binary(kind, a.data(), b.data(), b.data(), n);
    EXPECT_EQ(b.copy(), dst.copy());
  }
}

TEST_P(ElementwiseTest, NaNComesOutOfEitherSide) {
  for (const Binary kind : kKinds) {
    for (const i64 n : {1, 21}) {
      const auto size = static_cast<std::size_t>(n);
      const std::vector<float> nan(size, kNaN), one(size, 1.f);
      std::vector<float> dst(size);
      k().binary(kind, nan.data(), one.data(), dst.data(), n);
      for (const float v : dst) EXPECT_TRUE(std::isnan(v)) << static_cast<int>(kind);
      k().binary(kind, one.data(), nan.data(), dst.data(), n);
      for (const float v : dst) EXPECT_TRUE(std::isnan(v)) << static_cast<int>(kind);
    }
  }
}

TEST_P(ElementwiseTest, Axpy) {
  for (const i64 n : kLengths) {
    Fenced<float> src{random_floats(n, -3, 3, 1)};
    Fenced<float> dst{random_floats(n, -3, 3, 2)};
    const std::vector<float> before = dst.copy();
    k().axpy(-0.3f, src.data(), dst.data(), n);
    for (i64 i = 0; i < n; ++i) {
      const double was = before[static_cast<std::size_t>(i)];
      ASSERT_NEAR(dst[i], was + static_cast<double>(-0.3f) * src[i], 5e-7);
    }
    EXPECT_TRUE(dst.intact());
  }
}

}  // namespace
}  // namespace fovea::simd::test
