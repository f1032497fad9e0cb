#include <algorithm>
#include <array>
#include <utility>

#include "engine/ops/recurrent_direction.hpp"
#include "simd/kernels.hpp"

/// The walk back of several seeds through a recurrent network.
namespace fovea::engine {
namespace {

using graph::CellKind;

/// Is there a number other than 0 among them?
bool any(const float* v, std::int64_t n) {
  constexpr std::int64_t kAtOnce = 32;
  std::int64_t i = 0;
  for (; i + kAtOnce <= n; i += kAtOnce) {
    unsigned some = 0;  // without branches
    for (std::int64_t k = 0; k < kAtOnce; ++k) some |= static_cast<unsigned>(v[i + k] != 0);
    if (some != 0) return true;
  }
  return std::any_of(v + i, v + n, [](float x) { return x != 0; });
}

/// dst[v] = the transposed matrix times src[v], both one vector behind the other.
void multiply_transposed(const float* matrix, std::int64_t rows, std::int64_t columns,
                         const float* src, std::int64_t vectors, float* dst) {
  simd::kernels().vector_matrix(matrix, rows, columns, src, vectors, 0, columns, dst, columns);
}

/// A group of seeds: first, first + groups, ... Those that have met a gradient come before the
/// others, and only they take part in a step.
class SeedSteps : public Direction {
 public:
  SeedSteps(const CellRun& run, const SeedWalk& walk, std::int64_t d)
      : Direction(run, d), walk_(walk) {}

  void back(std::int64_t image, std::int64_t group) {
    take(image, group);
    const auto steps = length(image);
    const auto& wanted = walk_.wanted;
    for (auto time = std::max(steps, wanted.first); time < wanted.last; ++time)
      for (std::int64_t j = 0; j < count_; ++j) std::fill_n(rows_of(j, time, image), rows_, 0.f);
    const auto end = end_of_walk(wanted, image);
    for (auto step = steps; step-- > end;) {
      const auto time = time_of(step, image);
      meet(time, image);
      if (active_ > 0) through(step, image, wanted.states || step > end);
      if (time < wanted.first || time >= wanted.last) continue;
      for (std::int64_t j = 0; j < count_; ++j) put_rows(j, rows_of(j, time, image));
    }
    if (!wanted.states) return;
    for (std::int64_t j = 0; j < count_; ++j) {
      std::copy_n(dh_ + j * h_, h_, own(walk_.d_hidden.of(seeds_at(j)), image));
      std::copy_n(dc_ + j * h_, h_, own(walk_.d_cell.of(seeds_at(j)), image));
    }
  }

 private:
  std::int64_t& seeds_at(std::int64_t j) { return order_[static_cast<std::size_t>(j)]; }

  float* rows_of(std::int64_t j, std::int64_t time, std::int64_t image) {
    return walk_.rows.of(seeds_at(j)) +
           (((time - walk_.wanted.first) * s_.images + image) * s_.directions + d_) * rows_;
  }

  /// The seeds of the group, in its own memory, with what the states after the last step got.
  void take(std::int64_t image, std::int64_t group) {
    const auto each = walk_.seeds / walk_.groups, more = walk_.seeds % walk_.groups;
    count_ = each + (group < more ? 1 : 0);
    const auto before = group * each + std::min(group, more);
    float* place =
        walk_.scratch + (this->place(image) * walk_.seeds + before) * SeedWalk::scratch_of(s_);
    const auto next = [&](std::int64_t floats) { return std::exchange(place, place + floats); };
    gate_ = next(rows_ + h_);
    slopes_ = next(rows_ + h_);
    ones_ = next(h_);
    out_ = next(count_ * (rows_ - h_));
    made_ = next(count_ * h_);
    dh_ = next(count_ * h_);
    dc_ = next(count_ * h_);
    sent_ = next(count_ * h_);
    std::fill_n(ones_, h_, 1.f);
    std::fill_n(dh_, 2 * count_ * h_, 0.f);
    active_ = 0;
    for (std::int64_t j = 0; j < count_; ++j) seeds_at(j) = group + j * walk_.groups;
    for (std::int64_t j = 0; j < count_; ++j) {
      const float* h = last(walk_.d_last_hidden, j, image);
      const float* c = last(walk_.d_last_cell, j, image);
      if (h == nullptr && c == nullptr) continue;
      copy_or_clear(h, h_, dh_ + active_ * h_);
      copy_or_clear(c, h_, dc_ + active_ * h_);
      activate_seed(j);
    }
  }

  /// Null where it is zero.
  const float* last(const SeedWalk::Part& part, std::int64_t j, std::int64_t image) {
    const float* all = part.of(seeds_at(j));
    if (all == nullptr) return nullptr;
    const float* mine = own(all, image);
    return any(mine, h_) ? mine : nullptr;
  }

  void activate_seed(std::int64_t j) { std::swap(seeds_at(j), seeds_at(active_++)); }

  /// What the results of a time got.
  void meet(std::int64_t time, std::int64_t image) {
    if (walk_.dy.data == nullptr) return;
    for (std::int64_t j = 0; j < count_; ++j) {
      const float* more = result(walk_.dy.of(seeds_at(j)), time, image);
      if (j >= active_ && !any(more, h_)) continue;
      float* dh = dh_ + std::min(j, active_) * h_;
      for (std::int64_t k = 0; k < h_; ++k) dh[k] += more[k];
      if (j >= active_) activate_seed(j);
    }
  }

  void through(std::int64_t step, std::int64_t image, bool goes_on) {
    if (run_.op.kind == CellKind::lstm) return through_lstm(step, image, goes_on);
    if (run_.op.kind == CellKind::gru) return through_gru(step, image, goes_on);
    slope(0, ones_, before(step, image), slopes_);
    for (std::int64_t j = 0; j < active_; ++j)
      for (std::int64_t k = 0; k < h_; ++k) made_[j * h_ + k] = dh_[j * h_ + k] * slopes_[k];
    if (goes_on) multiply_transposed(recurrence_, h_, h_, made_, active_, dh_);
  }

  void through_lstm(std::int64_t step, std::int64_t image, bool goes_on) {
    const float *pre = before(step, image), *c = inner(step, image), *next = inner(step + 1, image);
    open_lstm(step, image, gate_);
    activate(0, pre + h_, gate_ + h_);
    activate(2, next, gate_ + rows_);
    for (std::int64_t i = 0; i < 4; ++i) slope(i == 3, ones_, pre + i * h_, slopes_ + i * h_);
    slope(2, ones_, next, slopes_ + rows_);
    simd::kernels().lstm_backward({.cells = h_,
                                   .gates = gate_,
                                   .slopes = slopes_,
                                   .before = c,
                                   .peepholes = peepholes_,
                                   .input_forget = run_.op.input_forget},
                                  dh_, active_, dc_, out_);
    // All four gates' lie behind each other.
    if (goes_on) multiply_transposed(recurrence_, rows_, h_, out_, active_, dh_);
  }

  void through_gru(std::int64_t step, std::int64_t image, bool goes_on) {
    const float *pre = before(step, image), *h = hidden(step, image), *part = inner(step, image);
    for (std::int64_t i = 0; i < 3; ++i) {
      activate(i == 2, pre + i * h_, gate_ + i * h_);
      slope(i == 2, ones_, pre + i * h_, slopes_ + i * h_);
    }
    const float *z = gate_, *r = gate_ + h_, *n = gate_ + 2 * h_;
    const float* candidate = recurrence_ + 2 * h_ * h_;
    const bool after = run_.op.linear_before_reset;
    for (std::int64_t j = 0; j < active_; ++j) {
      float *dh = dh_ + j * h_, *out = out_ + 2 * j * h_, *made = made_ + j * h_;
      for (std::int64_t k = 0; k < h_; ++k) {
        out[k] = dh[k] * (h[k] - n[k]) * slopes_[k];
        made[k] = dh[k] * (1 - z[k]) * slopes_[2 * h_ + k];
        dh[k] *= z[k];
        // What the reset gate is multiplied with, where the product comes first.
        if (after) dc_[j * h_ + k] = made[k] * r[k];
      }
    }
    multiply_transposed(candidate, h_, h_, after ? dc_ : made_, active_, sent_);
    for (std::int64_t j = 0; j < active_; ++j) {
      float *dh = dh_ + j * h_, *out = out_ + 2 * j * h_;
      const float *made = made_ + j * h_, *sent = sent_ + j * h_;
      for (std::int64_t k = 0; k < h_; ++k) {
        out[h_ + k] = (after ? made[k] * part[k] : sent[k] * h[k]) * slopes_[h_ + k];
        dh[k] += after ? sent[k] : sent[k] * r[k];
      }
    }
    if (!goes_on) return;
    multiply_transposed(recurrence_, 2 * h_, h_, out_, active_, sent_);
    for (std::int64_t i = 0; i < active_ * h_; ++i) dh_[i] += sent_[i];
  }

  void put_rows(std::int64_t j, float* to) const {
    if (j >= active_) {
      std::fill_n(to, rows_, 0.f);
    } else if (run_.op.kind == CellKind::lstm) {
      std::copy_n(out_ + j * rows_, rows_, to);
    } else {
      std::copy_n(out_ + j * (rows_ - h_), rows_ - h_, to);
      std::copy_n(made_ + j * h_, h_, to + rows_ - h_);
    }
  }

  const SeedWalk& walk_;
  std::array<std::int64_t, SeedWalk::kGroup> order_{};
  std::int64_t count_ = 0, active_ = 0;
  float *gate_ = nullptr, *slopes_ = nullptr, *ones_ = nullptr;
  /// Per seed, those of all gates but the last, and that one's (of an lstm all in one: `made_` lies
  /// behind `out_`); gradients of the states; what a product sends.
  float *out_ = nullptr, *made_ = nullptr, *dh_ = nullptr, *dc_ = nullptr, *sent_ = nullptr;
};

}  // namespace

void CellRun::backward(const SeedWalk& walk) const {
  const auto work = std::max<std::int64_t>(1, sizes.time * sizes.rows() * sizes.hidden);
  const auto grain = std::max<std::int64_t>(1, kWalkGrain / work);
  base::parallel_for(
      sizes.directions * sizes.images * walk.groups, grain,
      [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) {
          const auto place = i / walk.groups;
          SeedSteps(*this, walk, place / sizes.images).back(place % sizes.images, i % walk.groups);
        }
      });
}

}  // namespace fovea::engine
