#pragma once

#include <cstdint>
#include <functional>
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
  std::string score;                  ///< of the class: logit or probability; empty: the method's
  bool against = false;               ///< what speaks against the class
  std::optional<std::int64_t> minus;  ///< the class whose score is taken off
  std::string region;                 ///< X,Y,W,H or a mask's .npy; empty: all scores alike
  std::string similar_to;             ///< another image, whose embedding is compared with
  std::string method = "gradcam";     ///< several, with commas between them, make a sheet
  std::vector<std::string> layers;
  std::string normalize;  ///< max, minmax or none; empty: as the method's maps want
  std::string colormap = "jet", fuse = "mean", rendering = "heat";
  bool smooth = false, keep_sign = false;
  std::map<std::string, double> method_options;  ///< what is left out has its default
  std::vector<std::string> options;              ///< NAME=VALUE, to be method_options
  /// Where a sheet is made again: each method's own, in place of method_options.
  std::map<std::string, std::map<std::string, double>> options_by_method;
  std::vector<std::string> given;        ///< NAME=FILE
  std::vector<std::string> layer_rules;  ///< LAYER=RULE
  double alpha = 0.5;
  std::optional<float> box_share;  ///< none: no boxes
  bool words = false;              ///< sentences
  std::string examples;            ///< an index of them, or empty
  std::int64_t example_count = 5;
  std::string example_images, examples_output;
  std::string output, heatmap, map, feature_map;
  std::string replay;  ///< a result to make again
  bool sheet = false;  ///< what is made again is a sheet, of however many methods
};

/// True where the command line has the option, by its name with the dashes.
using IsGiven = std::function<bool(const std::string& option)>;

}  // namespace fovea::cli
