#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fovea/target.hpp"
#include "fovea/tensor.hpp"

namespace fovea::structured {

/// What an example's file holds, by name.
using Arrays = std::map<std::string, Tensor>;

/// One example of shared/structured: what its file's score is of, and where its maps lie.
struct Golden {
  std::string example;  ///< without ".npz"; what is in front of "__" names the model
  std::string layer;    ///< of the maps; an input, where the file holds a gradient there
  std::function<Target(const Arrays&)> target;
  /// Outputs that are drawn at random.
  std::vector<std::string> drawn = {};
  /// Inputs whose values are given when the explainer is made.
  std::vector<std::string> fixed = {};
  double tolerance = 1e-4;  ///< of a map's largest value
};

const std::vector<Golden>& goldens();

}  // namespace fovea::structured
