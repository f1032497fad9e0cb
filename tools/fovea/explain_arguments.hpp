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
  std::string score = "logit";        ///< of the class: logit or probability
  bool against = false;               ///< what speaks against the class
  std::optional<std::int64_t> minus;  ///< the class whose score is taken off
  std::string method = "gradcam";     ///< several, with commas between them, make a sheet
  std::vector<std::string> layers;
  std::string normalize = "max", colormap = "jet", fuse = "mean", rendering = "heat";
  bool smooth = false, keep_sign = false;
  std::map<std::string, double> method_options;  ///< what is left out has its default
  std::vector<std::string> options;              ///< NAME=VALUE, to be method_options
  std::vector<std::string> given;                ///< NAME=FILE
  std::vector<std::string> layer_rules;          ///< LAYER=RULE
  double alpha = 0.5;
  std::optional<float> box_share;  ///< none: no boxes
  std::string output, heatmap, map, feature_map;
  std::string replay;  ///< a result to make again
};

}  // namespace fovea::cli
