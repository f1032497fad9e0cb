#pragma once

#include <memory>

#include "api/explainer_impl.hpp"

namespace fovea::api {

/// See Explainer::Explainer.
std::shared_ptr<const Explainer::Impl> make_explainer(const Model& model, ExplainerOptions options,
                                                      const CallOptions& call);

/// Of an explainer whose targets lie behind selections, that for what was selected.
std::shared_ptr<const Explainer::Impl> make_selected(const Explainer::Impl& outline,
                                                     const Selections& selections,
                                                     const CallOptions& call);

/// The same for another number of threads: of the same precision, over the same budget, and nothing
/// is timed.
std::shared_ptr<const Explainer::Impl> make_variant(const Explainer::Impl& like, int threads,
                                                    const CallOptions& call);

}  // namespace fovea::api
