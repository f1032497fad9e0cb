#pragma once

#include <cmath>

#include "simd/kernels/arch.hpp"

/// The backward pass of pooling, a vector of neighbouring channels at a time. Windows are visited
/// in the order of the outputs, so that what falls on one position is added in the same order for
/// every layout.
namespace fovea::simd {
namespace {

/// What the loops below need of a lane or of many; plain layouts have one channel per position.
template <class V>
V load_lanes(const float* p, i64 lanes) {
  if constexpr (std::is_same_v<V, float>)
    return *p;
  else
    return lanes == kLanesOf<V> ? load_all<V>(p) : load_part<V>(p, lanes);
}
template <class V>
void store_lanes(float* p, V v, i64 lanes) {
  if constexpr (std::is_same_v<V, float>)
    *p = v;
  else if (lanes == kLanesOf<V>)
    store_all(p, v);
  else
    store_part(p, v, lanes);
}
template <class V>
V choose(bool take, V a, V b) {
  return take ? a : b;
}
template <class V>
V choose(typename V::batch_bool_type take, V a, V b) {
  return xsimd::select(take, a, b);
}

/// The taps of a window along one axis that lie inside the source.
struct PoolTaps {
  i64 first;  ///< position of the first
  i64 count;
};
inline PoolTaps taps_of(const PoolWindow& w, int axis, i64 output) {
  const i64 step = w.dilation[axis];
  const i64 start = output * w.stride[axis] - w.pad[axis];
  const i64 skipped = start < 0 ? (-start + step - 1) / step : 0;
  const i64 left = w.src[axis] - (start + skipped * step);
  const i64 inside = left <= 0 ? 0 : (left + step - 1) / step;
  return {start + skipped * step, max_of(0, min_of(w.kernel[axis] - skipped, inside))};
}

/// visit(position) for each tap of a window, in order.
template <class Visit>
void each_tap(const PoolWindow& w, PoolTaps z, PoolTaps y, PoolTaps x, Visit visit) {
  for (i64 a = 0; a < z.count; ++a)
    for (i64 b = 0; b < y.count; ++b) {
      const i64 row = (z.first + a * w.dilation[0]) * w.src[1] + y.first + b * w.dilation[1];
      i64 at = row * w.src[2] + x.first;
      for (i64 c = 0; c < x.count; ++c, at += w.dilation[2]) visit(at);
    }
}

/// Zeroes dst, then visit(output, z, y, x) for each window; rows are zeroed just before the first
/// window that reaches them, while they are about to be used.
template <class V, class Visit>
void each_window(const PoolWindow& w, i64 stride, i64 lanes, float* dst, Visit visit) {
  i64 zeroed = 0;
  const auto zero_to = [&](i64 row) {
    for (; zeroed < row * w.src[2]; ++zeroed) store_lanes(dst + zeroed * stride, V(0.f), lanes);
  };
  i64 output = 0;
  for (i64 oz = 0; oz < w.dst[0]; ++oz) {
    const PoolTaps z = taps_of(w, 0, oz);
    for (i64 oy = 0; oy < w.dst[1]; ++oy) {
      const PoolTaps y = taps_of(w, 1, oy);
      if (z.count > 0 && y.count > 0)
        zero_to((z.first + (z.count - 1) * w.dilation[0]) * w.src[1] + y.first +
                (y.count - 1) * w.dilation[1] + 1);
      for (i64 ox = 0; ox < w.dst[2]; ++ox) visit(output++, z, y, taps_of(w, 2, ox));
    }
  }
  zero_to(w.src[0] * w.src[1]);
}

/// `lanes` channels that lie `stride` floats apart from position to position.
template <class V>
void max_back_lanes(const float* diff, const float* src, const PoolWindow& w, i64 stride, i64 lanes,
                    float* dst) {
  each_window<V>(w, stride, lanes, dst, [&](i64 output, PoolTaps z, PoolTaps y, PoolTaps x) {
    // The first tap is taken whatever it holds; after a NaN nothing is.
    V best(0.f), chosen(0.f), tap(0.f);
    each_tap(w, z, y, x, [&](i64 at) {
      const V value = load_lanes<V>(src + at * stride, lanes);
      if constexpr (std::is_same_v<V, float>) {
        const bool take = tap == 0.f || (!(value <= best) && !std::isnan(best));
        best = take ? value : best;
        chosen = take ? tap : chosen;
      } else {
        const auto take = (tap == V(0.f)) | ((!(value <= best)) & !xsimd::isnan(best));
        best = xsimd::select(take, value, best);
        chosen = xsimd::select(take, tap, chosen);
      }
      tap += V(1.f);
    });
    const V d = load_lanes<V>(diff + output * stride, lanes);
    tap = V(0.f);
    each_tap(w, z, y, x, [&](i64 at) {
      float* sum = dst + at * stride;
      store_lanes(sum, V(load_lanes<V>(sum, lanes) + choose<V>(chosen == tap, d, V(0.f))), lanes);
      tap += V(1.f);
    });
  });
}

template <class V>
void average_back_lanes(const float* diff, const PoolWindow& w, const float* divisors, i64 stride,
                        i64 lanes, float* dst) {
  each_window<V>(w, stride, lanes, dst, [&](i64 output, PoolTaps z, PoolTaps y, PoolTaps x) {
    const V share = load_lanes<V>(diff + output * stride, lanes) / V(divisors[output]);
    each_tap(w, z, y, x, [&](i64 at) {
      float* sum = dst + at * stride;
      store_lanes(sum, V(load_lanes<V>(sum, lanes) + share), lanes);
    });
  });
}

inline i64 positions_of(const i64 (&extents)[3]) {
  return extents[0] * extents[1] * extents[2];
}

/// run(tag of the vector, channel's place in the source, in the output, lanes) for each vector of
/// the channels; what pads the last block is set to zero in dst.
template <class Run>
void each_lanes(MapLayout layout, i64 outputs, i64 c_begin, i64 c_end, float* dst, Run run) {
  if (layout.block == 1) {
    for (i64 c = c_begin; c < c_end; ++c) run(Tag<float>{}, c * layout.positions, c * outputs, 1);
    return;
  }
  const i64 block = layout.block;
  with_lanes(block, [&](auto tag) {
    using B = typename decltype(tag)::type;
    for (i64 c = c_begin; c < c_end;) {
      const i64 first = c / block * block;
      const i64 end = min_of(c_end, first + block);
      for (i64 j = c - first; j < end - first; j += kLanesOf<B>)
        run(tag, first * layout.positions + j, first * outputs + j,
            min_of(kLanesOf<B>, end - first - j));
      if (end == layout.channels && end < first + block)
        for (i64 p = 0; p < layout.positions; ++p)
          for (i64 j = end - first; j < block; ++j)
            dst[first * layout.positions + p * block + j] = 0.f;
      c = end;
    }
  });
}

void max_pool_backward(const float* diff, const float* src, MapLayout layout,
                       const PoolWindow* window, i64 c_begin, i64 c_end, float* dst) {
  each_lanes(layout, positions_of(window->dst), c_begin, c_end, dst,
             [&](auto tag, i64 at, i64 output, i64 lanes) {
               using V = typename decltype(tag)::type;
               max_back_lanes<V>(diff + output, src + at, *window, layout.block, lanes, dst + at);
             });
}

void average_pool_backward(const float* diff, MapLayout layout, const PoolWindow* window,
                           const float* divisors, i64 c_begin, i64 c_end, float* dst) {
  each_lanes(layout, positions_of(window->dst), c_begin, c_end, dst,
             [&](auto tag, i64 at, i64 output, i64 lanes) {
               using V = typename decltype(tag)::type;
               average_back_lanes<V>(diff + output, *window, divisors, layout.block, lanes,
                                     dst + at);
             });
}

void channel_spread(const float* src, float scale, MapLayout layout, i64 c_begin, i64 c_end,
                    float* dst) {
  each_lanes(layout, 1, c_begin, c_end, dst, [&](auto tag, i64 at, i64 from, i64 lanes) {
    using V = typename decltype(tag)::type;
    const V value = load_lanes<V>(src + from, lanes) * V(scale);
    for (i64 p = 0; p < layout.positions; ++p)
      store_lanes(dst + at + p * layout.block, value, lanes);
  });
}

}  // namespace
}  // namespace fovea::simd
