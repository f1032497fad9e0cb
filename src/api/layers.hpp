#pragma once

#include <string>

#include "api/explainer_impl.hpp"
#include "explain/method.hpp"
#include "graph/query.hpp"

/// The layers of an explainer that is being made: its targets are known.
namespace fovea::api {

graph::TokenOptions tokens_of(const Explainer::Impl& impl);

/// Those that can be explained, and the default one. `forms`: of the graph, to the targets.
void describe_layers(Explainer::Impl& impl, const graph::Graph& graph,
                     const graph::MapForms& forms);

/// Throws Error invalid_argument for one that does not exist, or that cannot be explained.
explain::Layer resolve_layer(const Explainer::Impl& impl, const graph::Graph& graph,
                             const graph::MapForms& forms, const std::string& name);

}  // namespace fovea::api
