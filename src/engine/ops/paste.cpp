#include <algorithm>
#include <array>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::Paste;

using Extents = std::array<std::int64_t, 3>;  // leading ones of extent 1

/// Rows of the region, each a run of positions; `block` floats per position.
struct Regions {
  Extents map{1, 1, 1}, patch{1, 1, 1}, region{1, 1, 1};
  std::size_t rank = 2;
  std::int64_t images = 1, blocks = 1, block = 1;
  std::int64_t places = 0;  // floats of an image's places
  std::int64_t row = 0;     // where the operator's begin
  float fill = 0;

  std::int64_t rows() const { return images * blocks * region[0] * region[1]; }

  /// Where along each axis of the map something begins: `which` 0: the patch, 1: the region.
  Extents begin(const float* all, std::int64_t image, std::size_t which) const {
    Extents out{0, 0, 0};
    for (std::size_t i = 0; i < rank; ++i)
      out[3 - rank + i] = static_cast<std::int64_t>(
          all[image * places + row + static_cast<std::int64_t>(which * rank + i)]);
    return out;
  }

  void copy(std::int64_t index, const float* clean, const float* patches, const float* all,
            float* out) const {
    const auto y = index % region[1], z = index / region[1] % region[0];
    const auto block_index = index / (region[1] * region[0]) % blocks;
    const auto image = index / (region[1] * region[0] * blocks);
    const auto at = begin(all, image, 0), from = begin(all, image, 1);
    float* dst = out + index * region[2] * block;
    const auto width = region[2];
    const auto map_z = from[0] + z, map_y = from[1] + y;
    if (map_z < 0 || map_z >= map[0] || map_y < 0 || map_y >= map[1]) {
      std::fill(dst, dst + width * block, fill);
      return;
    }
    const auto inside = std::clamp<std::int64_t>(-from[2], 0, width);
    const auto outside = std::clamp<std::int64_t>(map[2] - from[2], inside, width);
    std::fill(dst, dst + inside * block, fill);
    std::fill(dst + outside * block, dst + width * block, fill);
    const float* src = clean + ((block_index * map[0] + map_z) * map[1] + map_y) * map[2] * block +
                       from[2] * block;
    const auto patch_z = map_z - at[0], patch_y = map_y - at[1];
    if (patch_z < 0 || patch_z >= patch[0] || patch_y < 0 || patch_y >= patch[1]) {
      std::copy(src + inside * block, src + outside * block, dst + inside * block);
      return;
    }
    const auto first = std::clamp(at[2] - from[2], inside, outside);
    const auto last = std::clamp(at[2] + patch[2] - from[2], first, outside);
    const float* over =
        patches +
        (((image * blocks + block_index) * patch[0] + patch_z) * patch[1] + patch_y) * patch[2] *
            block +
        (from[2] - at[2]) * block;
    std::copy(src + inside * block, src + first * block, dst + inside * block);
    std::copy(over + first * block, over + last * block, dst + first * block);
    std::copy(src + last * block, src + outside * block, dst + last * block);
  }
};

void set(Extents& out, const Shape& shape) {
  std::copy(shape.begin() + 2, shape.end(), out.end() - (std::ssize(shape) - 2));
}

/// In blocks of channels, unless what lies beyond the map would fill a block's padding.
Desc layout_for(const Paste& op, ForwardContext& c) {
  const auto channels = c.out_shape()[1];
  const auto home = home_desc(c.out_shape(), Type::f32);
  const bool blocked =
      home && channels >= home_block() && (op.fill == 0 || channels % home_block() == 0);
  return blocked ? *home : plain_desc(c.out_shape());
}

}  // namespace

void forward(const Paste& op, ForwardContext& c) {
  const Desc layout = layout_for(op, c);
  const Operand clean = c.b.in_layout(c.in(0), like(layout, c.in_shape(0)));
  const Operand patch = c.b.in_layout(c.in(1), like(layout, c.in_shape(1)));
  const Operand dst = c.make_out(layout);
  const auto view = *map_view(layout);
  Regions regions;
  set(regions.map, c.in_shape(0));
  set(regions.patch, c.in_shape(1));
  set(regions.region, c.out_shape());
  regions.rank = op.extents.size();
  regions.images = view.images;
  regions.block = view.layout.block;
  regions.blocks = simd::padded_channels(view.layout) / regions.block;
  regions.places = c.in_shape(2)[1] * c.in_shape(2)[2];
  regions.row = op.row * c.in_shape(2)[2];
  regions.fill = op.fill;
  c.b.kernel(
      [regions](Pointers p) {
        const auto floats_per_row = regions.region[2] * regions.block;
        base::parallel_for(
            regions.rows(), std::max<std::int64_t>(1, kElementGrain / floats_per_row),
            [&](std::int64_t begin, std::int64_t end) {
              for (auto row = begin; row < end; ++row)
                regions.copy(row, floats(p, 0), floats(p, 1), floats(p, 2), floats(p, 3));
            });
      },
      {clean, patch, c.plain_in(2)}, {dst});
  c.out(0, dst);
}

}  // namespace fovea::engine
