#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/layout.hpp"
#include "graph/graph.hpp"

/// Which values can be written straight to their place in a concatenation of channels.
///
/// In a blocked layout, and for one image, a range of channels is one piece of memory: where every
/// operand fills whole blocks, each may be computed in its place and nothing is copied. The
/// concatenations of a dense block grow by one operand each; all of them are prefixes of the last.
namespace fovea::engine {

/// Where a value lies: in the memory of `root`, from a channel on.
struct ConcatAlias {
  graph::ValueId root;
  std::int64_t channel = 0;
};

class ConcatAliases {
 public:
  ConcatAliases() = default;
  ConcatAliases(const graph::Graph& graph, const std::vector<bool>& needed);

  /// None for a value that no concatenation wants in place.
  std::optional<ConcatAlias> of(graph::ValueId id) const;

 private:
  void place(const graph::Graph& graph, const graph::Node& node);

  std::map<int, ConcatAlias> aliases_;
};

/// True where the node concatenates channels of feature maps that fill whole blocks, of one image.
bool concatenates_in_place(const graph::Graph& graph, const graph::Node& node);

}  // namespace fovea::engine
