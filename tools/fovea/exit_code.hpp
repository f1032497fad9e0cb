#pragma once

#include "fovea/error.hpp"

namespace fovea::cli {

/// 2 wrong usage, 3 bad model, 4 bad image or tensor, 5 unsupported operator, 1 everything else.
int exit_code(ErrorCode code) noexcept;

}  // namespace fovea::cli
