#pragma once

#include <algorithm>
#include <cstdint>

#include "base/parallel.hpp"
#include "engine/ops/recurrent_cells.hpp"

/// Where one direction of a recurrent network keeps its steps, and what all walks through them do.
namespace fovea::engine {

/// Multiply-adds worth waking a thread for: of a step, after which all wait for each other, and of
/// a whole walk.
constexpr std::int64_t kProductGrain = 262144;
constexpr std::int64_t kWalkGrain = 32768;

/// dst[v] = matrix [rows, columns] times src[v]; `stride` from one dst to the next.
void multiply(const float* matrix, std::int64_t rows, std::int64_t columns, const float* src,
              std::int64_t vectors, float* dst, std::int64_t stride);
/// dst = the transposed matrix times src.
void multiply_transposed(const float* matrix, std::int64_t rows, std::int64_t columns,
                         const float* src, float* dst);

/// One direction of a run.
class Direction {
 public:
  Direction(const CellRun& run, std::int64_t d)
      : run_(run),
        s_(run.sizes),
        d_(d),
        h_(run.sizes.hidden),
        rows_(run.sizes.rows()),
        recurrence_(run.recurrence + d * rows_ * h_),
        bias_(run.bias != nullptr ? run.bias + d * 2 * rows_ : nullptr),
        peepholes_(run.peepholes != nullptr ? run.peepholes + d * 3 * h_ : nullptr) {}

  std::int64_t length(std::int64_t image) const {
    return run_.lengths != nullptr ? static_cast<std::int64_t>(run_.lengths[image]) : s_.time;
  }
  std::int64_t time_of(std::int64_t step, std::int64_t image) const {
    const bool reversed = run_.op.direction == graph::RecurrentDirection::reverse || d_ == 1;
    return reversed ? length(image) - 1 - step : step;
  }
  /// The step at which a walk back ends; as many as there are where nothing of an image is wanted.
  std::int64_t end_of_walk(const Wanted& wanted, std::int64_t image) const {
    if (wanted.states) return 0;
    std::int64_t step = 0;
    const auto is_wanted = [&](std::int64_t time) {
      return time >= wanted.first && time < wanted.last;
    };
    while (step < length(image) && !is_wanted(time_of(step, image))) ++step;
    return step;
  }
  float* hidden(std::int64_t step, std::int64_t image) const {
    return run_.hidden + state(step, image);
  }
  float* inner(std::int64_t step, std::int64_t image) const {
    return run_.inner + state(step, image);
  }
  float* before(std::int64_t step, std::int64_t image) const {
    return run_.before + ((d_ * s_.time + step) * s_.images + image) * rows_;
  }
  float* rows(std::int64_t time, std::int64_t image) const {
    return run_.rows + ((time * s_.images + image) * s_.directions + d_) * rows_;
  }
  /// Of results that are [time, directions, images, hidden].
  template <class Float>
  Float* result(Float* y, std::int64_t time, std::int64_t image) const {
    return y + ((time * s_.directions + d_) * s_.images + image) * h_;
  }
  /// Of what is [directions, images].
  std::int64_t place(std::int64_t image) const { return d_ * s_.images + image; }
  /// Of states that are [directions, images, hidden].
  template <class Float>
  Float* own(Float* states, std::int64_t image) const {
    return states + place(image) * h_;
  }

 protected:
  std::int64_t state(std::int64_t step, std::int64_t image) const {
    return ((d_ * (s_.time + 1) + step) * s_.images + image) * h_;
  }
  float* scratch(std::int64_t image, std::int64_t width) const {
    return run_.scratch + place(image) * width;
  }
  const graph::CellActivation& function(std::size_t i) const {
    const auto each = run_.op.activations.size() / static_cast<std::size_t>(s_.directions);
    return run_.op.activations[static_cast<std::size_t>(d_) * each + i];
  }
  /// What function i gets: clipped, but for an lstm's c, as ONNX Runtime has it.
  bool clips(std::size_t i) const { return run_.op.clip && i < 2; }
  float clipped(float x) const;
  void activate(std::size_t i, const float* from, float* to) const;
  /// to = diff * slope at `from`; `to` is neither of them.
  void slope(std::size_t i, const float* diff, const float* from, float* to) const;
  /// i, f and the candidate of an lstm, which need no new c.
  void open_lstm(std::int64_t step, std::int64_t image, float* gate) const;

  const CellRun& run_;
  const CellSizes& s_;
  std::int64_t d_, h_, rows_;
  const float *recurrence_, *bias_, *peepholes_;
};

/// body(direction, first image, last image) over all of them.
template <class Walk, class Body>
void over_images(const CellRun& run, Body&& body) {
  const auto& s = run.sizes;
  const auto work = std::max<std::int64_t>(1, s.time * s.rows() * s.hidden);
  base::parallel_for(s.directions * s.images, std::max<std::int64_t>(1, kWalkGrain / work),
                     [&](std::int64_t begin, std::int64_t end) {
                       while (begin < end) {
                         const auto d = begin / s.images;
                         const auto last = std::min(end, (d + 1) * s.images);
                         body(Walk(run, d), begin - d * s.images, last - d * s.images);
                         begin = last;
                       }
                     });
}

inline void copy_or_clear(const float* from, std::int64_t n, float* to) {
  if (from != nullptr)
    std::copy_n(from, n, to);
  else
    std::fill_n(to, n, 0.f);
}

}  // namespace fovea::engine
