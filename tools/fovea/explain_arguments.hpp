#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "arguments.hpp"

namespace fovea::cli {

/// Files that `fovea explain` writes, and how the pictures among them are drawn.
struct ExplainOutputs : Outputs {
  std::string output, heatmap, map, feature_map, html;
  std::string strip;
  std::string objects;
  bool inside_boxes = false;  ///< of `objects`
  std::string spectrogram;
  std::string examples_output;
  std::string example_images;      ///< the folder that they are read from
  std::string rendering = "auto";  ///< auto, heat, signed or color
};

/// Options of `fovea explain`, as they were typed.
struct ExplainArguments : Arguments, ExplainOutputs {
  std::vector<std::int64_t> classes;
  std::vector<std::string> target_labels;
  std::vector<std::string> target_texts;  ///< as parse_target reads them
  std::int64_t top = 1;
  std::string score;                  ///< of the class: logit or probability; empty: the method's
  bool against = false;               ///< what speaks against the class
  std::optional<std::int64_t> minus;  ///< the class whose score is taken off
  std::string region;                 ///< X,Y,W,H or a mask's .npy; empty: all scores alike
  std::string similar_to;             ///< another image, whose embedding is compared with
  std::string similarity = "dot";     ///< or cosine
  std::string method = "gradcam";     ///< several, with commas between them, make a sheet
  std::vector<std::string> layers;
  std::string normalize;  ///< max, minmax or none; empty: as the method's maps want
  std::string colormap = "jet", fuse = "mean";
  bool smooth = false, keep_sign = false;
  std::vector<std::string> options;      ///< NAME=VALUE
  std::vector<std::string> given;        ///< NAME=FILE
  std::vector<std::string> layer_rules;  ///< LAYER=RULE
  double alpha = 0.5, percentile = 99;
  std::string opacity = "even";  ///< or value
  bool no_enlarge = false;
  bool caption = false;
  std::int64_t sheet_width = 1400;
  std::optional<float> box_share;  ///< none: no boxes
  bool words = false;              ///< sentences
  std::string examples;            ///< an index of them, or empty
  std::int64_t example_count = 5;
  std::string replay;  ///< a result to make again
};

/// True where the command line has the option, by its name with the dashes.
using IsGiven = std::function<bool(const std::string& option)>;

}  // namespace fovea::cli
