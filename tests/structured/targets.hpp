#pragma once

#include <string>
#include <vector>

#include "fovea/target.hpp"

/// Targets over named values, in the caller's own code, as the goldens' scores are made.
namespace fovea::structured {

/// sum over `places` of the log-softmax along the value's last axis.
Target log_probability(std::string value, std::vector<Shape> places);
/// The log-probability of a text under CTC: `labels` along the steps of a value [steps, classes] of
/// logits, blank 0.
Target ctc(std::string value, std::vector<std::size_t> labels);
/// The product of two numbers of a value.
Target product(std::string value, Shape a, Shape b);
/// The mean of the logits of one class [classes, positions...] over the positions where the mask is
/// not 0, or, without a mask, where the class is the largest.
Target mean_of_class(std::string value, std::int64_t index, std::vector<float> mask = {});
/// Its element less the mean of all of them.
Target advantage(std::string value, std::int64_t index);

}  // namespace fovea::structured
