#pragma once

#include <string>

#include "fovea/explainer.hpp"
#include "fovea/export.hpp"
#include "fovea/method_info.hpp"

/// What callers have in common who are told in texts what to explain: a program, a request, another
/// language.
namespace fovea {

/// Of an explainer that is only asked about its model (`layers`, `shapes`, `target_values`) and
/// makes no run: no methods, no layers, nothing timed, f32. All else as in `options`.
FOVEA_API ExplainerOptions bare_options(ExplainerOptions options);

/// The registry's row; null where there is none of this name. It lives as long as the process.
/// Cost: the first call makes the registry.
FOVEA_API const MethodInfo* find_method(const std::string& name);

/// What the method explains of one class where nobody said which of its scores. True: the
/// probability, of a method that is defined on it and an explainer whose classes have one. False:
/// the logit.
FOVEA_API bool explains_probability(const std::string& method, const Explainer& explainer);

}  // namespace fovea
