#pragma once

#include <string>

#include "explain_arguments.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace fovea::cli {

/// Options of `fovea explain-all`, as they were typed. `output` and the other files of
/// ExplainOutputs stay empty: each photo has its own.
struct ExplainAllArguments : ExplainArguments {
  std::string images;  ///< a folder, a list, or "-"
  std::string folder;  ///< --output
  bool overlays = false, heatmaps = false, maps = false, feature_maps = false;
  std::string format = "png";     ///< of the pictures
  bool no_box = false;            ///< else box_share
  int workers = 0;                ///< photos at once; 0: as many as there are cores for
  bool retry_failed = false;      ///< of an earlier call
  std::string progress = "auto";  ///< auto, json or none
};

void explain_all(const ExplainAllArguments& arguments, const IsGiven& given);

}  // namespace fovea::cli
