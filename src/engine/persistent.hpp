#pragma once

#include <cstdint>

#include "engine/layout.hpp"
#include "engine/plan.hpp"

namespace fovea::engine {

/// Where a persistent value lies: in blocks of channels where it has as many, else row-major.
Desc persistent_desc(const Shape& shape);

/// One image of `value` to `dst`, in the layout of persistent_desc(shape), padding included;
/// `shape` is [1, ...]. Throws Error internal where the extents differ.
void copy_persistent(const ValueView& value, std::int64_t image, const Shape& shape, float* dst);

}  // namespace fovea::engine
