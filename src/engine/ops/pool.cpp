#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"
#include "engine/ops/window.hpp"

namespace fovea::engine {
namespace {

using graph::Pool;
using graph::PoolKind;

/// A pool over up to three spatial axes (leading ones of extent 1), one plane at a time, row-major.
struct Geometry {
  std::array<std::int64_t, 3> src{1, 1, 1}, dst{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1},
      dilation{1, 1, 1}, pad{0, 0, 0}, pad_end{0, 0, 0};  // pad_end without ceil_mode's part
  std::int64_t planes = 1, src_size = 1, dst_size = 1;

  Geometry(const Pool& op, const Shape& in, const Shape& out) {
    planes = in[0] * in[1];
    const std::size_t rank = in.size() - 2, lead = 3 - rank;
    for (std::size_t i = 0; i < rank; ++i) {
      src[lead + i] = in[i + 2];
      dst[lead + i] = out[i + 2];
      kernel[lead + i] = op.window.kernel[i];
      stride[lead + i] = op.window.strides[i];
      dilation[lead + i] = op.window.dilations[i];
      pad[lead + i] = op.window.pads_begin[i];
      pad_end[lead + i] = op.window.pads_end[i] - (op.ceil_extra.empty() ? 0 : op.ceil_extra[i]);
    }
    src_size = src[0] * src[1] * src[2];
    dst_size = dst[0] * dst[1] * dst[2];
  }

  /// visit(source offset) for every element of the window at output (z, y, x), in order.
  template <class Visit>
  void window(std::int64_t z, std::int64_t y, std::int64_t x, Visit&& visit) const {
    for (std::int64_t a = 0; a < kernel[0]; ++a) {
      const auto sz = z * stride[0] - pad[0] + a * dilation[0];
      if (sz < 0 || sz >= src[0]) continue;
      for (std::int64_t b = 0; b < kernel[1]; ++b) {
        const auto sy = y * stride[1] - pad[1] + b * dilation[1];
        if (sy < 0 || sy >= src[1]) continue;
        for (std::int64_t d = 0; d < kernel[2]; ++d) {
          const auto sx = x * stride[2] - pad[2] + d * dilation[2];
          if (sx >= 0 && sx < src[2]) visit((sz * src[1] + sy) * src[2] + sx);
        }
      }
    }
  }

  /// The offset of an element where the first axis is counted fastest.
  std::int64_t column_major(std::int64_t at) const {
    const auto x = at % src[2], y = at / src[2] % src[1], z = at / src[2] / src[1];
    return z + src[0] * (y + src[1] * x);
  }

  /// How far a window reaches along an axis, in elements of the source or, with_pad, of the source
  /// and the padding that averages count.
  std::int64_t counted(std::size_t axis, std::int64_t at, bool with_pad) const {
    std::int64_t n = 0;
    for (std::int64_t k = 0; k < kernel[axis]; ++k) {
      const auto s = at * stride[axis] - pad[axis] + k * dilation[axis];
      const bool counts =
          with_pad ? s >= -pad[axis] && s < src[axis] + pad_end[axis] : s >= 0 && s < src[axis];
      n += counts ? 1 : 0;
    }
    return n;
  }

  /// Elements that an average divides by.
  float divisor(std::int64_t z, std::int64_t y, std::int64_t x, bool with_pad) const {
    return static_cast<float>(counted(0, z, with_pad) * counted(1, y, with_pad) *
                              counted(2, x, with_pad));
  }

  std::shared_ptr<const std::vector<float>> divisors(bool with_pad) const {
    auto out = std::make_shared<std::vector<float>>();
    outputs([&](std::int64_t, std::int64_t z, std::int64_t y, std::int64_t x) {
      out->push_back(divisor(z, y, x, with_pad));
    });
    return out;
  }

  simd::PoolWindow window() const {
    simd::PoolWindow out{};
    for (std::size_t i = 0; i < 3; ++i) {
      out.src[i] = src[i];
      out.dst[i] = dst[i];
      out.kernel[i] = kernel[i];
      out.stride[i] = stride[i];
      out.dilation[i] = dilation[i];
      out.pad[i] = pad[i];
    }
    return out;
  }

  template <class Visit>  // visit(output offset, z, y, x)
  void outputs(Visit&& visit) const {
    std::int64_t i = 0;
    for (std::int64_t z = 0; z < dst[0]; ++z)
      for (std::int64_t y = 0; y < dst[1]; ++y)
        for (std::int64_t x = 0; x < dst[2]; ++x) visit(i++, z, y, x);
  }
};

/// PyTorch's rule: the first of equal maxima; NaN wins.
std::int64_t argmax(const Geometry& g, const float* src, std::int64_t z, std::int64_t y,
                    std::int64_t x) {
  std::int64_t best = -1;
  g.window(z, y, x, [&](std::int64_t at) {
    if (best < 0 || src[at] > src[best] || (src[at] != src[at] && src[best] == src[best]))
      best = at;
  });
  return best;
}

void own_forward(const Pool& op, ForwardContext& c) {
  const Geometry g(op, c.in_shape(0), c.out_shape());
  const Operand dst = c.make_plain_out();
  const bool max = op.kind == PoolKind::max, with_pad = op.count_include_pad;
  c.b.kernel(
      [g, max, with_pad](Pointers p) {
        const float* all = floats(p, 0);
        float* out = floats(p, 1);
        base::parallel_for(g.planes, 1, [&, all, out](std::int64_t begin, std::int64_t end) {
          for (auto plane = begin; plane < end; ++plane) {
            const float* src = all + plane * g.src_size;
            g.outputs([&](std::int64_t i, std::int64_t z, std::int64_t y, std::int64_t x) {
              float value = 0;
              if (max) {
                const auto at = argmax(g, src, z, y, x);
                value = at < 0 ? -std::numeric_limits<float>::infinity() : src[at];
              } else {
                g.window(z, y, x, [&](std::int64_t at) { value += src[at]; });
                value /= g.divisor(z, y, x, with_pad);
              }
              out[plane * g.dst_size + i] = value;
            });
          }
        });
      },
      {c.plain_in(0)}, {dst});
  c.out(0, dst);
}

/// Where each maximum lies, counted through the whole tensor.
void indices_forward(const Pool& op, ForwardContext& c) {
  const Geometry g(op, c.in_shape(0), c.out_shape());
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [g, turned = op.column_major](Pointers p) {
        const float* all = floats(p, 0);
        float* out = floats(p, 1);
        base::parallel_for(g.planes, 1, [&, all, out](std::int64_t begin, std::int64_t end) {
          for (auto plane = begin; plane < end; ++plane)
            g.outputs([&](std::int64_t i, std::int64_t z, std::int64_t y, std::int64_t x) {
              auto at = argmax(g, all + plane * g.src_size, z, y, x);
              if (turned) at = g.column_major(at);
              out[plane * g.dst_size + i] = static_cast<float>(plane * g.src_size + at);
            });
        });
      },
      {c.plain_in(0)}, {dst});
  c.out(0, dst);
}

dnnl::algorithm algorithm(const Pool& op) {
  if (op.kind == PoolKind::max) return dnnl::algorithm::pooling_max;
  return op.count_include_pad ? dnnl::algorithm::pooling_avg_include_padding
                              : dnnl::algorithm::pooling_avg_exclude_padding;
}

/// What oneDNN's pooling does not have: padding of a whole window, dilated averages, averages that
/// count the file's padding but not that of ceil_mode.
bool needs_own(const Pool& op) {
  const auto& w = op.window;
  const bool extra = std::any_of(op.ceil_extra.begin(), op.ceil_extra.end(),
                                 [](std::int64_t e) { return e != 0; });
  for (std::size_t i = 0; i < w.kernel.size(); ++i) {
    if (w.pads_begin[i] >= w.kernel[i] || w.pads_end[i] >= w.kernel[i]) return true;
    if (w.dilations[i] != 1) return true;
  }
  return op.kind == PoolKind::average && op.count_include_pad && extra;
}

compat::PoolForward::primitive_desc forward_desc(const Pool& op, ForwardContext& c,
                                                 const Desc& src) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return compat::pool_forward(cpu(), dnnl::prop_kind::forward_inference, algorithm(op), src,
                              any_desc(c.out_shape(), type_of(src)), op.window.kernel,
                              window_dims(op.window), attr);
}

}  // namespace

void forward(const Pool& op, ForwardContext& c) {
  if (op.kind == PoolKind::arg_max) return indices_forward(op, c);
  if (needs_own(op)) return own_forward(op, c);
  const Operand src = c.in(0);
  const auto pd = forward_desc(op, c, src.desc);
  if (!pd) return own_forward(op, c);
  const Operand dst = c.make_out(pd.dst_desc());
  c.b.primitive(compat::PoolForward(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, dst}});
  c.out(0, dst);
}

/// A maximum gives a window's gradient to one element, an average in equal parts: all of it to
/// elements of the map, unless a window has none, or the average counted padding.
SumOffer sum_offer(const Pool& op, const SumQuery& query) {
  if (!query.layout.is_map(query.in_shape())) return {};
  const Geometry g(op, query.in_shape(), query.out_shape());
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (std::int64_t at = 0; at < g.dst[axis]; ++at) {
      const auto inside = g.counted(axis, at, false);
      if (inside == 0) return {};
      if (op.kind == PoolKind::average && op.count_include_pad &&
          g.counted(axis, at, true) != inside)
        return {};
    }
  return {SumOffer::Kind::passes, SumLayout::of_map(query.out_shape())};
}

void backward(const Pool& op, BackwardContext& c) {
  const Geometry g(op, c.in_shape(0), c.out_shape());
  const Desc layout = c.grad_layout(0);
  const bool max = op.kind == PoolKind::max;
  const Operand diff = c.b.in_layout(c.grad(), like(layout, c.out_shape()));
  const Operand src = max ? c.b.in_layout(c.in(0), layout) : diff;
  const Operand diff_src = c.b.make(layout);
  if (max && c.b.rule() == GradientRule::rescale) {
    c.b.kernel(
        [v = *map_view(layout), window = g.window(),
         diff_stride = map_view(diff.desc)->image_stride](Pointers p) {
          over_channels(v, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
            const auto at = n * v.image_stride;
            simd::kernels().max_pool_rescale(floats(p, 0) + n * diff_stride, floats(p, 1) + at,
                                             floats(p, 2) + at, v.layout, &window, begin, end,
                                             floats(p, 3) + at);
          });
        },
        {diff, src, c.b.reference_in(c.in(0), layout)}, {diff_src});
    return c.send(0, diff_src);
  }
  c.b.kernel(
      [v = *map_view(layout), window = g.window(), diff_stride = map_view(diff.desc)->image_stride,
       divisors = max ? nullptr : g.divisors(op.count_include_pad)](Pointers p) {
        over_channels(v, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
          const float* d = floats(p, 0) + n * diff_stride;
          float* out = floats(p, 2) + n * v.image_stride;
          if (divisors)
            simd::kernels().average_pool_backward(d, v.layout, &window, divisors->data(), begin,
                                                  end, out);
          else
            simd::kernels().max_pool_backward(d, floats(p, 1) + n * v.image_stride, v.layout,
                                              &window, begin, end, out);
        });
      },
      {diff, src}, {diff_src});
  c.send(0, diff_src);
}

}  // namespace fovea::engine
