#pragma once

#include <string>
#include <vector>

#include "engine/tuning_time.hpp"
#include "fovea/explainer.hpp"

/// What bounds the tuning of an explainer, and what is told of it.
namespace fovea::api {

engine::TuningTime tuning_time(const CompileOptions& options);

/// None where everything was timed.
std::vector<std::string> tuning_warnings(const CompileOptions& options,
                                         const engine::TuningTime& time);

}  // namespace fovea::api
