#include "engine/ops/matmul.hpp"

#include <algorithm>
#include <initializer_list>

#include "base/checked.hpp"
#include "engine/channel_sums.hpp"
#include "engine/dnnl_compat.hpp"
#include "engine/ops/elementwise.hpp"
#include "engine/ops/few_rows.hpp"
#include "engine/ops/linear.hpp"
#include "engine/ops/post_ops.hpp"

namespace fovea::engine {

Matrix matrix_of(const Shape& shape, bool transposed) {
  Matrix m;
  m.dims = shape;
  m.strides = plain_strides(shape);
  if (transposed) {
    std::swap(m.dims[m.dims.size() - 1], m.dims[m.dims.size() - 2]);
    std::swap(m.strides[m.dims.size() - 1], m.strides[m.dims.size() - 2]);
  }
  return m;
}

Matrix transposed(Matrix m) {
  std::swap(m.dims[m.dims.size() - 1], m.dims[m.dims.size() - 2]);
  std::swap(m.strides[m.dims.size() - 1], m.strides[m.dims.size() - 2]);
  return m;
}

namespace {

/// oneDNN asks for equal ranks: missing leading axes become 1.
Matrix padded(Matrix m, std::size_t rank) {
  while (m.dims.size() < rank) {
    m.strides.insert(m.strides.begin(), m.strides.empty() ? 1 : m.strides[0] * m.dims[0]);
    m.dims.insert(m.dims.begin(), 1);
  }
  return m;
}

/// Leaves out the axes along which there is one matrix everywhere. oneDNN 3.7 writes beyond the
/// result of [n, 1, rows, inner] times [1, 1, inner, columns].
void drop_ones(std::initializer_list<Matrix*> all) {
  const auto matrices = static_cast<std::ptrdiff_t>((*all.begin())->dims.size()) - 2;
  for (auto axis = matrices; axis-- > 0;) {
    const auto is_one = [&](const Matrix* m) {
      return m->dims[static_cast<std::size_t>(axis)] == 1;
    };
    if (!std::all_of(all.begin(), all.end(), is_one)) continue;
    for (auto* m : all) {
      m->dims.erase(m->dims.begin() + axis);
      m->strides.erase(m->strides.begin() + axis);
    }
  }
}

Desc desc_of(const Matrix& m, Type type) {
  return {m.dims, type, m.strides};
}

/// An operand in the compute type, read with m's strides; what is converted at run time is
/// row-major in m's own order.
Operand operand(Builder& b, const Operand& tensor, const Matrix& m, graph::ValueId constant) {
  Operand view = tensor.as(desc_of(m, Type::f32));
  if (b.compute_type() == Type::f32) return view;
  if (constant && b.graph().value(constant).constant)
    return {desc_of(m, Type::bf16), bf16_weight(b, constant).buffer};
  return b.in_layout(view, Desc(m.dims, Type::bf16, plain_strides(m.dims)));
}

}  // namespace

Operand bf16_weight(Builder& b, graph::ValueId constant) {
  const Shape& shape = b.graph().value(constant).shape;
  return b.packed_weight(constant, plain_desc(shape), plain_desc(shape, Type::bf16), "bf16");
}

namespace {

bool lies_plain(const Matrix& m) {
  return m.strides == plain_strides(m.dims);
}

/// Of a matrix that is the same along all axes before its own.
Matrix alone(const Matrix& m) {
  return {{m.dims.end() - 2, m.dims.end()}, {m.strides.end() - 2, m.strides.end()}};
}

/// Of several seeds, whose left matrices are multiplied with what all of them share: as one product
/// of more rows where they lie so, else of more matrices. None where seeds have to go one by one.
Operand multiply_all_seeds(Builder& b, const MatrixOperand& left, const MatrixOperand& right,
                           const Shape& out_shape, const MultiplyOptions& options) {
  const auto seeds = b.seeds();
  if (seeds == 1 || !b.is_per_seed(left.tensor) || b.is_per_seed(right.tensor) || options.dst ||
      options.attr.get_post_ops().len() > 0)
    return {};
  const auto& r = right.matrix.dims;
  const auto is_one = [](std::int64_t extent) { return extent == 1; };
  MatrixOperand all = left, shared = right;
  Shape shape = out_shape;
  const auto columns = left.matrix.dims.back();
  if (lies_plain(left.matrix) && b.seeds_are_dense(left.tensor) && columns > 0 &&
      std::all_of(r.begin(), r.end() - 2, is_one)) {
    std::int64_t rows = seeds;
    for (std::size_t i = 0; i + 1 < left.matrix.dims.size(); ++i) rows *= left.matrix.dims[i];
    all.matrix = matrix_of({rows, columns}, false);
    shared.matrix = alone(right.matrix);
    shape = {rows, out_shape.back()};
  } else {
    const std::size_t rank = std::max({left.matrix.dims.size(), r.size(), out_shape.size()});
    all.matrix = padded(left.matrix, rank);
    all.matrix.dims.insert(all.matrix.dims.begin(), seeds);
    all.matrix.strides.insert(all.matrix.strides.begin(), b.seed_stride(left.tensor));
    shape = padded(matrix_of(out_shape, false), rank).dims;
    shape.insert(shape.begin(), seeds);
    if (shape.size() > static_cast<std::size_t>(base::kMaxRank)) return {};
  }
  const AllSeeds together(b);
  Operand out = multiply(b, all, shared, shape, options);
  out.desc = plain_desc(out_shape);
  return out;
}

}  // namespace

Operand multiply(Builder& b, const MatrixOperand& left, const MatrixOperand& right,
                 const Shape& out_shape, const MultiplyOptions& options) {
  if (const Operand out = multiply_all_seeds(b, left, right, out_shape, options)) return out;
  if (!options.dst && options.attr.get_post_ops().len() == 0 &&
      is_few_rows(b, left, right, options.mostly_zero))
    return multiply_few_rows(b, left, right, out_shape, {options.bias, 1.f});
  const std::size_t most =
      std::max({left.matrix.dims.size(), right.matrix.dims.size(), out_shape.size()});
  Matrix lm = padded(left.matrix, most), rm = padded(right.matrix, most);
  Matrix dm = padded(matrix_of(out_shape, false), most);
  drop_ones({&lm, &rm, &dm});
  const std::size_t rank = dm.dims.size();
  const Operand src = operand(b, left.tensor, lm, left.constant);
  const Operand weights = operand(b, right.tensor, rm, right.constant);
  const Desc dst_desc = desc_of(dm, Type::f32);
  Desc bias_desc;
  if (options.bias) {
    Dims bias_dims(rank, 1);
    bias_dims[rank - 1] = dm.dims[rank - 1];
    bias_desc = Desc(bias_dims, Type::f32, plain_strides(bias_dims));
  }
  const auto pd = compat::matmul(cpu(), src.desc, weights.desc, bias_desc, dst_desc, options.attr,
                                 right.by_inputs ? "gemm:jit" : "");
  if (!pd) throw Error(ErrorCode::unsupported, "oneDNN has no matrix product for these extents");
  Operand dst = options.dst ? options.dst : b.make(plain_desc(out_shape));
  const Operand dst_view = dst.as(dst_desc);
  std::vector<std::pair<int, Operand>> args = {
      {DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, dst_view}};
  if (options.bias) args.emplace_back(DNNL_ARG_BIAS, options.bias.as(bias_desc));
  b.primitive(dnnl::matmul(pd), pd.scratchpad_desc(), pd.impl_info_str(), std::move(args));
  return dst;
}

namespace {

using graph::Gemm;
using graph::MatMul;

MatrixOperand operand_in(ForwardContext& c, std::size_t i, bool transpose) {
  return {c.plain_in(i), matrix_of(c.in_shape(i), transpose), c.node().inputs[i]};
}

/// The weights of a Gemm; every plan of a model has one form of them.
MatrixOperand weights_in(const Gemm& op, ForwardContext& c) {
  if (op.trans_b && is_worth_transposing(c)) {
    const Shape& shape = c.in_shape(1);
    return {c.b.transposed_weight(c.node().inputs[1]), matrix_of({shape[1], shape[0]}, false),
            c.node().inputs[1], true};
  }
  return operand_in(c, 1, op.trans_b);
}

/// dst = scale * src over its elements, in a new buffer.
Operand scaled(Builder& b, const Operand& src, float scale) {
  if (scale == 1.f) return src;
  const Operand dst = b.make(src.desc);
  const auto n = stored_elements(src.desc);
  b.kernel(
      [n, scale](Pointers p) {
        simd::kernels().binary_scalar(simd::Binary::mul, floats(p, 0), scale, floats(p, 1), n);
      },
      {src}, {dst});
  return dst;
}

/// dst += scale * c, c broadcast to dst's [rows, columns].
void add_broadcast(ForwardContext& c, const Operand& addend, const Shape& shape, float scale,
                   const Operand& dst) {
  const Shape& out = c.out_shape();
  const Dims strides = broadcast_strides(shape, out);
  c.b.kernel(
      [rows = out[0], columns = out[1], strides, scale](Pointers p) {
        for (std::int64_t i = 0; i < rows; ++i)
          for (std::int64_t j = 0; j < columns; ++j)
            floats(p, 1)[i * columns + j] += scale * floats(p, 0)[i * strides[0] + j * strides[1]];
      },
      {addend}, {dst});
}

bool is_bias_vector(const Shape& shape, std::int64_t columns) {
  if (shape.empty() || shape.back() != columns) return false;
  return std::all_of(shape.begin(), shape.end() - 1, [](std::int64_t e) { return e == 1; });
}

}  // namespace

void forward(const Gemm& op, ForwardContext& c) {
  const bool has_c = c.has(2) && !is_post_op_input(op.post, 2);
  const bool vector =
      has_c && op.beta == 1.f && op.alpha == 1.f && is_bias_vector(c.in_shape(2), c.out_shape()[1]);
  // alpha and a general C come between the product and the post-ops.
  const bool simple = op.alpha == 1.f && (!has_c || vector);
  const MatrixOperand left = operand_in(c, 0, op.trans_a), right = weights_in(op, c);
  MultiplyOptions options;
  options.mostly_zero = !op.trans_a && is_mostly_zero(c);
  const bool few = is_few_rows(c.b, left, right, options.mostly_zero);
  const FusedPostOps fused = fuse(simple && !few ? op.post : graph::PostOps{});
  options.attr = fused.attr;
  if (vector) options.bias = c.plain_in(2);
  if (!few) options.dst = post_op_dst(c, fused, plain_desc(c.out_shape()));
  Operand dst = multiply(c.b, left, right, c.out_shape(), options);
  if (!simple) {
    dst = scaled(c.b, dst, op.alpha);
    if (has_c && op.beta != 0) add_broadcast(c, c.plain_in(2), c.in_shape(2), op.beta, dst);
  }
  finish_post_ops(c, op.post, fused, dst);
}

void backward(const Gemm& op, BackwardContext& c) {
  const Operand diff = c.b.plain(backward_through(c, op.post));
  if (c.has(2) && !is_post_op_input(op.post, 2) && c.wants(2))
    c.send(2, scaled(c.b, reduce_to(c.b, diff, c.out_shape(), c.in_shape(2)), op.beta));
  const MatrixOperand dy{diff, matrix_of(c.out_shape(), false), {}};
  for (std::size_t i = 0; i < 2; ++i) {
    if (!c.wants(i)) continue;
    const bool trans = i == 0 ? op.trans_a : op.trans_b;
    MatrixOperand other =
        i == 0 && c.is_constant(1)
            ? weights_in(op, c)
            : MatrixOperand{c.plain_factor(1 - i),
                            matrix_of(c.in_shape(1 - i), i == 0 ? op.trans_b : op.trans_a),
                            c.node().inputs[1 - i]};
    MatrixOperand left = dy, right = other;
    right.matrix = transposed(right.matrix);
    if (i == 1) {
      left = other;
      left.matrix = transposed(left.matrix);
      right = dy;
    }
    if (trans) {  // (XY)^T = Y^T X^T
      std::swap(left, right);
      left.matrix = transposed(left.matrix);
      right.matrix = transposed(right.matrix);
    }
    c.send(i, scaled(c.b, multiply(c.b, left, right, c.in_shape(i), {}), op.alpha));
  }
}

namespace {

/// x [.., images, k] times a constant matrix ends a backward pass on channel sums.
SumOffer offer_to_end(const SumQuery& query) {
  const auto& weights = query.in(1);
  if (!weights.constant || weights.type != graph::DType::f32 || weights.shape.size() != 2 ||
      !summed_columns(query.layout, query.in_shape()))
    return {};
  return {SumOffer::Kind::ends, {}};
}

/// From the gradient of the product, [images, outputs] row-major.
Operand product_sums(BackwardContext& c, Operand diff, const SumLayout& layout, bool outputs_first,
                     float scale, MatrixOperand weights) {
  const Shape& shape = c.in_shape(1);
  const auto outputs = shape[outputs_first ? 0 : 1];
  const Shape rows{base::element_count(c.out_shape()) / outputs, outputs};
  diff.desc = plain_desc(rows);
  const auto columns = *summed_columns(layout, c.in_shape(0));
  if (std::any_of(columns.begin(), columns.end(),
                  [](const auto& axis) { return axis.role == SumLayout::Role::position; })) {
    const bool as_in_file = weights.matrix.strides == matrix_of(shape, outputs_first).strides;
    const auto sums = channel_summed_weights(
        c.b, c.node().inputs[1], columns, outputs_first,
        as_in_file ? std::span<const float>() : c.b.packed_floats(weights.tensor));
    return multiply_rows(c.b, diff, sums, scale);
  }
  // Nothing to sum: the weights as they lie.
  weights.matrix = transposed(weights.matrix);
  const Operand dx = multiply(c.b, {diff, matrix_of(rows, false), {}}, weights,
                              {rows[0], shape[outputs_first ? 1 : 0]}, {});
  return scaled(c.b, dx, scale);
}

}  // namespace

SumOffer sum_offer(const Gemm& op, const SumQuery& query) {
  return op.trans_a ? SumOffer{} : offer_to_end(query);
}

Operand sum_backward(const Gemm& op, BackwardContext& c, const SumLayout& layout, float scale) {
  const Operand diff = c.b.plain(backward_through(c, op.post));
  return product_sums(c, diff, layout, op.trans_b, op.alpha * scale, weights_in(op, c));
}

namespace {

/// numpy.matmul's operands as matrices: a vector becomes a row (left) or a column (right).
Shape as_matrix(const Shape& shape, bool left) {
  if (shape.size() > 1) return shape;
  return left ? Shape{1, shape[0]} : Shape{shape[0], 1};
}

struct MatMulShapes {
  Shape a, b, out;
  MatMulShapes(const Shape& sa, const Shape& sb) : a(as_matrix(sa, true)), b(as_matrix(sb, false)) {
    const std::size_t rank = std::max(a.size(), b.size());
    for (std::size_t i = 0; i + 2 < rank; ++i) {
      const std::int64_t x = i + a.size() < rank ? 1 : a[i + a.size() - rank];
      const std::int64_t y = i + b.size() < rank ? 1 : b[i + b.size() - rank];
      out.push_back(x == 1 ? y : x);
    }
    out.push_back(a[a.size() - 2]);
    out.push_back(b[b.size() - 1]);
  }
};

}  // namespace

void forward(const MatMul& op, ForwardContext& c) {
  const MatMulShapes shapes(c.in_shape(0), c.in_shape(1));
  const MatrixOperand left{c.plain_in(0), matrix_of(shapes.a, false), c.node().inputs[0]};
  const MatrixOperand right{c.plain_in(1), matrix_of(shapes.b, false), c.node().inputs[1]};
  MultiplyOptions options;
  options.mostly_zero = is_mostly_zero(c);
  const bool few = is_few_rows(c.b, left, right, options.mostly_zero);
  const FusedPostOps fused = fuse(few ? graph::PostOps{} : op.post);
  options.attr = fused.attr;
  const bool has_bias = c.has(2) && !is_post_op_input(op.post, 2);
  if (has_bias) options.bias = c.plain_in(2);
  if (!few) options.dst = post_op_dst(c, fused, plain_desc(c.out_shape()));
  Operand dst = multiply(c.b, left, right, shapes.out, options);
  dst.desc = plain_desc(c.out_shape());
  finish_post_ops(c, op.post, fused, dst);
}

void backward(const MatMul& op, BackwardContext& c) {
  const MatMulShapes shapes(c.in_shape(0), c.in_shape(1));
  const Operand diff = c.b.plain(backward_through(c, op.post));
  const MatrixOperand dy{diff, matrix_of(shapes.out, false), {}};
  // The batch axes of the result with this operand's own matrix extents.
  const auto full = [&](const Shape& own) {
    Shape out = shapes.out;
    std::copy(own.end() - 2, own.end(), out.end() - 2);
    return out;
  };
  if (c.wants(0)) {
    MatrixOperand right{c.plain_factor(1), transposed(matrix_of(shapes.b, false)),
                        c.node().inputs[1]};
    const Shape shape = full(shapes.a);
    Operand part = reduce_to(c.b, multiply(c.b, dy, right, shape, {}), shape, shapes.a);
    part.desc = plain_desc(c.in_shape(0));
    c.send(0, part);
  }
  if (c.wants(1)) {
    MatrixOperand left{c.plain_factor(0), transposed(matrix_of(shapes.a, false)),
                       c.node().inputs[0]};
    const Shape shape = full(shapes.b);
    Operand part = reduce_to(c.b, multiply(c.b, left, dy, shape, {}), shape, shapes.b);
    part.desc = plain_desc(c.in_shape(1));
    c.send(1, part);
  }
}

SumOffer sum_offer(const MatMul&, const SumQuery& query) {
  return offer_to_end(query);
}

Operand sum_backward(const MatMul& op, BackwardContext& c, const SumLayout& layout, float scale) {
  return product_sums(c, c.b.plain(backward_through(c, op.post)), layout, false, scale,
                      operand_in(c, 1, false));
}

namespace {

/// x [.., rows, k] times the node's [k, columns] (or its transpose) rewritten, or, `back`, the
/// transpose of that.
Operand replaced_product(ForwardContext& c, const Operand& x, bool trans_b, bool back,
                         const Rewritten& weights, const Shape& out, const Operand& bias) {
  const Shape& shape = c.in_shape(1);
  const Desc desc = plain_desc(shape);
  const Operand w =
      c.b.derived_weight(c.node().inputs[1], desc, desc, "product" + weights.key, weights.make);
  Matrix right = matrix_of(shape, trans_b);
  if (back) right = transposed(right);
  const Operand left = c.b.plain(x);
  const auto columns = right.dims[1], k = right.dims[0];
  const Shape rows{base::element_count(out) / columns, columns};
  Operand dst = multiply(c.b, {left, matrix_of({rows[0], k}, false), {}}, {w, right, {}}, rows,
                         {.bias = bias, .dst = {}});
  dst.desc = plain_desc(out);
  return dst;
}

}  // namespace

Operand apply(const Gemm& op, ForwardContext& c, const Operand& x, const Substitute& form,
              const Operand& bias, const Operand&) {
  return replaced_product(c, x, op.trans_b, false, rewritten(form, op.alpha), c.out_shape(), bias);
}

Operand transpose(const Gemm& op, BackwardContext& c, const Operand& s, const Substitute& form,
                  const Operand&) {
  return replaced_product(c, s, op.trans_b, true, rewritten(form, op.alpha), c.in_shape(0), {});
}

Operand apply(const MatMul&, ForwardContext& c, const Operand& x, const Substitute& form,
              const Operand& bias, const Operand&) {
  return replaced_product(c, x, false, false, rewritten(form), c.out_shape(), bias);
}

Operand transpose(const MatMul&, BackwardContext& c, const Operand& s, const Substitute& form,
                  const Operand&) {
  return replaced_product(c, s, false, true, rewritten(form), c.in_shape(0), {});
}

}  // namespace fovea::engine
