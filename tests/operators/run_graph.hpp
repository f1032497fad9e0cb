#pragma once

#include <algorithm>
#include <vector>

#include "base/checked.hpp"
#include "engine/plan.hpp"
#include "graph/infer.hpp"
#include "onnx/import_helpers.hpp"

namespace fovea::test {

/// The row-major floats of the first output of an imported model, bound, folded and run.
inline std::vector<float> first_output(graph::Graph graph,
                                       const std::vector<std::vector<float>>& feeds) {
  graph::bind(graph, {}, 1, {}, engine::compute_node);
  engine::fold_constants(graph);
  const auto id = graph.outputs[0];
  const auto n = static_cast<std::size_t>(base::element_count(graph.value(id).shape));
  if (const auto& constant = graph.value(id).constant) {
    std::vector<float> out(n);
    constant->read(0, out);
    return out;
  }
  engine::PlanSpec spec;
  spec.fetches = {id};
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(graph, spec, weights);
  auto workspace = plan->make_workspace();
  std::vector<std::span<const float>> spans(feeds.begin(), feeds.end());
  plan->forward(workspace, spans, {});
  const auto view = plan->fetch(workspace, 0);
  return {view.data, view.data + n};
}

}  // namespace fovea::test
