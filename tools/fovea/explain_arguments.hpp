#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "arguments.hpp"

namespace fovea::cli {

/// Options of `fovea explain`.
struct ExplainArguments : Arguments {
  std::vector<std::int64_t> classes;
  std::vector<std::string> target_labels;
  std::int64_t top = 1;
  std::string method = "gradcam", layer, normalize = "max", colormap = "jet";
  std::map<std::string, double> method_options;  ///< what is left out has its default
  double alpha = 0.5;
  std::optional<float> box_share;  ///< none: no boxes
  std::string output, heatmap, map, feature_map;
  std::string replay;  ///< a result to make again
};

}  // namespace fovea::cli
