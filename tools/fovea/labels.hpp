#pragma once

#include "fovea/session.hpp"

namespace fovea::cli {

using fovea::find_label;
using fovea::Labels;
using fovea::parse_labels;
using fovea::read_labels;

}  // namespace fovea::cli
