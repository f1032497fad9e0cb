#pragma once

#include <cstdint>

/// The SIMD kernels: raw pointers in and out, one table of functions per instruction set.
///
/// Every kernel is single-threaded, allocates nothing, throws nothing and keeps no state, so any
/// number of threads may call it on disjoint pieces of work; a range argument named *_begin, *_end
/// is what a caller splits. Where the pieces are cut never changes a bit of the result. Pointers
/// need no alignment. `dst` may be `src` itself in element-wise kernels (in place); any other
/// overlap is undefined. Sizes are trusted: the caller checks them. Results of two instruction sets
/// may differ in the last bits of a float (fused multiply-add), never in a byte of an image.
///
/// This header is included by translation units that are compiled for instruction sets the machine
/// may lack, so it holds types only: an inline function here could be emitted there and be called
/// on a machine that cannot run it.
namespace fovea::simd {

/// baseline: x86-64 (SSE2). avx2: AVX2 and FMA. avx512: AVX-512 F, CD, DQ, BW (and AVX2, FMA).
enum class Isa { baseline, avx2, avx512 };

/// A feature map of one image: channel c of position p lies at
///   src[(c / block * positions + p) * block + c % block].
/// block 1 is plain NCHW, 8 and 16 are oneDNN's nChw8c and nChw16c, block == channels is NHWC.
/// `channels` is the true count: the memory holds whole blocks, and kernels neither read what pads
/// the last one nor leave anything but zero there when they write it.
struct MapLayout {
  std::int64_t channels;
  std::int64_t positions;
  std::int64_t block;
};

/// The smallest and largest value that is not NaN (+inf and -inf where there is none).
struct MapStats {
  float min;
  float max;
  bool has_nan;
};

/// One axis of a bilinear resize: out[i] = in[lo[i]] + (in[hi[i]] - in[lo[i]]) * frac[i].
struct LinearAxis {
  const std::int32_t* lo;
  const std::int32_t* hi;
  const float* frac;
};

/// One axis of a Pillow-exact resize: out[i] = clip8(round(sum_k in[first[i] + k] * coeffs[i *
/// stride + k])), k < count[i], coefficients in fixed point with 22 fractional bits. The stride is
/// a multiple of 4, and the coefficients from count[i] on are zero.
struct PillowAxis {
  const std::int32_t* first;
  const std::int32_t* count;
  const std::int32_t* coeffs;
  std::int64_t stride;
};

/// How interleaved bytes become float planes: (byte * scale - mean[c]) / std[c], c the channel of
/// the output.
struct PlanarSpec {
  std::int64_t src_channels;  ///< 1 (grey), 3 (RGB) or 4 (RGB and one byte that is ignored)
  std::int64_t dst_channels;  ///< 3, or 1: Pillow's grey, (19595 R + 38470 G + 7471 B + 2^15) >> 16
  bool bgr;                   ///< the output planes are B, G, R (with dst_channels 3)
  float scale;
  float mean[3];
  float std[3];
};

/// A pool's windows over three spatial axes; where there are fewer, the first have extent 1. Tap k
/// of output i looks at position i * stride - pad + k * dilation, if there is one.
struct PoolWindow {
  std::int64_t src[3];
  std::int64_t dst[3];
  std::int64_t kernel[3];
  std::int64_t stride[3];
  std::int64_t dilation[3];
  std::int64_t pad[3];
};

/// A step of an LSTM, gates in ONNX's order: input, output, forget, candidate, and fifth what is
/// shown of the new c (h is that times the output gate).
struct LstmStep {
  std::int64_t cells;
  const float* gates;      ///< [5, cells]: what the activations made
  const float* slopes;     ///< [5, cells]: theirs, there
  const float* before;     ///< c before the step
  const float* peepholes;  ///< [3, cells], of input, output and forget gate; null: none
  bool input_forget;       ///< the forget gate is 1 - the input gate
};

enum class Binary { add, sub, mul, div, max, min, add_relu };

/// Two parameters, a and b; those a kind does not name are ignored.
enum class Unary {
  relu,
  leaky_relu,  ///< x > 0 ? x : a x
  clip,        ///< min(max(x, a), b)
  sigmoid,     ///< 1 / (1 + exp(-x))
  tanh,
  silu,          ///< x sigmoid(x)
  swish,         ///< x sigmoid(a x)
  hard_sigmoid,  ///< min(max(a x + b, 0), 1)
  hard_swish,    ///< x min(max(x / 6 + 1/2, 0), 1)
  elu,           ///< x > 0 ? x : a (exp(x) - 1)
  selu,          ///< b (x > 0 ? x : a (exp(x) - 1))
  celu,          ///< x > 0 ? x : a (exp(x / a) - 1)
  exp,
  log,
  sqrt,
  reciprocal,
  abs,
  neg,
  erf,
  gelu_erf,   ///< x (1 + erf(x / sqrt 2)) / 2
  gelu_tanh,  ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  softplus,   ///< log(1 + exp(x))
  softsign,   ///< x / (1 + |x|)
  mish,       ///< x tanh(softplus(x))
  floor,
  ceil,
  sin,
  cos,
};

struct Kernels {
  Isa isa;

  // --- Feature maps to maps ---

  /// dst[c] = mean over positions of channel c, for c in [c_begin, c_end) (dst holds `channels`).
  /// positions must not be 0.
  void (*channel_mean)(const float* src, MapLayout layout, std::int64_t c_begin, std::int64_t c_end,
                       float* dst);

  /// dst[p] = sum_c weights[c] * src[c, p], for p in [p_begin, p_end) (dst holds `positions`).
  void (*weighted_channel_sum)(const float* src, MapLayout layout, const float* weights,
                               std::int64_t p_begin, std::int64_t p_end, float* dst);

  /// dst[p] = sum_c a[c, p] * b[c, p], for p in [p_begin, p_end); both maps have one layout.
  void (*channel_dot)(const float* a, const float* b, MapLayout layout, std::int64_t p_begin,
                      std::int64_t p_end, float* dst);

  /// dst[c, p] = src[c, p] * scale[c] + shift[c], then ReLU if asked, for c in [c_begin, c_end);
  /// scale and shift hold `channels` values, and either may be null (1, 0). Where the range ends at
  /// `channels`, the padding of the last block is set to zero. dst may be src.
  void (*channel_affine)(const float* src, MapLayout layout, const float* scale, const float* shift,
                         bool relu, std::int64_t c_begin, std::int64_t c_end, float* dst);

  /// dst[c, p] = src[c] * scale, for c in [c_begin, c_end); padding as above. src holds `channels`.
  void (*channel_spread)(const float* src, float scale, MapLayout layout, std::int64_t c_begin,
                         std::int64_t c_end, float* dst);

  /// The backward pass of max pooling, for c in [c_begin, c_end): dst is zero but for what each
  /// window adds of diff to its largest element of src: the first of equal ones, or the first NaN.
  /// `layout` is that of src and dst; diff has its channels and block, and a position per window.
  /// Padding as above.
  void (*max_pool_backward)(const float* diff, const float* src, MapLayout layout,
                            const PoolWindow* window, std::int64_t c_begin, std::int64_t c_end,
                            float* dst);

  /// The same under DeepLIFT's rescale rule, from the largest values of src and of ref, another map
  /// in the same layout: where src's is not below, diff times (max src - max ref) / (src - ref)
  /// goes to src's largest element, else to ref's. Without a step the factor is 1.
  void (*max_pool_rescale)(const float* diff, const float* src, const float* ref, MapLayout layout,
                           const PoolWindow* window, std::int64_t c_begin, std::int64_t c_end,
                           float* dst);

  /// The backward pass of average pooling: each element of a window gets diff / divisors[window].
  void (*average_pool_backward)(const float* diff, MapLayout layout, const PoolWindow* window,
                                const float* divisors, std::int64_t c_begin, std::int64_t c_end,
                                float* dst);

  /// dst = scale * r / (z + e), where e is epsilon with the sign of z (that of 0 is positive), for
  /// channels [c_begin, c_end). Where `side` is not null, only where side > 0 (which 1) or side < 0
  /// (which -1), and 0 elsewhere. sums[2 c] is the sum of dst over positions, sums[2 c + 1] that of
  /// dst * e, and with `which` 1 of scale * r where side is 0. Padding as above. dst may be r or z.
  void (*relevance_ratio)(const float* r, const float* z, const float* side, MapLayout layout,
                          float scale, float epsilon, int which, std::int64_t c_begin,
                          std::int64_t c_end, float* dst, double* sums);

  /// map = max(map, 0) in place, NaN stays NaN; `max` and `has_nan` of the result (`min` too).
  MapStats (*relu_max)(float* map, std::int64_t n);

  MapStats (*min_max)(const float* map, std::int64_t n);

  /// dst = src; true where every value is finite.
  bool (*copy_finite)(const float* src, float* dst, std::int64_t n);

  /// map = map * scale + shift, in place.
  void (*scale_shift)(float* map, std::int64_t n, float scale, float shift);

  // --- Element-wise, n contiguous values. NaN in, NaN out, max and min included. ---

  /// dst = a op b; add_relu: max(a + b, 0). dst may be a or b.
  void (*binary)(Binary kind, const float* a, const float* b, float* dst, std::int64_t n);

  /// dst = a op b with one b for all.
  void (*binary_scalar)(Binary kind, const float* a, float b, float* dst, std::int64_t n);

  /// dst = a op b with one a for all (sub and div do not commute).
  void (*scalar_binary)(Binary kind, float a, const float* b, float* dst, std::int64_t n);

  /// dst += alpha * src.
  void (*axpy)(float alpha, const float* src, float* dst, std::int64_t n);

  /// dst = f(src). The relative error is at most 1e-6, and 2e-5 in the far negative tails of swish
  /// and gelu; for sin, cos, hard_sigmoid and hard_swish read absolute. Results below the smallest
  /// normal float may be zero. silu, swish, gelu, mish and hard_swish of -inf are NaN (-inf * 0).
  /// In a padded blocked layout f(0) lands in the padding: see clear_padding.
  void (*unary)(Unary kind, float a, float b, const float* src, float* dst, std::int64_t n);

  /// dst = diff * f'(src). At a kink the slope is that of the side where the function is flatter:
  /// 0 for relu at 0, clip at its bounds, abs at 0; `a` for leaky_relu at 0. Where a slope is zero
  /// on a whole piece (relu, clip, hard_*, floor, ceil), dst is 0 even for an infinite or NaN diff;
  /// NaN in src gives NaN. dst may be src or diff.
  void (*unary_backward)(Unary kind, float a, float b, const float* diff, const float* src,
                         float* dst, std::int64_t n);

  /// dst = diff * (f(src) - f(ref)) / (src - ref), DeepLIFT's rescale rule. Where the two are so
  /// close that the difference would be rounding: the slope, half-way between them of a smooth
  /// function, at src of one in straight pieces. The factor's error is at most 1e-4 for values up
  /// to
  /// 10. dst may be any of the others.
  void (*unary_rescale)(Unary kind, float a, float b, const float* diff, const float* src,
                        const float* ref, float* dst, std::int64_t n);

  /// dst = y > 0 ? diff : 0; y is what the ReLU returned (or took). dst may be diff or y.
  void (*relu_backward_masked)(const float* diff, const float* y, float* dst, std::int64_t n);

  // --- A row-major matrix [rows, columns] times vectors; 1 to 4 read it once ---

  /// dst[v * dst_stride + r] = sum_c matrix[r, c] * src[v * columns + c], for r in [r_begin, r_end)
  /// and v below `vectors`, which is at most 4.
  void (*matrix_vector)(const float* matrix, std::int64_t columns, const float* src,
                        std::int64_t vectors, std::int64_t r_begin, std::int64_t r_end, float* dst,
                        std::int64_t dst_stride);

  /// dst[v * dst_stride + c] = sum_r src[v * rows + r] * matrix[r, c], for c in [c_begin, c_end).
  /// A row whose factors are all zero is not read, so what it holds (a NaN, too) has no effect; of
  /// more than 4 vectors, that is said of a few at a time.
  void (*vector_matrix)(const float* matrix, std::int64_t rows, std::int64_t columns,
                        const float* src, std::int64_t vectors, std::int64_t c_begin,
                        std::int64_t c_end, float* dst, std::int64_t dst_stride);

  /// The same with a matrix in bf16 (the upper halves of floats).
  void (*matrix_vector_bf16)(const std::uint16_t* matrix, std::int64_t columns, const float* src,
                             std::int64_t vectors, std::int64_t r_begin, std::int64_t r_end,
                             float* dst, std::int64_t dst_stride);
  void (*vector_matrix_bf16)(const std::uint16_t* matrix, std::int64_t rows, std::int64_t columns,
                             const float* src, std::int64_t vectors, std::int64_t c_begin,
                             std::int64_t c_end, float* dst, std::int64_t dst_stride);

  /// dots[r] = sum_c matrix[r, c] * towards[c], squares[r] = sum_c matrix[r, c]^2 * weights[c], for
  /// r in [r_begin, r_end) of a bf16 matrix that is read once.
  void (*weighted_dots_bf16)(const std::uint16_t* matrix, std::int64_t columns,
                             const float* towards, const float* weights, std::int64_t r_begin,
                             std::int64_t r_end, float* dots, float* squares);

  // --- Recurrent networks ---

  /// From dh and dc, the gradients [seeds, cells] of h and c after the step, to what the gates'
  /// activations got (out, [seeds, 4 cells]; to the forget gate of `input_forget` goes 0), and dc
  /// becomes that of c before it.
  void (*lstm_backward)(const LstmStep& step, const float* dh, std::int64_t seeds, float* dc,
                        float* out);

  // --- Maps to pictures ---

  /// Rows [y_begin, y_end) of a dh x dw map from a source of sw columns; the axes are indexed by
  /// output column and row (simd/resize.hpp makes them). scratch holds 2 * dw floats, one per
  /// caller. dst is the whole map.
  void (*resize_bilinear)(const float* src, std::int64_t sw, LinearAxis columns, LinearAxis rows,
                          std::int64_t dw, std::int64_t y_begin, std::int64_t y_end, float* scratch,
                          float* dst);

  /// rgb[i] = lut[clamp(trunc(255 * map[i]), 0, 255)], NaN as 0; lut holds 256 RGB triples, rgb
  /// 3 n bytes.
  void (*colormap)(const float* map, std::int64_t n, const std::uint8_t* lut, std::uint8_t* rgb);

  /// dst = floor((1 - alpha) * photo + alpha * heat + 1/2) for n bytes, alpha in [0, 1]. dst may be
  /// photo or heat.
  void (*blend)(const std::uint8_t* photo, const std::uint8_t* heat, float alpha, std::int64_t n,
                std::uint8_t* dst);

  // --- Pictures to tensors; images are interleaved bytes, strides are in bytes ---

  /// Columns: rows [y_begin, y_end) of src become rows [y_begin, y_end) of dst, dw pixels wide;
  /// `src_width` is the width of src in pixels. channels: 1, 3 or 4. The channels are independent
  /// (Pillow multiplies RGB by alpha first in its RGBA mode).
  void (*pillow_columns)(const std::uint8_t* src, std::int64_t src_stride, std::int64_t src_width,
                         std::int64_t channels, PillowAxis axis, std::int64_t dw,
                         std::int64_t y_begin, std::int64_t y_end, std::uint8_t* dst,
                         std::int64_t dst_stride);

  /// Rows: rows [y_begin, y_end) of dst, each of row_bytes bytes, from all of src.
  void (*pillow_rows)(const std::uint8_t* src, std::int64_t src_stride, std::int64_t row_bytes,
                      PillowAxis axis, std::int64_t y_begin, std::int64_t y_end, std::uint8_t* dst,
                      std::int64_t dst_stride);

  /// Pillow's grey of n pixels of 3 or 4 bytes (RGB first).
  void (*grey)(const std::uint8_t* src, std::int64_t channels, std::int64_t n, std::uint8_t* dst);

  /// Rows [y_begin, y_end) of `width` pixels: dst[c * plane_stride + y * row_stride + x], strides
  /// of dst in floats. Computed as written (multiply, subtract, divide, each rounded to float), so
  /// every instruction set gives the same bits.
  void (*planar)(const std::uint8_t* src, std::int64_t src_stride, const PlanarSpec* spec,
                 std::int64_t width, std::int64_t y_begin, std::int64_t y_end, float* dst,
                 std::int64_t row_stride, std::int64_t plane_stride);
};

/// The kernels of the best instruction set of this CPU; found once.
const Kernels& kernels();

/// The kernels of one instruction set, or null where this CPU (or its operating system) lacks it.
const Kernels* kernels(Isa isa);

Isa best_isa();

const char* to_string(Isa isa);

/// Channels rounded up to whole blocks.
std::int64_t padded_channels(MapLayout layout);

/// Sets the lanes that pad the last block to zero, as oneDNN expects them.
void clear_padding(float* map, MapLayout layout);

}  // namespace fovea::simd
