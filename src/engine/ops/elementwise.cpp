#include "engine/ops/elementwise.hpp"

#include <algorithm>

#include "base/parallel.hpp"

namespace fovea::engine {

void Gradients::add(graph::ValueId id, const Tensor& part) {
  const Tensor tensor = b_.f32(part);
  const auto it = tensors_.find(id.index);
  if (it == tensors_.end()) {
    tensors_.emplace(id.index, tensor);
  } else {
    it->second = sum_of(b_, it->second, tensor);
  }
}

bool Gradients::may_overwrite(const Tensor& tensor, const graph::Node& reader,
                              graph::ValueId own) const {
  if (!b_.made_by_this_walk(tensor)) return false;
  const auto& graph = b_.graph();
  const auto now = graph.value(reader.outputs[0]).producer;
  return std::none_of(tensors_.begin(), tensors_.end(), [&](const auto& entry) {
    const auto& [id, held] = entry;
    if (held.buffer != tensor.buffer || id == own.index) return false;
    // Nodes are walked from the last to the first: what later ones made has been read.
    const auto producer = graph.values()[static_cast<std::size_t>(id)].producer;
    return !producer || producer.index < now.index;
  });
}

Tensor sum_of(Builder& b, const Tensor& a, const Tensor& other) {
  const Tensor right = b.in_layout(other, a.desc);
  const Tensor out = b.make(a.desc);
  const auto n = stored_elements(a.desc);
  b.kernel(
      [n](Pointers p) {
        const float* x = floats(p, 0);
        const float* y = floats(p, 1);
        float* z = floats(p, 2);
        base::parallel_for(n, kElementGrain, [=](std::int64_t begin, std::int64_t end) {
          simd::kernels().binary(simd::Binary::add, x + begin, y + begin, z + begin, end - begin);
        });
      },
      {a, right}, {out});
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

Tensor reduce_to(Builder& b, const Tensor& diff, const Shape& from, const Shape& to) {
  Tensor current = b.plain(diff);
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
    const Tensor out = b.make(plain_desc(shape));
    b.kernel([outer, reduced,
              inner](Pointers p) { sum_middle(floats(p, 0), floats(p, 1), outer, reduced, inner); },
             {current}, {out});
    current = out;
  }
  current.desc = plain_desc(to);
  return current;
}

}  // namespace fovea::engine
