#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "api/workspace_pool.hpp"
#include "base/budget.hpp"
#include "engine/plan.hpp"
#include "explain/network.hpp"
#include "fovea/explainer.hpp"
#include "graph/graph.hpp"
#include "graph/query.hpp"

namespace fovea::api {

/// A network that methods run beside the explainer's own forward pass: see explain::NetworkSpec.
struct Network {
  std::shared_ptr<const engine::Plan> plan;
  std::unique_ptr<WorkspacePool> pool;
  std::int64_t batch = 1;     ///< images, maps or windows that it takes at once
  std::vector<bool> stacked;  ///< per input of the model: has it a row per image (or map)?
  bool reads_inputs = true;   ///< its feeds are (the maps, then) the model's inputs where it does
  std::optional<explain::WindowPlan> windows;  ///< of what windows change
  std::unique_ptr<Network> known;              ///< of that: from the image to what they leave
};

/// What networks are made from.
struct NetworkSource {
  const graph::Graph& imported;
  const graph::Graph& bound;  ///< to the explainer's extents
  const graph::ImageBatch& image_batch;
  graph::ValueId logits;
  const Shape& extents;  ///< of the image's positions
  const ExplainerOptions& options;
  const engine::PlanSpec& like;  ///< the explainer's own plan's
  std::shared_ptr<const engine::Plan> plan;
  engine::WeightCache& weights;
  base::Budget& budget;
};

/// The explainer's plan without what methods read of it: from the inputs to the scores.
engine::PlanSpec scores_alone(const NetworkSource& source);

/// The explainer's own plan, as another pool.
Network rerun_network(const NetworkSource& source);

/// As the spec says; for fewer at once where the file fixes their number, or where there is no
/// memory for so many. None of windows, where the whole network is as good: nothing, or next to
/// nothing, can be left out, or the two networks would need more memory than is allowed. Throws as
/// Plan::build does.
std::optional<Network> make_network(const NetworkSource& source, const explain::NetworkSpec& spec);

/// Those of an explainer.
class Networks {
 public:
  void add(const explain::NetworkSpec& spec, Network network) {
    all_.emplace(spec, std::move(network));
  }
  /// Of this spec and no other; null where there is none.
  const Network* exactly(const explain::NetworkSpec& spec) const;
  /// Of this spec, else one that serves it.
  const Network* find(const explain::NetworkSpec& spec) const;

 private:
  std::map<explain::NetworkSpec, Network> all_;
};

}  // namespace fovea::api
