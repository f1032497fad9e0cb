#include "engine/persistent.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "base/parallel.hpp"

namespace fovea::engine {

Desc persistent_desc(const Shape& shape) {
  const auto home = home_desc(shape, Type::f32);
  return home && shape[1] >= home_block() ? *home : plain_desc(shape);
}

void copy_persistent(const ValueView& value, std::int64_t image, const Shape& shape, float* dst) {
  const bool fits = value.shape.size() == shape.size() && value.shape.size() >= 2 &&
                    std::equal(shape.begin() + 1, shape.end(), value.shape.begin() + 1);
  if (!fits) throw Error(ErrorCode::internal, "a value that is held has other extents");
  const float* src = value.data + image * value.image_stride;
  const auto own = map_view(persistent_desc(shape));
  const auto channels = shape[1], positions = base::element_count(shape) / channels;
  const auto block = own ? own->layout.block : 1;
  base::parallel_for((channels + block - 1) / block, 1, [&](std::int64_t begin, std::int64_t end) {
    if (block == value.block && end * block <= channels) {
      const auto size = block * positions;
      std::copy(src + begin * size, src + end * size, dst + begin * size);
      return;
    }
    for (auto c = begin * block; c < end * block; ++c) {
      float* to = dst + channel_begin(c, positions, block);
      const float* from = src + channel_begin(c, positions, value.block);
      for (std::int64_t p = 0; p < positions; ++p)
        to[p * block] = c < channels ? from[p * value.block] : 0.f;
    }
  });
}

}  // namespace fovea::engine
