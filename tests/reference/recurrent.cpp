#include <algorithm>
#include <cmath>

#include "reference/parts.hpp"

namespace fovea::reference {
namespace {

using graph::CellFunction;
using graph::CellKind;

double squash(const graph::CellActivation& f, double x) {
  const double a = f.alpha, b = f.beta;
  switch (f.function) {
    case CellFunction::sigmoid:
      return 1 / (1 + std::exp(-x));
    case CellFunction::tanh:
      return std::tanh(x);
    case CellFunction::relu:
      return std::max(x, 0.);
    case CellFunction::affine:
      return a * x + b;
    case CellFunction::leaky_relu:
      return x < 0 ? a * x : x;
    case CellFunction::thresholded_relu:
      return x > a ? x : 0;
    case CellFunction::scaled_tanh:
      return a * std::tanh(b * x);
    case CellFunction::hard_sigmoid:
      return std::clamp(a * x + b, 0., 1.);
    case CellFunction::elu:
      return x < 0 ? a * std::expm1(x) : x;
    case CellFunction::softsign:
      return x / (1 + std::abs(x));
    case CellFunction::softplus:
      return std::log1p(std::exp(x));
  }
  return x;
}

/// The formulas of ONNX's documentation, one image of one direction at a time.
class Cell {
 public:
  Cell(const graph::Recurrent& op, const Arrays& in, std::int64_t d, std::int64_t n)
      : op_(op), in_(in), d_(d), n_(n), hidden_(in[2].shape[2]), h(state(5)), c(state(6)) {}

  void step(std::int64_t t) {
    const auto old_h = h;
    const auto old_c = c;
    auto reset = old_h;
    for (std::int64_t k = 0; op_.kind == CellKind::gru && k < hidden_; ++k)
      reset[static_cast<std::size_t>(k)] *= gru_gate(t, 1, k, old_h);
    for (std::int64_t k = 0; k < hidden_; ++k) {
      const auto at = static_cast<std::size_t>(k);
      if (op_.kind == CellKind::rnn) {
        h[at] = f(0, fed(t, 0, k) + from(old_h, 0, k) + bias(0, k) + bias(1, k));
      } else if (op_.kind == CellKind::gru) {
        const double z = gru_gate(t, 0, k, old_h);
        double made = 0;
        if (op_.linear_before_reset) {
          made = f(1, fed(t, 2, k) + bias(2, k) +
                          gru_gate(t, 1, k, old_h) * (from(old_h, 2, k) + bias(5, k)));
        } else {
          made = f(1, fed(t, 2, k) + from(reset, 2, k) + bias(2, k) + bias(5, k));
        }
        h[at] = (1 - z) * made + z * old_h[at];
      } else {
        const auto gate = [&](std::int64_t g) {
          return fed(t, g, k) + from(old_h, g, k) + bias(g, k) + bias(g + 4, k);
        };
        const double i = f(0, gate(0) + peephole(0, k) * old_c[at]);
        const double forget = op_.input_forget ? 1 - i : f(0, gate(2) + peephole(2, k) * old_c[at]);
        c[at] = forget * old_c[at] + i * f(1, gate(3));
        h[at] = f(0, gate(1) + peephole(1, k) * c[at]) * f(2, c[at]);
      }
    }
  }

 private:
  const graph::Recurrent& op_;
  const Arrays& in_;
  std::int64_t d_, n_, hidden_;

 public:
  std::vector<double> h, c;

 private:
  bool has(std::size_t i) const { return i < in_.size() && !in_[i].data.empty(); }
  std::vector<double> state(std::size_t i) const {
    std::vector<double> out(static_cast<std::size_t>(hidden_), 0);
    for (std::int64_t k = 0; has(i) && k < hidden_; ++k)
      out[static_cast<std::size_t>(k)] = in_[i][{d_, n_, k}];
    return out;
  }
  double f(std::size_t i, double x) const {
    if (op_.clip && i < 2) x = std::clamp<double>(x, -*op_.clip, *op_.clip);
    const auto each = op_.kind == CellKind::rnn ? 1u : op_.kind == CellKind::gru ? 2u : 3u;
    return squash(op_.activations[static_cast<std::size_t>(d_) * each + i], x);
  }
  double fed(std::int64_t t, std::int64_t gate, std::int64_t k) const {
    double sum = 0;
    for (std::int64_t j = 0; j < in_[0].shape[2]; ++j)
      sum += in_[1][{d_, gate * hidden_ + k, j}] * in_[0][{t, n_, j}];
    return sum;
  }
  double from(const std::vector<double>& state, std::int64_t gate, std::int64_t k) const {
    double sum = 0;
    for (std::int64_t j = 0; j < hidden_; ++j)
      sum += in_[2][{d_, gate * hidden_ + k, j}] * state[static_cast<std::size_t>(j)];
    return sum;
  }
  double bias(std::int64_t gate, std::int64_t k) const {
    return has(3) ? in_[3][{d_, gate * hidden_ + k}] : 0;
  }
  double peephole(std::int64_t gate, std::int64_t k) const {
    return has(7) ? in_[7][{d_, gate * hidden_ + k}] : 0;
  }
  double gru_gate(std::int64_t t, std::int64_t gate, std::int64_t k,
                  const std::vector<double>& old_h) const {
    return f(0, fed(t, gate, k) + from(old_h, gate, k) + bias(gate, k) + bias(gate + 3, k));
  }
};

}  // namespace

Arrays recurrent(const graph::Recurrent& op, const Arrays& in, const std::vector<Shape>& results) {
  Arrays out(results.begin(), results.end());
  const auto time = in[0].shape[0], images = in[0].shape[1], hidden = in[2].shape[2];
  for (std::int64_t d = 0; d < in[2].shape[0]; ++d)
    for (std::int64_t n = 0; n < images; ++n) {
      const bool all = in.size() <= 4 || in[4].data.empty();
      const auto length = all ? time : static_cast<std::int64_t>(in[4][{n}]);
      const bool reversed = d == 1 || op.direction == graph::RecurrentDirection::reverse;
      Cell cell(op, in, d, n);
      for (std::int64_t s = 0; s < length; ++s) {
        const auto t = reversed ? length - 1 - s : s;
        cell.step(t);
        for (std::int64_t k = 0; k < hidden; ++k)
          out[0][{t, d, n, k}] = cell.h[static_cast<std::size_t>(k)];
      }
      for (std::int64_t k = 0; k < hidden; ++k) {
        out[1][{d, n, k}] = cell.h[static_cast<std::size_t>(k)];
        if (out.size() > 2) out[2][{d, n, k}] = cell.c[static_cast<std::size_t>(k)];
      }
    }
  return out;
}

}  // namespace fovea::reference
