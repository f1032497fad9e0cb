#include "engine/op_case.hpp"

namespace fovea::engine_test {
namespace {

using graph::CellActivation;
using graph::CellFunction;
using graph::CellKind;
using graph::Recurrent;
using graph::RecurrentDirection;

struct Extents {
  std::int64_t time, images, features, hidden;
};
struct Extras {
  bool bias = true, lengths = false, states = false, peepholes = false;
};

std::vector<CellActivation> usual(CellKind kind) {
  const CellActivation sigmoid{CellFunction::sigmoid, 0, 0}, tanh{CellFunction::tanh, 0, 0};
  if (kind == CellKind::rnn) return {tanh};
  if (kind == CellKind::gru) return {sigmoid, tanh};
  return {sigmoid, tanh, tanh};
}

Case recurrent(Recurrent op, const Extents& e, const Extras& extras) {
  const bool lstm = op.kind == CellKind::lstm;
  const auto count = graph::directions(op), rows = graph::gates(op.kind) * e.hidden;
  if (op.activations.empty())
    for (std::int64_t d = 0; d < count; ++d)
      for (const auto& f : usual(op.kind)) op.activations.push_back(f);
  std::vector<Operand> in{data({e.time, e.images, e.features}),
                          weight({count, rows, e.features}, -0.6, 0.7),
                          weight({count, rows, e.hidden}, -0.8, 0.7)};
  in.push_back(extras.bias ? weight({count, 2 * rows}, -0.3, 0.4) : absent());
  std::vector<std::int64_t> lengths;  // T, T - 1 ... and none at all
  for (std::int64_t n = 0; n < e.images; ++n) lengths.push_back(n + 1 < e.images ? e.time - n : 0);
  in.push_back(extras.lengths ? integers({e.images}, lengths) : absent());
  const Shape states{count, e.images, e.hidden};
  in.push_back(extras.states ? data(states, -0.9, 0.8) : absent());
  if (lstm) {
    in.push_back(extras.states ? data(states, -1.1, 1.2) : absent());
    in.push_back(extras.peepholes ? weight({count, 3 * e.hidden}, -0.5, 0.6) : absent());
  }
  const char* const names[] = {"RNN", "GRU", "LSTM"};
  return {names[static_cast<std::size_t>(op.kind)], op, in, lstm ? 3u : 2u};
}

/// A function for each of a cell's places, all in turn.
void add_functions(std::vector<Case>& out) {
  const std::vector<CellActivation> all{
      {CellFunction::relu, 0, 0},
      {CellFunction::affine, 0.4f, 0.1f},
      {CellFunction::leaky_relu, 0.1f, 0},
      {CellFunction::thresholded_relu, 0.3f, 0},
      {CellFunction::scaled_tanh, 1.3f, 0.6f},
      {CellFunction::hard_sigmoid, 0.2f, 0.5f},
      {CellFunction::elu, 0.8f, 0},
      {CellFunction::softsign, 0, 0},
      {CellFunction::softplus, 0, 0},
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto at = [&](std::size_t k) { return all[(i + k) % all.size()]; };
    out.push_back(recurrent({.kind = CellKind::rnn, .activations = {at(0)}}, {3, 2, 3, 5}, {}));
    out.push_back(
        recurrent({.kind = CellKind::gru, .activations = {at(1), at(4)}}, {2, 1, 3, 5}, {}));
    out.push_back(recurrent({.kind = CellKind::lstm, .activations = {at(2), at(5), at(7)}},
                            {2, 2, 3, 5}, {}));
  }
}

}  // namespace

std::vector<Case> recurrent_cases() {
  std::vector<Case> out;
  for (const auto kind : {CellKind::rnn, CellKind::gru, CellKind::lstm})
    for (const auto direction : {RecurrentDirection::forward, RecurrentDirection::reverse,
                                 RecurrentDirection::bidirectional})
      for (const bool before_reset : {false, true}) {
        if (before_reset && kind != CellKind::gru) continue;
        const Recurrent op{
            .kind = kind, .direction = direction, .linear_before_reset = before_reset};
        out.push_back(recurrent(op, {1, 1, 4, 3}, {.bias = false}));
        out.push_back(recurrent(op, {5, 2, 3, 6}, {.states = true}));
        out.push_back(recurrent(op, {7, 3, 3, 9}, {.lengths = true, .states = true}));
      }
  out.push_back(recurrent({.kind = CellKind::lstm}, {4, 2, 3, 5}, {.peepholes = true}));
  out.push_back(recurrent({.kind = CellKind::lstm, .direction = RecurrentDirection::bidirectional},
                          {3, 3, 3, 5}, {true, true, true, true}));
  out.push_back(recurrent({.kind = CellKind::lstm, .input_forget = true}, {4, 2, 3, 5},
                          {.states = true, .peepholes = true}));
  for (const auto kind : {CellKind::rnn, CellKind::gru, CellKind::lstm})
    out.push_back(recurrent({.kind = kind, .clip = 0.5f}, {4, 2, 3, 5}, {.states = true}));
  out.push_back(recurrent({.kind = CellKind::gru, .clip = 0.4f, .linear_before_reset = true},
                          {4, 2, 3, 5}, {.states = true}));
  // Enough for several threads, in images and within one.
  out.push_back(recurrent({.kind = CellKind::lstm}, {2, 1, 3, 367}, {}));
  out.push_back(recurrent({.kind = CellKind::gru}, {2, 5, 3, 72}, {}));
  add_functions(out);
  return out;
}

}  // namespace fovea::engine_test
