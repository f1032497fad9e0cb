#pragma once

#include "api/explainer_impl.hpp"
#include "engine/plan.hpp"

/// Backward passes that several targets share.
namespace fovea::api {

/// Adds to the plan, behind all gradients of one target, the same of as many targets as are known
/// or asked for (PrepareOptions), and to the layers where they are. Fewer, or none, where their
/// gradients would take more than a small part of the memory.
void join_gradients(Explainer::Impl& explainer, const graph::Graph& graph, engine::PlanSpec& spec);
/// Takes them from the layers.
void drop_joined_gradients(Explainer::Impl& explainer);

}  // namespace fovea::api
