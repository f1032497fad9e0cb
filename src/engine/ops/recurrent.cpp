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

namespace {

/// What the results' gradients are named by, in a kernel's operands.
std::array<std::size_t, 3> grads_in(BackwardContext& c, Roles& in) {
  std::array<std::size_t, 3> out{Roles::kNone, Roles::kNone, Roles::kNone};
  for (std::size_t o = 0; o < c.outputs(); ++o)
    if (c.has_grad(o)) out[o] = in.add(c.plain_grad(o));
  return out;
}

/// From the rows of these times to x, which gets zeros at all others.
void send_to_input(BackwardContext& c, const CellSizes& s, const Operand& rows, Places times) {
  const auto width = c.in_shape(kX)[2], wanted = (times.last - times.first) * s.images;
  const Shape all{s.time * s.images, width};
  Operand out = multiply(c.b, {rows, matrix_of({wanted, rows_shape(s)[1]}, false), {}},
                         weights(c, s, false), {wanted, width}, {});
  if (wanted < all[0]) {
    const Operand whole = c.b.make(plain_desc(all));
    const auto before = times.first * s.images * width, floats_wanted = wanted * width;
    c.b.kernel(
        [=, floats_in_all = all[0] * width](Pointers p) {
          std::fill_n(floats(p, 1), floats_in_all, 0.f);
          std::copy_n(floats(p, 0), floats_wanted, floats(p, 1) + before);
        },
        {out}, {whole});
    out = whole;
  }
  out.desc = plain_desc(c.in_shape(kX));
  c.send(kX, out);
}

/// The same of several seeds at once, whose products share the weights.
void backward_of_seeds(const Recurrent& op, BackwardContext& c, const CellSizes& s,
                       const Wanted& wanted) {
  const auto seeds = c.b.seeds();
  Roles in, out;
  const auto r = in.add(c.plain_in(kR)), lengths = in.add(optional_in(c, kLengths));
  const auto peepholes = in.add(optional_in(c, kPeepholes));
  const auto before = in.add(c.kept(0)), h = in.add(c.kept(1)), inner = in.add(c.kept(2));
  const auto grads = grads_in(c, in);
  std::array<std::int64_t, 3> strides{};
  for (std::size_t o = 0; o < grads.size(); ++o)
    if (grads[o] != Roles::kNone) strides[o] = c.b.seed_stride(in.tensors()[grads[o]]);
  const Shape rows{(wanted.last - wanted.first) * s.images, rows_shape(s)[1]};
  const Shape states{s.directions, s.images, s.hidden};
  Operand d_rows, d_hidden, d_cell;
  {
    const AllSeeds together(c.b);
    const auto of_all = [&](const Shape& one) {
      Shape shape = one;
      shape.insert(shape.begin(), seeds);
      return c.b.make(plain_desc(shape));
    };
    d_rows = of_all(rows);
    d_hidden = of_all(states);
    d_cell = of_all(states);
    const auto rows_out = out.add(d_rows), h_out = out.add(d_hidden), c_out = out.add(d_cell);
    const auto scratch =
        out.add(c.b.make(plain_desc({seeds, s.directions * s.images * SeedWalk::scratch_of(s)})));
    const auto threads = std::max<std::int64_t>(1, c.b.threads() / (s.directions * s.images));
    const auto fewest = (seeds + SeedWalk::kGroup - 1) / SeedWalk::kGroup;
    const auto groups = std::max(fewest, std::min(threads, (seeds + 3) / 4));
    const auto first = in.tensors().size();
    c.b.kernel(
        [=, op = op](Pointers p) {
          const CellRun run{.op = op,
                            .sizes = s,
                            .recurrence = Roles::at(p, r),
                            .lengths = Roles::at(p, lengths),
                            .peepholes = Roles::at(p, peepholes),
                            .before = Roles::at(p, before),
                            .hidden = Roles::at(p, h),
                            .inner = Roles::at(p, inner)};
          const auto all = s.directions * s.images * s.hidden;
          run.backward(
              SeedWalk{.seeds = seeds,
                       .dy = {Roles::at(p, grads[kY]), strides[kY]},
                       .d_last_hidden = {Roles::at(p, grads[kLastHidden]), strides[kLastHidden]},
                       .d_last_cell = {Roles::at(p, grads[kLastCell]), strides[kLastCell]},
                       .rows = {Roles::at(p, rows_out, first), rows[0] * rows[1]},
                       .d_hidden = {Roles::at(p, h_out, first), all},
                       .d_cell = {Roles::at(p, c_out, first), all},
                       .wanted = wanted,
                       .groups = groups,
                       .scratch = Roles::at(p, scratch, first)});
        },
        in.tensors(), out.tensors(),
        2 * seeds * s.time * s.images * s.directions * s.rows() * s.hidden);
  }
  for (auto* state : {&d_hidden, &d_cell}) state->desc = plain_desc(states);
  d_rows.desc = plain_desc(rows);
  if (c.wants(kX)) send_to_input(c, s, d_rows, {wanted.first, wanted.last});
  if (c.wants(kHidden)) c.send(kHidden, d_hidden);
  if (c.wants(kCell)) c.send(kCell, d_cell);
}

}  // namespace

void backward(const Recurrent& op, BackwardContext& c) {
  const CellSizes s = CellSizes::of(op, c.in_shape(kX), c.in_shape(kR));
  const Places times = c.wants(kX) ? c.wanted_places(kX, 0) : Places{0, s.time};
  const Wanted wanted{times.first, times.last, c.wants(kHidden) || c.wants(kCell)};
  if (c.b.seeds() > 1) return backward_of_seeds(op, c, s, wanted);
  Roles in, out;
  const auto r = in.add(c.plain_in(kR)), lengths = in.add(optional_in(c, kLengths));
  const auto peepholes = in.add(optional_in(c, kPeepholes));
  const auto before = in.add(c.kept(0)), h = in.add(c.kept(1)), inner = in.add(c.kept(2));
  const auto grads = grads_in(c, in);
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
                     Roles::at(p, grads[kLastCell]), wanted, Roles::at(p, h_out, first),
                     Roles::at(p, c_out, first));
      },
      in.tensors(), out.tensors(), 2 * s.time * s.images * s.directions * s.rows() * s.hidden);
  if (c.wants(kX)) {
    Operand rows = d_rows;
    rows.offset +=
        static_cast<std::size_t>(times.first * s.images * rows_shape(s)[1]) * sizeof(float);
    rows.desc = plain_desc({(times.last - times.first) * s.images, rows_shape(s)[1]});
    send_to_input(c, s, rows, times);
  }
  if (c.wants(kHidden)) c.send(kHidden, d_hidden);
  if (c.wants(kCell)) c.send(kCell, d_cell);
}

}  // namespace fovea::engine
