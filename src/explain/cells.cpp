#include "explain/cells.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "explain/sizes.hpp"
#include "explain/windows.hpp"

namespace fovea::explain {
namespace {

constexpr std::int64_t kMaxCells = 4096;  // the regression is cubic in them

}  // namespace

Cells::Cells(const Shape& extents, std::int64_t side) : extents_(extents) {
  std::int64_t count = 1;
  for (const auto extent : extents) {
    if (side > extent)
      throw Error(ErrorCode::invalid_argument,
                  "a grid of " + std::to_string(side) +
                      " cells a side is finer than the picture, one of whose sides is " +
                      std::to_string(extent));
    count *= side;
  }
  if (count > kMaxCells)
    throw Error(ErrorCode::invalid_argument, "the grid has " + std::to_string(count) +
                                                 " cells; at most " + std::to_string(kMaxCells) +
                                                 " are possible");
  count_ = static_cast<std::size_t>(count);
  const auto three = as_three(extents);
  const auto missing = three.size() - extents.size();
  const auto cell = [&](std::size_t d, std::int64_t p) {
    return d < missing ? 0 : p * side / three[d];
  };
  for (std::int64_t i = 0; i < three[0]; ++i)
    for (std::int64_t j = 0; j < three[1]; ++j)
      for (std::int64_t k = 0; k < three[2]; ++k)
        cell_.push_back(
            static_cast<std::int32_t>((cell(0, i) * side + cell(1, j)) * side + cell(2, k)));
}

Tensor Cells::spread(std::span<const double> values) const {
  Tensor out{extents_, {}};
  for (const auto cell : cell_)
    out.data.push_back(static_cast<float>(values[static_cast<std::size_t>(cell)]));
  return out;
}

void Cells::show(const Coalition& shown, std::span<const float> image, std::span<const float> cover,
                 const ChannelSteps& steps, std::span<float> out) const {
  base::parallel_for(steps.positions, 16384, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = 0; c < steps.channels; ++c)
      for (auto p = begin; p < end; ++p) {
        const auto cell = cell_[static_cast<std::size_t>(p)];
        const auto at = static_cast<std::size_t>(c * steps.channel_step + p * steps.position_step);
        out[at] = shown[static_cast<std::size_t>(cell)] != 0 ? image[at] : cover[at];
      }
  });
}

void check_coalitions(const Tensor& given) {
  if (std::any_of(given.data.begin(), given.data.end(), [](float v) { return v != 0 && v != 1; }))
    throw Error(ErrorCode::invalid_argument,
                "the masks of cells hold values other than 0 and 1: a cell is shown or hidden");
}

Coalition coalition_of(const Tensor& given, std::int64_t sample) {
  const auto begin = given.data.begin() + sample * given.shape[1];
  return {begin, begin + given.shape[1]};
}

base::Size coalition_bytes(const Context& context, base::Size side, base::Size coalitions) {
  constexpr base::Size kRow = 64, kMatrices = 2, kVectors = 16;  // a row's vector and weight
  base::Size cells = 1;
  for (std::size_t d = 0; d < perturbed_extents(context).size(); ++d) cells = cells * side;
  if (base::Size(kMaxCells) < cells) return 0;  // which is refused
  const base::Size unknowns = cells + base::Size(1);
  const Sizes s(context);
  return perturbation_bytes(context, coalitions) + coalitions * (cells * kDouble + kRow * kGrown) +
         unknowns * (unknowns * kMatrices + kVectors) * kDouble +
         s.pixels * base::Size(2) * kGrown * kFloat;
}

}  // namespace fovea::explain
