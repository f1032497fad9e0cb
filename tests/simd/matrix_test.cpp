#include <cmath>
#include <limits>

#include "simd/reference.hpp"
#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

using u16 = std::uint16_t;

class MatrixTest : public SimdTest {};
FOVEA_SIMD_SUITE(MatrixTest);

struct Extents {
  i64 rows, columns;
};
const std::vector<Extents> kExtents = {
    {1, 1},    {1, 7},    {3, 16},   {4, 17},   {5, 32},  {8, 33},   {9, 64},
    {13, 65},  {37, 5},   {64, 100}, {9, 48},   {11, 93}, {384, 96}, {33, 2050},
    {3, 1023}, {7, 2048}, {6, 2049}, {5, 4113}, {200, 3}, {0, 5},    {5, 0}};

/// Every third factor is zero, and the second vector's factor where the first's is not, so that
/// rows are skipped for all vectors, and for some.
std::vector<float> factors(i64 n, i64 vectors) {
  auto out = random_floats(n * vectors, -1, 1, 2);
  for (i64 v = 0; v < vectors; ++v)
    for (i64 i = 0; i < n; ++i)
      if (i % 3 == 0 || (v == 1 && i % 2 == 0)) out[static_cast<std::size_t>(v * n + i)] = 0;
  return out;
}

/// Calls body(begin, end) on three pieces of [0, n).
template <class Body>
void in_pieces(i64 n, Body body) {
  body(i64{0}, n / 3);
  body(n / 3, n - n / 4);
  body(n - n / 4, n);
}

std::string describe(Extents e, i64 vectors) {
  return std::to_string(e.rows) + "x" + std::to_string(e.columns) + " times " +
         std::to_string(vectors);
}

TEST_P(MatrixTest, MatrixVector) {
  for (const Extents e : kExtents)
    for (i64 vectors = 1; vectors <= 4; ++vectors) {
      Fenced<float> matrix{random_floats(e.rows * e.columns, -1, 2, 1)};
      Fenced<float> src{random_floats(e.columns * vectors, -1, 1, 2)};
      Fenced<float> whole(e.rows * vectors), pieces(e.rows * vectors);
      k().matrix_vector(matrix.data(), e.columns, src.data(), vectors, 0, e.rows, whole.data(),
                        e.rows);
      for (i64 v = 0; v < vectors; ++v)
        for (i64 r = 0; r < e.rows; ++r) {
          double magnitude = 0;
          const double want = reference::matrix_vector(matrix.data(), e.columns,
                                                       src.data() + v * e.columns, r, &magnitude);
          ASSERT_NEAR(whole[v * e.rows + r], want, 1e-6 * magnitude)
              << describe(e, vectors) << " vector " << v << " row " << r;
        }
      in_pieces(e.rows, [&](i64 begin, i64 end) {
        k().matrix_vector(matrix.data(), e.columns, src.data(), vectors, begin, end, pieces.data(),
                          e.rows);
      });
      EXPECT_EQ(pieces.copy(), whole.copy()) << describe(e, vectors);
      EXPECT_TRUE(whole.intact() && pieces.intact());
    }
}

TEST_P(MatrixTest, VectorMatrix) {
  for (const Extents e : kExtents)
    for (const i64 vectors : {1, 2, 3, 4, 5, 6, 7, 13}) {
      Fenced<float> matrix{random_floats(e.rows * e.columns, -1, 2, 1)};
      Fenced<float> src{factors(e.rows, vectors)};
      Fenced<float> whole(e.columns * vectors), pieces(e.columns * vectors);
      k().vector_matrix(matrix.data(), e.rows, e.columns, src.data(), vectors, 0, e.columns,
                        whole.data(), e.columns);
      for (i64 v = 0; v < vectors; ++v)
        for (i64 c = 0; c < e.columns; ++c) {
          double magnitude = 0;
          const double want = reference::vector_matrix(matrix.data(), e.rows, e.columns,
                                                       src.data() + v * e.rows, c, &magnitude);
          ASSERT_NEAR(whole[v * e.columns + c], want, 1e-6 * magnitude)
              << describe(e, vectors) << " vector " << v << " column " << c;
        }
      in_pieces(e.columns, [&](i64 begin, i64 end) {
        k().vector_matrix(matrix.data(), e.rows, e.columns, src.data(), vectors, begin, end,
                          pieces.data(), e.columns);
      });
      EXPECT_EQ(pieces.copy(), whole.copy()) << describe(e, vectors);
      EXPECT_TRUE(whole.intact() && pieces.intact());
    }
}

/// A vector's result is the same whichever others it is computed with.
TEST_P(MatrixTest, VectorsDoNotMeet) {
  const Extents e{23, 145};
  Fenced<float> matrix{random_floats(e.rows * e.columns, -1, 2, 1)};
  Fenced<float> x{random_floats(e.columns * 4, -1, 1, 2)};
  constexpr i64 kVectors = 9;
  Fenced<float> y{random_floats(e.rows * kVectors, -1, 1, 3)};
  Fenced<float> dots(e.rows * 4), sums(e.columns * kVectors);
  k().matrix_vector(matrix.data(), e.columns, x.data(), 4, 0, e.rows, dots.data(), e.rows);
  k().vector_matrix(matrix.data(), e.rows, e.columns, y.data(), kVectors, 0, e.columns, sums.data(),
                    e.columns);
  for (i64 v = 0; v < 4; ++v) {
    Fenced<float> dot(e.rows);
    k().matrix_vector(matrix.data(), e.columns, x.data() + v * e.columns, 1, 0, e.rows, dot.data(),
                      e.rows);
    for (i64 r = 0; r < e.rows; ++r) EXPECT_EQ(dot[r], dots[v * e.rows + r]);
  }
  for (i64 v = 0; v < kVectors; ++v) {
    Fenced<float> sum(e.columns);
    k().vector_matrix(matrix.data(), e.rows, e.columns, y.data() + v * e.rows, 1, 0, e.columns,
                      sum.data(), e.columns);
    for (i64 c = 0; c < e.columns; ++c) EXPECT_EQ(sum[c], sums[v * e.columns + c]);
  }
}

TEST_P(MatrixTest, RowsWithoutAFactorAreNotRead) {
  const Extents e{11, 37};
  auto values = random_floats(e.rows * e.columns, -1, 2, 1);
  for (const i64 row : {0, 3, 6, 9})
    for (i64 c = 0; c < e.columns; ++c)
      values[static_cast<std::size_t>(row * e.columns + c)] =
          std::numeric_limits<float>::quiet_NaN();
  Fenced<float> matrix{values};
  for (i64 vectors = 1; vectors <= 4; ++vectors) {
    Fenced<float> src{factors(e.rows, vectors)};
    Fenced<float> dst(e.columns * vectors);
    k().vector_matrix(matrix.data(), e.rows, e.columns, src.data(), vectors, 0, e.columns,
                      dst.data(), e.columns);
    for (i64 i = 0; i < dst.size(); ++i) EXPECT_FALSE(std::isnan(dst[i])) << i;
  }
}

/// The upper halves of the values, which lose what lies below.
std::vector<u16> halved(std::vector<float>& values) {
  std::vector<u16> halves(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &values[i], sizeof bits);
    halves[i] = static_cast<u16>(bits >> 16);
    bits &= 0xffff0000u;
    std::memcpy(&values[i], &bits, sizeof bits);
  }
  return halves;
}

TEST_P(MatrixTest, WeightedDots) {
  for (const Extents e : kExtents) {
    auto values = random_floats(e.rows * e.columns, -1, 2, 1);
    const auto halves = halved(values);
    std::vector<float> squared;
    for (const float v : values) squared.push_back(v * v);  // exact: bf16 has 8 bits
    Fenced<u16> matrix{std::span<const u16>(halves)};
    Fenced<float> towards{random_floats(e.columns, -1, 1, 2)};
    Fenced<float> weights{random_floats(e.columns, 0, 1, 3)};
    Fenced<float> dots(e.rows), squares(e.rows), dots2(e.rows), squares2(e.rows);
    k().weighted_dots_bf16(matrix.data(), e.columns, towards.data(), weights.data(), 0, e.rows,
                           dots.data(), squares.data());
    for (i64 r = 0; r < e.rows; ++r) {
      double magnitude = 0;
      const double dot =
          reference::matrix_vector(values.data(), e.columns, towards.data(), r, &magnitude);
      ASSERT_NEAR(dots[r], dot, 1e-6 * magnitude) << describe(e, 1) << " row " << r;
      const double square =
          reference::matrix_vector(squared.data(), e.columns, weights.data(), r, &magnitude);
      ASSERT_NEAR(squares[r], square, 1e-6 * magnitude) << describe(e, 1) << " row " << r;
    }
    in_pieces(e.rows, [&](i64 begin, i64 end) {
      k().weighted_dots_bf16(matrix.data(), e.columns, towards.data(), weights.data(), begin, end,
                             dots2.data(), squares2.data());
    });
    EXPECT_EQ(dots2.copy(), dots.copy()) << describe(e, 1);
    EXPECT_EQ(squares2.copy(), squares.copy()) << describe(e, 1);
    EXPECT_TRUE(dots.intact() && squares.intact() && dots2.intact() && squares2.intact());
  }
}

/// A bf16 matrix is the float matrix of the same values.
TEST_P(MatrixTest, Bf16IsItsFloats) {
  for (const Extents e : kExtents) {
    const i64 n = e.rows * e.columns;
    auto values = random_floats(n, -1, 2, 1);
    const auto halves = halved(values);
    Fenced<float> wide{values};
    Fenced<u16> narrow{std::span<const u16>(halves)};
    for (i64 vectors = 1; vectors <= 4; ++vectors) {
      Fenced<float> x{random_floats(e.columns * vectors, -1, 1, 2)};
      Fenced<float> y{factors(e.rows, vectors)};
      Fenced<float> dots(e.rows * vectors), dots16(e.rows * vectors);
      k().matrix_vector(wide.data(), e.columns, x.data(), vectors, 0, e.rows, dots.data(), e.rows);
      k().matrix_vector_bf16(narrow.data(), e.columns, x.data(), vectors, 0, e.rows, dots16.data(),
                             e.rows);
      EXPECT_EQ(dots16.copy(), dots.copy()) << describe(e, vectors);
      Fenced<float> sums(e.columns * vectors), sums16(e.columns * vectors);
      k().vector_matrix(wide.data(), e.rows, e.columns, y.data(), vectors, 0, e.columns,
                        sums.data(), e.columns);
      k().vector_matrix_bf16(narrow.data(), e.rows, e.columns, y.data(), vectors, 0, e.columns,
                             sums16.data(), e.columns);
      EXPECT_EQ(sums16.copy(), sums.copy()) << describe(e, vectors);
      EXPECT_TRUE(dots16.intact() && sums16.intact());
    }
  }
}

}  // namespace
}  // namespace fovea::simd::test
