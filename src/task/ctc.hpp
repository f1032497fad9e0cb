#pragma once

#include <cstdint>
#include <span>
#include <vector>

/// Connectionist temporal classification (Graves et al. 2006).
namespace fovea::task {

/// log(exp(a) + exp(b)).
double log_sum(double a, double b);

/// log p(labels) of `steps` rows of `classes` log probabilities, over all ways of writing them with
/// blanks and repeats; minus infinity where the steps are too few. Where `slopes` is not empty, it
/// gets the derivatives by each log probability: the posterior of the class at the step.
double ctc_log_probability(std::span<const double> logs, std::int64_t steps, std::int64_t classes,
                           std::span<const std::int64_t> labels, std::int64_t blank,
                           std::span<double> slopes);

}  // namespace fovea::task
