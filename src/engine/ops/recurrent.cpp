#include <array>

#include "engine/ops/matmul.hpp"
#include "engine/ops/recurrent_cells.hpp"
#include "engine/ops/recurrent_roles.hpp"

namespace fovea::engine {

using graph::Recurrent;
using namespace recurrent;

void forward(const Recurrent& op, ForwardContext& c) {
  const CellSizes s = CellSizes::of(op, c.in_shape(kX), c.in_shape(kR));
  const Shape rows = rows_shape(s);
  const Operand x = multiply(
      c.b, {c.plain_in(kX), matrix_of({rows[0], c.in_shape(kX)[2]}, false), c.node().inputs[kX]},
      weights(c, s, true), rows, {});
  const auto state = [&](std::int64_t steps, std::int64_t width) {
    const Desc desc = plain_desc({s.directions, steps, s.images, width});
    return c.keeps() ? c.keep(desc) : c.b.make(desc);
  };
  Roles in, out;
  const auto rows_in = in.add(x), r = in.add(c.plain_in(kR));
  const auto bias = in.add(optional_in(c, kBias)), lengths = in.add(optional_in(c, kLengths));
  const auto hidden = in.add(optional_in(c, kHidden)), cell = in.add(optional_in(c, kCell));
  const auto peepholes = in.add(optional_in(c, kPeepholes));
  const auto before = out.add(state(s.time, s.rows())), h = out.add(state(s.time + 1, s.hidden));
  const auto inner = out.add(state(s.time + 1, s.hidden));
  const auto scratch = out.add(c.b.make(plain_desc({s.directions, s.images, s.rows() + s.hidden})));
  std::array<std::size_t, 3> results{Roles::kNone, Roles::kNone, Roles::kNone};
  for (std::size_t o = 0; o < c.outputs(); ++o) {
    const Operand dst = c.make_plain_out(o);
    results[o] = out.add(dst);
    c.out(o, dst);
  }
  const auto first = in.tensors().size();
  c.b.kernel(
      [=, op = op](Pointers p) {
        const CellRun run{.op = op,
                          .sizes = s,
                          .rows = Roles::at(p, rows_in),
                          .recurrence = Roles::at(p, r),
                          .bias = Roles::at(p, bias),
                          .lengths = Roles::at(p, lengths),
                          .peepholes = Roles::at(p, peepholes),
                          .before = Roles::at(p, before, first),
                          .hidden = Roles::at(p, h, first),
                          .inner = Roles::at(p, inner, first),
                          .scratch = Roles::at(p, scratch, first)};
        run.forward(Roles::at(p, hidden), Roles::at(p, cell), Roles::at(p, results[kY], first),
                    Roles::at(p, results[kLastHidden], first),
                    Roles::at(p, results[kLastCell], first));
      },
      in.tensors(), out.tensors(), 2 * s.time * s.images * s.directions * s.rows() * s.hidden);
}

void backward(const Recurrent& op, BackwardContext& c) {
  const CellSizes s = CellSizes::of(op, c.in_shape(kX), c.in_shape(kR));
  Roles in, out;
  const auto r = in.add(c.plain_in(kR)), lengths = in.add(optional_in(c, kLengths));
  const auto peepholes = in.add(optional_in(c, kPeepholes));
  const auto before = in.add(c.kept(0)), h = in.add(c.kept(1)), inner = in.add(c.kept(2));
  std::array<std::size_t, 3> grads{Roles::kNone, Roles::kNone, Roles::kNone};
  for (std::size_t o = 0; o < c.outputs(); ++o)
    if (c.has_grad(o)) grads[o] = in.add(c.plain_grad(o));
  const Desc states = plain_desc({s.directions, s.images, s.hidden});
  const Operand d_rows = c.b.make(plain_desc(rows_shape(s)));
  const Operand d_hidden = c.b.make(states), d_cell = c.b.make(states);
  const auto rows_out = out.add(d_rows), h_out = out.add(d_hidden), c_out = out.add(d_cell);
  const auto scratch =
      out.add(c.b.make(plain_desc({s.directions, s.images, 2 * s.rows() + 2 * s.hidden})));
  const auto first = in.tensors().size();
  c.b.kernel(
      [=, op = op](Pointers p) {
        const CellRun run{.op = op,
                          .sizes = s,
                          .rows = Roles::at(p, rows_out, first),
                          .recurrence = Roles::at(p, r),
                          .lengths = Roles::at(p, lengths),
                          .peepholes = Roles::at(p, peepholes),
                          .before = Roles::at(p, before),
                          .hidden = Roles::at(p, h),
                          .inner = Roles::at(p, inner),
                          .scratch = Roles::at(p, scratch, first)};
        run.backward(Roles::at(p, grads[kY]), Roles::at(p, grads[kLastHidden]),
                     Roles::at(p, grads[kLastCell]), Roles::at(p, h_out, first),
                     Roles::at(p, c_out, first));
      },
      in.tensors(), out.tensors(), 2 * s.time * s.images * s.directions * s.rows() * s.hidden);
  if (c.wants(kX)) c.send(kX, to_input(c, s, d_rows));
  if (c.wants(kHidden)) c.send(kHidden, d_hidden);
  if (c.wants(kCell)) c.send(kCell, d_cell);
}

}  // namespace fovea::engine
