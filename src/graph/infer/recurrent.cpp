#include <cmath>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"

namespace fovea::graph {

std::int64_t gates(CellKind kind) {
  switch (kind) {
    case CellKind::rnn:
      return 1;
    case CellKind::gru:
      return 3;
    case CellKind::lstm:
      break;
  }
  return 4;
}

std::int64_t directions(const Recurrent& op) {
  return op.direction == RecurrentDirection::bidirectional ? 2 : 1;
}

namespace detail {

void infer_op(Recurrent& op, InferContext& c) {
  constexpr std::size_t kBias = 3, kLengths = 4, kHidden = 5, kCell = 6, kPeepholes = 7;
  for (const std::size_t i : {0u, 1u, 2u}) c.require(i, DType::f32);
  const auto &x = c.shape(0), &r = c.shape(2);
  if (x.size() != 3) bad_model("the sequence has shape " + text(x) + ", not three extents");
  for (const auto extent : x)
    if (extent < 1) bad_model("the sequence has shape " + text(x) + ", with an empty extent");
  if (r.size() != 3 || r[2] < 1) bad_model("the recurrence weights have shape " + text(r));
  const auto count = directions(op), hidden = r[2];
  const auto rows = base::checked_mul(gates(op.kind), hidden);
  c.require_shape(1, {count, rows, x[2]}, "weights");
  c.require_shape(2, {count, rows, hidden}, "recurrence weights");
  const auto optional = [&](std::size_t i, DType type, const Shape& shape, std::string_view what) {
    if (!c.has_input(i)) return;
    c.require(i, type);
    c.require_shape(i, shape, what);
  };
  optional(kBias, DType::f32, {count, base::checked_mul(2, rows)}, "bias");
  optional(kLengths, DType::i64, {x[1]}, "sequence_lens");
  optional(kHidden, DType::f32, {count, x[1], hidden}, "initial_h");
  if (op.kind == CellKind::lstm) {
    optional(kCell, DType::f32, {count, x[1], hidden}, "initial_c");
    optional(kPeepholes, DType::f32, {count, base::checked_mul(3, hidden)}, "peepholes");
  }
  const auto functions = op.kind == CellKind::rnn ? 1 : op.kind == CellKind::gru ? 2 : 3;
  if (std::ssize(op.activations) != count * functions)
    bad_model(std::to_string(op.activations.size()) + " activations where " +
              std::to_string(count * functions) + " are needed");
  if (op.clip && !(*op.clip >= 0)) bad_model("clip is negative");
  c.set_output(0, DType::f32, {x[0], count, x[1], hidden});
  c.set_output(1, DType::f32, {count, x[1], hidden});
  if (op.kind == CellKind::lstm) c.set_output(2, DType::f32, {count, x[1], hidden});
}

}  // namespace detail
}  // namespace fovea::graph
