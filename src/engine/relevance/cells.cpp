#include "engine/relevance/cells.hpp"

#include <array>

#include "engine/ops/elementwise.hpp"
#include "engine/ops/recurrent_roles.hpp"

namespace fovea::engine {

using namespace recurrent;

void through_cells(const graph::Recurrent& op, float stabilizer, Losses& losses,
                   BackwardContext& c) {
  const CellSizes s = CellSizes::of(op, c.in_shape(kX), c.in_shape(kR));
  Roles in, out;
  const auto r = in.add(c.plain_in(kR)), bias = in.add(optional_in(c, kBias));
  const auto lengths = in.add(optional_in(c, kLengths));
  const auto before = in.add(c.kept(0)), h = in.add(c.kept(1)), inner = in.add(c.kept(2));
  std::array<std::size_t, 3> given{Roles::kNone, Roles::kNone, Roles::kNone};
  for (std::size_t o = 0; o < c.outputs(); ++o)
    if (c.has_grad(o)) given[o] = in.add(c.plain_grad(o));
  const Desc states = plain_desc({s.directions, s.images, s.hidden});
  const Operand rows = c.b.make(plain_desc(rows_shape(s)));
  const Operand hidden = c.b.make(states), cell = c.b.make(states);
  const Operand lost = c.b.make(Losses::sums_desc(s.directions * s.images));
  const auto rows_out = out.add(rows), h_out = out.add(hidden), c_out = out.add(cell);
  const auto scratch =
      out.add(c.b.make(plain_desc({s.directions, s.images, 2 * s.rows() + 2 * s.hidden})));
  const auto lost_out = out.add(lost);
  const auto first = in.tensors().size();
  // States that are constants take their part.
  const bool hidden_absorbs = c.has(kHidden) && c.is_constant(kHidden);
  const bool cell_absorbs = c.has(kCell) && c.is_constant(kCell);
  c.b.kernel(
      [=, op = op](Pointers p) {
        const CellRun run{.op = op,
                          .sizes = s,
                          .rows = Roles::at(p, rows_out, first),
                          .recurrence = Roles::at(p, r),
                          .bias = Roles::at(p, bias),
                          .lengths = Roles::at(p, lengths),
                          .before = Roles::at(p, before),
                          .hidden = Roles::at(p, h),
                          .inner = Roles::at(p, inner),
                          .scratch = Roles::at(p, scratch, first)};
        double* sums = reinterpret_cast<double*>(p[first + lost_out]);
        run.relevance(Roles::at(p, given[kY]), Roles::at(p, given[kLastHidden]),
                      Roles::at(p, given[kLastCell]), stabilizer, Roles::at(p, h_out, first),
                      Roles::at(p, c_out, first), sums);
        for (std::int64_t row = 0; row < s.directions * s.images; ++row)
          for (const auto& [absorbs, state] :
               {std::pair{hidden_absorbs, h_out}, std::pair{cell_absorbs, c_out}})
            for (std::int64_t k = 0; absorbs && k < s.hidden; ++k)
              sums[2 * row] += static_cast<double>(Roles::at(p, state, first)[row * s.hidden + k]);
      },
      in.tensors(), out.tensors(), 2 * s.time * s.images * s.directions * s.rows() * s.hidden);
  losses.add(lost, s.directions * s.images);
  if (c.wants(kX)) c.send(kX, product_of(c.b, c.f32_in(kX), to_input(c, s, rows)));
  if (c.wants(kHidden)) c.send(kHidden, hidden);
  if (c.wants(kCell)) c.send(kCell, cell);
}

}  // namespace fovea::engine
