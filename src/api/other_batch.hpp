#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/limits.hpp"
#include "graph/graph.hpp"
#include "graph/query.hpp"

namespace fovea::api {

/// A bound graph, and where it keeps its images.
struct Rebound {
  graph::Graph graph;
  std::vector<bool> stacked;  ///< per input: does its first extent count the images?
};

/// Which of the inputs have a row per image.
std::vector<bool> stacked_inputs(const graph::Graph& graph, const graph::ImageBatch& image_batch);

/// The graph for another number of images; none where the file fixes that number somewhere, or
/// where images of a batch would not stay apart. `source`: as imported; `bound`: to the explainer's
/// extents, with its `image_batch`; `values`: the scores, and what else has to have a row per
/// image. Throws what `limits` say.
std::optional<Rebound> with_batch(const graph::Graph& source, const graph::Graph& bound,
                                  const graph::ImageBatch& image_batch, graph::ValueId logits,
                                  std::span<const graph::ValueId> values, std::int64_t batch,
                                  const base::Limits& limits);

}  // namespace fovea::api
