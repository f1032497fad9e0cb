#include "api/smoothing.hpp"

#include <algorithm>
#include <array>

namespace fovea::api {
namespace {

/// Reverses the order of `columns` groups of `group` floats in every row.
void mirror(std::vector<float>& data, std::int64_t columns, std::int64_t group) {
  const auto row = static_cast<std::size_t>(columns * group);
  for (std::size_t start = 0; start + row <= data.size(); start += row)
    for (std::int64_t x = 0; x < columns / 2; ++x) {
      const auto left = data.begin() + static_cast<std::ptrdiff_t>(start) + x * group;
      const auto right =
          data.begin() + static_cast<std::ptrdiff_t>(start) + (columns - 1 - x) * group;
      std::swap_ranges(left, left + group, right);
    }
}

void add(Tensor& sum, Tensor part, float share) {
  for (auto& v : part.data) v *= share;
  if (sum.data.empty()) {
    sum = std::move(part);
    return;
  }
  for (std::size_t i = 0; i < part.data.size(); ++i) sum.data[i] += part.data[i];
}

}  // namespace

std::span<const Variant> smoothing_variants() {
  static constexpr std::array<Variant, 6> all = {
      {{false, 0.9f}, {false, 1.f}, {false, 1.1f}, {true, 0.9f}, {true, 1.f}, {true, 1.1f}}};
  return all;
}

void apply(const Variant& variant, Tensor& input, const Shape& extents) {
  for (auto& v : input.data) v *= variant.factor;
  if (!variant.mirrored || extents.empty()) return;
  const bool channels_first = input.shape.back() == extents.back();
  mirror(input.data, extents.back(), channels_first ? 1 : input.shape.back());
}

void undo(const Variant& variant, Tensor& map) {
  if (variant.mirrored && !map.shape.empty()) mirror(map.data, map.shape.back(), 1);
}

void add_share(std::vector<explain::Evidence>& sum, std::vector<explain::Evidence> part,
               std::size_t parts) {
  sum.resize(part.size());
  for (std::size_t n = 0; n < part.size(); ++n) {
    add(sum[n].map, std::move(part[n].map), 1 / static_cast<float>(parts));
    add(sum[n].attribution, std::move(part[n].attribution), 1 / static_cast<float>(parts));
  }
}

}  // namespace fovea::api
