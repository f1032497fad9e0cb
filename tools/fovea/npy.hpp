#pragma once

#include "fovea/files.hpp"

namespace fovea::cli {

using fovea::npy_bytes;
using fovea::read_npy;

}  // namespace fovea::cli
