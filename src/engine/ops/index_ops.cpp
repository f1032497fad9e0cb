#include "engine/ops/index_map.hpp"

#include <algorithm>
#include <numeric>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"
#include "graph/padded_index.hpp"

namespace fovea::engine {
namespace {

/// A part of a row whose elements lie side by side in the source, or, with `from` -1, are filled.
struct Piece {
  std::int64_t to, from, size;
};

bool is_identity(const AxisIndex& table, std::int64_t extent) {
  if (static_cast<std::int64_t>(table.size()) != extent) return false;
  for (std::int64_t i = 0; i < extent; ++i)
    if (table[static_cast<std::size_t>(i)] != i) return false;
  return true;
}

/// The tables with strides multiplied in. The innermost axis that is more than copied as it lies is
/// apart, in pieces, each entry of it with everything behind it; where most pieces are of one
/// element (repeats, steps), it is a table.
struct Loop {
  std::vector<AxisIndex> offsets;  // of the axes in front, slowest first; -1 stays -1
  std::vector<Piece> pieces;
  AxisIndex elements;  // in place of pieces
  std::int64_t rows = 1, width = 1, src_size = 1;

  explicit Loop(const IndexMap& map) {
    const Dims strides = plain_strides(map.src);
    for (const auto extent : map.src) src_size *= extent;
    auto inner = map.axes.size();
    std::int64_t run = 1;
    // Rows that are long enough: more of them are what threads share.
    constexpr std::int64_t kLong = 1024;
    for (; inner > 0 && run < kLong && is_identity(map.axes[inner - 1], map.src[inner - 1]);
         --inner)
      run *= map.src[inner - 1];
    const AxisIndex one{0};
    const bool apart = inner > 0 && run < kLong;
    add_pieces(apart ? map.axes[inner - 1] : one, run);
    for (std::size_t i = 0; i < inner - (apart ? 1 : 0); ++i) {
      AxisIndex table = map.axes[i];
      for (auto& at : table)
        if (at >= 0) at *= strides[i];
      rows *= static_cast<std::int64_t>(table.size());
      if (table != one) offsets.push_back(std::move(table));
    }
  }

  /// Offset of a row's source, or -1 where an outer axis says fill.
  std::int64_t row_offset(std::int64_t row) const {
    std::int64_t at = 0;
    for (std::size_t i = offsets.size(); i-- > 0;) {
      const auto extent = static_cast<std::int64_t>(offsets[i].size());
      const auto part = offsets[i][static_cast<std::size_t>(row % extent)];
      row /= extent;
      if (part < 0) return -1;
      at += part;
    }
    return at;
  }

 private:
  void add_pieces(const AxisIndex& table, std::int64_t run) {
    width = static_cast<std::int64_t>(table.size()) * run;
    for (std::size_t i = 0; i < table.size(); ++i) {
      const Piece next{static_cast<std::int64_t>(i) * run, table[i] < 0 ? -1 : table[i] * run, run};
      auto* last = pieces.empty() ? nullptr : &pieces.back();
      const bool joins = last != nullptr &&
                         (next.from < 0 ? last->from < 0
                                        : last->from >= 0 && next.from == last->from + last->size);
      if (joins)
        last->size += run;
      else
        pieces.push_back(next);
    }
    constexpr std::size_t kShort = 4;
    if (run == 1 && pieces.size() * kShort > table.size()) {
      elements = table;
      pieces.clear();
    }
  }
};

}  // namespace

void index_forward(Builder& b, const IndexMap& map, const Operand& src, const Operand& dst,
                   float fill) {
  auto loop = std::make_shared<const Loop>(map);
  b.kernel(
      [loop, fill](Pointers p) {
        const float* x = floats(p, 0);
        float* y = floats(p, 1);
        base::parallel_for(
            loop->rows,
            std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, loop->width)),
            [&, x, y](std::int64_t begin, std::int64_t end) {
              for (auto row = begin; row < end; ++row) {
                const auto at = loop->row_offset(row);
                float* out = y + row * loop->width;
                if (at < 0) {
                  std::fill(out, out + loop->width, fill);
                  continue;
                }
                const auto& elements = loop->elements;
                for (std::size_t i = 0; i < elements.size(); ++i)
                  out[i] = elements[i] < 0 ? fill : x[at + elements[i]];
                for (const auto& piece : loop->pieces) {
                  if (piece.from < 0)
                    std::fill_n(out + piece.to, piece.size, fill);
                  else
                    std::copy_n(x + at + piece.from, piece.size, out + piece.to);
                }
              }
            });
      },
      {src}, {dst});
}

void index_backward(Builder& b, const IndexMap& map, const Operand& diff_dst,
                    const Operand& diff_src) {
  auto loop = std::make_shared<const Loop>(map);
  b.kernel(
      [loop](Pointers p) {
        const float* dy = floats(p, 0);
        float* dx = floats(p, 1);
        std::fill(dx, dx + loop->src_size, 0.f);
        for (std::int64_t row = 0; row < loop->rows; ++row) {
          const auto at = loop->row_offset(row);
          if (at < 0) continue;
          const float* own = dy + row * loop->width;
          const auto& elements = loop->elements;
          for (std::size_t i = 0; i < elements.size(); ++i)
            if (elements[i] >= 0) dx[at + elements[i]] += own[i];
          for (const auto& piece : loop->pieces) {
            if (piece.from < 0) continue;
            const float* from = own + piece.to;
            float* to = dx + at + piece.from;
            for (std::int64_t i = 0; i < piece.size; ++i) to[i] += from[i];
          }
        }
      },
      {diff_dst}, {diff_src});
}

namespace {

AxisIndex identity(std::int64_t extent) {
  AxisIndex table(static_cast<std::size_t>(extent));
  std::iota(table.begin(), table.end(), std::int64_t{0});
  return table;
}

IndexMap identity_map(const Shape& shape) {
  IndexMap map{shape, {}};
  for (const auto extent : shape) map.axes.push_back(identity(extent));
  return map;
}

IndexMap map_of(const graph::Slice& op, const Shape& in, const Shape& out) {
  IndexMap map = identity_map(in);
  for (std::size_t i = 0; i < op.axes->size(); ++i) {
    const auto axis = static_cast<std::size_t>((*op.axes)[i]);
    auto& table = map.axes[axis];
    table.resize(static_cast<std::size_t>(out[axis]));
    for (std::size_t k = 0; k < table.size(); ++k)
      table[k] = (*op.starts)[i] + static_cast<std::int64_t>(k) * (*op.steps)[i];
  }
  return map;
}

IndexMap map_of(const graph::Pad& op, const Shape& in, const Shape& out) {
  IndexMap map{in, {}};
  for (std::size_t i = 0; i < in.size(); ++i) {
    AxisIndex table(static_cast<std::size_t>(out[i]));
    for (std::size_t k = 0; k < table.size(); ++k)
      table[k] = graph::padded_index(op.mode, static_cast<std::int64_t>(k) - (*op.pads)[i], in[i]);
    map.axes.push_back(std::move(table));
  }
  return map;
}

/// Expand and Tile: the source, with leading ones, repeated along each axis.
IndexMap repeated(const Shape& in, const Shape& out) {
  IndexMap map;
  map.src = Shape(out.size() - in.size(), 1);
  map.src.insert(map.src.end(), in.begin(), in.end());
  for (std::size_t i = 0; i < out.size(); ++i) {
    AxisIndex table(static_cast<std::size_t>(out[i]));
    for (std::size_t k = 0; k < table.size(); ++k)
      table[k] = static_cast<std::int64_t>(k) % std::max<std::int64_t>(1, map.src[i]);
    map.axes.push_back(std::move(table));
  }
  return map;
}

void run_forward(ForwardContext& c, const IndexMap& map, float fill) {
  const Operand dst = c.make_plain_out();
  index_forward(c.b, map, c.plain_in(0), dst, fill);
  c.out(0, dst);
}

void run_backward(BackwardContext& c, const IndexMap& map) {
  const Operand dx = c.make_plain_grad(0);
  index_backward(c.b, map, c.plain_grad(), dx);
  c.send(0, dx);
}

}  // namespace

void forward(const graph::Slice& op, ForwardContext& c) {
  run_forward(c, map_of(op, c.in_shape(0), c.out_shape()), 0);
}
void backward(const graph::Slice& op, BackwardContext& c) {
  run_backward(c, map_of(op, c.in_shape(0), c.out_shape()));
}

void forward(const graph::Pad& op, ForwardContext& c) {
  run_forward(c, map_of(op, c.in_shape(0), c.out_shape()), op.value.value_or(0.f));
}
void backward(const graph::Pad& op, BackwardContext& c) {
  run_backward(c, map_of(op, c.in_shape(0), c.out_shape()));
}

void forward(const graph::Expand&, ForwardContext& c) {
  run_forward(c, repeated(c.in_shape(0), c.out_shape()), 0);
}
void backward(const graph::Expand&, BackwardContext& c) {
  run_backward(c, repeated(c.in_shape(0), c.out_shape()));
}

void forward(const graph::Tile&, ForwardContext& c) {
  run_forward(c, repeated(c.in_shape(0), c.out_shape()), 0);
}
void backward(const graph::Tile&, BackwardContext& c) {
  run_backward(c, repeated(c.in_shape(0), c.out_shape()));
}

}  // namespace fovea::engine
