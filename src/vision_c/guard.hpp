#pragma once

#include <utility>

#include "c/guard.hpp"
#include "fovea_vision.h"

namespace fovea::vision_c {

/// Throws Error invalid_argument where libfovea_c is of another version: the two share what handles
/// are made of.
void require_same_version();

/// As c::guarded, of a function of this library.
template <class Work>
fovea_status guarded(fovea_error* error, Work&& work) noexcept {
  return c::guarded(error, [&] {
    require_same_version();
    return std::forward<Work>(work)();
  });
}

}  // namespace fovea::vision_c
