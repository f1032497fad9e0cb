// Perturbation saliency of agents. S. Greydanus, A. Koul, J. Dodge, A. Fern, "Visualizing and
// Understanding Atari Agents", ICML 2018 (arXiv 1711.00138), eq. 1 to 3:
//
//   x' = x (1 - M_p) + blur(x) M_p        S(p) = 1/2 sum_i (y_i(x) - y_i(x'))^2
//
// M_p is a disc of radius 1 around p, blurred by a Gaussian of deviation `radius` and divided by
// its maximum, as in the authors' code; y are all numbers of the values that the target reads: the
// policy's logits, or what the state is worth. What other inputs hold, a memory say, stays. S is
// computed at every `step`-th pixel of each extent and interpolated (bilinear) between these
// pixels; behind the last one it stays what it is there.

#include <algorithm>
#include <cmath>
#include <utility>

#include "explain/blur.hpp"
#include "explain/perturbation.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "explain/windows.hpp"
#include "fovea/methods/perturbation.hpp"

namespace fovea::explain {
namespace {

using Line = std::vector<float>;

/// The disc is a point and its neighbours along each extent, so that its blur is made of blurred
/// lines: of the point alone, and of the point with its neighbours.
struct Lines {
  Line point, three;
};

Lines lines_at(std::int64_t centre, std::int64_t extent, double radius) {
  const ChannelSteps steps{1, extent, extent, 1};
  const auto smooth = [&](std::int64_t reach) {
    Line line(static_cast<std::size_t>(extent), 0.f);
    for (auto i = std::max<std::int64_t>(centre - reach, 0);
         i <= std::min(centre + reach, extent - 1); ++i)
      line[static_cast<std::size_t>(i)] = 1;
    return blurred(line, steps, {extent}, radius);
  };
  return {smooth(0), smooth(1)};
}

/// Of each centre of an extent.
std::vector<Lines> lines_of(std::int64_t extent, std::int64_t step, double radius) {
  std::vector<Lines> out;
  for (std::int64_t centre = 0; centre < extent; centre += step)
    out.push_back(lines_at(centre, extent, radius));
  return out;
}

/// Divided by its maximum.
void make_mask(const std::array<const Lines*, 3>& lines, const Extents3& extents,
               std::size_t first_axis, std::vector<float>& out) {
  out.clear();
  const auto axes = static_cast<float>(3 - first_axis);
  for (std::size_t z = 0; z < static_cast<std::size_t>(extents[0]); ++z)
    for (std::size_t y = 0; y < static_cast<std::size_t>(extents[1]); ++y)
      for (std::size_t x = 0; x < static_cast<std::size_t>(extents[2]); ++x) {
        const std::array<std::size_t, 3> at{z, y, x};
        float all = 1;
        for (auto d = first_axis; d < 3; ++d) all *= lines[d]->point[at[d]];
        float sum = -(axes - 1) * all;
        for (auto d = first_axis; d < 3; ++d) {
          float product = lines[d]->three[at[d]];
          for (auto e = first_axis; e < 3; ++e)
            if (e != d) product *= lines[e]->point[at[e]];
          sum += product;
        }
        out.push_back(sum);
      }
  const float most = *std::max_element(out.begin(), out.end());
  for (auto& m : out) m /= most;
}

Shape grid_of(const Shape& extents, std::int64_t step) {
  Shape out;
  for (const auto extent : extents) out.push_back((extent - 1) / step + 1);
  return out;
}

/// Between the grid's values, which lie `step` pixels apart.
Tensor interpolated(const std::vector<double>& grid, const Shape& grid_extents,
                    const Shape& extents, std::int64_t step) {
  const auto from = as_three(grid_extents), to = as_three(extents);
  // An extent that is not there has one place.
  const auto weights = [&](std::int64_t p, std::int64_t count) {
    const auto low = std::min(p / step, count - 1), high = std::min(low + 1, count - 1);
    const double t = static_cast<double>(p - low * step) / static_cast<double>(step);
    return std::tuple(low, high, low == high ? 0.0 : t);
  };
  Tensor out{extents, {}};
  for (std::int64_t z = 0; z < to[0]; ++z)
    for (std::int64_t y = 0; y < to[1]; ++y)
      for (std::int64_t x = 0; x < to[2]; ++x) {
        const auto [z0, z1, tz] = weights(z, from[0]);
        const auto [y0, y1, ty] = weights(y, from[1]);
        const auto [x0, x1, tx] = weights(x, from[2]);
        const auto at = [&](std::int64_t i, std::int64_t j, std::int64_t k) {
          return grid[static_cast<std::size_t>((i * from[1] + j) * from[2] + k)];
        };
        const auto row = [&, x0 = x0, x1 = x1, tx = tx](std::int64_t i, std::int64_t j) {
          return at(i, j, x0) * (1 - tx) + at(i, j, x1) * tx;
        };
        const auto plane = [&, y0 = y0, y1 = y1, ty = ty](std::int64_t i) {
          return row(i, y0) * (1 - ty) + row(i, y1) * ty;
        };
        out.data.push_back(static_cast<float>(plane(z0) * (1 - tz) + plane(z1) * tz));
      }
  return out;
}

base::Size centres(const Context& context, const Greydanus& method) {
  base::Size out = 1;
  for (const auto extent : grid_of(perturbed_extents(context), method.step)) out = out * extent;
  return out;
}

base::Size greydanus_bytes(const Context& context, const Greydanus& method) {
  const Sizes s(context);
  const auto& extents = perturbed_extents(context);
  base::Size lines = 0;
  for (const auto extent : extents)
    lines = lines + base::Size((extent - 1) / method.step + 1) * extent;
  constexpr base::Size kTwo = 2;
  return perturbation_bytes(context, centres(context, method)) + lines * kTwo * kFloat +
         centres(context, method) * kDouble + s.input * kTwo * kFloat +
         s.pixels * kFloat * (kGrown + kGrown) + base::Size(context.row()) * kFloat;
}

std::vector<Evidence> run(Context& context, const Chosen<Greydanus>& method) {
  const auto& extents = perturbed_extents(context);
  const auto grid = grid_of(extents, method->step);
  const auto three = as_three(extents), grid3 = as_three(grid);
  const auto first_axis = 3 - extents.size();
  std::array<std::vector<Lines>, 3> lines;
  for (auto d = first_axis; d < 3; ++d) lines[d] = lines_of(three[d], method->step, method->radius);
  const auto count = grid3[0] * grid3[1] * grid3[2];
  Perturbation perturbation(context, context.batch * count);
  std::vector<Evidence> out;
  std::vector<float> mask;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    const auto own = perturbation.image(n);
    const auto hidden = blurred(own, perturbation.steps(), extents, method->sigma);
    const auto values = context.objectives[static_cast<std::size_t>(n)].values();
    const auto whole = context.scores.subspan(static_cast<std::size_t>(n * context.row()),
                                              static_cast<std::size_t>(context.row()));
    std::vector<double> changes;
    perturbation.rows(
        n, count,
        [&](std::int64_t i, std::span<float> variant) {
          const std::array<std::int64_t, 3> at{i / (grid3[1] * grid3[2]), i / grid3[2] % grid3[1],
                                               i % grid3[2]};
          std::array<const Lines*, 3> own_lines{};
          for (auto d = first_axis; d < 3; ++d)
            own_lines[d] = &lines[d][static_cast<std::size_t>(at[d])];
          make_mask(own_lines, three, first_axis, mask);
          mix(hidden, own, mask, perturbation.steps(), variant);
        },
        [&](std::int64_t, std::span<const float> row) {
          double sum = 0;
          for (const auto& value : values)
            for (auto i = value.begin; i < value.begin + value.size; ++i) {
              const double change = static_cast<double>(whole[i]) - row[i];
              sum += change * change;
            }
          changes.push_back(sum / 2);
        });
    out.push_back({interpolated(changes, grid, extents, method->step)});
  }
  return out;
}

}  // namespace

template <>
Row<Greydanus> row<Greydanus>() {
  return {
      .info = {.title = "Perturbation saliency",
               .paper = "Greydanus et al. 2018, Visualizing and Understanding Atari Agents, eq. "
                        "1 to 3",
               .needs = "an image as the input",
               .cost = "1 forward per disc: height / `step` times width / `step`",
               .use = "how much all of a policy's numbers change where the picture is blurred; "
                      "no class, no sign",
               .kind = MapKind::input,
               .expensive = true},
      .needs = perturbation_needs,
      .run = run,
      .scratch_bytes = greydanus_bytes,
      .relu = false};
}
template const Entry& entry<Greydanus>();

}  // namespace fovea::explain
