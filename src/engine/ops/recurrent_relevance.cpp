#include "engine/ops/recurrent_direction.hpp"

namespace fovea::engine {
namespace {

using graph::CellKind;

/// Of sums that no option is about: of gated values.
constexpr float kStabilizer = 1e-6f;

class RelevanceSteps : public Direction {
 public:
  RelevanceSteps(const CellRun& run, std::int64_t d) : Direction(run, d) {}

  /// From the relevance of the states after a step to that of those before it, in place.
  void step_back(std::int64_t step, std::int64_t image, float stabilizer, float* rh, float* rc,
                 double* lost) const {
    float* s = rows(time_of(step, image), image);
    std::fill_n(s, rows_, 0.f);
    float* kept = scratch(image, 2 * (rows_ + h_)) + rows_ + h_;  // what goes round the candidate
    float* sent = kept + rows_;
    const float* recurrence = recurrence_;
    const float* from = hidden(step, image);
    if (run_.op.kind == CellKind::rnn) {
      to_candidate(step, image, 0, stabilizer, rh, s, lost);
      std::fill_n(kept, h_, 0.f);
    } else if (run_.op.kind == CellKind::lstm) {
      through_lstm(step, image, rh, rc, lost);
      to_candidate(step, image, 3, stabilizer, rh, s, lost);
      std::fill_n(kept, h_, 0.f);
      recurrence += 3 * h_ * h_;
    } else {
      through_gru(step, image, rh, kept, lost);
      to_candidate(step, image, 2, stabilizer, rh, s, lost);
      recurrence += 2 * h_ * h_;
    }
    const float* candidate = s + rows_ - h_;
    const bool after = run_.op.linear_before_reset;
    const float* reset = scratch(image, 2 * (rows_ + h_)) + h_;
    if (run_.op.kind == CellKind::gru && after) {
      float* scaled = kept + h_;
      for (std::int64_t k = 0; k < h_; ++k) scaled[k] = reset[k] * candidate[k];
      candidate = scaled;
    } else if (run_.op.kind == CellKind::gru) {
      from = inner(step, image);
    }
    multiply_transposed(recurrence, h_, h_, candidate, sent);
    for (std::int64_t k = 0; k < h_; ++k) rh[k] = kept[k] + from[k] * sent[k];
  }

 private:
  static float ratio(float relevance, float z, float stabilizer) {
    return relevance / (z + (z < 0 ? -stabilizer : stabilizer));
  }

  /// c = f c' + i g, and h shows c: from the relevance of both to that of c' and, in rh, of g.
  void through_lstm(std::int64_t step, std::int64_t image, float* rh, float* rc,
                    double* lost) const {
    float* gate = scratch(image, 2 * (rows_ + h_));
    open_lstm(step, image, gate);
    const float *c = inner(step, image), *next = inner(step + 1, image);
    for (std::int64_t k = 0; k < h_; ++k) {
      const float all = rc[k] + rh[k];
      const float s = ratio(all, next[k], kStabilizer);
      rh[k] = gate[k] * gate[3 * h_ + k] * s;
      rc[k] = gate[2 * h_ + k] * c[k] * s;
      lost[1] += static_cast<double>(all) - static_cast<double>(rh[k]) - static_cast<double>(rc[k]);
    }
  }

  /// h = (1 - z) n + z h': from its relevance to that of n, in place, and to what h' keeps.
  void through_gru(std::int64_t step, std::int64_t image, float* rh, float* kept,
                   double* lost) const {
    float* gate = scratch(image, 2 * (rows_ + h_));
    const float* pre = before(step, image);
    for (std::size_t i = 0; i < 3; ++i)
      activate(i / 2, pre + static_cast<std::int64_t>(i) * h_,
               gate + static_cast<std::int64_t>(i) * h_);
    const float *h = hidden(step, image), *next = hidden(step + 1, image);
    for (std::int64_t k = 0; k < h_; ++k) {
      const float all = rh[k], s = ratio(all, next[k], kStabilizer);
      rh[k] = (1 - gate[k]) * gate[2 * h_ + k] * s;
      kept[k] = gate[k] * h[k] * s;
      lost[1] +=
          static_cast<double>(all) - static_cast<double>(rh[k]) - static_cast<double>(kept[k]);
    }
  }

  /// s of the gate that is the candidate, from its relevance.
  void to_candidate(std::int64_t step, std::int64_t image, std::int64_t gate, float stabilizer,
                    const float* relevance, float* s, double* lost) const {
    const float* z = before(step, image) + gate * h_;
    float* out = s + gate * h_;
    const bool after = run_.op.kind == CellKind::gru && run_.op.linear_before_reset;
    const float* reset = scratch(image, 2 * (rows_ + h_)) + h_;
    for (std::int64_t k = 0; k < h_; ++k) {
      out[k] = ratio(relevance[k], z[k], stabilizer);
      lost[1] += static_cast<double>(relevance[k]) -
                 static_cast<double>(z[k]) * static_cast<double>(out[k]);
      if (bias_ == nullptr) continue;
      const float own = bias_[rows_ + gate * h_ + k];
      const float bias = bias_[gate * h_ + k] + (after ? reset[k] * own : own);
      lost[0] += static_cast<double>(bias) * static_cast<double>(out[k]);
    }
  }
};

}  // namespace

void CellRun::relevance(const float* ry, const float* r_last_hidden, const float* r_last_cell,
                        float stabilizer, float* r_hidden, float* r_cell, double* lost) const {
  const auto h = sizes.hidden;
  over_images<RelevanceSteps>(
      *this, [&](const RelevanceSteps& d, std::int64_t begin, std::int64_t end) {
        for (auto image = begin; image < end; ++image) {
          float *rh = d.own(r_hidden, image), *rc = d.own(r_cell, image);
          copy_or_clear(r_last_hidden ? d.own(r_last_hidden, image) : nullptr, h, rh);
          copy_or_clear(r_last_cell ? d.own(r_last_cell, image) : nullptr, h, rc);
          double* own = lost + 2 * d.place(image);
          own[0] = own[1] = 0;
          const auto length = d.length(image);
          for (auto time = length; time < sizes.time; ++time)
            std::fill_n(d.rows(time, image), sizes.rows(), 0.f);
          for (auto step = length; step-- > 0;) {
            if (ry != nullptr) {
              const float* more = d.result(ry, d.time_of(step, image), image);
              for (std::int64_t k = 0; k < h; ++k) rh[k] += more[k];
            }
            d.step_back(step, image, stabilizer, rh, rc, own);
          }
        }
      });
}

}  // namespace fovea::engine
