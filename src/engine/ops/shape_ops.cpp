#include <algorithm>
#include <array>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"
#include "engine/ops/merged_axes.hpp"
#include "engine/ops/permute.hpp"

namespace fovea::engine {

using graph::DepthToSpace;
using graph::Reshape;
using graph::SpaceToDepth;
using graph::Transpose;

void permute_step(Builder& b, const Operand& src, const Operand& dst, const Shape& shape,
                  const Dims& strides) {
  constexpr std::size_t kRank = 8;
  std::array<std::int64_t, kRank> extent{}, stride{};
  extent.fill(1);
  const MergedAxes<1> axes(shape, {strides});
  const std::size_t lead = kRank - axes.extents.size();
  for (std::size_t i = 0; i < axes.extents.size(); ++i) {
    extent[lead + i] = axes.extents[i];
    stride[lead + i] = axes.strides[0][i];
  }
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < kRank; ++i) rows *= extent[i];
  b.kernel(
      [=](Pointers p) {
        const float* x = floats(p, 0);
        float* y = floats(p, 1);
        const auto width = extent[kRank - 1], pitch = stride[kRank - 1];
        base::parallel_for(
            rows, std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, width)),
            [=, &extent, &stride](std::int64_t begin, std::int64_t end) {
              for (auto row = begin; row < end; ++row) {
                std::int64_t rest = row, from = 0;
                for (std::size_t i = kRank - 1; i-- > 0;) {
                  from += rest % extent[i] * stride[i];
                  rest /= extent[i];
                }
                float* out = y + row * width;
                for (std::int64_t i = 0; i < width; ++i) out[i] = x[from + i * pitch];
              }
            });
      },
      {src}, {dst});
}

namespace {

/// The same memory under other extents.
Operand reshaped(const Operand& plain, const Shape& shape) {
  return plain.as(plain_desc(shape, type_of(plain.desc)));
}

graph::Ints inverse(const graph::Ints& perm) {
  graph::Ints out(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i)
    out[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  return out;
}

/// True where only axes along which there is one element change places.
bool moves_nothing(const Shape& shape, const graph::Ints& perm) {
  std::int64_t last = -1;
  for (const auto axis : perm) {
    if (shape[static_cast<std::size_t>(axis)] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

Operand transpose(Builder& b, const Operand& plain, const Shape& shape, const graph::Ints& perm,
                  const Shape& result) {
  if (moves_nothing(shape, perm)) return reshaped(plain, result);
  const Dims own = plain_strides(shape);
  Shape extents;
  Dims strides;
  for (const auto axis : perm) {
    extents.push_back(shape[static_cast<std::size_t>(axis)]);
    strides.push_back(own[static_cast<std::size_t>(axis)]);
  }
  const Operand dst = b.make(plain_desc(result));
  permute_step(b, plain, dst, extents, strides);
  return dst;
}

/// Depth-to-space as split extents and a permutation of them.
struct Rearrangement {
  Shape split;
  graph::Ints perm;
};
Rearrangement depth_to_space(const DepthToSpace& op, const Shape& in) {
  const auto k = op.block, depth = in[1] / (k * k);
  if (op.column_row_depth) return {{in[0], depth, k, k, in[2], in[3]}, {0, 1, 4, 2, 5, 3}};
  return {{in[0], k, k, depth, in[2], in[3]}, {0, 3, 4, 1, 5, 2}};
}
Rearrangement space_to_depth(const SpaceToDepth& op, const Shape& in) {
  const auto k = op.block;
  return {{in[0], in[1], in[2] / k, k, in[3] / k, k}, {0, 3, 5, 1, 2, 4}};
}

void rearrange(ForwardContext& c, const Rearrangement& r) {
  c.out(0, transpose(c.b, c.plain_in(0), r.split, r.perm, c.out_shape()));
}

void rearrange_back(BackwardContext& c, const Rearrangement& r) {
  Shape permuted;
  for (const auto axis : r.perm) permuted.push_back(r.split[static_cast<std::size_t>(axis)]);
  c.send(0, transpose(c.b, c.plain_grad(), permuted, inverse(r.perm), c.in_shape(0)));
}

}  // namespace

void forward(const Reshape&, ForwardContext& c) {
  c.out(0, reshaped(c.plain_in(0), c.out_shape()));
}

void backward(const Reshape&, BackwardContext& c) {
  c.send(0, reshaped(c.plain_grad(), c.in_shape(0)));
}

SumOffer sum_offer(const Reshape&, const SumQuery& query) {
  return {SumOffer::Kind::passes, query.layout};
}

void forward(const Transpose& op, ForwardContext& c) {
  c.out(0, transpose(c.b, c.plain_in(0), c.in_shape(0), op.perm, c.out_shape()));
}

void backward(const Transpose& op, BackwardContext& c) {
  c.send(0, transpose(c.b, c.plain_grad(), c.out_shape(), inverse(op.perm), c.in_shape(0)));
}

SumOffer sum_offer(const Transpose& op, const SumQuery& query) {
  const auto extents = query.layout.per_extent(query.in_shape());
  if (!extents) return {};
  SumOffer offer{SumOffer::Kind::passes, {}};
  for (const auto axis : op.perm) {
    const auto& moved = (*extents)[static_cast<std::size_t>(axis)];
    offer.out.axes.insert(offer.out.axes.end(), moved.begin(), moved.end());
  }
  return offer;
}

void forward(const DepthToSpace& op, ForwardContext& c) {
  rearrange(c, depth_to_space(op, c.in_shape(0)));
}
void backward(const DepthToSpace& op, BackwardContext& c) {
  rearrange_back(c, depth_to_space(op, c.in_shape(0)));
}
void forward(const SpaceToDepth& op, ForwardContext& c) {
  rearrange(c, space_to_depth(op, c.in_shape(0)));
}
void backward(const SpaceToDepth& op, BackwardContext& c) {
  rearrange_back(c, space_to_depth(op, c.in_shape(0)));
}

namespace {

[[noreturn]] void not_constant(const ForwardContext& c) {
  c.fail(ErrorCode::unsupported, "its result must be known when the explainer is made");
}

}  // namespace

void forward(const graph::ConstantOfShape& op, ForwardContext& c) {
  const Operand dst = c.make_plain_out();
  c.b.kernel([n = stored_elements(dst.desc), value = static_cast<float>(op.value)](
                 Pointers p) { std::fill(floats(p, 0), floats(p, 0) + n, value); },
             {}, {dst});
  c.out(0, dst);
}
void forward(const graph::Range&, ForwardContext& c) {
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [n = stored_elements(dst.desc)](Pointers p) {
        const double start = *floats(p, 0), step = *floats(p, 1);
        for (std::int64_t i = 0; i < n; ++i)
          floats(p, 2)[i] = static_cast<float>(start + static_cast<double>(i) * step);
      },
      {c.plain_in(0), c.plain_in(2)}, {dst});
  c.out(0, dst);
}
void forward(const graph::ShapeOf&, ForwardContext& c) {
  not_constant(c);
}
void forward(const graph::SizeOf&, ForwardContext& c) {
  not_constant(c);
}
void forward(const graph::NonZero&, ForwardContext& c) {
  not_constant(c);
}
void forward(const graph::NonMaxSuppression&, ForwardContext& c) {
  not_constant(c);
}

}  // namespace fovea::engine
