#include <algorithm>
#include <cmath>
#include <limits>

#include "simd/reference.hpp"
#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

struct Case {
  Unary kind;
  const char* name;
  float a, b;
  float low, high;            ///< where it is tested
  double relative, absolute;  ///< the error allowed is their sum
};

const std::vector<Case> kCases = {
    {Unary::relu, "relu", 0, 0, -9, 9, 0, 0},
    {Unary::leaky_relu, "leaky_relu", 0.1f, 0, -9, 9, 1e-6, 0},
    {Unary::clip, "clip", -1.5f, 6, -9, 9, 0, 0},
    {Unary::sigmoid, "sigmoid", 0, 0, -80, 80, 1e-6, 0},
    {Unary::tanh, "tanh", 0, 0, -20, 20, 1e-6, 0},
    {Unary::silu, "silu", 0, 0, -80, 80, 1e-6, 0},
    {Unary::swish, "swish", 1.702f, 0, -40, 40, 1e-5, 0},
    {Unary::hard_sigmoid, "hard_sigmoid", 0.2f, 0.5f, -9, 9, 0, 1e-6},
    {Unary::hard_swish, "hard_swish", 0, 0, -9, 9, 0, 1e-6},
    {Unary::elu, "elu", 0.7f, 0, -20, 9, 1e-6, 0},
    {Unary::selu, "selu", 1.67326f, 1.0507f, -20, 9, 1e-6, 0},
    {Unary::celu, "celu", 1.3f, 0, -20, 9, 1e-6, 0},
    {Unary::exp, "exp", 0, 0, -80, 80, 1e-6, 0},
    {Unary::log, "log", 0, 0, 1e-6f, 100, 1e-6, 0},
    {Unary::sqrt, "sqrt", 0, 0, 1e-3f, 100, 1e-6, 0},
    {Unary::reciprocal, "reciprocal", 0, 0, 0.01f, 100, 1e-6, 0},
    {Unary::abs, "abs", 0, 0, -9, 9, 0, 0},
    {Unary::neg, "neg", 0, 0, -9, 9, 0, 0},
    {Unary::erf, "erf", 0, 0, -6, 6, 1e-6, 0},
    {Unary::gelu_erf, "gelu_erf", 0, 0, -9, 9, 2e-5, 0},
    {Unary::gelu_tanh, "gelu_tanh", 0, 0, -9, 9, 2e-5, 0},
    {Unary::softplus, "softplus", 0, 0, -80, 80, 1e-6, 0},
    {Unary::softsign, "softsign", 0, 0, -99, 99, 1e-6, 0},
    {Unary::mish, "mish", 0, 0, -40, 40, 1e-6, 0},
    {Unary::floor, "floor", 0, 0, -9, 9, 0, 0},
    {Unary::ceil, "ceil", 0, 0, -9, 9, 0, 0},
    {Unary::sin, "sin", 0, 0, -1000, 1000, 0, 1e-6},
    {Unary::cos, "cos", 0, 0, -1000, 1000, 0, 1e-6},
};

class UnaryTest : public SimdTest {};
FOVEA_SIMD_SUITE(UnaryTest);

/// Both signs, near zero and far, and values spread over the range.
std::vector<float> samples(const Case& c) {
  std::vector<float> values = random_floats(4001, c.low, c.high);
  for (const float x : random_floats(501, std::max(c.low, -1.f), std::min(c.high, 1.f), 2))
    values.push_back(x);
  for (float x = 1e-6f; x < 1.f; x *= 1.3f)
    for (const float s : {x, -x})
      if (s >= c.low && s <= c.high) values.push_back(s);
  return values;
}

TEST_P(UnaryTest, EveryKindHasACase) {
  ASSERT_EQ(kCases.size(), static_cast<std::size_t>(Unary::cos) + 1);
  for (std::size_t i = 0; i < kCases.size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(kCases[i].kind), i) << kCases[i].name;
}

TEST_P(UnaryTest, ForwardIsCloseToTheExactFunction) {
  for (const Case& c : kCases) {
    const std::vector<float> src = samples(c);
    std::vector<float> dst(src.size());
    k().unary(c.kind, c.a, c.b, src.data(), dst.data(), static_cast<i64>(src.size()));
    for (std::size_t i = 0; i < src.size(); ++i) {
      const auto want = static_cast<double>(reference::unary(c.kind, c.a, c.b, src[i]));
      ASSERT_NEAR(dst[i], want, c.relative * std::abs(want) + c.absolute)
          << c.name << " of " << src[i];
    }
  }
}

TEST_P(UnaryTest, BackwardIsCloseToTheSlope) {
  for (const Case& c : kCases) {
    const std::vector<float> src = samples(c);
    const std::vector<float> diff = random_floats(static_cast<i64>(src.size()), -2, 2, 7);
    std::vector<float> dst(src.size());
    k().unary_backward(c.kind, c.a, c.b, diff.data(), src.data(), dst.data(),
                       static_cast<i64>(src.size()));
    for (std::size_t i = 0; i < src.size(); ++i) {
      const double slope = static_cast<double>(reference::slope(c.kind, c.a, c.b, src[i]));
      ASSERT_NEAR(dst[i], slope * diff[i], 1e-6 * std::max(std::abs(slope), 1.0))
          << c.name << " at " << src[i];
    }
  }
}

TEST_P(UnaryTest, AResultDependsOnItsValueAlone) {
  for (const Case& c : kCases) {
    for (const i64 n : kLengths) {
      Fenced<float> src{random_floats(n, c.low, c.high, 3)};
      Fenced<float> diff{random_floats(n, -2, 2, 4)};
      Fenced<float> forward(n), backward(n);
      k().unary(c.kind, c.a, c.b, src.data(), forward.data(), n);
      k().unary_backward(c.kind, c.a, c.b, diff.data(), src.data(), backward.data(), n);
      for (i64 i = 0; i < n; ++i) {
        float y = 0, d = 0;
        k().unary(c.kind, c.a, c.b, &src[i], &y, 1);
        k().unary_backward(c.kind, c.a, c.b, &diff[i], &src[i], &d, 1);
        ASSERT_EQ(forward[i], y) << c.name << " " << n << " " << i;
        ASSERT_EQ(backward[i], d) << c.name << " " << n << " " << i;
      }
      ASSERT_TRUE(forward.intact() && backward.intact()) << c.name << " " << n;
      k().unary(c.kind, c.a, c.b, src.data(), src.data(), n);
      EXPECT_EQ(src.copy(), forward.copy()) << c.name << " in place";
    }
  }
}

TEST_P(UnaryTest, NaNStaysNaN) {
  for (const Case& c : kCases) {
    for (const i64 n : {1, 4, 19}) {
      std::vector<float> src(static_cast<std::size_t>(n), 0.5f);
      const std::vector<float> diff(static_cast<std::size_t>(n), 1.f);
      std::vector<float> dst(static_cast<std::size_t>(n));
      src.back() = kNaN;
      k().unary(c.kind, c.a, c.b, src.data(), dst.data(), n);
      EXPECT_TRUE(std::isnan(dst.back())) << c.name;
      k().unary_backward(c.kind, c.a, c.b, diff.data(), src.data(), dst.data(), n);
      EXPECT_TRUE(std::isnan(dst.back())) << c.name << " backward";
    }
  }
}

TEST_P(UnaryTest, LimitsAreExact) {
  struct Limit {
    Unary kind;
    float x, want;
  };
  const std::vector<Limit> limits = {
      {Unary::relu, kInf, kInf},
      {Unary::relu, -kInf, 0},
      {Unary::clip, kInf, 6},
      {Unary::clip, -kInf, -1.5f},
      {Unary::sigmoid, kInf, 1},
      {Unary::sigmoid, -kInf, 0},
      {Unary::sigmoid, 1e30f, 1},
      {Unary::sigmoid, -1e30f, 0},
      {Unary::tanh, kInf, 1},
      {Unary::tanh, -kInf, -1},
      {Unary::tanh, 1e30f, 1},
      {Unary::silu, kInf, kInf},
      {Unary::silu, -1e30f, 0},
      {Unary::hard_sigmoid, -kInf, 0},
      {Unary::hard_sigmoid, kInf, 1},
      {Unary::hard_swish, -1e30f, 0},
      {Unary::elu, -kInf, -0.7f},
      {Unary::elu, kInf, kInf},
      {Unary::celu, -kInf, -1.3f},
      {Unary::exp, kInf, kInf},
      {Unary::exp, 200, kInf},
      {Unary::exp, -kInf, 0},
      {Unary::exp, -200, 0},
      {Unary::exp, 0, 1},
      {Unary::log, 0, -kInf},
      {Unary::log, kInf, kInf},
      {Unary::log, -1, kNaN},
      {Unary::log, 1, 0},
      {Unary::sqrt, kInf, kInf},
      {Unary::sqrt, -1, kNaN},
      {Unary::sqrt, 0, 0},
      {Unary::reciprocal, 0, kInf},
      {Unary::reciprocal, -kInf, 0},
      {Unary::abs, -kInf, kInf},
      {Unary::erf, kInf, 1},
      {Unary::erf, -kInf, -1},
      {Unary::gelu_erf, kInf, kInf},
      {Unary::gelu_erf, -1e30f, 0},
      {Unary::gelu_tanh, kInf, kInf},
      {Unary::gelu_tanh, 1e30f, 1e30f},
      {Unary::gelu_tanh, -1e30f, 0},
      {Unary::softplus, kInf, kInf},
      {Unary::softplus, -kInf, 0},
      {Unary::softplus, 1e30f, 1e30f},
      {Unary::mish, kInf, kInf},
      {Unary::mish, 1e30f, 1e30f},
      {Unary::mish, -1e30f, 0},
      {Unary::floor, kInf, kInf},
      {Unary::floor, -2.5f, -3},
      {Unary::ceil, -2.5f, -2},
      {Unary::floor, 16777217.f, 16777216.f},
  };
  for (const Limit& limit : limits) {
    const Case& c = kCases[static_cast<std::size_t>(limit.kind)];
    float got = -77;
    k().unary(c.kind, c.a, c.b, &limit.x, &got, 1);
    if (std::isnan(limit.want))
      EXPECT_TRUE(std::isnan(got)) << c.name << " of " << limit.x;
    else
      EXPECT_EQ(got, limit.want) << c.name << " of " << limit.x;
  }
}

TEST_P(UnaryTest, SlopesStayFiniteFarOut) {
  for (const Unary kind :
       {Unary::sigmoid, Unary::tanh, Unary::silu, Unary::swish, Unary::elu, Unary::erf,
        Unary::gelu_erf, Unary::gelu_tanh, Unary::softplus, Unary::softsign, Unary::mish}) {
    const Case& c = kCases[static_cast<std::size_t>(kind)];
    const std::vector<float> src = {-1e30f, -1e13f, -300, 300, 1e13f, 1e30f};
    const std::vector<float> ones(src.size(), 1.f);
    std::vector<float> dst(src.size());
    k().unary_backward(kind, c.a, c.b, ones.data(), src.data(), dst.data(),
                       static_cast<i64>(src.size()));
    for (std::size_t i = 0; i < src.size(); ++i) {
      const double rises = reference::unary(kind, c.a, c.b, 400) > 10 ? 1 : 0;
      EXPECT_NEAR(dst[i], src[i] < 0 ? 0 : rises, 2e-5) << c.name << " at " << src[i];
    }
  }
}

TEST_P(UnaryTest, SlopesAtKinks) {
  const auto slope = [&](Unary kind, float a, float b, float x, float diff = 1) {
    float dst = -77;
    k().unary_backward(kind, a, b, &diff, &x, &dst, 1);
    return dst;
  };
  EXPECT_EQ(slope(Unary::relu, 0, 0, 0), 0);
  EXPECT_EQ(slope(Unary::leaky_relu, 0.25f, 0, 0), 0.25f);
  EXPECT_EQ(slope(Unary::clip, 0, 6, 0), 0);
  EXPECT_EQ(slope(Unary::clip, 0, 6, 6), 0);
  EXPECT_EQ(slope(Unary::clip, 0, 6, 5.9f), 1);
  EXPECT_EQ(slope(Unary::abs, 0, 0, 0), 0);
  EXPECT_EQ(slope(Unary::hard_swish, 0, 0, -3), 0);
  EXPECT_EQ(slope(Unary::hard_swish, 0, 0, 3), 1);
  EXPECT_EQ(slope(Unary::hard_sigmoid, 0.25f, 0.5f, -2), 0);
  EXPECT_EQ(slope(Unary::hard_sigmoid, 0.25f, 0.5f, 2), 0);
  EXPECT_EQ(slope(Unary::elu, 0.5f, 0, 0), 0.5f);
  for (const float diff : {kInf, kNaN}) {
    EXPECT_EQ(slope(Unary::relu, 0, 0, -1, diff), 0);
    EXPECT_EQ(slope(Unary::clip, 0, 6, 7, diff), 0);
    EXPECT_EQ(slope(Unary::floor, 0, 0, 1.5f, diff), 0);
    EXPECT_EQ(slope(Unary::hard_swish, 0, 0, -4, diff), 0);
  }
}

TEST_P(UnaryTest, ReluMask) {
  for (const i64 n : kLengths) {
    Fenced<float> diff{random_floats(n, -2, 2, 1)};
    Fenced<float> y{random_floats(n, -1, 1, 2)};
    Fenced<float> dst(n);
    if (n > 2) y[1] = 0;
    k().relu_backward_masked(diff.data(), y.data(), dst.data(), n);
    for (i64 i = 0; i < n; ++i) ASSERT_EQ(dst[i], y[i] > 0 ? diff[i] : 0.f);
    EXPECT_TRUE(dst.intact());
    k().relu_backward_masked(diff.data(), y.data(), diff.data(), n);
    EXPECT_EQ(diff.copy(), dst.copy());
  }
}

}  // namespace
}  // namespace fovea::simd::test
