#include <cmath>
#include <map>
#include <utility>

#include "base/checked.hpp"
#include "engine/plan.hpp"

namespace fovea::engine {
namespace {

/// A fold that would make more than this is left to the run: a valid model never fails here.
constexpr std::int64_t kMaxFolded = std::int64_t{16} << 20;
/// The same of floats, of which such a model keeps no more in all than a gigabyte's half: a run
/// would need as much, and the time again.
constexpr std::int64_t kMostFloats = std::int64_t{128} << 20;

/// What is kept where nothing above `most` elements is computed: the results of constants that a
/// node with other inputs, or an output, reads.
std::vector<graph::ValueId> kept_results(const graph::Graph& graph, std::int64_t most) {
  std::vector<bool> constant(graph.values().size(), false), wanted(graph.values().size(), false);
  for (std::size_t i = 0; i < constant.size(); ++i)
    constant[i] = graph.values()[i].constant.has_value();
  for (const auto& node : graph.nodes()) {
    bool all = true, small = true;
    for (const auto input : node.inputs)
      all = all && (!input || constant[static_cast<std::size_t>(input.index)]);
    for (const auto output : node.outputs)
      small = small && base::element_count(graph.value(output).shape) <= most;
    for (const auto output : node.outputs)
      if (all && small) constant[static_cast<std::size_t>(output.index)] = true;
    for (const auto input : node.inputs)
      if (input && !(all && small)) wanted[static_cast<std::size_t>(input.index)] = true;
  }
  for (const auto output : graph.outputs) wanted[static_cast<std::size_t>(output.index)] = true;
  std::vector<graph::ValueId> out;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i] && constant[i] && !graph.values()[i].constant)
      out.push_back({static_cast<std::int32_t>(i)});
  return out;
}

/// May large results be kept beside the others? Of integers none: floats hold no more of them.
bool fit(const graph::Graph& graph, const std::vector<graph::ValueId>& results) {
  std::int64_t left = kMostFloats;
  for (const auto id : results) {
    const auto count = base::element_count(graph.value(id).shape);
    if (count <= kMaxFolded) continue;
    if (graph.value(id).type != graph::DType::f32 || count > left) return false;
    left -= count;
  }
  return true;
}

}  // namespace

void fold_constants(graph::Graph& graph, const base::Limits& limits) {
  auto results = kept_results(graph, kMostFloats);
  if (!fit(graph, results)) results = kept_results(graph, kMaxFolded);
  PlanSpec spec;
  spec.optimize = false;
  spec.limits = limits;
  spec.fetches = std::move(results);
  if (spec.fetches.empty()) return;
  WeightCache weights;
  const graph::Graph source = [&] {
    graph::Graph copy = graph;
    copy.inputs.clear();  // nothing folded depends on them
    return copy;
  }();
  const auto plan = Plan::build(source, spec, weights);
  Workspace workspace = plan->make_workspace();
  plan->forward(workspace, {}, within(limits));
  for (std::size_t i = 0; i < spec.fetches.size(); ++i) {
    auto& value = graph.value(spec.fetches[i]);
    const auto view = plan->fetch(workspace, i);
    const auto n = static_cast<std::size_t>(base::element_count(value.shape));
    if (value.type == graph::DType::f32) {
      value.constant =
          graph::Constant::of_floats(value.shape, std::vector<float>(view.data, view.data + n));
    } else {
      std::vector<std::int64_t> ints(n);
      for (std::size_t k = 0; k < n; ++k) {
        // From here on a float may have lost digits.
        if (!(std::abs(view.data[k]) < 0x1p24f))
          throw Error(ErrorCode::unsupported, "a computed constant holds an integer beyond 2^24",
                      {"", value.name, ""});
        ints[k] = std::llround(view.data[k]);
      }
      value.constant = graph::Constant::of_ints(value.shape, std::move(ints), value.type);
    }
  }
}

std::optional<std::vector<graph::Constant>> compute_node(const graph::Graph& graph,
                                                         const graph::Node& node) {
  graph::Graph own;
  std::map<graph::ValueId, graph::ValueId> known;
  std::vector<graph::ValueId> inputs;
  for (const auto input : node.inputs) {
    if (input && !known.contains(input))
      known[input] =
          own.add_constant(graph.value(input).name, graph::Constant(*graph.value(input).constant));
    inputs.push_back(input ? known.at(input) : input);
  }
  std::vector<std::string> names;
  for (const auto output : node.outputs) names.push_back(graph.value(output).name);
  const auto id = own.add_node(node.name, node.op_type, node.op, inputs, names);
  own.outputs = own.node(id).outputs;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    own.value(own.outputs[i]).type = graph.value(node.outputs[i]).type;
    own.value(own.outputs[i]).shape = graph.value(node.outputs[i]).shape;
  }
  fold_constants(own);
  std::vector<graph::Constant> out;
  for (const auto output : own.outputs) {
    if (!own.value(output).constant) return std::nullopt;
    out.push_back(*own.value(output).constant);
  }
  return out;
}

}  // namespace fovea::engine
