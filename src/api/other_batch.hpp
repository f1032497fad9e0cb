#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "graph/graph.hpp"

namespace fovea::api {

/// The graph for another number of images; none where the file fixes that number somewhere.
/// `source`: as imported; `bound`: to the explainer's extents; `values`: whose first extent is the
/// number of images.
std::optional<graph::Graph> with_batch(const graph::Graph& source, const graph::Graph& bound,
                                       std::span<const graph::ValueId> values, std::int64_t batch);

}  // namespace fovea::api
