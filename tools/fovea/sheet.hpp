#pragma once

#include "asked.hpp"
#include "sha256.hpp"

/// Several methods side by side.
namespace fovea::cli {

class Replay;

/// One labelled picture: the photo, then a map per method, in a row for each class and layer.
/// Throws as explain does; methods that the model cannot serve are left out with a warning where
/// the request says so. `replay` is the result that is made again, or null; `digests` has what was
/// taken for it.
void explain_sheet(Asked asked, const ExplainOutputs& names, const Replay* replay,
                   Digests& digests);

}  // namespace fovea::cli
