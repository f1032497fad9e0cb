#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "graph/graph.hpp"

/// A network for inputs that differ from a known one within a window: what lies behind the window
/// alone is computed, and laid over what is known, as long as that is less work (S. Nakandala et
/// al., "Incremental and Approximate Inference for Faster Occlusion-based Deep CNN Explanations",
/// SIGMOD 2019, section 3). The result is that of the whole network: no position is left out whose
/// value could differ.
namespace fovea::passes {

/// Positions [begin, end) along an axis.
struct Interval {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct IncrementalSpec {
  graph::ValueId input;   ///< [n, c, ...]: the value that differs, n windows at a time
  graph::ValueId output;  ///< what is computed, [n, ...]
  /// Per spatial axis of the input, where windows may lie: inside the map, none empty.
  std::vector<std::vector<Interval>> windows;
  /// A map that changes in more than this part of its positions is computed whole.
  double max_changed = 0.7;
  base::Limits limits = {};
};

struct IncrementalNetwork {
  /// Its inputs: the changed input's part [n, c, patch...], the places [n, rows, 2 rank] (see
  /// graph::Paste), and values of the known input's network, [1, c, ...] each.
  graph::Graph graph;
  graph::ValueId output;           ///< in `graph`
  std::vector<std::string> known;  ///< their names in the source, of the inputs from 2 on
  Shape patch;                     ///< spatial extents
  std::int64_t rows = 0;
  /// [axis][window]: where the patch begins; and per row, where a patch and a region begin.
  struct Place {
    std::int64_t begin = 0;
    std::vector<float> rows;  ///< [rows, 2]
  };
  std::vector<std::vector<Place>> places;
  double share = 1;  ///< of the whole network's multiplications that are left
};

/// `graph` is bound, to n windows at a time, and has had no fusion. None where nothing can be left
/// out. Throws Error internal where the spec does not fit the graph, and what its limits say.
std::optional<IncrementalNetwork> incremental(const graph::Graph& graph,
                                              const IncrementalSpec& spec);

}  // namespace fovea::passes
