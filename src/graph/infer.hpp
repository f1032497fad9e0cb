#pragma once

#include <map>
#include <string>

#include "base/limits.hpp"
#include "graph/graph.hpp"

namespace fovea::graph {

/// Binds the inputs' open extents (`shapes` by input name; else extent 0 becomes `batch`; anything
/// else open throws Error invalid_argument naming input and extent), then infers every value's type
/// and shape in order, resolves parameters that arrive as constants into the op's fields, and
/// evaluates all-constant shape arithmetic, so that such values become constants (their nodes stay
/// until dead-code elimination). Throws Error bad_model naming the node, and what `limits` say.
void bind(Graph& graph, const std::map<std::string, Shape>& shapes, std::int64_t batch,
          const base::Limits& limits = {});

/// Infers types and shapes again from the inputs (already concrete).
void infer(Graph& graph);

/// Re-infers every shape of a bound graph and compares; checks edges and order. Throws Error
/// internal naming `after` (the pass that ran) and the node, and what `limits` say.
void verify(const Graph& graph, std::string_view after, const base::Limits& limits = {});

/// Stable text: one line per node, for tests and `fovea inspect`.
std::string print(const Graph& graph);

}  // namespace fovea::graph
