#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"
#include "engine/ops/broadcast.hpp"

namespace fovea::engine {
namespace {

using graph::Binary;
using graph::BinaryKind;

std::optional<simd::Binary> simd_kind(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::add:
      return simd::Binary::add;
    case BinaryKind::sub:
      return simd::Binary::sub;
    case BinaryKind::mul:
      return simd::Binary::mul;
    case BinaryKind::div:
      return simd::Binary::div;
    case BinaryKind::max:
      return simd::Binary::max;
    case BinaryKind::min:
      return simd::Binary::min;
    case BinaryKind::pow:
    case BinaryKind::mod:
    case BinaryKind::fmod:
    case BinaryKind::bit_and:
    case BinaryKind::bit_or:
    case BinaryKind::bit_xor:
    case BinaryKind::shift_left:
    case BinaryKind::shift_right:
    case BinaryKind::equal:
    case BinaryKind::less:
    case BinaryKind::less_or_equal:
    case BinaryKind::greater:
    case BinaryKind::greater_or_equal:
    case BinaryKind::logical_and:
    case BinaryKind::logical_or:
    case BinaryKind::logical_xor:
      break;
  }
  return std::nullopt;
}

/// 0 op 0 == 0: padding in blocked layouts stays zero.
bool keeps_zero(BinaryKind kind) {
  return kind == BinaryKind::add || kind == BinaryKind::sub || kind == BinaryKind::mul ||
         kind == BinaryKind::max || kind == BinaryKind::min;
}

using Scalar = float (*)(float, float);

/// An integer that a float holds; NaN and what is beyond are none that a run can make right.
std::int64_t whole(float x) {
  return std::abs(x) < 0x1p62f ? static_cast<std::int64_t>(x) : 0;
}

/// By how many bits: what is beyond 64 leaves as little as 64 do.
int shift_of(float x) {
  if (!(x < 64)) return 64;
  return x > -64 ? static_cast<int>(x) : -64;
}

/// Integers are truncated, and have no negative zero: + 0.f.
Scalar scalar_function(BinaryKind kind, bool integers) {
  switch (kind) {
    case BinaryKind::add:
      return [](float a, float b) { return a + b; };
    case BinaryKind::sub:
      return [](float a, float b) { return a - b; };
    case BinaryKind::mul:
      if (integers) return [](float a, float b) { return a * b + 0.f; };
      return [](float a, float b) { return a * b; };
    case BinaryKind::div:
      if (integers) return [](float a, float b) { return std::trunc(a / b) + 0.f; };
      return [](float a, float b) { return a / b; };
    case BinaryKind::pow:
      if (integers) return [](float a, float b) { return std::trunc(std::pow(a, b)) + 0.f; };
      return [](float a, float b) { return std::pow(a, b); };
    case BinaryKind::max:
      return [](float a, float b) { return std::isnan(a) || a > b ? a : b; };
    case BinaryKind::min:
      return [](float a, float b) { return std::isnan(a) || a < b ? a : b; };
    case BinaryKind::mod:
      return [](float a, float b) {
        const float r = std::fmod(a, b);
        return r != 0 && (r < 0) != (b < 0) ? r + b : r + 0.f;
      };
    case BinaryKind::fmod:
      return [](float a, float b) { return std::fmod(a, b) + 0.f; };
    case BinaryKind::bit_and:
      return [](float a, float b) { return static_cast<float>(whole(a) & whole(b)); };
    case BinaryKind::bit_or:
      return [](float a, float b) { return static_cast<float>(whole(a) | whole(b)); };
    case BinaryKind::bit_xor:
      return [](float a, float b) { return static_cast<float>(whole(a) ^ whole(b)); };
    case BinaryKind::shift_left:
      return [](float a, float b) { return std::ldexp(a, shift_of(b)); };
    case BinaryKind::shift_right:
      return [](float a, float b) { return std::floor(std::ldexp(a, -shift_of(b))); };
    case BinaryKind::equal:
      return [](float a, float b) { return a == b ? 1.f : 0.f; };
    case BinaryKind::less:
      return [](float a, float b) { return a < b ? 1.f : 0.f; };
    case BinaryKind::less_or_equal:
      return [](float a, float b) { return a <= b ? 1.f : 0.f; };
    case BinaryKind::greater:
      return [](float a, float b) { return a > b ? 1.f : 0.f; };
    case BinaryKind::greater_or_equal:
      return [](float a, float b) { return a >= b ? 1.f : 0.f; };
    case BinaryKind::logical_and:
      return [](float a, float b) { return a != 0 && b != 0 ? 1.f : 0.f; };
    case BinaryKind::logical_or:
      return [](float a, float b) { return a != 0 || b != 0 ? 1.f : 0.f; };
    case BinaryKind::logical_xor:
      return [](float a, float b) { return (a != 0) != (b != 0) ? 1.f : 0.f; };
  }
  return nullptr;
}

void broadcast_step(ForwardContext& c, const Binary& op, const Operand& a, const Operand& b,
                    const Operand& dst) {
  const BroadcastLoop<2> loop(c.out_shape(), {c.in_shape(0), c.in_shape(1)});
  const bool integers = c.in_type(0) != graph::DType::f32;
  const auto vector_kind = integers ? std::nullopt : simd_kind(op.kind);
  const Scalar scalar = scalar_function(op.kind, integers);
  c.b.kernel(
      [loop, vector_kind, scalar](Pointers p) {
        const float* x = floats(p, 0);
        const float* y = floats(p, 1);
        float* z = floats(p, 2);
        const std::int64_t sa = loop.step(0), sb = loop.step(1);
        base::parallel_for(loop.rows, loop.grain(),
                           [=, &loop](std::int64_t begin, std::int64_t end) {
                             const auto& k = simd::kernels();
                             for (auto row = begin; row < end; ++row) {
                               const auto [oa, ob] = loop.offsets(row);
                               float* out = z + row * loop.width;
                               if (vector_kind && sa == 1 && sb == 1) {
                                 k.binary(*vector_kind, x + oa, y + ob, out, loop.width);
                               } else if (vector_kind && sa == 1 && sb == 0) {
                                 k.binary_scalar(*vector_kind, x + oa, y[ob], out, loop.width);
                               } else if (vector_kind && sa == 0 && sb == 1) {
                                 k.scalar_binary(*vector_kind, x[oa], y + ob, out, loop.width);
                               } else {
                                 for (std::int64_t i = 0; i < loop.width; ++i)
                                   out[i] = scalar(x[oa + i * sa], y[ob + i * sb]);
                               }
                             }
                           });
      },
      {a, b}, {dst});
}

/// One operand is a map [n, c, ...], the other holds one value per channel ([c, 1, 1], [n, c, 1,
/// 1]): index of the map operand, or -1.
int channelwise_map(const Shape& out, const Shape& a, const Shape& b) {
  const auto per_channel = [&](const Shape& s) {
    if (s.size() + 1 < out.size() || s.size() > out.size()) return false;
    const bool has_n = s.size() == out.size();
    const std::size_t channel = has_n ? 1 : 0;
    if (has_n && s[0] != 1 && s[0] != out[0]) return false;
    if (s[channel] != out[1]) return false;
    return std::all_of(s.begin() + static_cast<std::ptrdiff_t>(channel) + 1, s.end(),
                       [](std::int64_t extent) { return extent == 1; });
  };
  if (out.size() < 3 || out.size() > 5) return -1;
  if (a == out && per_channel(b)) return 0;
  if (b == out && per_channel(a)) return 1;
  return -1;
}

/// mul, add and sub of a map with a value per channel, on the map's own layout.
bool channelwise_step(ForwardContext& c, const Binary& op) {
  if (op.kind != BinaryKind::mul && op.kind != BinaryKind::add) return false;
  const int map = channelwise_map(c.out_shape(), c.in_shape(0), c.in_shape(1));
  if (map < 0) return false;
  const Operand src = c.f32_in(static_cast<std::size_t>(map));
  const auto view = map_view(src.desc);
  if (!view) return false;
  const std::size_t other = map == 0 ? 1 : 0;
  const Operand values = c.plain_in(other);
  const bool per_image =
      c.in_shape(other).size() == c.out_shape().size() && c.in_shape(other)[0] > 1;
  const Operand dst = c.make_like(src);
  const bool scale = op.kind == BinaryKind::mul;
  c.b.kernel(
      [v = *view, per_image, scale](Pointers p) {
        over_channels(v, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
          const auto at = n * v.image_stride;
          const float* w = floats(p, 1) + (per_image ? n * v.layout.channels : 0);
          simd::kernels().channel_affine(floats(p, 0) + at, v.layout, scale ? w : nullptr,
                                         scale ? nullptr : w, false, begin, end, floats(p, 2) + at);
        });
      },
      {src, values}, {dst});
  c.out(0, dst);
  return true;
}

void same_layout_step(ForwardContext& c, const Binary& op, const Operand& a, const Operand& b) {
  const Operand dst = c.make_like(a);
  const auto n = stored_elements(a.desc);
  c.b.kernel(
      [n, kind = *simd_kind(op.kind)](Pointers p) {
        const float* x = floats(p, 0);
        const float* y = floats(p, 1);
        float* z = floats(p, 2);
        base::parallel_for(n, kElementGrain, [=](std::int64_t begin, std::int64_t end) {
          simd::kernels().binary(kind, x + begin, y + begin, z + begin, end - begin);
        });
      },
      {a, b}, {dst});
  c.out(0, dst);
}

}  // namespace

void forward(const Binary& op, ForwardContext& c) {
  const bool real = c.in_type(0) == graph::DType::f32;
  if (real && simd_kind(op.kind) && c.in_shape(0) == c.in_shape(1)) {
    Operand a = c.f32_in(0);
    if (has_padding(a.desc) && !keeps_zero(op.kind)) a = c.b.plain(a);
    return same_layout_step(c, op, a, c.b.in_layout(c.in(1), a.desc));
  }
  if (real && channelwise_step(c, op)) return;
  const Operand dst = c.make_plain_out();
  broadcast_step(c, op, c.plain_in(0), c.plain_in(1), dst);
  c.out(0, dst);
}

namespace {

/// d(a op b) / d(input) as a function of a and b; ties of max and min are shared, as in PyTorch.
Scalar slope(BinaryKind kind, std::size_t input) {
  if (input == 0) {
    switch (kind) {
      case BinaryKind::mul:
        return [](float, float b) { return b; };
      case BinaryKind::div:
        return [](float, float b) { return 1 / b; };
      case BinaryKind::pow:
        return [](float a, float b) { return b == 0 ? 0.f : b * std::pow(a, b - 1); };
      case BinaryKind::max:
        return [](float a, float b) { return a > b ? 1.f : a == b ? 0.5f : 0.f; };
      case BinaryKind::min:
        return [](float a, float b) { return a < b ? 1.f : a == b ? 0.5f : 0.f; };
      case BinaryKind::add:
      case BinaryKind::sub:
      case BinaryKind::mod:
      case BinaryKind::fmod:
      case BinaryKind::bit_and:
      case BinaryKind::bit_or:
      case BinaryKind::bit_xor:
      case BinaryKind::shift_left:
      case BinaryKind::shift_right:
      case BinaryKind::equal:
      case BinaryKind::less:
      case BinaryKind::less_or_equal:
      case BinaryKind::greater:
      case BinaryKind::greater_or_equal:
      case BinaryKind::logical_and:
      case BinaryKind::logical_or:
      case BinaryKind::logical_xor:
        break;
    }
    return [](float, float) { return 1.f; };
  }
  switch (kind) {
    case BinaryKind::sub:
      return [](float, float) { return -1.f; };
    case BinaryKind::mul:
      return [](float a, float) { return a; };
    case BinaryKind::div:
      return [](float a, float b) { return -a / (b * b); };
    case BinaryKind::pow:
      return [](float a, float b) { return a == 0 && b >= 0 ? 0.f : std::pow(a, b) * std::log(a); };
    case BinaryKind::max:
      return [](float a, float b) { return b > a ? 1.f : a == b ? 0.5f : 0.f; };
    case BinaryKind::min:
      return [](float a, float b) { return b < a ? 1.f : a == b ? 0.5f : 0.f; };
    case BinaryKind::add:
    case BinaryKind::mod:
    case BinaryKind::fmod:
    case BinaryKind::bit_and:
    case BinaryKind::bit_or:
    case BinaryKind::bit_xor:
    case BinaryKind::shift_left:
    case BinaryKind::shift_right:
    case BinaryKind::equal:
    case BinaryKind::less:
    case BinaryKind::less_or_equal:
    case BinaryKind::greater:
    case BinaryKind::greater_or_equal:
    case BinaryKind::logical_and:
    case BinaryKind::logical_or:
    case BinaryKind::logical_xor:
      break;
  }
  return [](float, float) { return 1.f; };
}

/// The gradient of a map that is multiplied with a value per channel, on its own layout.
bool send_to_map(BackwardContext& c, std::size_t map, const MapView& view) {
  const std::size_t other = 1 - map;
  const bool per_image =
      c.in_shape(other).size() == c.out_shape().size() && c.in_shape(other)[0] > 1;
  const Operand out = c.b.make(c.grad().desc);
  c.b.kernel(
      [view, per_image](Pointers p) {
        over_channels(view, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
          simd::kernels().channel_affine(floats(p, 0) + n * view.image_stride, view.layout,
                                         floats(p, 1) + (per_image ? n * view.layout.channels : 0),
                                         nullptr, false, begin, end,
                                         floats(p, 2) + n * view.image_stride);
        });
      },
      {c.grad(), c.plain_factor(other)}, {out});
  c.send(map, out);
  return true;
}

/// The gradient of the value per channel: `part` summed over positions.
bool send_to_channels(BackwardContext& c, std::size_t input, const Operand& part,
                      const MapView& view) {
  const Operand out = c.b.make(plain_desc(c.in_shape(input)));
  c.b.kernel(
      [view](Pointers p) {
        over_channels(view, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
          float* sums = floats(p, 1) + n * view.layout.channels;
          simd::kernels().channel_mean(floats(p, 0) + n * view.image_stride, view.layout, begin,
                                       end, sums);
          simd::kernels().binary_scalar(simd::Binary::mul, sums + begin,
                                        static_cast<float>(view.layout.positions), sums + begin,
                                        end - begin);
        });
      },
      {part}, {out});
  c.send(input, out);
  return true;
}

/// Products and sums of a map and a value per channel (squeeze-excite, a bias), on the layout that
/// the gradient has.
bool channelwise_gradient(const Binary& op, BackwardContext& c, std::size_t input) {
  if (op.kind != BinaryKind::mul && op.kind != BinaryKind::add) return false;
  const int map = channelwise_map(c.out_shape(), c.in_shape(0), c.in_shape(1));
  if (map < 0) return false;
  const auto view = map_view(c.grad().desc);
  if (!view || view->layout.positions == 0) return false;
  const auto map_input = static_cast<std::size_t>(map);
  if (input == map_input) return send_to_map(c, map_input, *view);
  const bool per_image = c.in_shape(input).size() == c.out_shape().size();
  if (view->images > 1 && (!per_image || c.in_shape(input)[0] == 1)) return false;
  const Operand part =
      op.kind == BinaryKind::mul ? product_of(c.b, c.grad(), c.factor(map_input)) : c.grad();
  return send_to_channels(c, input, part, *view);
}

/// What goes by differences.
PairFunction pair_function(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::mul:
      return [](double a, double b) { return a * b; };
    case BinaryKind::div:
      return [](double a, double b) { return a / b; };
    case BinaryKind::pow:
      return [](double a, double b) { return std::pow(a, b); };
    case BinaryKind::max:
      return [](double a, double b) { return std::isnan(a) || a > b ? a : b; };
    case BinaryKind::add:
    case BinaryKind::sub:
    case BinaryKind::min:
    case BinaryKind::mod:
    case BinaryKind::fmod:
    case BinaryKind::bit_and:
    case BinaryKind::bit_or:
    case BinaryKind::bit_xor:
    case BinaryKind::shift_left:
    case BinaryKind::shift_right:
    case BinaryKind::equal:
    case BinaryKind::less:
    case BinaryKind::less_or_equal:
    case BinaryKind::greater:
    case BinaryKind::greater_or_equal:
    case BinaryKind::logical_and:
    case BinaryKind::logical_or:
    case BinaryKind::logical_xor:
      break;
  }
  return [](double a, double b) { return std::isnan(a) || a < b ? a : b; };
}

/// Under the rescale rule what is not linear in the operands that vary goes by differences.
bool by_quotient(const Binary& op, const BackwardContext& c) {
  if (c.b.rule() != GradientRule::rescale) return false;
  if (op.kind == BinaryKind::add || op.kind == BinaryKind::sub) return false;
  return op.kind != BinaryKind::mul || (c.wants(0) && c.wants(1));
}

void send_gradient(const Binary& op, BackwardContext& c, std::size_t input) {
  const bool same = c.in_shape(0) == c.in_shape(1);
  if (op.kind == BinaryKind::add && c.in_shape(input) == c.out_shape())
    return c.send(input, c.grad());
  if (op.kind == BinaryKind::mul && same)
    return c.send(input, product_of(c.b, c.grad(), c.factor(1 - input)));
  if (channelwise_gradient(op, c, input)) return;
  Operand part = c.plain_grad();
  if (by_quotient(op, c)) {
    // Of smooth functions: what is left of a smaller difference is rounding.
    const float small = op.kind == BinaryKind::div || op.kind == BinaryKind::pow ? 1e-3f : 0.f;
    part = rescaled_pair(c, pair_function(op.kind), slope(op.kind, input), input, small);
  } else if (op.kind != BinaryKind::add) {
    const bool reads = op.kind != BinaryKind::sub;
    const BroadcastLoop<2> loop(c.out_shape(),
                                {reads ? c.in_shape(0) : Shape{}, reads ? c.in_shape(1) : Shape{}});
    const Operand out = c.b.make(plain_desc(c.out_shape()));
    const unsigned used = backward_reads(op, 1u << input).inputs;
    // A slope that reads one operand only leaves the other's buffer free: name that one twice.
    const auto operand = [&](std::size_t i) -> Operand {
      if (!reads) return part;
      return (used >> i & 1u) != 0 ? c.plain_in(i) : c.plain_in(1 - i);
    };
    const bool has_a = !reads || (used & 1u) != 0;
    const bool has_b = !reads || (used & 2u) != 0;
    c.b.kernel(
        [loop, f = slope(op.kind, input), has_a, has_b](Pointers p) {
          const float* diff = floats(p, 0);
          const float* x = floats(p, 1);
          const float* y = floats(p, 2);
          float* z = floats(p, 3);
          base::parallel_for(loop.rows, loop.grain(),
                             [=, &loop](std::int64_t begin, std::int64_t end) {
                               for (auto row = begin; row < end; ++row) {
                                 const auto [oa, ob] = loop.offsets(row);
                                 for (std::int64_t i = 0; i < loop.width; ++i) {
                                   const float a = has_a ? x[oa + i * loop.step(0)] : 0.f;
                                   const float b = has_b ? y[ob + i * loop.step(1)] : 0.f;
                                   z[row * loop.width + i] = diff[row * loop.width + i] * f(a, b);
                                 }
                               }
                             });
        },
        {part, operand(0), operand(1)}, {out});
    part = out;
  }
  c.send(input, reduce_to(c.b, part, c.out_shape(), c.in_shape(input)));
}

}  // namespace

void backward(const Binary& op, BackwardContext& c) {
  for (std::size_t i = 0; i < 2; ++i)
    if (c.wants(i)) send_gradient(op, c, i);
}

}  // namespace fovea::engine
