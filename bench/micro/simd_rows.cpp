#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "simd/reference.hpp"
#include "simd_job.hpp"

namespace fovea::simd {
namespace {

using Floats = std::shared_ptr<std::vector<float>>;

constexpr i64 kValues = 16384;

Floats random(i64 n, unsigned seed = 1) {
  return std::make_shared<std::vector<float>>(floats(n, seed));
}
Floats empty(i64 n) {
  return std::make_shared<std::vector<float>>(static_cast<std::size_t>(n));
}

/// True where some dst[i] is off want(i) by more than the tolerance.
template <class Want>
bool any_wrong(const std::vector<float>& dst, double tolerance, Want want) {
  for (std::size_t i = 0; i < dst.size(); ++i)
    if (differ(dst[i], want(i), tolerance)) return true;
  return false;
}

/// Slopes by differences, away from kinks, where those are no slopes.
bool slope_is_wrong(Unary kind, float a, float b, const std::vector<float>& diff,
                    const std::vector<float>& src, const std::vector<float>& dst) {
  for (std::size_t i = 0; i < dst.size(); ++i) {
    if (std::abs(src[i]) < 1e-3f) continue;
    const auto slope =
        reference::slope(kind, static_cast<long double>(a), static_cast<long double>(b),
                         static_cast<long double>(src[i]));
    if (differ(dst[i], static_cast<double>(slope) * diff[i], 2e-5)) return true;
  }
  return false;
}

void add_unary_rows() {
  struct Row {
    const char* name;
    Unary kind;
    float a = 0, b = 0;
  };
  for (const auto& row : std::vector<Row>{{"relu", Unary::relu},
                                          {"clip", Unary::clip, 0.f, 6.f},
                                          {"sigmoid", Unary::sigmoid},
                                          {"silu", Unary::silu},
                                          {"hard_swish", Unary::hard_swish},
                                          {"gelu_erf", Unary::gelu_erf},
                                          {"mish", Unary::mish}})
    add(std::string("unary_backward/") + row.name, [row] {
      const Floats diff = random(kValues), src = random(kValues, 2), dst = empty(kValues);
      return Job{[=](const Kernels& k) {
                   k.unary_backward(row.kind, row.a, row.b, diff->data(), src->data(), dst->data(),
                                    kValues);
                 },
                 [=] { return slope_is_wrong(row.kind, row.a, row.b, *diff, *src, *dst); },
                 kValues * 12};
    });
  add("relu_backward_masked/16384", [] {
    const Floats diff = random(kValues), y = random(kValues, 2), dst = empty(kValues);
    return Job{
        [=](const Kernels& k) {
          k.relu_backward_masked(diff->data(), y->data(), dst->data(), kValues);
        },
        [=] { return any_wrong(*dst, 0, [&](auto i) { return (*y)[i] > 0 ? (*diff)[i] : 0.f; }); },
        kValues * 12};
  });
}

void add_binary_rows() {
  add("binary_scalar/mul", [] {
    const Floats a = random(kValues), dst = empty(kValues);
    return Job{[=](const Kernels& k) {
                 k.binary_scalar(Binary::mul, a->data(), 0.3f, dst->data(), kValues);
               },
               [=] { return any_wrong(*dst, 0, [&](auto i) { return (*a)[i] * 0.3f; }); },
               kValues * 8};
  });
  add("scalar_binary/sub", [] {
    const Floats b = random(kValues), dst = empty(kValues);
    return Job{[=](const Kernels& k) {
                 k.scalar_binary(Binary::sub, 0.3f, b->data(), dst->data(), kValues);
               },
               [=] { return any_wrong(*dst, 0, [&](auto i) { return 0.3f - (*b)[i]; }); },
               kValues * 8};
  });
  add("axpy/16384", [] {
    const Floats src = random(kValues), start = random(kValues, 2), dst = empty(kValues);
    return Job{[=](const Kernels& k) {
                 std::copy(start->begin(), start->end(), dst->begin());
                 k.axpy(0.3f, src->data(), dst->data(), kValues);
               },
               [=] {
                 return any_wrong(*dst, 1e-7, [&](auto i) {
                   return 0.3f * static_cast<double>((*src)[i]) + (*start)[i];
                 });
               },
               kValues * 20};
  });
}

void add_map_rows() {
  constexpr i64 kMap = i64{224} * 224;
  const auto extremes = [](const std::vector<float>& map, const MapStats& got) {
    const auto [low, high] = std::minmax_element(map.begin(), map.end());
    return got.has_nan || differ(got.min, *low, 0) || differ(got.max, *high, 0);
  };
  add("relu_max/224x224", [=] {
    const Floats start = random(kMap), map = empty(kMap);
    const auto stats = std::make_shared<MapStats>();
    return Job{[=](const Kernels& k) {
                 std::copy(start->begin(), start->end(), map->begin());
                 *stats = k.relu_max(map->data(), kMap);
               },
               [=] {
                 return extremes(*map, *stats) ||
                        any_wrong(*map, 0, [&](auto i) { return std::max((*start)[i], 0.f); });
               },
               kMap * 16};
  });
  add("min_max/224x224", [=] {
    const Floats map = random(kMap);
    const auto stats = std::make_shared<MapStats>();
    return Job{[=](const Kernels& k) { *stats = k.min_max(map->data(), kMap); },
               [=] { return extremes(*map, *stats); }, kMap * 4};
  });
  add("scale_shift/224x224", [] {
    const Floats start = random(kMap), map = empty(kMap);
    return Job{[=](const Kernels& k) {
                 std::copy(start->begin(), start->end(), map->begin());
                 k.scale_shift(map->data(), kMap, 0.4f, 0.1f);
               },
               [=] {
                 return any_wrong(*map, 1e-7, [&](auto i) {
                   return 0.4f * static_cast<double>((*start)[i]) + 0.1f;
                 });
               },
               kMap * 16};
  });
  add("copy_finite/3x224x224", [] {
    const Floats src = random(3 * kMap), dst = empty(3 * kMap);
    const auto finite = std::make_shared<bool>();
    return Job{
        [=](const Kernels& k) { *finite = k.copy_finite(src->data(), dst->data(), 3 * kMap); },
        [=] { return !*finite || *dst != *src; }, kMap * 24};
  });
  add("grey/640x480", [] {
    constexpr i64 kPixels = i64{640} * 480;
    const auto src = std::make_shared<std::vector<u8>>(bytes(3 * kPixels));
    const auto dst = std::make_shared<std::vector<u8>>(kPixels);
    return Job{[=](const Kernels& k) { k.grey(src->data(), 3, kPixels, dst->data()); },
               [=] {
                 for (std::size_t i = 0; i < dst->size(); ++i)
                   if ((*dst)[i] != reference::grey(src->data() + 3 * i)) return true;
                 return false;
               },
               kPixels * 4};
  });
}

/// A matrix in bf16, and the same in f32 for the reference.
struct HalfMatrix {
  std::shared_ptr<std::vector<std::uint16_t>> bf16;
  Floats f32;

  explicit HalfMatrix(i64 n)
      : bf16(std::make_shared<std::vector<std::uint16_t>>()), f32(random(n)) {
    for (float& v : *f32) {
      auto bits = std::bit_cast<std::uint32_t>(v);
      bf16->push_back(static_cast<std::uint16_t>(bits >> 16));
      v = std::bit_cast<float>(bits & 0xffff0000u);
    }
  }
};

void add_half_matrix_rows() {
  constexpr i64 kRows = 1000, kColumns = 512;
  add("matrix_vector_bf16/1000x512", [] {
    const HalfMatrix m(kRows * kColumns);
    const Floats src = random(kColumns, 2), dst = empty(kRows);
    return Job{[=](const Kernels& k) {
                 k.matrix_vector_bf16(m.bf16->data(), kColumns, src->data(), 1, 0, kRows,
                                      dst->data(), kRows);
               },
               [=] {
                 for (i64 r = 0; r < kRows; ++r) {
                   double magnitude = 0;
                   const double want = reference::matrix_vector(m.f32->data(), kColumns,
                                                                src->data(), r, &magnitude);
                   if (differ((*dst)[static_cast<std::size_t>(r)], want, 1e-6 * magnitude))
                     return true;
                 }
                 return false;
               },
               kRows * kColumns * 2};
  });
  add("weighted_dots_bf16/1000x512", [] {
    const HalfMatrix m(kRows * kColumns);
    const Floats towards = random(kColumns, 2), weights = random(kColumns, 3);
    const Floats dots = empty(kRows), squares = empty(kRows);
    return Job{[=](const Kernels& k) {
                 k.weighted_dots_bf16(m.bf16->data(), kColumns, towards->data(), weights->data(), 0,
                                      kRows, dots->data(), squares->data());
               },
               [=] {
                 auto squared = *m.f32;
                 for (auto& v : squared) v *= v;
                 for (i64 r = 0; r < kRows; ++r) {
                   const auto at = static_cast<std::size_t>(r);
                   double magnitude = 0;
                   const double dot = reference::matrix_vector(m.f32->data(), kColumns,
                                                               towards->data(), r, &magnitude);
                   if (differ((*dots)[at], dot, 1e-6 * magnitude)) return true;
                   const double square = reference::matrix_vector(squared.data(), kColumns,
                                                                  weights->data(), r, &magnitude);
                   if (differ((*squares)[at], square, 1e-6 * magnitude)) return true;
                 }
                 return false;
               },
               kRows * kColumns * 2};
  });
  add("vector_matrix_bf16/1000x512", [] {
    const HalfMatrix m(kRows * kColumns);
    const Floats src = random(kRows, 2), dst = empty(kColumns);
    return Job{[=](const Kernels& k) {
                 k.vector_matrix_bf16(m.bf16->data(), kRows, kColumns, src->data(), 1, 0, kColumns,
                                      dst->data(), kColumns);
               },
               [=] {
                 for (i64 c = 0; c < kColumns; ++c) {
                   double magnitude = 0;
                   const double want = reference::vector_matrix(m.f32->data(), kRows, kColumns,
                                                                src->data(), c, &magnitude);
                   if (differ((*dst)[static_cast<std::size_t>(c)], want, 1e-6 * magnitude))
                     return true;
                 }
                 return false;
               },
               kRows * kColumns * 2};
  });
}

void add_lstm_rows() {
  constexpr i64 kCells = 96;
  for (const i64 seeds : {1, 9})
    add("lstm_backward/96x" + std::to_string(seeds), [=] {
      const Floats gates = random(5 * kCells, 1), slopes = random(5 * kCells, 2);
      const Floats before = random(kCells, 3), dh = random(seeds * kCells, 4);
      const Floats dc = empty(seeds * kCells), out = empty(4 * seeds * kCells);
      const auto run = [=](const Kernels& k) {
        std::fill(dc->begin(), dc->end(), 0.f);
        k.lstm_backward({kCells, gates->data(), slopes->data(), before->data(), nullptr, false},
                        dh->data(), seeds, dc->data(), out->data());
      };
      return Job{run,
                 [=] {
                   const LstmStep step{kCells,         gates->data(), slopes->data(),
                                       before->data(), nullptr,       false};
                   return any_wrong(*dc, 1e-5, [&](auto i) {
                     return reference::lstm_backward(step, static_cast<i64>(i) % kCells,
                                                     static_cast<double>((*dh)[i]), 0)
                         .cell;
                   });
                 },
                 seeds * kCells * 7 * 4};
    });
}

std::string name_of(MapLayout layout) {
  return std::to_string(layout.channels) + "x" + std::to_string(layout.positions) + "_block" +
         std::to_string(layout.block);
}

void add_layout_rows(MapLayout layout) {
  const i64 n = layout.channels * layout.positions;
  const auto channel_of = [layout](std::size_t i) {
    const auto at = static_cast<i64>(i);
    return static_cast<std::size_t>(at / layout.block / layout.positions * layout.block +
                                    at % layout.block);
  };
  add("channel_dot/" + name_of(layout), [=] {
    const Floats a = random(n), b = random(n, 2), dst = empty(layout.positions);
    return Job{[=](const Kernels& k) {
                 k.channel_dot(a->data(), b->data(), layout, 0, layout.positions, dst->data());
               },
               [=] {
                 for (i64 p = 0; p < layout.positions; ++p) {
                   double magnitude = 0;
                   const double want =
                       reference::channel_dot(a->data(), b->data(), layout, p, &magnitude);
                   if (differ((*dst)[static_cast<std::size_t>(p)], want, 1e-6 * magnitude))
                     return true;
                 }
                 return false;
               },
               n * 8};
  });
  add("channel_affine/" + name_of(layout), [=] {
    const Floats src = random(n), scale = random(layout.channels, 2),
                 shift = random(layout.channels, 3), dst = empty(n);
    return Job{[=](const Kernels& k) {
                 k.channel_affine(src->data(), layout, scale->data(), shift->data(), true, 0,
                                  layout.channels, dst->data());
               },
               [=] {
                 return any_wrong(*dst, 4e-7, [&](auto i) {
                   const auto c = channel_of(i);
                   return std::max(0.0, static_cast<double>((*src)[i]) * (*scale)[c] + (*shift)[c]);
                 });
               },
               n * 8};
  });
  add("channel_spread/" + name_of(layout), [=] {
    const Floats src = random(layout.channels), dst = empty(n);
    return Job{
        [=](const Kernels& k) {
          k.channel_spread(src->data(), 0.25f, layout, 0, layout.channels, dst->data());
        },
        [=] { return any_wrong(*dst, 0, [&](auto i) { return (*src)[channel_of(i)] * 0.25f; }); },
        n * 4};
  });
}

/// A square window over a square map, padded by a third of it.
PoolWindow square(i64 extent, i64 kernel) {
  const i64 pad = kernel / 3, out = (extent + 2 * pad - kernel) / 2 + 1;
  return {{1, extent, extent}, {1, out, out}, {1, kernel, kernel},
          {1, 2, 2},           {1, 1, 1},     {0, pad, pad}};
}

void add_pool_rows(MapLayout layout, const PoolWindow& window, const std::string& name) {
  const i64 n = layout.channels * layout.positions;
  const i64 outputs = window.dst[1] * window.dst[2];
  add("max_pool_backward/" + name, [=] {
    const Floats diff = random(layout.channels * outputs), src = random(n, 2), dst = empty(n);
    return Job{[=](const Kernels& k) {
                 k.max_pool_backward(diff->data(), src->data(), layout, &window, 0, layout.channels,
                                     dst->data());
               },
               [=] {
                 const auto want =
                     reference::max_pool_backward(diff->data(), src->data(), layout, window);
                 return any_wrong(*dst, 1e-6, [&](auto i) { return want[i]; });
               },
               (2 * n + layout.channels * outputs) * 4};
  });
  add("average_pool_backward/" + name, [=] {
    const Floats diff = random(layout.channels * outputs), dst = empty(n);
    const Floats divisors = std::make_shared<std::vector<float>>(
        static_cast<std::size_t>(outputs), static_cast<float>(window.kernel[1] * window.kernel[2]));
    return Job{[=](const Kernels& k) {
                 k.average_pool_backward(diff->data(), layout, &window, divisors->data(), 0,
                                         layout.channels, dst->data());
               },
               [=] {
                 const auto want = reference::average_pool_backward(diff->data(), layout, window,
                                                                    divisors->data());
                 return any_wrong(*dst, 1e-6, [&](auto i) { return want[i]; });
               },
               (n + layout.channels * outputs) * 4};
  });
}

}  // namespace

void add_values() {
  add_unary_rows();
  add_binary_rows();
  add_map_rows();
  add_half_matrix_rows();
  add_lstm_rows();
}

void add_backward_kernels() {
  for (const i64 block : {1, 8, 16}) {
    add_layout_rows({512, 196, block});
    const std::string suffix = "_block" + std::to_string(block);
    add_pool_rows({64, i64{112} * 112, block}, square(112, 3), "3x3_64x112x112" + suffix);
    add_pool_rows({128, i64{56} * 56, block}, square(56, 2), "2x2_128x56x56" + suffix);
  }
}

}  // namespace fovea::simd
