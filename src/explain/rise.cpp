// RISE. V. Petsiuk, A. Das, K. Saenko, "RISE: Randomized Input Sampling for Explanation of
// Black-box Models", BMVC 2018, eq. 6 and section 3.2:
//
//   S = 1 / (N E[M]) sum_i y(x M_i) M_i
//
// M_i: a grid of `cells` a side, each cell 1 with `probability` and else 0, made larger bilinearly
// to (cells + 1) ceil(size / cells) and cut to the image's size at a random place. E[M] is the
// probability. Masked is what the network sees (0 is the mean colour). The authors' code mirrors
// the grid at its border where half a cell lies outside; here the border's value goes on. OpenVINO
// XAI enlarges by cubic splines, cuts at 0 and 1, and does not divide by E[M]: handed its masks,
// the map is the same up to that factor.
//
// The paper explains a probability; of a logit, whose level says nothing, look at the differences
// within the map (min-max).

#include <algorithm>

#include "base/parallel.hpp"
#include "explain/perturbation.hpp"
#include "explain/random.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "explain/windows.hpp"
#include "fovea/methods/perturbation.hpp"

namespace fovea::explain {
namespace {

/// Where the positions of one extent lie in the grid.
struct Axis {
  std::vector<std::int64_t> low, high;
  std::vector<float> share;  ///< of `high`

  Axis(std::int64_t extent, std::int64_t cells, std::int64_t shift) {
    const auto cell = (extent + cells - 1) / cells;
    for (std::int64_t i = 0; i < extent; ++i) {
      const double at = (static_cast<double>(i + shift) + 0.5) * static_cast<double>(cells) /
                            static_cast<double>((cells + 1) * cell) -
                        0.5;
      const double inside = std::clamp(at, 0.0, static_cast<double>(cells - 1));
      low.push_back(static_cast<std::int64_t>(inside));
      high.push_back(std::min(low.back() + 1, cells - 1));
      share.push_back(static_cast<float>(inside - static_cast<double>(low.back())));
    }
  }
};

/// Draws one mask after the other.
class Masks {
 public:
  Masks(const Rise& method, const Shape& extents)
      : random_(method.seed), probability_(method.probability), extents_(as_three(extents)) {
    for (std::size_t d = 0; d < extents_.size(); ++d)
      cells_[d] = d + extents.size() < extents_.size() ? 1 : method.cells;
    grid_.resize(static_cast<std::size_t>(cells_[0] * cells_[1] * cells_[2]));
  }

  void next(std::span<float> out) {
    for (auto& cell : grid_) cell = random_.uniform() < probability_ ? 1.f : 0.f;
    std::vector<Axis> axes;
    for (std::size_t d = 0; d < extents_.size(); ++d) {
      const auto cell = (extents_[d] + cells_[d] - 1) / cells_[d];
      axes.emplace_back(
          extents_[d], cells_[d],
          cells_[d] == 1 && extents_[d] == 1
              ? 0
              : static_cast<std::int64_t>(random_.uniform() * static_cast<double>(cell)));
    }
    base::parallel_for(extents_[0] * extents_[1], 64, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> line(static_cast<std::size_t>(cells_[2]));
      for (auto row = begin; row < end; ++row) {
        blend_rows(axes[0], axes[1], row / extents_[1], row % extents_[1], line);
        float* to = out.data() + row * extents_[2];
        for (std::size_t i = 0; i < static_cast<std::size_t>(extents_[2]); ++i) {
          const float a = line[static_cast<std::size_t>(axes[2].low[i])];
          const float b = line[static_cast<std::size_t>(axes[2].high[i])];
          to[i] = a + (b - a) * axes[2].share[i];
        }
      }
    });
  }

 private:
  /// The grid's row between the rows around (d, r).
  void blend_rows(const Axis& deep, const Axis& down, std::int64_t d, std::int64_t r,
                  std::vector<float>& line) const {
    const auto i = static_cast<std::size_t>(d), j = static_cast<std::size_t>(r);
    const auto at = [&](std::int64_t a, std::int64_t b) {
      return grid_.data() + (a * cells_[1] + b) * cells_[2];
    };
    const float* corners[2][2] = {{at(deep.low[i], down.low[j]), at(deep.low[i], down.high[j])},
                                  {at(deep.high[i], down.low[j]), at(deep.high[i], down.high[j])}};
    for (std::size_t k = 0; k < line.size(); ++k) {
      const float front = corners[0][0][k] + (corners[0][1][k] - corners[0][0][k]) * down.share[j];
      const float back = corners[1][0][k] + (corners[1][1][k] - corners[1][0][k]) * down.share[j];
      line[k] = front + (back - front) * deep.share[i];
    }
  }

  Random random_;
  double probability_;
  Extents3 extents_, cells_{};
  std::vector<float> grid_;
};

/// sum += score mask
void add_scored(std::span<const float> mask, double score, std::vector<double>& sum) {
  base::parallel_for(
      static_cast<std::int64_t>(sum.size()), 16384, [&](std::int64_t begin, std::int64_t end) {
        for (auto p = static_cast<std::size_t>(begin); p < static_cast<std::size_t>(end); ++p)
          sum[p] += score * static_cast<double>(mask[p]);
      });
}

base::Size rise_bytes(const Context& context, const Rise& method) {
  const Sizes s(context);
  const base::Size batch = context.network(NetworkSpec::Part::full).batch;
  const base::Size cells = method.cells;
  // A mask's grid, a line of it for each thread, and where its rows and columns lie between cells.
  const base::Size grid = cells * cells * (context.extents.size() > 2 ? cells : base::Size(1));
  base::Size axes = cells * base::max_threads();
  for (const auto extent : context.extents) axes += base::Size(extent) * base::Size(5) * kGrown;
  return perturbation_bytes(context, batch) + (batch * s.pixels + grid + axes) * kFloat +
         s.pixels * (kDouble + kGrown * kFloat);
}

std::vector<Evidence> run(Context& context, const Chosen<Rise>& method) {
  const Shape& extents = perturbed_extents(context);
  Shape all = extents;
  all.insert(all.begin(), -1);
  const auto* given = method.given(&Rise::given_masks, all);
  const auto masks = method.rows(&Rise::masks, given);
  Perturbation perturbation(context, context.batch * masks);
  const auto steps = perturbation.steps();
  const auto positions = static_cast<std::size_t>(steps.positions);
  const std::vector<float> nothing(positions * static_cast<std::size_t>(steps.channels), 0.f);
  const double weight = 1 / (static_cast<double>(masks) * method->probability);
  std::vector<std::vector<float>> drawn(static_cast<std::size_t>(perturbation.batch()),
                                        std::vector<float>(given ? 0 : positions));
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    Masks source(method, extents);
    std::vector<double> sum(positions, 0.0);
    for (std::int64_t begin = 0; begin < masks; begin += perturbation.batch()) {
      const auto mask = [&](std::int64_t k) -> std::span<const float> {
        if (given == nullptr) return drawn[static_cast<std::size_t>(k)];
        return std::span(given->data)
            .subspan(static_cast<std::size_t>(begin + k) * positions, positions);
      };
      const auto count = std::min(perturbation.batch(), masks - begin);
      const auto scores =
          perturbation.scores(n, count, [&](std::int64_t k, std::span<float> variant) {
            if (given == nullptr) source.next(drawn[static_cast<std::size_t>(k)]);
            mix(perturbation.image(n), nothing, mask(k), steps, variant);
          });
      for (std::int64_t k = 0; k < count; ++k)
        add_scored(mask(k), scores[static_cast<std::size_t>(k)], sum);
    }
    Tensor map{extents, {}};
    for (const double v : sum) map.data.push_back(static_cast<float>(v * weight));
    out.push_back({std::move(map)});
  }
  return out;
}

}  // namespace

template <>
Row<Rise> row<Rise>() {
  return {
      .info = {.title = "RISE",
               .paper = "Petsiuk et al. 2018, RISE: Randomized Input Sampling for Explanation of "
                        "Black-box Models, eq. 6",
               .needs = "an image as the input",
               .cost = "`masks` forwards",
               .use = "a smooth map without gradients or windows; of a probability",
               .kind = MapKind::input,
               .expensive = true,
               .has_offset = true,
               .of_probability = true},
      .needs = [] { return perturbation_needs(); },
      .run = run,
      .scratch_bytes = rise_bytes,
      .relu = false};
}
template const Entry& entry<Rise>();

}  // namespace fovea::explain
