#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fovea/tensor.hpp"
#include "shapes/draw.hpp"

/// Small valid networks whose extents nobody thought of.
namespace fovea::shapes_test {

struct Network {
  std::string bytes;                          ///< the file
  std::string told;                           ///< what it is, for a failed expectation
  std::int64_t batch = 1;                     ///< what open first extents stand for
  std::map<std::string, Shape> input_shapes;  ///< where other extents are open
  std::vector<std::string> values;            ///< of rank 3 to 5: layers, some of them
  std::vector<std::string> outputs;
};

/// Inputs of rank 0 to 5 with or without a first extent of images, none to three of them; anything
/// that moves, joins or drops extents on the way; scores of any rank.
Network drawn_network(Draw& draw);

}  // namespace fovea::shapes_test
