#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "graph/graph.hpp"
#include "graph/selections.hpp"

namespace fovea::graph {

/// Computes the outputs of an inferred node whose inputs are all constants; none where they are too
/// large to be kept.
using Compute = std::function<std::optional<std::vector<Constant>>(const Graph&, const Node&)>;

/// The shape, before binding, of an input whose file says none: binding has to be given one.
inline const Shape kAnyShape{-2};

/// An output of the graph that cannot be bound, and why.
struct Unbound {
  ValueId output;
  Error error;
};

/// Binds the inputs' open extents (`shapes` by input name; else extent 0 becomes `batch`; anything
/// else open throws Error invalid_argument naming input and extent), then infers every value's type
/// and shape in order, resolves parameters that arrive as constants into the op's fields, and
/// evaluates all-constant shape arithmetic, so that such values become constants (their nodes stay
/// until dead-code elimination). What an operator must know is computed of constants whatever
/// operators lie between, by `compute` where binding itself cannot. What cannot be bound leaves the
/// graph with what depends on it. Throws Error bad_model naming the node where an output depends on
/// it, and what `limits` say.
void bind(Graph& graph, const std::map<std::string, Shape>& shapes, std::int64_t batch,
          const base::Limits& limits = {}, const Compute& compute = {});

/// The same, where an output that cannot be bound leaves the graph, too; `open` gets the selections
/// that keep values from being bound, and that nothing else keeps. Throws Error invalid_argument
/// for shapes that do not fit, and what `limits` say.
std::vector<Unbound> bind_what_can_be(Graph& graph, const std::map<std::string, Shape>& shapes,
                                      std::int64_t batch, const base::Limits& limits = {},
                                      const Compute& compute = {},
                                      std::vector<Selection>* open = nullptr);

/// Infers types and shapes again from the inputs (already concrete).
void infer(Graph& graph);

/// Re-infers every shape of a bound graph and compares; checks edges and order. Throws Error
/// internal naming `after` (the pass that ran) and the node, and what `limits` say.
void verify(const Graph& graph, std::string_view after, const base::Limits& limits = {});

/// Stable text: one line per node, for tests and `fovea inspect`.
std::string print(const Graph& graph);

}  // namespace fovea::graph
