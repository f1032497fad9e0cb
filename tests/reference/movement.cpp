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

namespace {

double scattered(graph::ScatterKind kind, double old, double update) {
  if (kind == graph::ScatterKind::add) return old + update;
  if (kind == graph::ScatterKind::mul) return old * update;
  if (kind == graph::ScatterKind::max) return std::max(old, update);
  if (kind == graph::ScatterKind::min) return std::min(old, update);
  return update;
}

}  // namespace

Array scatter_elements(const graph::ScatterElements& op, const Arrays& in) {
  Array out = in[0];
  const auto axis = static_cast<std::size_t>(op.axis);
  each(in[1].shape, [&](const Index& u) {
    Index at = u;
    at[axis] = wrapped(in[1][u], out.shape[axis]);
    out[at] = scattered(op.kind, out[at], in[2][u]);
  });
  return out;
}

Array scatter_nd(const graph::ScatterND& op, const Arrays& in) {
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
    out[at] = scattered(op.kind, out[at], in[2][u]);
  });
  return out;
}

namespace {

/// As ONNX's text has it; `width`: the extent of the result before it became a whole number.
double coordinate(const graph::Resize& op, std::size_t axis, std::int64_t i, double in) {
  using C = graph::ResizeCoordinates;
  const auto x = static_cast<double>(i);
  const double to = op.factors[axis].to, from = op.factors[axis].from, width = in * to / from;
  const double half_pixel = (x + 0.5) * from / to - 0.5;
  switch (op.coordinates) {
    case C::half_pixel:
      return half_pixel;
    case C::half_pixel_symmetric:
      return in / 2 * (1 - static_cast<double>((*op.sizes)[axis]) / width) + half_pixel;
    case C::pytorch_half_pixel:
      return width == 1 ? 0 : half_pixel;
    case C::align_corners:
      return width == 1 ? 0 : x * (in - 1) / (width - 1);
    case C::asymmetric:
      return x * from / to;
    case C::tf_half_pixel_for_nn:
      return half_pixel + 0.5;
    case C::tf_crop_and_resize: {
      const double start = op.roi[axis], end = op.roi[op.roi.size() / 2 + axis];
      return width == 1 ? 0.5 * (start + end) * (in - 1)
                        : start * (in - 1) + x * (end - start) * (in - 1) / (width - 1);
    }
  }
  return 0;
}

std::int64_t rounded(graph::NearestMode mode, double x) {
  using N = graph::NearestMode;
  if (mode == N::floor) return static_cast<std::int64_t>(std::floor(x));
  if (mode == N::ceil) return static_cast<std::int64_t>(std::ceil(x));
  const double down = std::floor(x), part = x - down;
  const bool up = mode == N::round_prefer_ceil ? part >= 0.5 : part > 0.5;
  return static_cast<std::int64_t>(down) + (up ? 1 : 0);
}

/// What element `at` of an axis without ends counts for at place `x`.
double kernel_at(const graph::Resize& op, double x, std::int64_t at, double scale) {
  if (op.mode == graph::ResizeMode::nearest) return at == rounded(op.nearest, x) ? 1 : 0;
  const double d = std::abs(static_cast<double>(at) - x) * (op.antialias ? std::min(scale, 1.) : 1);
  if (op.mode == graph::ResizeMode::linear) return std::max(0., 1 - d);
  const double a = op.cubic_a;
  if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
  return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
}

/// Row i of the matrix of one axis, and what is added; every element of the axis has a place.
std::pair<std::vector<double>, double> axis_row(const graph::Resize& op, std::size_t axis,
                                                std::int64_t i, std::int64_t in) {
  std::vector<double> row(static_cast<std::size_t>(in), 0);
  const auto& factor = op.factors[axis];
  const bool whole = op.roi.empty() || (op.roi[axis] == 0 && op.roi[op.roi.size() / 2 + axis] == 1);
  if (factor.to == factor.from && whole && in == (*op.sizes)[axis]) {
    row[static_cast<std::size_t>(i)] = 1;
    return {row, 0};
  }
  const double x = coordinate(op, axis, i, static_cast<double>(in));
  if (!op.roi.empty() && (x < 0 || x > static_cast<double>(in - 1))) return {row, op.extrapolation};
  const double scale = factor.to / factor.from;
  const auto reach = static_cast<std::int64_t>(3 / std::min(scale, 1.)) + 3;
  const auto middle = static_cast<std::int64_t>(x);
  double sum = 0;
  for (auto at = middle - reach; at <= middle + reach; ++at) {
    const bool outside = at < 0 || at >= in;
    if (outside && op.exclude_outside) continue;
    const double weight = kernel_at(op, x, at, scale);
    row[static_cast<std::size_t>(std::clamp<std::int64_t>(at, 0, in - 1))] += weight;
    sum += weight;
  }
  for (auto& weight : row) weight /= sum;
  return {row, 0};
}

}  // namespace

Array resize(const graph::Resize& op, const Array& x, const Shape& shape) {
  Array now = x;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    Shape extents = now.shape;
    extents[axis] = shape[axis];
    Array next(extents);
    each(extents, [&](const Index& o) {
      const auto [row, constant] = axis_row(op, axis, o[axis], x.shape[axis]);
      double sum = constant;
      Index at = o;
      for (at[axis] = 0; at[axis] < x.shape[axis]; ++at[axis])
        if (const double weight = row[static_cast<std::size_t>(at[axis])]; weight != 0)
          sum += weight * now[at];
      next[o] = sum;
    });
    now = next;
  }
  return now;
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
