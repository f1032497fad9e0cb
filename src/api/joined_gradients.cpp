#include "api/joined_gradients.hpp"

#include <algorithm>
#include <utility>

#include "base/checked.hpp"
#include "base/size.hpp"
#include "engine/path.hpp"

namespace fovea::api {
namespace {

/// Beyond it a pass takes longer by as much as there are targets more.
constexpr std::int64_t kMost = 32;
/// Of what the gradients of all targets may take at the widest value on the way, where nobody said
/// how many targets there are; and what part of the memory.
constexpr std::int64_t kBytes = std::int64_t{64} << 20;
constexpr std::int64_t kPart = 4;

/// Bytes of the widest value that a gradient passes on its way.
std::int64_t widest(const graph::Graph& graph, const engine::GradientSpec& gradient) {
  const auto path = engine::values_between(graph, gradient.wrt, gradient.of);
  base::Size most = 1;
  for (std::size_t i = 0; i < path.size(); ++i)
    if (path[i]) most = std::max(most, base::Size(base::element_count(graph.values()[i].shape)));
  return (most * base::Size(sizeof(float))).n;
}

std::int64_t wanted(const Explainer::Impl& explainer) {
  const auto& prepare = explainer.options.prepare;
  if (prepare.targets_at_once) return *prepare.targets_at_once / explainer.batch;
  return std::min(std::ssize(prepare.targets), kMost);
}

/// visit(layer): those that are explained, and the input.
template <class Visit>
void each_layer(Explainer::Impl& explainer, Visit&& visit) {
  for (auto& layer : explainer.prepared) visit(layer);
  visit(explainer.input_layer);
}

}  // namespace

void join_gradients(Explainer::Impl& explainer, const graph::Graph& graph, engine::PlanSpec& spec) {
  auto targets = wanted(explainer);
  const auto limit = explainer.options.pool.memory_limit / kPart;
  const bool said = explainer.options.prepare.targets_at_once.has_value();
  for (std::size_t i = 0; i < spec.gradients.size() && targets > 1; ++i) {
    const auto each = widest(graph, spec.gradients[i]);
    const auto bytes = said ? limit : std::min(limit, kBytes);
    targets = std::min({targets, bytes / each, base::kMaxElements / each});
  }
  if (targets < 2) return;
  explainer.joined = targets;
  each_layer(explainer, [&](explain::Layer& layer) {
    for (const auto& [gradient, index] : std::map(layer.gradients)) {
      if (!gradient.joins()) continue;
      auto joined = gradient;
      joined.seeds = targets;
      layer.gradients[joined] = spec.gradients.size();
      auto added = spec.gradients[index];
      added.seeds = targets;
      spec.gradients.push_back(std::move(added));
    }
  });
}

void drop_joined_gradients(Explainer::Impl& explainer) {
  explainer.joined = 1;
  each_layer(explainer, [](explain::Layer& layer) {
    std::erase_if(layer.gradients, [](const auto& gradient) { return gradient.first.seeds > 1; });
  });
}

}  // namespace fovea::api
