#include "api/network.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "api/other_batch.hpp"
#include "api/window_network.hpp"

namespace fovea::api {
namespace {

using explain::NetworkSpec;

/// True where an input reaches the scores without passing the layer.
bool goes_round(const graph::Graph& graph, graph::ValueId layer, graph::ValueId logits) {
  std::vector<bool> wanted(graph.values().size(), false);
  const auto at = [&](graph::ValueId id) { return wanted[static_cast<std::size_t>(id.index)]; };
  wanted[static_cast<std::size_t>(logits.index)] = true;
  for (std::size_t i = graph.nodes().size(); i-- > 0;) {
    const auto& node = graph.nodes()[i];
    bool needed = false;
    for (const auto output : node.outputs)
      needed = needed || (at(output) && output != layer && !graph.value(output).constant);
    if (!needed) continue;
    for (const auto input : node.inputs)
      if (input) wanted[static_cast<std::size_t>(input.index)] = true;
  }
  for (const auto input : graph.inputs)
    if (at(input) && input != layer) return true;
  return false;
}

/// The plan of `spec` for so many images at once, or for the explainer's own number of them.
/// `rows`: what has to have a row per image.
Network made(const NetworkSource& source, const NetworkSpec& spec, std::int64_t batch,
             std::span<const graph::ValueId> rows) {
  Network out;
  out.batch = source.image_batch.count;
  out.stacked = stacked_inputs(source.bound, source.image_batch);
  std::optional<Rebound> rebound;
  if (batch != out.batch)
    rebound = with_batch(source.imported, source.bound, source.image_batch, source.logits, rows,
                         batch, source.like.limits);
  if (rebound) {
    out.batch = batch;
    out.stacked = rebound->stacked;
  }
  const graph::Graph& graph = rebound ? rebound->graph : source.bound;
  auto plan = scores_alone(source);
  if (spec.from) {
    out.reads_inputs = goes_round(source.bound, spec.from, source.logits);
    plan.feeds = {spec.from};
    if (out.reads_inputs)
      plan.feeds.insert(plan.feeds.end(), graph.inputs.begin(), graph.inputs.end());
    plan.grids = source.like.grids;
    plan.few_positions = spec.few_positions;
    if (spec.gradient) plan.gradients.push_back({.of = source.logits, .wrt = spec.from});
  }
  out.plan = engine::Plan::build(graph, plan, source.weights);
  out.pool =
      std::make_unique<WorkspacePool>(*out.plan, source.options.pool.max_workspaces, source.budget);
  return out;
}

Network tail(const NetworkSource& source, const NetworkSpec& spec) {
  const auto own = source.image_batch.count;
  for (auto batch = spec.batch;;) {
    try {
      return made(source, spec, batch, {{spec.from, source.logits}});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::out_of_memory || batch <= own) throw;
    }
    batch = std::max(own, batch / (2 * own) * own);
  }
}

Network full(const NetworkSource& source, const NetworkSpec& spec) {
  if (source.options.prepare.perturbation_batch == 0 && engine::outgrows_caches(source.bound)) {
    constexpr std::int64_t kSeveral = 4;
    try {
      return made(source, spec, kSeveral, {{source.logits}});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::out_of_memory) throw;
    }
  }
  // One image's maps stay in the caches, where those of several do not.
  const auto wanted = std::max<std::int64_t>(source.options.prepare.perturbation_batch, 1);
  return made(source, spec, wanted, {{source.logits}});
}

}  // namespace

engine::PlanSpec scores_alone(const NetworkSource& source) {
  engine::PlanSpec out = source.like;
  out.feeds.clear();
  out.fetches = {source.logits};
  out.maps.clear();
  out.gradients.clear();
  out.grids.clear();
  return out;
}

Network rerun_network(const NetworkSource& source) {
  Network out;
  out.plan = source.plan;
  out.pool =
      std::make_unique<WorkspacePool>(*out.plan, source.options.pool.max_workspaces, source.budget);
  out.batch = source.image_batch.count;
  out.stacked = stacked_inputs(source.bound, source.image_batch);
  return out;
}

std::optional<Network> make_network(const NetworkSource& source, const NetworkSpec& spec) {
  switch (spec.part) {
    case NetworkSpec::Part::full:
      return full(source, spec);
    case NetworkSpec::Part::rerun:
      return rerun_network(source);
    case NetworkSpec::Part::tail:
      return tail(source, spec);
    case NetworkSpec::Part::windows:
      return window_network(source, spec.windows);
  }
  throw Error(ErrorCode::internal, "a network of no known part");
}

const Network* Networks::exactly(const NetworkSpec& spec) const {
  const auto it = all_.find(spec);
  return it == all_.end() ? nullptr : &it->second;
}

const Network* Networks::find(const NetworkSpec& spec) const {
  if (const auto* same = exactly(spec)) return same;
  for (const auto& [known, network] : all_)
    if (known.serves(spec)) return &network;
  return nullptr;
}

}  // namespace fovea::api
