#include <algorithm>
#include <cmath>

#include "simd/reference.hpp"
#include "simd/support.hpp"

/// DeepLIFT's rescale rule against quotients in long double.
namespace fovea::simd::test {
namespace {

struct Case {
  Unary kind;
  float a, b;
  float low, high;  ///< where it is tested
};

const std::vector<Case> kCases = {
    {Unary::relu, 0, 0, -5, 5},          {Unary::leaky_relu, 0.1f, 0, -5, 5},
    {Unary::clip, -1.5f, 3, -5, 5},      {Unary::sigmoid, 0, 0, -9, 9},
    {Unary::tanh, 0, 0, -5, 5},          {Unary::silu, 0, 0, -9, 9},
    {Unary::swish, 1.702f, 0, -9, 9},    {Unary::hard_sigmoid, 0.2f, 0.5f, -5, 5},
    {Unary::hard_swish, 0, 0, -5, 5},    {Unary::elu, 0.7f, 0, -5, 5},
    {Unary::selu, 1.673f, 1.05f, -5, 5}, {Unary::celu, 1.3f, 0, -5, 5},
    {Unary::exp, 0, 0, -5, 2},           {Unary::log, 0, 0, 0.05f, 9},
    {Unary::sqrt, 0, 0, 0.01f, 9},       {Unary::reciprocal, 0, 0, 0.1f, 9},
    {Unary::abs, 0, 0, -5, 5},           {Unary::neg, 0, 0, -5, 5},
    {Unary::erf, 0, 0, -4, 4},           {Unary::gelu_erf, 0, 0, -5, 5},
    {Unary::gelu_tanh, 0, 0, -5, 5},     {Unary::softplus, 0, 0, -9, 9},
    {Unary::softsign, 0, 0, -9, 9},      {Unary::mish, 0, 0, -9, 9},
    {Unary::floor, 0, 0, -5, 5},         {Unary::ceil, 0, 0, -5, 5},
    {Unary::sin, 0, 0, -5, 5},           {Unary::cos, 0, 0, -5, 5},
};

class RescaleTest : public SimdTest {};
FOVEA_SIMD_SUITE(RescaleTest);

long double quotient(const Case& c, float x, float r) {
  using L = long double;
  const L a = c.a, b = c.b;
  if (x == r) return reference::slope(c.kind, a, b, L(x));
  return (reference::unary(c.kind, a, b, L(x)) - reference::unary(c.kind, a, b, L(r))) /
         (L(x) - L(r));
}

/// Pairs that lie far apart, close, very close and together; and close, on either side of 0.
void pairs(const Case& c, std::vector<float>& x, std::vector<float>& r) {
  const auto first = random_floats(800, c.low, c.high),
             second = random_floats(800, c.low, c.high, 2);
  for (std::size_t i = 0; i < first.size(); ++i) {
    const float apart[] = {second[i] - first[i], 0.02f, -0.009f, 1e-3f, -1e-5f, 1e-6f, 0.f};
    x.push_back(first[i]);
    r.push_back(std::clamp(first[i] + apart[i % std::size(apart)], c.low, c.high));
  }
  if (c.low >= 0) return;
  for (const float share : {0.1f, 0.5f, 0.9f}) {
    x.push_back(0.008f * share);
    r.push_back(0.008f * (share - 1));
  }
}

TEST_P(RescaleTest, IsTheQuotient) {
  ASSERT_EQ(kCases.size(), static_cast<std::size_t>(Unary::cos) + 1);
  for (const Case& c : kCases) {
    std::vector<float> x, r;
    pairs(c, x, r);
    const auto n = static_cast<i64>(x.size());
    const std::vector<float> diff = random_floats(n, -2, 2, 7);
    std::vector<float> dst(x.size());
    k().unary_rescale(c.kind, c.a, c.b, diff.data(), x.data(), r.data(), dst.data(), n);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double want = static_cast<double>(quotient(c, x[i], r[i]));
      ASSERT_NEAR(dst[i], want * diff[i], 2e-4 * std::max(std::abs(want), 1.0))
          << static_cast<int>(c.kind) << " from " << r[i] << " to " << x[i];
    }
  }
}

TEST_P(RescaleTest, AResultDependsOnItsValueAlone) {
  for (const Case& c : kCases)
    for (const i64 n : kLengths) {
      Fenced<float> x{random_floats(n, c.low, c.high, 3)}, r{random_floats(n, c.low, c.high, 4)};
      Fenced<float> diff{random_floats(n, -2, 2, 5)}, dst(n);
      if (n > 3) r[3] = x[3];
      k().unary_rescale(c.kind, c.a, c.b, diff.data(), x.data(), r.data(), dst.data(), n);
      for (i64 i = 0; i < n; ++i) {
        float one = 0;
        k().unary_rescale(c.kind, c.a, c.b, &diff[i], &x[i], &r[i], &one, 1);
        ASSERT_EQ(dst[i], one) << static_cast<int>(c.kind) << " " << n << " " << i;
      }
      EXPECT_TRUE(dst.intact());
      k().unary_rescale(c.kind, c.a, c.b, diff.data(), x.data(), r.data(), diff.data(), n);
      EXPECT_EQ(diff.copy(), dst.copy());
    }
}

/// [channel, window] pools on their own, by the definition.
TEST_P(RescaleTest, MaxPoolsGiveTheDifferenceOfTheMaximaToOneElement) {
  const PoolWindow w{{1, 7, 9}, {1, 4, 5}, {1, 3, 3}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}};
  for (const i64 channels : {1, 5, 16, 19})
    for (const i64 block : {i64{1}, i64{8}, i64{16}, channels}) {
      const MapLayout layout{channels, 63, block}, outputs{channels, 20, block};
      const i64 size = padded_channels(layout) * 63;
      Fenced<float> src{random_floats(size, -1, 1, 1)}, ref{random_floats(size, -1, 1, 2)};
      Fenced<float> diff{random_floats(padded_channels(outputs) * 20, -2, 2, 3)};
      for (i64 i = 0; i < size; i += 5) ref[i] = src[i];
      Fenced<float> got(size), pieces(size);
      std::vector<double> want(static_cast<std::size_t>(size), 0.0);
      for (i64 c = 0; c < channels; ++c)
        for (i64 o = 0; o < 20; ++o) {
          i64 own = -1, other = -1;
          for (i64 t = 0; t < 9; ++t) {
            const i64 y = o / 5 * 2 - 1 + t / 3, x = o % 5 * 2 - 1 + t % 3;
            if (y < 0 || y >= 7 || x < 0 || x >= 9) continue;
            const i64 at = reference::offset(layout, c, y * 9 + x);
            if (own < 0 || src[at] > src[own]) own = at;
            if (other < 0 || ref[at] > ref[other]) other = at;
          }
          const double rise = double{src[own]} - ref[other];
          const i64 at = rise < 0 ? other : own;
          const double step = double{src[at]} - ref[at];
          want[static_cast<std::size_t>(at)] +=
              diff[reference::offset(outputs, c, o)] * (step == 0 ? 1 : rise / step);
        }
      k().max_pool_rescale(diff.data(), src.data(), ref.data(), layout, &w, 0, channels,
                           got.data());
      for (i64 i = 0; i < size; ++i)
        ASSERT_NEAR(got[i], want[static_cast<std::size_t>(i)], 1e-5) << channels << " in " << block;
      const i64 cut = channels / 2 / block * block;
      k().max_pool_rescale(diff.data(), src.data(), ref.data(), layout, &w, 0, cut, pieces.data());
      k().max_pool_rescale(diff.data(), src.data(), ref.data(), layout, &w, cut, channels,
                           pieces.data());
      EXPECT_EQ(pieces.copy(), got.copy());
      EXPECT_TRUE(got.intact());
    }
}

}  // namespace
}  // namespace fovea::simd::test
