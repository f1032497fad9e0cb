#pragma once

#include <vector>

#include "graph/graph.hpp"

/// Which part of each value a graph's scores depend on.
namespace fovea::graph::detail {

/// The part of a value that matters: nothing, everything, or a range along one axis. The axis may
/// hold `period` tokens several times over (images merged with them).
struct Live {
  enum class Part { nothing, range, everything } part = Part::nothing;
  std::size_t axis = 0;
  std::int64_t period = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;

  static Live everything() { return {Part::everything}; }
  /// Everything, where the range is the whole period.
  static Live range(std::size_t axis, std::int64_t period, std::int64_t begin, std::int64_t end);
  bool any() const { return part != Part::nothing; }
  /// False where it is known that none of the tokens [from, to) of a sequence of `tokens` matter.
  bool touches(std::int64_t tokens, std::int64_t from, std::int64_t to) const;
};

/// For each value: what of it matters to `logits`. A selection of rows (the class token) is
/// followed back through everything that treats rows one by one; what mixes them needs everything.
std::vector<Live> live_parts(const Graph& graph, ValueId logits);
/// The same of a part of another value.
std::vector<Live> live_parts(const Graph& graph, ValueId of, const Live& part);

}  // namespace fovea::graph::detail
