#pragma once

#include <string>
#include <vector>

#include "fovea.h"
#include "fovea/explainer.hpp"

/// Options between C and C++. All throw Error invalid_argument for what does not exist.
namespace fovea::c {

Method method_of(const fovea_method* method);

/// From now on; null: none.
CallOptions call_options(const fovea_call_options* call);

/// Without targets, which need the model.
ExplainerOptions explainer_options(const fovea_explainer_options& options);

ExplainOptions explain_options(const fovea_explain_options& options);

/// Texts of `count` strings, none of them NULL.
std::vector<std::string> texts_of(const char* const* texts, std::size_t count, const char* name);

/// Reads what targets need before an explainer is there; `options` are the explainer's.
void prepare_targets(const Model& model, ExplainerOptions& options,
                     const std::vector<std::string>& texts, const CallOptions& call);

/// The targets of a call. Scores as `options` say, by_method for the method.
std::vector<Target> targets_of(const std::vector<std::string>& texts, const Explainer& explainer,
                               const std::string& method, const fovea_explain_options& options);

}  // namespace fovea::c
