#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "graph/graph.hpp"
#include "graph/infer.hpp"

/// Loops. In a graph as imported the nodes of a body stand once, between two nodes that are no
/// operators: the first makes what the body reads of its step, the last reads what the body makes.
/// Both have the loop's operator type, "Loop" or "Scan". `unroll` puts in their place the body of
/// each step; what it leaves, because nobody knows how many steps there are, cannot be bound.
namespace fovea::graph {

/// Steps, and nodes that a graph has once its loops are unrolled.
inline constexpr std::int64_t kMaxSteps = 256;
inline constexpr std::int64_t kMaxUnrolledNodes = 100'000;
/// Nodes that are looked at: all of them, for each loop that says how often the next one, or the
/// one in it, runs.
inline constexpr std::int64_t kMaxNodesSeen = 2'000'000;

/// What is known of a loop beside its nodes: input 0 of both, a constant of integers, since no plan
/// has an operator for it.
///
/// The first node reads of a Loop the trip count and the condition (both may be absent), then the
/// first values of what is handed from step to step; it makes the step's number, the condition and
/// what is handed on. Of a Scan it reads first values and what is scanned, and makes what is handed
/// on and an element of each that is scanned.
/// The last node reads the first one's outputs, then what the body makes: of a Loop a condition,
/// what is handed on, what is collected; of a Scan the last two. It makes what was handed on last
/// and what was collected, an element per step along an axis.
struct Repeat {
  struct Scanned {
    std::int64_t axis = 0;
    bool reversed = false;  ///< from the last element to the first
  };
  bool is_scan = false;
  std::size_t carried = 0;  ///< values that are handed from step to step
  /// Of a Loop: extents of the step's number and of the condition, none or one of 1.
  bool number_is_vector = false, condition_is_vector = false;
  std::vector<Scanned> scanned = {};    ///< of a Scan
  std::vector<Scanned> collected = {};  ///< of both

  /// Outputs of the first node, and inputs of the last in front of what is handed on.
  std::size_t own_outputs() const { return (is_scan ? 0 : 2) + carried + scanned.size(); }
  std::size_t results() const { return 1 + own_outputs() + (is_scan ? 0 : 1); }

  Constant encoded() const;
  static Repeat decoded(const Constant& constant);
};

bool begins_repeat(const Node& node);
bool ends_repeat(const Node& node);
/// The operators that the two stand in the graph as.
Op begin_of_repeat();
Op end_of_repeat();
Repeat repeat_of(const Graph& graph, const Node& node);

/// What says how often a Loop runs, to be known when it is bound; and why the loop that `last` ends
/// is still in a graph in which what is in front of it is bound. `hint` ends the sentence about a
/// number that nobody knows.
std::vector<ValueId> counted_by(const Node& first);
Error why_not_unrolled(const Graph& bound, const Node& first, const Node& last,
                       const std::string& hint);

namespace detail {

/// Of what a Loop begins with; either may be absent.
ValueId trip_count(const Node& first);
ValueId condition(const Node& first);

struct Steps {
  std::int64_t count = 0;    ///< of a loop whose body computes a condition: at most
  bool is_computed = false;  ///< there is such a condition
};
/// `bound`: `graph`, or its copy, bound in front of the loop. Throws Error unsupported where nobody
/// knows, or where they are more than kMaxSteps, and bad_model.
Steps steps_of(const Graph& graph, const Graph& bound, const Node& first, const Node& last,
               const std::string& hint = {});

}  // namespace detail

/// Unrolls every loop of a graph, as imported, whose steps can be counted once it is bound so
/// (`bind`). Values of step t are called as the body's, with "@t" behind. Throws what `bind` throws
/// for inputs that do not fit, and what `limits` say.
void unroll(Graph& graph, const std::map<std::string, Shape>& shapes, std::int64_t batch,
            const base::Limits& limits = {}, const Compute& compute = {});

}  // namespace fovea::graph
