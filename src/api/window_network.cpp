#include "api/window_network.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "api/other_batch.hpp"
#include "explain/windows.hpp"
#include "passes/incremental.hpp"
#include "passes/passes.hpp"

namespace fovea::api {
namespace {

/// Of the multiplications: with more than this left, laying patches over maps costs what is won.
constexpr double kMostLeft = 0.9;

/// For so many images where the file allows that, else as bound; in its plainest form.
graph::Graph canonical(const WindowRequest& request, std::int64_t batch,
                       const base::Limits& limits) {
  const auto logits = request.logits;
  auto other = with_batch(request.source, request.bound, request.pictures, logits, {{logits}},
                          batch, limits);
  graph::Graph graph = other ? std::move(other->graph) : request.bound;
  passes::canonise(graph, {graph.inputs[request.pictures.input], logits}, limits);
  return graph;
}

explain::WindowPlan described(const passes::IncrementalNetwork& net,
                              const passes::IncrementalSpec& spec) {
  explain::WindowPlan out;
  out.patch = net.patch;
  out.rows = net.rows;
  for (std::size_t d = 0; d < spec.windows.size(); ++d) {
    auto& axis = out.axes.emplace_back();
    for (std::size_t w = 0; w < spec.windows[d].size(); ++w) {
      const auto& place = net.places[d][w];
      axis.push_back({spec.windows[d][w].begin, spec.windows[d][w].end, place.begin, place.rows});
    }
  }
  return out;
}

PreparedWindows plans(const WindowRequest& request, const ExplainerOptions& options,
                      const passes::IncrementalNetwork& net, const passes::IncrementalSpec& spec,
                      engine::PlanSpec like, engine::WeightCache& weights, base::Budget& budget) {
  PreparedWindows out;
  out.windows = described(net, spec);
  const auto pool = [&](const engine::Plan& plan) {
    return std::make_unique<WorkspacePool>(plan, options.max_workspaces, budget);
  };
  like.gradients.clear();
  like.grids.clear();
  like.maps.clear();
  engine::PlanSpec changed = like;
  changed.feeds = {net.graph.inputs[0], net.graph.inputs[1]};
  changed.held.assign(net.graph.inputs.begin() + 2, net.graph.inputs.end());
  changed.fetches = {net.output};
  out.plan = engine::Plan::build(net.graph, changed, weights);
  out.pool = pool(*out.plan);
  out.windows.batch = net.graph.value(net.graph.inputs[0]).shape[0];

  like.memory_limit -= out.plan->workspace_bytes();  // both are at work together
  const graph::Graph known = canonical(request, 1, like.limits);
  const auto input = known.inputs[request.pictures.input];
  like.feeds = {input};
  like.fetches = {request.logits};
  for (const auto& name : net.known) {
    const auto id = known.find_value(name);
    if (!id) throw Error(ErrorCode::internal, "a value is known to one batch only", {"", name, ""});
    out.windows.known.push_back(id == input ? -1 : static_cast<std::ptrdiff_t>(like.maps.size()));
    if (id != input) like.maps.push_back(id);
  }
  out.known = engine::Plan::build(known, like, weights);
  out.known_pool = pool(*out.known);
  out.windows.known_batch = known.value(input).shape[0];
  return out;
}

/// None where that is hardly less work, or takes more memory than it may.
std::optional<PreparedWindows> prepare(const WindowRequest& request, std::int64_t batch,
                                       const ExplainerOptions& options,
                                       const engine::PlanSpec& like, engine::WeightCache& weights,
                                       base::Budget& budget) {
  const graph::Graph graph = canonical(request, batch, like.limits);
  passes::IncrementalSpec spec{graph.inputs[request.pictures.input], request.logits, {}};
  spec.limits = like.limits;
  for (const auto extent : request.extents) {
    auto& axis = spec.windows.emplace_back();
    for (const auto& [begin, end] :
         explain::sliding_intervals(extent, request.windows.size, request.windows.stride))
      axis.push_back({begin, end});
  }
  const auto net = passes::incremental(graph, spec);
  if (!net || net->share > kMostLeft) return std::nullopt;
  try {
    return plans(request, options, *net, spec, like, weights, budget);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::out_of_memory) return std::nullopt;
    throw;
  }
}

}  // namespace

std::optional<PreparedWindows> prepare_windows(const WindowRequest& request,
                                               const ExplainerOptions& options,
                                               const engine::PlanSpec& like,
                                               engine::WeightCache& weights, base::Budget& budget) {
  if (request.bound.inputs.empty()) return std::nullopt;
  const auto input = request.bound.inputs[request.pictures.input];
  if (!request.pictures.are_rows_of(input)) return std::nullopt;
  const Shape& shape = request.bound.value(input).shape;
  const auto& extents = request.extents;
  const bool channels_first = !extents.empty() && shape.size() == extents.size() + 2 &&
                              std::equal(extents.begin(), extents.end(), shape.begin() + 2);
  if (!channels_first || like.precision != Precision::f32) return std::nullopt;
  if (options.perturbation_batch > 0)
    return prepare(request, options.perturbation_batch, options, like, weights, budget);
  // Small patches keep a CPU's cores busy only several at a time.
  constexpr std::int64_t kSeveral = 4, kMany = 16;
  if (engine::outgrows_caches(request.bound))
    if (auto many = prepare(request, kMany, options, like, weights, budget)) return many;
  return prepare(request, kSeveral, options, like, weights, budget);
}

}  // namespace fovea::api
