#include "graph/query/edges.hpp"

#include <algorithm>

#include "graph/op_traits.hpp"

namespace fovea::graph::detail {
namespace {

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id.index);
}

using Order = Layout::Order;

/// Follows the layout through one node.
class LayoutOf {
 public:
  LayoutOf(const Graph& graph, const Node& node, const std::vector<Layout>& known,
           const std::vector<std::optional<std::size_t>>& image_axes)
      : graph_(graph), node_(node), known_(known), image_axes_(image_axes) {}

  template <class Operator>
  Layout operator()(const Operator& op) const {
    constexpr auto layout = trait::row<Operator>.layout;
    if constexpr (layout == trait::layout_by_fields) {
      return by_fields(op);
    } else {
      switch (layout) {
        case trait::in_place:
          return in_place();
        case trait::channels_first:
          return channels_first();
        case trait::kept_or_channels_first:
          return inherited_or_first();
        case trait::layout_lost:
        case trait::layout_by_fields:
          break;
      }
      return {};
    }
  }

  Layout by_fields(const LayerNorm&) const {
    const auto layout = input(0);
    if (layout.order != Order::unknown || layout.hidden || !reads_tokens()) return layout;
    return tokens();
  }

  Layout by_fields(const Transpose& op) const {
    const auto layout = input(0);
    if (layout.order != Order::unknown && op.perm.size() == layout.spatial + 2)
      return permuted(layout, op.perm);
    // Groups of channels may change places in front of the spatial extents.
    if (layout.order != Order::channels_first || layout.images != 0) return {};
    for (std::size_t d = op.perm.size() - layout.spatial; d < op.perm.size(); ++d)
      if (op.perm[d] != static_cast<std::int64_t>(d)) return {};
    return layout;
  }

  Layout by_fields(const Reshape&) const {
    const auto layout = input(0);
    const auto& from = shape(node_.inputs[0]);
    const auto& to = shape(node_.outputs[0]);
    if (layout.order == Order::channels_first && layout.images == 0) {
      // The channels may be grouped (a channel shuffle), the spatial extents merged into one.
      const auto s = static_cast<std::ptrdiff_t>(layout.spatial);
      if (to.size() >= layout.spatial + 2 && std::equal(from.end() - s, from.end(), to.end() - s))
        return layout;
      if (to.size() == 3 && from.size() >= 3 && to[0] == from[0] && to[1] == from[1])
        return {Order::channels_first, 1};
      // And split again.
      if (from.size() == 3 && to.size() > 3 && to[0] == from[0] && to[1] == from[1])
        return {Order::channels_first, to.size() - 2};
    }
    if (layout.order == Order::channels_last && layout.images == 0 && to.size() == 3 &&
        to[0] == from[0] && to[2] == from.back())
      return {Order::channels_last, 1};
    if (layout.order != Order::unknown && layout.spatial == 0) return {};
    const auto hidden = layout.order == Order::unknown ? layout.hidden : node_.inputs[0];
    if (hidden && shape(hidden) == to) return known_[at(hidden)];
    return {Order::unknown, 0, hidden};
  }

  /// Tokens of a sequence; one token by itself is its channels.
  Layout by_fields(const Gather& op) const {
    const auto layout = input(0);
    const auto rank = shape(node_.outputs[0]).size();
    if (layout.order != Order::channels_last || layout.spatial != 1 || layout.images != 0 ||
        shape(node_.inputs[0]).size() != 3 || op.axis != 1 || rank > 3)
      return {};
    return {Order::channels_last, rank - 2};
  }

  Layout by_fields(const Reduce& op) const { return op.keep_dims ? input(0) : Layout{}; }

  Layout by_fields(const MatMul&) const {
    // A product with a matrix mixes the last extent: the channels, where they are last.
    const auto layout = input(0);
    const bool mixes_channels = layout.order == Order::channels_last &&
                                layout.channel_axis() == layout.spatial + 1 &&
                                shape(node_.inputs[1]).size() <= 2;
    return mixes_channels ? layout : Layout{};
  }

  /// The layout of the first operand of the result's rank.
  Layout in_place() const {
    const auto& out = shape(node_.outputs[0]);
    for (std::size_t i = 0; i < node_.inputs.size(); ++i)
      if (node_.inputs[i] && shape(node_.inputs[i]).size() == out.size() &&
          (input(i).order != Order::unknown || input(i).hidden))
        return input(i);
    return {};
  }

  /// Does the op norm the last of three extents, as transformers norm their tokens' channels, or
  /// pool the one before it away, as they pool their tokens?
  bool reads_tokens() const {
    if (const auto* pool = std::get_if<Reduce>(&node_.op))
      return (pool->kind == ReduceKind::mean || pool->kind == ReduceKind::max) &&
             !pool->keep_dims && shape(node_.inputs[0]).size() == 3 && *pool->axes == Ints{1};
    const auto* norm = std::get_if<LayerNorm>(&node_.op);
    return norm != nullptr && shape(node_.inputs[0]).size() == 3 &&
           (norm->axis == -1 || norm->axis == 2);
  }
  /// Does the op take its first input as batch, channels, positions?
  bool reads_channels_first() const {
    if (const auto* reduce = std::get_if<Reduce>(&node_.op)) {
      const auto rank = shape(node_.inputs[0]).size();
      return rank >= 4 && reduce->axes->size() == rank - 2 && reduce->axes->front() == 2;
    }
    return std::holds_alternative<Conv>(node_.op) || std::holds_alternative<Pool>(node_.op);
  }

  /// A sequence of tokens, of which nothing else is known.
  Layout tokens() const {
    const auto images = image_axes_[at(node_.inputs[0])].value_or(0);
    return {Order::channels_last, 1, {}, images < 2 ? images : 0};
  }

 private:
  const Shape& shape(ValueId id) const { return graph_.value(id).shape; }
  /// Known as long as the spatial extents stay in order, and the channels before or behind them.
  static Layout permuted(Layout layout, const Ints& perm) {
    const auto went_to = [&](std::size_t axis) {
      return static_cast<std::size_t>(
          std::find(perm.begin(), perm.end(), static_cast<std::int64_t>(axis)) - perm.begin());
    };
    std::vector<std::size_t> spatial;
    for (const auto axis : layout.spatial_axes()) spatial.push_back(went_to(axis));
    if (!std::is_sorted(spatial.begin(), spatial.end())) return {};
    const auto channel = went_to(layout.channel_axis());
    layout.images = went_to(layout.images);
    for (const auto order : {Order::channels_first, Order::channels_last}) {
      layout.order = order;
      if (layout.channel_axis() == channel) return layout;
    }
    return {};
  }
  Layout input(std::size_t i) const { return known_[at(node_.inputs[i])]; }
  /// What takes its input as channels first, given tokens in their place, mixes tokens: what are
  /// its positions are the tokens' channels.
  Layout channels_first() const {
    const auto rank = shape(node_.outputs[0]).size();
    if (rank == 3 && input(0) == Layout{Order::channels_last, 1} &&
        shape(node_.inputs[0]).size() == 3)
      return input(0);
    return rank < 3 ? Layout{} : Layout{Order::channels_first, rank - 2};
  }
  Layout inherited_or_first() const {
    const auto layout = input(0);
    return layout.order != Order::unknown || layout.hidden ? layout : channels_first();
  }

  const Graph& graph_;
  const Node& node_;
  const std::vector<Layout>& known_;
  const std::vector<std::optional<std::size_t>>& image_axes_;
};

}  // namespace

const Node* producer(const Graph& graph, ValueId id) {
  if (!id || graph.value(id).constant || !graph.value(id).producer) return nullptr;
  return &graph.node(graph.value(id).producer);
}

std::vector<bool> depends_on_inputs(const Graph& graph) {
  std::vector<bool> out(graph.values().size(), false);
  for (const auto id : graph.inputs) out[at(id)] = true;
  for (const auto& node : graph.nodes()) {
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](ValueId id) { return id && out[at(id)]; });
    for (const auto id : node.outputs) out[at(id)] = any && !graph.value(id).constant;
  }
  return out;
}

std::vector<bool> values_behind(const Graph& graph, ValueId from) {
  std::vector<bool> out(graph.values().size(), false);
  out[at(from)] = true;
  for (const auto& node : graph.nodes()) {
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](ValueId id) { return id && out[at(id)]; });
    for (const auto id : node.outputs) out[at(id)] = out[at(id)] || any;
  }
  return out;
}

std::vector<bool> behind_regions(const Graph& graph) {
  std::vector<bool> out(graph.values().size(), false);
  for (const auto& node : graph.nodes()) {
    const bool any = std::holds_alternative<RoiAlign>(node.op) ||
                     std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](ValueId id) { return id && out[at(id)]; });
    for (const auto id : node.outputs) out[at(id)] = any;
  }
  return out;
}

std::vector<bool> reaching(const Graph& graph, ValueId to) {
  std::vector<bool> out(graph.values().size(), false);
  if (to) out[at(to)] = true;
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    const bool any = std::any_of(node->outputs.begin(), node->outputs.end(), [&](ValueId id) {
      return out[at(id)] && !graph.value(id).constant;
    });
    if (!any) continue;
    for (const auto id : node->inputs)
      if (id) out[at(id)] = true;
  }
  return out;
}

// Going through the nodes in order, a value that is the only one still needed lies on every path.
std::vector<bool> on_every_path(const Graph& graph, ValueId to,
                                const std::function<bool(ValueId)>& counts) {
  const auto needed = [&](ValueId id) { return id && counts(id); };
  std::vector<int> waiting(graph.values().size(), 0);
  for (const auto& node : graph.nodes())
    if (std::any_of(node.outputs.begin(), node.outputs.end(), needed))
      for (const auto id : node.inputs)
        if (needed(id)) ++waiting[at(id)];
  ++waiting[at(to)];
  std::int64_t live = 0;
  for (const auto id : graph.inputs) live += needed(id) && waiting[at(id)] > 0 ? 1 : 0;
  std::vector<bool> out(graph.values().size(), false);
  for (const auto& node : graph.nodes()) {
    if (!std::any_of(node.outputs.begin(), node.outputs.end(), needed)) continue;
    for (const auto id : node.inputs)
      if (needed(id) && --waiting[at(id)] == 0) --live;
    for (const auto id : node.outputs) live += needed(id) ? 1 : 0;
    if (live == 1 && needed(node.outputs[0])) out[at(node.outputs[0])] = true;
  }
  return out;
}

bool moves_channels_last(const Transpose& op) {
  const auto rank = static_cast<std::int64_t>(op.perm.size());
  if (rank < 3 || op.perm.front() != 0 || op.perm.back() != 1) return false;
  for (std::int64_t d = 1; d + 1 < rank; ++d)
    if (op.perm[static_cast<std::size_t>(d)] != d + 1) return false;
  return true;
}

std::vector<Layout> layouts(const Graph& graph,
                            const std::vector<std::optional<std::size_t>>& image_axes) {
  std::vector<Layout> out(graph.values().size());
  for (const auto& node : graph.nodes()) {
    if (node.inputs.empty() || !node.inputs[0]) continue;
    const LayoutOf layout_of(graph, node, out, image_axes);
    auto& read = out[at(node.inputs[0])];
    if (read.order == Order::unknown && layout_of.reads_channels_first())
      read = {Order::channels_first, graph.value(node.inputs[0]).shape.size() - 2};
    if (read.order == Order::unknown && !read.hidden && layout_of.reads_tokens())
      read = layout_of.tokens();
    const auto layout = std::visit(layout_of, node.op);
    for (const auto id : node.outputs) out[at(id)] = layout;
  }
  return out;
}

bool is_map(const Value& value, const Layout& layout) {
  if (layout.order == Order::unknown || value.type != DType::f32 ||
      value.shape.size() != layout.spatial + 2)
    return false;
  const auto axes = layout.spatial_axes();
  return std::any_of(axes.begin(), axes.end(),
                     [&](std::size_t axis) { return value.shape[axis] > 1; });
}

}  // namespace fovea::graph::detail
