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
constexpr double kMaxLeft = 0.9;

/// For so many images where the file allows that, else as bound; in its plainest form.
graph::Graph canonical(const NetworkSource& source, std::int64_t batch) {
  const auto& limits = source.like.limits;
  auto other = with_batch(source.imported, source.bound, source.image_batch, source.logits,
                          {{source.logits}}, batch, limits);
  graph::Graph graph = other ? graph::Graph(std::move(other->graph)) : source.bound;
  passes::canonise(graph, {graph.inputs[source.image_batch.input], source.logits}, limits);
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

Network plans(const NetworkSource& source, const passes::IncrementalNetwork& net,
              const passes::IncrementalSpec& spec) {
  const auto made = [&](const graph::Graph& graph, const engine::PlanSpec& like) {
    Network out;
    out.plan = engine::Plan::build(graph, like, source.weights);
    out.pool = std::make_unique<WorkspacePool>(*out.plan, source.options.pool.max_workspaces,
                                               source.budget);
    return out;
  };
  engine::PlanSpec changed = scores_alone(source);
  changed.feeds = {net.graph.inputs[0], net.graph.inputs[1]};
  changed.persistent.assign(net.graph.inputs.begin() + 2, net.graph.inputs.end());
  changed.fetches = {net.output};
  Network out = made(net.graph, changed);
  out.windows = described(net, spec);
  out.batch = net.graph.value(net.graph.inputs[0]).shape[0];

  engine::PlanSpec like = scores_alone(source);
  like.memory_limit -= out.plan->workspace_bytes();  // both are at work together
  const graph::Graph known = canonical(source, 1);
  const auto input = known.inputs[source.image_batch.input];
  like.feeds = {input};
  for (const auto& name : net.known) {
    const auto id = known.find_value(name);
    if (!id) throw Error(ErrorCode::internal, "a value is known to one batch only", {"", name, ""});
    out.windows->known.push_back(id == input ? -1 : static_cast<std::ptrdiff_t>(like.maps.size()));
    if (id != input) like.maps.push_back(id);
  }
  out.known = std::make_unique<Network>(made(known, like));
  out.known->batch = known.value(input).shape[0];
  return out;
}

/// None where that is hardly less work, or takes more memory than it may.
std::optional<Network> made(const NetworkSource& source, const explain::SlidingWindows& windows,
                            std::int64_t batch) {
  const graph::Graph graph = canonical(source, batch);
  passes::IncrementalSpec spec{graph.inputs[source.image_batch.input], source.logits, {}};
  spec.limits = source.like.limits;
  for (const auto extent : source.extents) {
    auto& axis = spec.windows.emplace_back();
    for (const auto& [begin, end] :
         explain::sliding_intervals(extent, windows.size, windows.stride))
      axis.push_back({begin, end});
  }
  const auto net = passes::incremental(graph, spec);
  if (!net || net->share > kMaxLeft) return std::nullopt;
  try {
    return plans(source, *net, spec);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::out_of_memory) return std::nullopt;
    throw;
  }
}

}  // namespace

std::optional<Network> window_network(const NetworkSource& source,
                                      const explain::SlidingWindows& windows) {
  if (source.bound.inputs.empty()) return std::nullopt;
  const auto input = source.bound.inputs[source.image_batch.input];
  if (!source.image_batch.are_rows_of(input)) return std::nullopt;
  const Shape& shape = source.bound.value(input).shape;
  const auto& extents = source.extents;
  const bool channels_first = !extents.empty() && shape.size() == extents.size() + 2 &&
                              std::equal(extents.begin(), extents.end(), shape.begin() + 2);
  if (!channels_first || source.like.precision != Precision::f32) return std::nullopt;
  if (source.options.prepare.perturbation_batch > 0)
    return made(source, windows, source.options.prepare.perturbation_batch);
  // Small patches keep a CPU's cores busy only several at a time.
  constexpr std::int64_t kSeveral = 4, kMany = 16;
  if (engine::outgrows_caches(source.bound))
    if (auto many = made(source, windows, kMany)) return many;
  return made(source, windows, kSeveral);
}

}  // namespace fovea::api
