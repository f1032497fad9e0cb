#pragma once

#include <cstdint>
#include <vector>

#include "simd/kernels.hpp"

/// The tables that the resize kernels read, and the kernels put together. Plain C++: nothing here
/// is compiled for a special instruction set.
namespace fovea::simd {

/// Bilinear taps of one axis: half-pixel centres, edges clamped, no antialiasing (what OpenCV calls
/// INTER_LINEAR and PyTorch align_corners=False). Both sizes at least 1 and below 2^31.
class LinearTaps {
 public:
  LinearTaps(std::int64_t src_size, std::int64_t dst_size);

  /// Valid as long as this object.
  LinearAxis axis() const { return {lo_.data(), hi_.data(), frac_.data()}; }

 private:
  std::vector<std::int32_t> lo_, hi_;
  std::vector<float> frac_;
};

/// Rows [y_begin, y_end) of the dh x dw resize of an sh x sw map. Makes its tables on each call: a
/// caller that splits the rows over threads makes LinearTaps once and calls the kernel.
void resize_bilinear(const float* src, std::int64_t sh, std::int64_t sw, float* dst,
                     std::int64_t dh, std::int64_t dw, std::int64_t y_begin, std::int64_t y_end);

/// Pillow's filters, by its names.
enum class PillowFilter { box, bilinear, hamming, bicubic, lanczos };

/// What a weight is rounded to: a multiple of 2^-22 (Pillow), or of the smallest power of two with
/// which an axis' largest weight fits into 16 bits (PyTorch, for 8-bit tensors).
enum class TapPrecision { pillow, torch };

/// Pillow's antialiased taps of one axis for 8-bit images, for the part [begin, end) of the source,
/// 0 <= begin < end <= src_size (the whole axis by default).
class PillowTaps {
 public:
  PillowTaps(std::int64_t src_size, std::int64_t dst_size);
  PillowTaps(std::int64_t src_size, std::int64_t dst_size, double begin, double end,
             PillowFilter filter = PillowFilter::bilinear,
             TapPrecision precision = TapPrecision::pillow);

  /// Valid as long as this object.
  PillowAxis axis() const { return {first_.data(), count_.data(), coeffs_.data(), stride_}; }

  /// Every output is its own input: Pillow then leaves this pass out.
  bool identity() const { return identity_; }

  /// The source rows (or columns) that outputs [begin, end) read: first, and one past the last. Of
  /// an identity, which is not computed, those that they are.
  std::int64_t first_source(std::int64_t begin) const;
  std::int64_t last_source(std::int64_t end) const;

 private:
  std::vector<std::int32_t> first_, count_, coeffs_;
  std::int64_t stride_ = 0;
  bool identity_ = false;
};

}  // namespace fovea::simd
