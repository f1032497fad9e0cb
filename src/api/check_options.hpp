#pragma once

#include "fovea/explainer.hpp"

namespace fovea::api {

/// Throws Error invalid_argument for what no model can be prepared with.
void check_options(const ExplainerOptions& options);
/// Throws Error invalid_argument for a number of threads that no runtime makes.
void check_threads(int threads);

}  // namespace fovea::api
