#include <algorithm>

#include "base/checked.hpp"
#include "passes/rewrite.hpp"

//   Conv 1x1(x, w, b) -> y;  AveragePool(y) -> z
//   AveragePool(x) -> p;     Conv 1x1(p, w, b) -> z
//
// Both are linear, one over channels and one over positions, so their order does not matter but to
// the work: the convolution then has fewer positions. y must have no other reader and need not
// stay.
namespace fovea::passes {
namespace {

using graph::Conv;
using graph::NodeId;
using graph::Pool;
using graph::PoolKind;

bool all(const graph::Ints& values, std::int64_t wanted) {
  return std::all_of(values.begin(), values.end(), [=](auto v) { return v == wanted; });
}

bool is_pointwise(const Conv& conv) {
  const auto& w = conv.window;
  return !w.kernel.empty() && all(w.kernel, 1) && all(w.strides, 1) && all(w.pads_begin, 0) &&
         all(w.pads_end, 0) && conv.post.empty();
}

/// Every result is a mean of values, none of which is padding.
bool is_mean(const Pool& pool) {
  if (pool.kind != PoolKind::average) return false;
  if (!pool.count_include_pad) return true;
  const auto& w = pool.window;
  for (std::size_t i = 0; i < w.pads_end.size(); ++i)
    if (w.pads_begin[i] != 0 || w.pads_end[i] != (pool.ceil_extra.empty() ? 0 : pool.ceil_extra[i]))
      return false;
  return true;
}

/// The pool that alone reads the value, where it leaves less than half of the positions.
NodeId shrinking_pool(const Rewrite& rewrite, graph::ValueId value) {
  const auto reader = rewrite.only_reader(value);
  const auto* pool = reader ? std::get_if<Pool>(&rewrite.node(reader).op) : nullptr;
  if (pool == nullptr || !is_mean(*pool)) return {};
  const auto before = base::element_count(rewrite.value(value).shape);
  const auto after = base::element_count(rewrite.value(rewrite.node(reader).outputs[0]).shape);
  return 2 * after <= before ? reader : NodeId{};
}

}  // namespace

bool pool_first(graph::Graph& graph, const Keep& keep) {
  Rewrite rewrite(graph, keep);
  std::vector<std::pair<NodeId, NodeId>> pairs;
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const NodeId id{static_cast<std::int32_t>(n)};
    const auto* conv = std::get_if<Conv>(&graph.node(id).op);
    // Of weights that are computed a backward pass reads x, which is then no longer there.
    if (conv == nullptr || !is_pointwise(*conv) || !rewrite.constant(graph.node(id), 1)) continue;
    if (const auto pool = shrinking_pool(rewrite, graph.node(id).outputs[0]))
      pairs.emplace_back(id, pool);
  }
  for (const auto& [conv, pool] : pairs) {
    const auto x = graph.node(conv).inputs[0], y = graph.node(conv).outputs[0],
               z = graph.node(pool).outputs[0];
    Shape shape = graph.value(z).shape;
    shape[1] = graph.value(x).shape[1];
    const graph::Node moved = graph.node(pool);
    const auto first = graph.add_node(moved.name, moved.op_type, moved.op, {x},
                                      {graph.unique_name(graph.value(z).name + "/pooled")});
    const auto p = graph.node(first).outputs[0];
    graph.value(p).shape = std::move(shape);
    graph.node(conv).inputs[0] = p;
    graph.value(y).producer = {};
    rewrite.redirect(conv, z);
    rewrite.kill(pool);
  }
  rewrite.finish();
  if (!pairs.empty()) graph.sort();
  return !pairs.empty();
}

}  // namespace fovea::passes
