#include "engine/ops/few_rows.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

/// Vectors that the kernels take at once; for more, oneDNN's blocking pays.
constexpr std::int64_t kFewRows = 4;
/// Columns of a result that one thread takes at least: a few cache lines, so that no two threads
/// write to one.
constexpr std::int64_t kColumnUnit = 64;

/// True where the matrix lies in memory row by row without gaps.
bool is_row_major(const Matrix& m) {
  const Dims plain = plain_strides(m.dims);
  for (std::size_t i = 0; i < m.dims.size(); ++i)
    if (m.dims[i] != 1 && m.strides[i] != plain[i]) return false;
  return true;
}

Matrix flat(const Matrix& m) {
  const auto rank = m.dims.size();
  return {{m.dims[rank - 2], m.dims[rank - 1]}, {m.strides[rank - 2], m.strides[rank - 1]}};
}

std::int64_t elements(const Dims& dims) {
  std::int64_t n = 1;
  for (const auto extent : dims) n *= extent;
  return n;
}

/// A product as the kernels see it.
struct Product {
  std::int64_t vectors = 0;
  std::int64_t in = 0, out = 0;  ///< elements of a vector, and of a result
  bool bf16 = false;             ///< the matrix's type
  float scale = 1;
  bool biased = false;

  /// What follows the sums of elements [begin, end) of every result.
  void finish(float* dst, const float* bias, std::int64_t begin, std::int64_t end) const {
    const auto& k = simd::kernels();
    for (std::int64_t v = 0; v < vectors; ++v) {
      float* y = dst + v * out + begin;
      if (scale != 1.f) k.binary_scalar(simd::Binary::mul, y, scale, y, end - begin);
      if (biased) k.binary(simd::Binary::add, y, bias + begin, y, end - begin);
    }
  }

  /// The matrix is [out, in].
  void by_dots(const std::byte* matrix, const float* src, const float* bias, float* dst) const {
    base::parallel_for(out, std::max<std::int64_t>(1, kElementGrain / in),
                       [=, this](std::int64_t begin, std::int64_t end) {
                         const auto& k = simd::kernels();
                         if (bf16)
                           k.matrix_vector_bf16(reinterpret_cast<const std::uint16_t*>(matrix), in,
                                                src, vectors, begin, end, dst, out);
                         else
                           k.matrix_vector(reinterpret_cast<const float*>(matrix), in, src, vectors,
                                           begin, end, dst, out);
                         finish(dst, bias, begin, end);
                       });
  }

  /// The matrix is [in, out].
  void by_sums(const std::byte* matrix, const float* src, const float* bias, float* dst) const {
    const auto units = (out + kColumnUnit - 1) / kColumnUnit;
    base::parallel_for(units, std::max<std::int64_t>(1, kElementGrain / (in * kColumnUnit)),
                       [=, this](std::int64_t first, std::int64_t last) {
                         const auto begin = first * kColumnUnit,
                                    end = std::min(last * kColumnUnit, out);
                         const auto& k = simd::kernels();
                         if (bf16)
                           k.vector_matrix_bf16(reinterpret_cast<const std::uint16_t*>(matrix), in,
                                                out, src, vectors, begin, end, dst, out);
                         else
                           k.vector_matrix(reinterpret_cast<const float*>(matrix), in, out, src,
                                           vectors, begin, end, dst, out);
                         finish(dst, bias, begin, end);
                       });
  }
};

}  // namespace

bool is_few_rows(const Builder& b, const Operand& left, const Operand& right) {
  if (!right.constant || !b.graph().value(right.constant).constant) return false;
  if (b.graph().value(right.constant).type != graph::DType::f32) return false;
  const auto& l = left.matrix;
  const auto& r = right.matrix;
  if (l.dims.size() < 2 || r.dims.size() < 2 || !is_row_major(l)) return false;
  const auto in = l.dims.back(), rows = elements(l.dims) / std::max<std::int64_t>(1, in);
  if (in < 1 || rows < 1 || rows > kFewRows || r.dims.back() < 1) return false;
  const Matrix m = flat(r);
  return elements(r.dims) == elements(m.dims) && (is_row_major(m) || is_row_major(transposed(m)));
}

Tensor multiply_few_rows(Builder& b, const Operand& left, const Operand& right,
                         const Shape& out_shape, const FewRowsOptions& options) {
  const Matrix m = flat(right.matrix);
  Product product;
  product.in = m.dims[0];
  product.out = m.dims[1];
  product.vectors = elements(left.matrix.dims) / product.in;
  product.scale = options.scale;
  product.biased = static_cast<bool>(options.bias);
  Tensor matrix = right.tensor;
  if (b.compute_type() == Type::bf16) {
    matrix = bf16_weight(b, right.constant);
    product.bf16 = true;
  }
  const Tensor dst = b.make(plain_desc(out_shape));
  const bool dots = is_row_major(transposed(m));
  std::vector<Tensor> reads = {matrix, left.tensor};
  if (product.biased) reads.push_back(options.bias);
  const bool biased = product.biased;
  b.kernel(
      [product, dots, biased](Pointers p) {
        const float* bias = biased ? floats(p, 2) : nullptr;
        float* y = floats(p, biased ? 3 : 2);
        if (dots)
          product.by_dots(p[0], floats(p, 1), bias, y);
        else
          product.by_sums(p[0], floats(p, 1), bias, y);
      },
      reads, {dst}, 2 * product.vectors * product.in * product.out);
  return dst;
}

Tensor multiply_rows(Builder& b, const Tensor& rows, const Tensor& matrix, float scale) {
  const auto n = dims_in(rows.desc)[0];
  Product product;
  product.in = dims_in(matrix.desc)[0];
  product.out = dims_in(matrix.desc)[1];
  product.scale = scale;
  const Tensor dst = b.make(plain_desc({n, product.out}));
  b.kernel(
      [product, n](Pointers p) {
        Product some = product;
        for (std::int64_t first = 0; first < n; first += kFewRows) {
          some.vectors = std::min(kFewRows, n - first);
          some.by_sums(p[0], floats(p, 1) + first * some.in, nullptr,
                       floats(p, 2) + first * some.out);
        }
      },
      {matrix, rows}, {dst}, 2 * n * product.in * product.out);
  return dst;
}

}  // namespace fovea::engine
