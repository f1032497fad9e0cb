#include "engine/ops/elementwise.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "engine/ops/broadcast.hpp"

namespace fovea::engine {

void Gradients::add(graph::ValueId id, const Operand& part) {
  const Operand tensor = b_.f32(part);
  const std::pair entry{made_at(id), id.index};
  const auto [it, is_first] = tensors_.try_emplace(id.index, tensor);
  if (!is_first) {
    const auto before = it->second.buffer;
    it->second = sum_of(b_, it->second, tensor);
    lying_in_[before].erase(entry);
  }
  lying_in_[it->second.buffer].insert(entry);
}

Operand BackwardContext::factor(std::size_t i) {
  const bool mean = b.rule() == GradientRule::rescale && wants(0) && wants(1);
  return mean ? mean_with_reference(b, in(i)) : in(i);
}

bool Gradients::may_overwrite(const Operand& tensor, const graph::Node& reader,
                              graph::ValueId own) const {
  if (!b_.made_in_this_pass(tensor)) return false;
  const auto held = lying_in_.find(tensor.buffer);
  if (held == lying_in_.end()) return true;
  // Nodes are visited from the last to the first: what later ones made has been read. Of the
  // others, the earliest decides.
  const int now = made_at(reader.outputs[0]);
  for (const auto& [made, id] : held->second)
    if (id != own.index) return made >= now;
  return true;
}

namespace {

/// Of equal extents, in a's layout.
Operand combined(Builder& b, simd::Binary kind, const Operand& a, const Operand& other) {
  const Operand right = b.in_layout(other, a.desc);
  const Operand out = b.make(a.desc);
  const auto n = stored_elements(a.desc);
  b.kernel(
      [n, kind](Pointers p) {
        const float* x = floats(p, 0);
        const float* y = floats(p, 1);
        float* z = floats(p, 2);
        base::parallel_for(n, kElementGrain, [=](std::int64_t begin, std::int64_t end) {
          simd::kernels().binary(kind, x + begin, y + begin, z + begin, end - begin);
        });
      },
      {a, right}, {out});
  return out;
}

}  // namespace

Operand sum_of(Builder& b, const Operand& a, const Operand& other) {
  return combined(b, simd::Binary::add, a, other);
}

Operand product_of(Builder& b, const Operand& a, const Operand& other) {
  return combined(b, simd::Binary::mul, a, other);
}

Operand mean_with_reference(Builder& b, const Operand& value) {
  const Operand x = b.f32(value), r = b.reference_in(value, x.desc);
  if (same_place(x, r)) return x;
  const Operand out = b.make(x.desc);
  b.kernel(
      [n = stored_elements(x.desc)](Pointers p) {
        const float *from = floats(p, 0), *other = floats(p, 1);
        float* y = floats(p, 2);
        base::parallel_for(n, kElementGrain, [=](std::int64_t begin, std::int64_t end) {
          simd::kernels().binary(simd::Binary::add, from + begin, other + begin, y + begin,
                                 end - begin);
          simd::kernels().binary_scalar(simd::Binary::mul, y + begin, 0.5f, y + begin, end - begin);
        });
      },
      {x, r}, {out});
  return out;
}

Operand rescaled_pair(BackwardContext& c, PairFunction f, PairSlope slope, std::size_t input,
                      float small) {
  const Shape &a = c.in_shape(0), &b = c.in_shape(1);
  const BroadcastLoop<2> loop(c.out_shape(), {a, b});
  const Operand out = c.b.make(plain_desc(c.out_shape()));
  c.b.kernel(
      [loop, f, slope, input, small](Pointers p) {
        const auto share = [=](float x, float y, float other_x, float other_y) {
          const float step = input == 0 ? x - other_x : y - other_y;
          const float size =
              input == 0 ? std::abs(x) + std::abs(other_x) : std::abs(y) + std::abs(other_y);
          if (std::abs(step) <= small * size || step == 0.f) {
            return input == 0
                       ? (slope((x + other_x) / 2, y) + slope((x + other_x) / 2, other_y)) / 2
                       : (slope(x, (y + other_y) / 2) + slope(other_x, (y + other_y) / 2)) / 2;
          }
          const double mixed =
              input == 0 ? f(x, other_y) - f(other_x, y) : f(other_x, y) - f(x, other_y);
          return static_cast<float>((f(x, y) - f(other_x, other_y) + mixed) / 2 / step);
        };
        base::parallel_for(loop.rows, loop.grain(), [&](std::int64_t begin, std::int64_t end) {
          for (auto row = begin; row < end; ++row) {
            const auto [oa, ob] = loop.offsets(row);
            for (std::int64_t i = 0; i < loop.width; ++i) {
              const auto ia = oa + i * loop.step(0), ib = ob + i * loop.step(1);
              const auto at = row * loop.width + i;
              floats(p, 5)[at] = floats(p, 0)[at] * share(floats(p, 1)[ia], floats(p, 2)[ib],
                                                          floats(p, 3)[ia], floats(p, 4)[ib]);
            }
          }
        });
      },
      {c.plain_grad(), c.plain_in(0), c.plain_in(1), c.b.reference_in(c.in(0), plain_desc(a)),
       c.b.reference_in(c.in(1), plain_desc(b))},
      {out});
  return out;
}

Dims broadcast_strides(const Shape& shape, const Shape& broadcast) {
  const Dims own = plain_strides(shape);
  Dims strides(broadcast.size(), 0);
  const std::size_t lead = broadcast.size() - shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1) strides[lead + i] = own[i];
  return strides;
}

namespace {

/// Visits [outer, reduced, inner] sums: dst[o, i] = sum_r src[o, r, i].
void sum_middle(const float* src, float* dst, std::int64_t outer, std::int64_t reduced,
                std::int64_t inner) {
  base::parallel_for(outer, std::max<std::int64_t>(1, kElementGrain / (reduced * inner + 1)),
                     [=](std::int64_t begin, std::int64_t end) {
                       for (auto o = begin; o < end; ++o) {
                         float* row = dst + o * inner;
                         std::fill(row, row + inner, 0.f);
                         if (inner == 1) {
                           double sum = 0;
                           for (std::int64_t r = 0; r < reduced; ++r) sum += src[o * reduced + r];
                           row[0] = static_cast<float>(sum);
                           continue;
                         }
                         for (std::int64_t r = 0; r < reduced; ++r)
                           simd::kernels().axpy(1.f, src + (o * reduced + r) * inner, row, inner);
                       }
                     });
}

}  // namespace

Operand reduce_to(Builder& b, const Operand& diff, const Shape& from, const Shape& to) {
  Operand current = b.plain(diff);
  Shape shape = from;
  const std::size_t lead = from.size() - to.size();
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    const std::int64_t target = axis < lead ? 1 : to[axis - lead];
    if (shape[axis] == target) continue;
    std::int64_t outer = 1, inner = 1;
    for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
    for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
    const std::int64_t reduced = shape[axis];
    shape[axis] = 1;
    const Operand out = b.make(plain_desc(shape));
    b.kernel([outer, reduced,
              inner](Pointers p) { sum_middle(floats(p, 0), floats(p, 1), outer, reduced, inner); },
             {current}, {out});
    current = out;
  }
  current.desc = plain_desc(to);
  return current;
}

}  // namespace fovea::engine
