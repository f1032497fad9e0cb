#include <algorithm>
#include <cmath>

#include "reference/parts.hpp"

namespace fovea::reference {

Array slice(const graph::Slice& op, const Array& x, const Shape& shape) {
  Array out(shape);
  each(shape, [&](const Index& o) {
    Index at = o;
    for (std::size_t i = 0; i < op.axes->size(); ++i) {
      const auto axis = static_cast<std::size_t>((*op.axes)[i]);
      at[axis] = (*op.starts)[i] + o[axis] * (*op.steps)[i];
    }
    out[o] = x[at];
  });
  return out;
}

Array pad(const graph::Pad& op, const Array& x, const Shape& shape) {
  Array out(shape);
  each(shape, [&](const Index& o) {
    Index at = o;
    bool fill = false;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const auto n = x.shape[i];
      at[i] -= (*op.pads)[i];
      if (op.mode == graph::PadMode::constant && (at[i] < 0 || at[i] >= n)) fill = true;
      if (op.mode == graph::PadMode::edge) at[i] = std::clamp<std::int64_t>(at[i], 0, n - 1);
      if (op.mode == graph::PadMode::wrap)
        while (at[i] < 0 || at[i] >= n) at[i] += at[i] < 0 ? n : -n;
      if (op.mode == graph::PadMode::reflect)
        while (at[i] < 0 || at[i] >= n) at[i] = at[i] < 0 ? -at[i] : 2 * (n - 1) - at[i];
    }
    out[o] = fill ? static_cast<double>(op.value.value_or(0.f)) : x[at];
  });
  return out;
}

Array repeat(const Array& x, const Shape& shape) {
  Array out(shape);
  const std::size_t lead = shape.size() - x.shape.size();
  each(shape, [&](const Index& o) {
    Index at(x.shape.size());
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = o[lead + i] % x.shape[i];
    out[o] = x[at];
  });
  return out;
}

Array transpose(const graph::Transpose& op, const Array& x, const Shape& shape) {
  Array out(shape);
  each(shape, [&](const Index& o) {
    Index at(o.size());
    for (std::size_t i = 0; i < o.size(); ++i) at[static_cast<std::size_t>(op.perm[i])] = o[i];
    out[o] = x[at];
  });
  return out;
}

namespace {

std::int64_t wrapped(double index, std::int64_t extent) {
  const auto i = static_cast<std::int64_t>(index);
  return i < 0 ? i + extent : i;
}

}  // namespace

Array gather(const graph::Gather& op, const Arrays& in, const Shape& shape) {
  const auto axis = static_cast<std::size_t>(op.axis);
  const std::size_t depth = in[1].shape.size();
  Array out(shape);
  each(shape, [&](const Index& o) {
    const Index pick(o.begin() + op.axis, o.begin() + op.axis + static_cast<std::ptrdiff_t>(depth));
    Index at(o.begin(), o.begin() + op.axis);
    at.push_back(wrapped(in[1][pick], in[0].shape[axis]));
    at.insert(at.end(), o.begin() + op.axis + static_cast<std::ptrdiff_t>(depth), o.end());
    out[o] = in[0][at];
  });
  return out;
}

Array gather_elements(const graph::GatherElements& op, const Arrays& in, const Shape& shape) {
  const auto axis = static_cast<std::size_t>(op.axis);
  Array out(shape);
  each(shape, [&](const Index& o) {
    Index at = o;
    at[axis] = wrapped(in[1][o], in[0].shape[axis]);
    out[o] = in[0][at];
  });
  return out;
}

Array cumulative_sum(const graph::CumSum& op, const Array& x) {
  const auto axis = static_cast<std::size_t>(*op.axis);
  Array out(x.shape);
  each(x.shape, [&](const Index& o) {
    double sum = 0;
    Index at = o;
    for (at[axis] = 0; at[axis] < x.shape[axis]; ++at[axis]) {
      const bool before = op.reverse ? at[axis] > o[axis] : at[axis] < o[axis];
      if (before || (at[axis] == o[axis] && !op.exclusive)) sum += x[at];
    }
    out[o] = sum;
  });
  return out;
}

Array gather_nd(const graph::GatherND& op, const Arrays& in, const Shape& shape) {
  const auto lead = static_cast<std::ptrdiff_t>(in[1].shape.size()) - 1;
  Array out(shape);
  each(shape, [&](const Index& o) {
    Index at(o.begin(), o.begin() + op.batch_dims);
    Index tuple(o.begin(), o.begin() + lead);
    tuple.push_back(0);
    for (std::int64_t k = 0; k < in[1].shape.back(); ++k) {
      tuple.back() = k;
      at.push_back(wrapped(in[1][tuple], in[0].shape[at.size()]));
    }
    at.insert(at.end(), o.begin() + lead, o.end());
    out[o] = in[0][at];
  });
  return out;
}

Array scatter_nd(const Arrays& in) {
  Array out = in[0];
  const auto lead = static_cast<std::ptrdiff_t>(in[1].shape.size()) - 1;
  each(in[2].shape, [&](const Index& u) {
    Index at, tuple(u.begin(), u.begin() + lead);
    tuple.push_back(0);
    for (std::int64_t k = 0; k < in[1].shape.back(); ++k) {
      tuple.back() = k;
      at.push_back(wrapped(in[1][tuple], in[0].shape[at.size()]));
    }
    at.insert(at.end(), u.begin() + lead, u.end());
    out[at] = in[2][u];
  });
  return out;
}

namespace {

double coordinate(const graph::Resize& op, std::int64_t i, double scale, std::int64_t in,
                  std::int64_t out) {
  using C = graph::ResizeCoordinates;
  const auto x = static_cast<double>(i);
  if (op.coordinates == C::asymmetric) return x / scale;
  if (op.coordinates == C::align_corners)
    return out == 1 ? 0 : x * static_cast<double>(in - 1) / static_cast<double>(out - 1);
  if (op.coordinates == C::pytorch_half_pixel && out == 1) return 0;
  return (x + 0.5) / scale - 0.5;
}

std::int64_t rounded(graph::NearestMode mode, double x) {
  using N = graph::NearestMode;
  if (mode == N::floor) return static_cast<std::int64_t>(std::floor(x));
  if (mode == N::ceil) return static_cast<std::int64_t>(std::ceil(x));
  const double down = std::floor(x), part = x - down;
  const bool up = mode == N::round_prefer_ceil ? part >= 0.5 : part > 0.5;
  return static_cast<std::int64_t>(down) + (up ? 1 : 0);
}

}  // namespace

Array resize(const graph::Resize& op, const Array& x, const Shape& shape) {
  Array out(shape);
  const std::size_t rank = shape.size();
  each(shape, [&](const Index& o) {
    double sum = 0;
    // Every corner of the cell around the place looked at, by its weight.
    for (std::size_t corner = 0; corner < (std::size_t{1} << rank); ++corner) {
      double weight = 1;
      Index at(rank);
      for (std::size_t i = 0; i < rank; ++i) {
        const bool high = (corner >> i & 1) != 0;
        if (x.shape[i] == shape[i]) {
          at[i] = o[i];
          weight *= high ? 0 : 1;
          continue;
        }
        const double c = coordinate(op, o[i], (*op.scales)[i], x.shape[i], shape[i]);
        const auto last = x.shape[i] - 1;
        if (op.mode == graph::ResizeMode::nearest) {
          at[i] = std::clamp<std::int64_t>(rounded(op.nearest, c), 0, last);
          weight *= high ? 0 : 1;
        } else {
          const double clamped = std::clamp(c, 0.0, static_cast<double>(last));
          const double down = std::floor(clamped);
          at[i] = std::min(static_cast<std::int64_t>(down) + (high ? 1 : 0), last);
          weight *= high ? clamped - down : 1 - (clamped - down);
        }
      }
      if (weight != 0) sum += weight * x[at];
    }
    out[o] = sum;
  });
  return out;
}

Array depth_to_space(const graph::DepthToSpace& op, const Array& x, const Shape& shape) {
  Array out(shape);
  const auto k = op.block, depth = shape[1];
  each(shape, [&](const Index& o) {
    const auto dy = o[2] % k, dx = o[3] % k;
    const auto channel =
        op.column_row_depth ? (o[1] * k + dy) * k + dx : (dy * k + dx) * depth + o[1];
    out[o] = x[{o[0], channel, o[2] / k, o[3] / k}];
  });
  return out;
}

Array space_to_depth(const graph::SpaceToDepth& op, const Array& x, const Shape& shape) {
  Array out(shape);
  const auto k = op.block, depth = x.shape[1];
  each(x.shape, [&](const Index& i) {
    out[{i[0], (i[2] % k * k + i[3] % k) * depth + i[1], i[2] / k, i[3] / k}] = x[i];
  });
  return out;
}

Array pasted(const graph::Paste& op, const Arrays& in, const Shape& shape) {
  Array out(shape);
  const auto &clean = in[0], &patch = in[1], &places = in[2];
  const auto rank = op.extents.size();
  each(shape, [&](const Index& o) {
    Index on_map = o, on_patch = o;
    on_map[0] = 0;
    bool inside = true, changed = true;
    for (std::size_t d = 0; d < rank; ++d) {
      const auto place = [&](std::size_t i) {
        return static_cast<std::int64_t>(places[{o[0], op.row, static_cast<std::int64_t>(i)}]);
      };
      on_map[d + 2] = o[d + 2] + place(rank + d);
      on_patch[d + 2] = on_map[d + 2] - place(d);
      inside = inside && on_map[d + 2] >= 0 && on_map[d + 2] < clean.shape[d + 2];
      changed = changed && on_patch[d + 2] >= 0 && on_patch[d + 2] < patch.shape[d + 2];
    }
    out[o] = !inside ? op.fill : changed ? patch[on_patch] : clean[on_map];
  });
  return out;
}

Array concat(const graph::Concat& op, const Arrays& in, const Shape& shape) {
  const auto axis = static_cast<std::size_t>(op.axis);
  Array out(shape);
  each(shape, [&](const Index& o) {
    Index at = o;
    for (const auto& part : in) {
      if (at[axis] < part.shape[axis]) {
        out[o] = part[at];
        return;
      }
      at[axis] -= part.shape[axis];
    }
  });
  return out;
}

Arrays split(const graph::Split& op, const Array& x, const std::vector<Shape>& outs) {
  const auto axis = static_cast<std::size_t>(op.axis);
  Arrays all;
  std::int64_t start = 0;
  for (const auto& shape : outs) {
    Array part(shape);
    each(shape, [&](const Index& o) {
      Index at = o;
      at[axis] += start;
      part[o] = x[at];
    });
    start += shape[axis];
    all.push_back(std::move(part));
  }
  return all;
}

}  // namespace fovea::reference
