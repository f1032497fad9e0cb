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

  /// Any number of vectors, a few at a time. `dots`: the matrix is [out, in], else [in, out].
  void run(bool dots, const std::byte* matrix, const float* src, const float* bias,
           float* dst) const {
    Product some = *this;
    for (std::int64_t first = 0; first < vectors; first += kFewRows) {
      some.vectors = std::min(kFewRows, vectors - first);
      if (dots)
        some.by_dots(matrix, src + first * in, bias, dst + first * out);
      else
        some.by_sums(matrix, src + first * in, bias, dst + first * out);
    }
  }
};

bool leaves_zeros(const graph::Unary& op) {
  return op.kind == graph::UnaryKind::relu ||
         (op.kind == graph::UnaryKind::clip && op.alpha == 0.f);
}

/// An activation with zeros, looked for through what moves values or picks the largest.
bool has_zeros(const graph::Graph& graph, graph::ValueId id) {
  while (const auto node = graph.value(id).producer) {
    const auto& made = graph.node(node);
    const auto ends_in_zeros = [](const graph::PostOps& post) {
      return !post.empty() && post.back().kind == graph::PostOp::Kind::unary &&
             leaves_zeros(post.back().unary);
    };
    if (const auto* unary = std::get_if<graph::Unary>(&made.op)) {
      if (unary->kind != graph::UnaryKind::identity) return leaves_zeros(*unary);
    } else if (const auto* conv = std::get_if<graph::Conv>(&made.op)) {
      return ends_in_zeros(conv->post);
    } else if (const auto* gemm = std::get_if<graph::Gemm>(&made.op)) {
      return ends_in_zeros(gemm->post);
    } else if (const auto* pool = std::get_if<graph::Pool>(&made.op)) {
      if (pool->kind != graph::PoolKind::max) return false;
    } else if (!std::holds_alternative<graph::Reshape>(made.op) &&
               !std::holds_alternative<graph::Transpose>(made.op)) {
      return false;
    }
    id = made.inputs[0];
  }
  return false;
}

/// True where a node's first result is zero wherever its first input is, but at a few positions.
bool keeps_few_positions(const graph::Graph& graph, const graph::Node& node) {
  constexpr std::int64_t kMany = 4;
  if (const auto* unary = std::get_if<graph::Unary>(&node.op)) return keeps_zero(*unary);
  if (std::holds_alternative<graph::Pool>(node.op)) {
    const Shape& shape = graph.value(node.outputs[0]).shape;
    return elements(Dims(shape.begin() + 2, shape.end())) >= kMany;
  }
  return std::holds_alternative<graph::Reshape>(node.op) ||
         std::holds_alternative<graph::Transpose>(node.op);
}

}  // namespace

bool is_worth_transposing(const ForwardContext& c) {
  constexpr std::size_t kLarge = std::size_t{4} << 20;  // floats
  const auto& weights = c.b.graph().value(c.node().inputs[1]);
  return c.b.compute_type() == Type::f32 && weights.constant && weights.type == graph::DType::f32 &&
         weights.constant->size() >= kLarge && has_zeros(c.b.graph(), c.node().inputs[0]);
}

bool is_mostly_zero(const ForwardContext& c) {
  const auto& graph = c.b.graph();
  for (auto id = c.node().inputs[0]; c.b.few_positions();) {
    if (id == c.b.few_positions()) return true;
    const auto maker = graph.value(id).producer;
    if (!maker) return false;
    const auto& node = graph.node(maker);
    if (!keeps_few_positions(graph, node)) return false;
    id = node.inputs[0];
  }
  return false;
}

bool is_few_rows(const Builder& b, const MatrixOperand& left, const MatrixOperand& right,
                 bool mostly_zero) {
  if (!right.constant || !b.graph().value(right.constant).constant) return false;
  if (b.graph().value(right.constant).type != graph::DType::f32) return false;
  const auto& l = left.matrix;
  const auto& r = right.matrix;
  if (l.dims.size() < 2 || r.dims.size() < 2 || !is_row_major(l)) return false;
  const auto in = l.dims.back(), rows = elements(l.dims) / std::max<std::int64_t>(1, in);
  const Matrix m = flat(r);
  const bool sums = is_row_major(m) && !is_row_major(transposed(m));
  if (in < 1 || rows < 1 || r.dims.back() < 1) return false;
  if (rows > kFewRows && !(mostly_zero && sums)) return false;
  return elements(r.dims) == elements(m.dims) && (is_row_major(m) || is_row_major(transposed(m)));
}

Operand multiply_few_rows(Builder& b, const MatrixOperand& left, const MatrixOperand& right,
                          const Shape& out_shape, const FewRowsOptions& options) {
  const Matrix m = flat(right.matrix);
  Product product;
  product.in = m.dims[0];
  product.out = m.dims[1];
  product.vectors = elements(left.matrix.dims) / product.in;
  product.scale = options.scale;
  product.biased = static_cast<bool>(options.bias);
  Operand matrix = right.tensor;
  if (b.compute_type() == Type::bf16) {
    matrix = bf16_weight(b, right.constant);
    product.bf16 = true;
  }
  const Operand dst = b.make(plain_desc(out_shape));
  const bool dots = is_row_major(transposed(m));
  std::vector<Operand> reads = {matrix, left.tensor};
  if (product.biased) reads.push_back(options.bias);
  const bool biased = product.biased;
  b.kernel(
      [product, dots, biased](Pointers p) {
        const float* bias = biased ? floats(p, 2) : nullptr;
        float* y = floats(p, biased ? 3 : 2);
        product.run(dots, p[0], floats(p, 1), bias, y);
      },
      reads, {dst}, 2 * product.vectors * product.in * product.out);
  return dst;
}

Operand multiply_rows(Builder& b, const Operand& rows, const Operand& matrix, float scale) {
  const auto n = dims_in(rows.desc)[0];
  if (const auto seeds = b.seeds(); seeds > 1 && b.seeds_are_dense(rows)) {
    const AllSeeds together(b);
    Operand out =
        multiply_rows(b, rows.as(plain_desc({seeds * n, dims_in(rows.desc)[1]})), matrix, scale);
    out.desc = plain_desc({n, dims_in(matrix.desc)[1]});
    return out;
  }
  Product product;
  product.vectors = n;
  product.in = dims_in(matrix.desc)[0];
  product.out = dims_in(matrix.desc)[1];
  product.scale = scale;
  const Operand dst = b.make(plain_desc({n, product.out}));
  b.kernel([product](Pointers p) { product.run(false, p[0], floats(p, 1), nullptr, floats(p, 2)); },
           {matrix, rows}, {dst}, 2 * n * product.in * product.out);
  return dst;
}

}  // namespace fovea::engine
