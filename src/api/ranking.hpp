#pragma once

#include <span>
#include <vector>

#include "explain/objective.hpp"
#include "fovea/explanation.hpp"
#include "fovea/tensor.hpp"

/// Scores as probabilities, and in order.
namespace fovea::api {

/// NaN of a single score that is none itself: a softmax over one class says nothing.
std::vector<float> probabilities(std::span<const float> scores, explain::Probability probability);

/// Best first.
std::vector<Prediction> ranked(std::span<const float> logits, std::span<const float> probability);

/// Do they lie in 0..1?
bool may_be_probabilities(std::span<const float> scores);

/// Do an image's scores lie in 0..1 and add up to 1 as they are: all of them, or those of each
/// position along the first extent or the last?
bool are_probabilities(std::span<const float> scores, const Shape& shape);

}  // namespace fovea::api
