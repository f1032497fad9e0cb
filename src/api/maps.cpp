#include <algorithm>
#include <cmath>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "fovea/explanation.hpp"
#include "simd/kernels.hpp"
#include "simd/resize.hpp"

namespace fovea {
namespace {

constexpr std::int64_t kRowGrain = 64;  // rows worth waking a thread for

void check(const Tensor& map) {
  if (static_cast<std::int64_t>(map.data.size()) !=
      base::element_count(map.shape, ErrorCode::bad_input))
    throw Error(ErrorCode::bad_input, "the map's data does not fill its extents");
}

/// The last two extents; a map of rank 1 is one row.
std::pair<std::int64_t, std::int64_t> plane(const Shape& shape) {
  return {shape.size() > 1 ? shape[shape.size() - 2] : 1, shape.back()};
}

void resize_planes(const Tensor& src, Tensor& dst, std::int64_t planes) {
  const auto [sh, sw] = plane(src.shape);
  const auto [dh, dw] = plane(dst.shape);
  const simd::LinearTaps rows(sh, dh), columns(sw, dw);
  for (std::int64_t i = 0; i < planes; ++i) {
    const float* from = src.data.data() + i * sh * sw;
    float* to = dst.data.data() + i * dh * dw;
    const auto width = dw, source_width = sw;
    base::parallel_for(
        dh, kRowGrain, [&, from, to, width, source_width](std::int64_t begin, std::int64_t end) {
          std::vector<float> scratch(static_cast<std::size_t>(2 * width));
          simd::kernels().resize_bilinear(from, source_width, columns.axis(), rows.axis(), width,
                                          begin, end, scratch.data(), to);
        });
  }
}

}  // namespace

Tensor normalized(const Tensor& map, Normalize how) {
  check(map);
  Tensor out = map;
  const auto n = static_cast<std::int64_t>(out.data.size());
  if (how == Normalize::none || n == 0) return out;
  const auto& k = simd::kernels();
  const auto stats =
      how == Normalize::max ? k.relu_max(out.data.data(), n) : k.min_max(out.data.data(), n);
  const float low = how == Normalize::max ? 0.f : stats.min;
  const float range = stats.max - low;
  if (!(range > 0) || std::isinf(range)) {
    for (auto& v : out.data) v = std::isnan(v) ? v : 0.f;
    return out;
  }
  // Divided, not multiplied by a reciprocal: the maximum becomes exactly 1.
  if (low != 0) k.scale_shift(out.data.data(), n, 1.f, -low);
  k.binary_scalar(simd::Binary::div, out.data.data(), range, out.data.data(), n);
  return out;
}

Tensor resized(const Tensor& map, const Shape& extents) {
  check(map);
  if (extents.size() != map.shape.size() || extents.empty() || extents.size() > 3)
    throw Error(ErrorCode::invalid_argument,
                "a map has one to three extents, and is resized to as many");
  if (base::element_count(extents, ErrorCode::invalid_argument) == 0 || map.data.empty())
    throw Error(ErrorCode::invalid_argument, "a map cannot be resized from or to nothing");
  Tensor flat{extents, {}};
  if (extents.size() == 3) flat.shape[0] = map.shape[0];
  flat.data.resize(static_cast<std::size_t>(base::element_count(flat.shape)));
  resize_planes(map, flat, extents.size() == 3 ? map.shape[0] : 1);
  if (extents.size() < 3 || extents[0] == map.shape[0]) return flat;
  // Depth: the planes as rows of one long row each.
  const std::int64_t area = extents[1] * extents[2];
  Tensor out{extents, std::vector<float>(static_cast<std::size_t>(extents[0] * area))};
  const Tensor rows{{map.shape[0], area}, std::move(flat.data)};
  Tensor tall{{extents[0], area}, std::move(out.data)};
  resize_planes(rows, tall, 1);
  return {extents, std::move(tall.data)};
}

}  // namespace fovea
