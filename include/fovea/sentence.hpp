#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fovea/explanation.hpp"
#include "fovea/export.hpp"

namespace fovea {

struct DescribeOptions {
  std::vector<std::string> labels = {};  ///< by class; those missing or empty are told by number
  /// What Run::channels gives for the explanation's target; null: nothing is said of channels.
  const Channels* channels = nullptr;
  std::int64_t most_channels = 3;  ///< how many are named for the target; one is named against it
};

/// Where a map's positive values are, as one box: around the largest connected part above a fifth
/// of the maximum (find_box), on a grid of at most 16 cells a side, which holds the sums of finer
/// maps. Of three extents, rows and columns are found in the sum over the first, and the range of
/// the first in the sum over the others.
struct Place {
  std::string words;  ///< "in the upper left", by the thirds that the box's centre lies in
  std::vector<float> from, to;  ///< per extent of the map, in fractions of the input
  float share = 0;              ///< of the sum of the positive values
  float size = 0;               ///< of the input
};

/// None where no value is positive, some are not finite, or there are not 1 to 3 extents with more
/// than one position between them.
FOVEA_API std::optional<Place> find_place(const Tensor& map);

/// A channel, and its share of what all channels of its sign contribute.
struct ChannelShare {
  std::int64_t channel = 0;
  float share = 0;
};

/// An explanation in words, and the numbers that they tell.
struct Description {
  std::string text;               ///< a few plain English sentences; no more than the numbers say
  std::int64_t class_index = -1;  ///< -1 where the target is no class
  std::string label;
  double score = 0;                  ///< as Explanation::score
  std::optional<float> probability;  ///< of the class
  std::int64_t rank = 0;             ///< of the class, 1 for the best; 0 where there is none
  std::optional<Place> place;
  float negative_share = 0;            ///< of the sum of the map's magnitudes
  std::vector<ChannelShare> channels;  ///< that add to the target, most first
  std::vector<ChannelShare> against;   ///< that take from it: the one that takes most
  /// What takes from the target, of all contributions' magnitudes; none without channels.
  std::optional<float> against_share;
  /// The best class but the one explained.
  std::optional<Prediction> rival;
  std::string rival_label;
};

/// Throws Error invalid_argument for channels whose features and weights differ in number.
/// Cost: a few reads of the map at the layer's grid.
FOVEA_API Description describe(const Explanation& why, const DescribeOptions& options = {});

}  // namespace fovea
