#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "graph/graph.hpp"

/// Where elements of a value come from.
namespace fovea::graph {

/// An element of a value, and what lies between it and the one that was asked about, besides moves.
struct Origin {
  enum class Through { nothing, sigmoid, softmax } through = Through::nothing;
  ValueId value;
  std::int64_t at = 0;  ///< row-major

  friend bool operator==(const Origin&, const Origin&) = default;
};

/// Per element (`at`, row-major, of a bound graph), followed back through what moves values and,
/// for `logits`, through one sigmoid or softmax (or its logarithm), as an operator or spelled out:
/// the first element of a value that keeps the extent that counts the images, so that it is the
/// image's that was asked about. Where no sigmoid or softmax is met, the same without.
std::vector<Origin> find_origins(const Graph& graph, ValueId value,
                                 std::span<const std::int64_t> at, bool logits);

namespace detail {

/// Of a node that moves values: for each element of `output` the input of the node that holds it,
/// and where in it. None where the node does not move values, or by indices that are not constant.
struct Moves {
  std::vector<std::size_t> input;
  std::vector<std::int64_t> at;
};
std::optional<Moves> moves_of(const Graph& graph, const Node& node, ValueId output,
                              std::span<const std::int64_t> elements);

}  // namespace detail

}  // namespace fovea::graph
