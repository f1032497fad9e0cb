#include "engine/ops/recurrent_cells.hpp"

#include <algorithm>

#include "engine/ops/recurrent_direction.hpp"

namespace fovea::engine {
namespace {

using graph::CellKind;

class Steps : public Direction {
 public:
  using Direction::Direction;

  /// One step of some images, whose products share the weights.
  void step(std::int64_t step, std::int64_t begin, std::int64_t end) const {
    const auto images = end - begin;
    const float* h = hidden(step, begin);
    float* pre = before(step, begin);
    const bool gru = run_.op.kind == CellKind::gru;
    multiply(recurrence_, gru ? 2 * h_ : rows_, h_, h, images, pre, rows_);
    if (gru) {
      const float* candidate = recurrence_ + 2 * h_ * h_;
      if (run_.op.linear_before_reset)
        multiply(candidate, h_, h_, h, images, inner(step, begin), h_);
      for (auto image = begin; image < end; ++image) gates_of_gru(step, image);
      if (!run_.op.linear_before_reset)
        multiply(candidate, h_, h_, inner(step, begin), images, pre + 2 * h_, rows_);
    }
    for (auto image = begin; image < end; ++image) {
      if (step >= length(image)) {
        std::copy_n(hidden(step, image), h_, hidden(step + 1, image));
        if (run_.op.kind == CellKind::lstm)
          std::copy_n(inner(step, image), h_, inner(step + 1, image));
      } else if (gru) {
        finish_gru(step, image);
      } else if (run_.op.kind == CellKind::lstm) {
        finish_lstm(step, image);
      } else {
        add_rows(step, image, 0, 1, true);
        activate(0, before(step, image), hidden(step + 1, image));
      }
    }
  }

  /// One step of an image back: from the gradients of the states after it to those before it, in
  /// place and where the walk goes on, and to the rows'.
  void step_back(std::int64_t step, std::int64_t image, bool goes_on, float* dh, float* dc) const {
    float* out = rows(time_of(step, image), image);
    if (run_.op.kind == CellKind::gru) return back_gru(step, image, goes_on, dh, out);
    if (run_.op.kind == CellKind::lstm)
      back_lstm(step, image, dh, dc, out);
    else
      slope(0, dh, before(step, image), out);
    if (goes_on) multiply_transposed(recurrence_, rows_, h_, out, dh);
  }

 private:
  /// Adds to gates [first, last) what comes from x, and the biases.
  void add_rows(std::int64_t step, std::int64_t image, std::int64_t first, std::int64_t last,
                bool recurrence_bias) const {
    const float* x = rows(time_of(step, image), image);
    float* to = before(step, image);
    for (auto k = first * h_; k < last * h_; ++k) {
      to[k] += x[k];
      if (bias_ == nullptr) continue;
      to[k] += bias_[k];
      if (recurrence_bias) to[k] += bias_[rows_ + k];
    }
  }

  /// z and r, and what r has to do with before the new h can be made.
  void gates_of_gru(std::int64_t step, std::int64_t image) const {
    if (step >= length(image)) return;
    add_rows(step, image, 0, 2, true);
    float* pre = before(step, image);
    float* gate = scratch(image, rows_ + h_);
    activate(0, pre, gate);
    activate(0, pre + h_, gate + h_);
    float* product = inner(step, image);
    const float* h = hidden(step, image);
    if (!run_.op.linear_before_reset) {
      for (std::int64_t k = 0; k < h_; ++k) product[k] = gate[h_ + k] * h[k];
      return;
    }
    if (bias_ != nullptr)
      for (std::int64_t k = 0; k < h_; ++k) product[k] += bias_[rows_ + 2 * h_ + k];
    for (std::int64_t k = 0; k < h_; ++k) pre[2 * h_ + k] = gate[h_ + k] * product[k];
  }
  void finish_gru(std::int64_t step, std::int64_t image) const {
    add_rows(step, image, 2, 3, !run_.op.linear_before_reset);
    const float* gate = scratch(image, rows_ + h_);
    float* made = scratch(image, rows_ + h_) + 2 * h_;
    activate(1, before(step, image) + 2 * h_, made);
    const float* h = hidden(step, image);
    float* next = hidden(step + 1, image);
    for (std::int64_t k = 0; k < h_; ++k) next[k] = (1 - gate[k]) * made[k] + gate[k] * h[k];
  }

  void finish_lstm(std::int64_t step, std::int64_t image) const {
    add_rows(step, image, 0, 4, true);
    float* pre = before(step, image);
    const float* c = inner(step, image);
    float* next = inner(step + 1, image);
    if (peepholes_ != nullptr)
      for (std::int64_t k = 0; k < h_; ++k) {
        pre[k] += peepholes_[k] * c[k];
        pre[2 * h_ + k] += peepholes_[2 * h_ + k] * c[k];
      }
    float* gate = scratch(image, rows_ + h_);
    open_lstm(step, image, gate);
    for (std::int64_t k = 0; k < h_; ++k)
      next[k] = gate[2 * h_ + k] * c[k] + gate[k] * gate[3 * h_ + k];
    if (peepholes_ != nullptr)
      for (std::int64_t k = 0; k < h_; ++k) pre[h_ + k] += peepholes_[h_ + k] * next[k];
    activate(0, pre + h_, gate + h_);
    float* shown = gate + rows_;
    activate(2, next, shown);
    float* h = hidden(step + 1, image);
    for (std::int64_t k = 0; k < h_; ++k) h[k] = gate[h_ + k] * shown[k];
  }

  void back_lstm(std::int64_t step, std::int64_t image, const float* dh, float* dc,
                 float* out) const {
    const float *pre = before(step, image), *c = inner(step, image), *next = inner(step + 1, image);
    float* gate = scratch(image, 2 * (rows_ + h_));
    float *shown = gate + rows_, *diff = shown + h_, *slopes = diff + rows_;
    open_lstm(step, image, gate);
    activate(0, pre + h_, gate + h_);
    activate(2, next, shown);
    for (std::int64_t k = 0; k < h_; ++k) {
      diff[h_ + k] = dh[k] * shown[k];
      diff[k] = dh[k] * gate[h_ + k];
    }
    slope(0, diff + h_, pre + h_, out + h_);
    slope(2, diff, next, slopes);
    for (std::int64_t k = 0; k < h_; ++k) {
      dc[k] += slopes[k];
      if (peepholes_ != nullptr) dc[k] += peepholes_[h_ + k] * out[h_ + k];
      diff[k] = dc[k] * gate[3 * h_ + k];
      diff[2 * h_ + k] = dc[k] * c[k];
      diff[3 * h_ + k] = dc[k] * gate[k];
      if (run_.op.input_forget) diff[k] -= diff[2 * h_ + k];
      dc[k] *= gate[2 * h_ + k];
    }
    slope(0, diff, pre, out);
    if (run_.op.input_forget)
      std::fill_n(out + 2 * h_, h_, 0.f);
    else
      slope(0, diff + 2 * h_, pre + 2 * h_, out + 2 * h_);
    slope(1, diff + 3 * h_, pre + 3 * h_, out + 3 * h_);
    if (peepholes_ == nullptr) return;
    for (std::int64_t k = 0; k < h_; ++k)
      dc[k] += peepholes_[k] * out[k] + peepholes_[2 * h_ + k] * out[2 * h_ + k];
  }

  void back_gru(std::int64_t step, std::int64_t image, bool goes_on, float* dh, float* out) const {
    const float *pre = before(step, image), *h = hidden(step, image), *part = inner(step, image);
    float* gate = scratch(image, 2 * (rows_ + h_));
    float *diff = gate + rows_ + h_, *sent = diff + rows_;
    activate(0, pre, gate);
    activate(0, pre + h_, gate + h_);
    activate(1, pre + 2 * h_, gate + 2 * h_);
    for (std::int64_t k = 0; k < h_; ++k) {
      diff[k] = dh[k] * (h[k] - gate[2 * h_ + k]);
      diff[2 * h_ + k] = dh[k] * (1 - gate[k]);
      dh[k] *= gate[k];
    }
    slope(0, diff, pre, out);
    slope(1, diff + 2 * h_, pre + 2 * h_, out + 2 * h_);
    const float* candidate = recurrence_ + 2 * h_ * h_;
    const float* made = out + 2 * h_;
    if (run_.op.linear_before_reset) {
      for (std::int64_t k = 0; k < h_; ++k) {
        diff[h_ + k] = made[k] * part[k];
        diff[2 * h_ + k] = made[k] * gate[h_ + k];
      }
      multiply_transposed(candidate, h_, h_, diff + 2 * h_, sent);
      for (std::int64_t k = 0; k < h_; ++k) dh[k] += sent[k];
    } else {
      multiply_transposed(candidate, h_, h_, made, sent);
      for (std::int64_t k = 0; k < h_; ++k) {
        diff[h_ + k] = sent[k] * h[k];
        dh[k] += sent[k] * gate[h_ + k];
      }
    }
    slope(0, diff + h_, pre + h_, out + h_);
    if (!goes_on) return;
    multiply_transposed(recurrence_, 2 * h_, h_, out, sent);
    for (std::int64_t k = 0; k < h_; ++k) dh[k] += sent[k];
  }
};

}  // namespace

CellSizes CellSizes::of(const graph::Recurrent& op, const Shape& x, const Shape& recurrence) {
  return {x[0], recurrence[0], x[1], recurrence[2], graph::gates(op.kind)};
}

void CellRun::forward(const float* first_hidden, const float* first_cell, float* y,
                      float* last_hidden, float* last_cell) const {
  if (lengths != nullptr)
    for (std::int64_t image = 0; image < sizes.images; ++image)
      if (!(lengths[image] >= 0 && lengths[image] <= static_cast<float>(sizes.time)))
        throw Error(ErrorCode::bad_input, "a sequence's length is not within its extent");
  const auto h = sizes.hidden;
  over_images<Steps>(*this, [&](const Steps& d, std::int64_t begin, std::int64_t end) {
    for (auto image = begin; image < end; ++image) {
      copy_or_clear(first_hidden ? d.own(first_hidden, image) : nullptr, h, d.hidden(0, image));
      if (op.kind == CellKind::lstm)
        copy_or_clear(first_cell ? d.own(first_cell, image) : nullptr, h, d.inner(0, image));
    }
    for (std::int64_t step = 0; step < sizes.time; ++step) d.step(step, begin, end);
    for (auto image = begin; image < end; ++image) {
      const auto length = d.length(image);
      for (std::int64_t step = 0; y != nullptr && step < sizes.time; ++step) {
        const bool past = step >= length;
        copy_or_clear(past ? nullptr : d.hidden(step + 1, image), h,
                      d.result(y, past ? step : d.time_of(step, image), image));
      }
      if (last_hidden != nullptr)
        std::copy_n(d.hidden(sizes.time, image), h, d.own(last_hidden, image));
      if (last_cell != nullptr) std::copy_n(d.inner(sizes.time, image), h, d.own(last_cell, image));
    }
  });
}

void CellRun::backward(const float* dy, const float* d_last_hidden, const float* d_last_cell,
                       const Wanted& wanted, float* d_hidden, float* d_cell) const {
  const auto h = sizes.hidden;
  over_images<Steps>(*this, [&](const Steps& d, std::int64_t begin, std::int64_t end) {
    for (auto image = begin; image < end; ++image) {
      float *dh = d.own(d_hidden, image), *dc = d.own(d_cell, image);
      copy_or_clear(d_last_hidden ? d.own(d_last_hidden, image) : nullptr, h, dh);
      copy_or_clear(d_last_cell ? d.own(d_last_cell, image) : nullptr, h, dc);
      const auto length = d.length(image);
      for (auto time = length; time < sizes.time; ++time)
        std::fill_n(d.rows(time, image), sizes.rows(), 0.f);
      const auto last = d.end_of_walk(wanted, image);
      for (auto step = length; step-- > last;) {
        if (dy != nullptr) {
          const float* more = d.result(dy, d.time_of(step, image), image);
          for (std::int64_t k = 0; k < h; ++k) dh[k] += more[k];
        }
        d.step_back(step, image, wanted.states || step > last, dh, dc);
      }
    }
  });
}

}  // namespace fovea::engine
