#include "graph/query/local_layer.hpp"

#include <algorithm>
#include <map>
#include <type_traits>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"
#include "graph/op_traits.hpp"
#include "graph/query.hpp"
#include "graph/query/edges.hpp"
#include "graph/query/live.hpp"
#include "graph/query/tokens.hpp"

namespace fovea::graph {
namespace {

using detail::Layout;

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id.index);
}

/// Of [rows, numbers] per image: rows of boxes are many more than numbers, steps of a text are not.
constexpr std::int64_t kManyMore = 8;
/// A pool's stride from which what it makes is a place's surroundings, not the map made coarser.
constexpr std::int64_t kManyTimes = 4;

class LocalLayerSearch {
 public:
  LocalLayerSearch(const Graph& graph, ValueId of, const Shape& place)
      : graph_(graph),
        of_(of),
        place_(place),
        forms_(graph, of, {}),
        computed_(detail::depends_on_inputs(graph)),
        regions_(detail::behind_regions(graph)) {}

  DefaultLayer run() {
    const auto axes = positions();
    if (axes.empty())
      return {{},
              "\"" + graph_.value(of_).name + "\", " + detail::text(graph_.value(of_).shape) +
                  ", has no positions"};
    look(axes.front());
    return axes.size() > 1 ? coarsest() : last_of_all();
  }

  std::vector<DefaultLayer> candidates() {
    const auto axes = positions();
    if (axes.empty()) return {};
    look(axes.front());
    std::map<Shape, ValueId> last;  // by grid
    for (const auto& node : graph_.nodes())
      for (const auto id : node.outputs)
        if (is_candidate(id)) last[grid_of(id)] = id;
    std::vector<DefaultLayer> out;
    out.reserve(last.size());
    for (const auto& [grid, id] : last)
      out.push_back({id, "the last map of " + extents_text(grid) + " that the place depends on"});
    return out;
  }

 private:
  void look(std::size_t axis) {
    const auto extent = graph_.value(of_).shape[axis], begin = place_[axis];
    live_ = detail::live_parts(graph_, of_, detail::Live::range(axis, extent, begin, begin + 1));
    find_own_places();
    find_contexts();
  }

  Shape grid_of(ValueId id) const {
    Shape out;
    for (const auto axis : forms_.layouts[at(id)].spatial_axes())
      out.push_back(graph_.value(id).shape[axis]);
    return out;
  }

  static std::string extents_text(const Shape& extents) {
    std::string out;
    for (const auto extent : extents) out += (out.empty() ? "" : " x ") + std::to_string(extent);
    return out;
  }

  /// Does each position of the node's result depend on the same position of its inputs alone, or is
  /// it merely laid out otherwise?
  static bool keeps_places(const Node& node) {
    const auto ones = [](const Ints& values) {
      return std::all_of(values.begin(), values.end(), [](auto v) { return v == 1; });
    };
    if (const auto* conv = std::get_if<Conv>(&node.op))
      return ones(conv->window.kernel) && ones(conv->window.strides);
    if (std::holds_alternative<Reshape>(node.op) || std::holds_alternative<Transpose>(node.op) ||
        std::holds_alternative<Concat>(node.op) || std::holds_alternative<Slice>(node.op))
      return true;
    return std::visit(
        [](const auto& op) {
          return trait::row<std::decay_t<decltype(op)>>.reach == trait::reaches_one;
        },
        node.op);
  }

  /// Values of which the target sees its own place alone.
  void find_own_places() {
    std::vector<bool> seen_wider(graph_.values().size(), false);
    std::vector<bool> leads(graph_.values().size(), false);
    leads[at(of_)] = true;
    const auto& nodes = graph_.nodes();
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
      bool any = false, wider = !keeps_places(*node);
      for (const auto id : node->outputs) {
        any = any || leads[at(id)];
        wider = wider || (leads[at(id)] && seen_wider[at(id)]);
      }
      if (!any) continue;
      for (const auto id : node->inputs) {
        if (!id) continue;
        leads[at(id)] = true;
        if (wider) seen_wider[at(id)] = true;
      }
    }
    sees_more_ = std::move(seen_wider);
  }

  /// Values made of nothing but what a pool has shrunk many times over, as the branches of a
  /// pyramid that give each place its surroundings.
  void find_contexts() {
    context_.assign(graph_.values().size(), false);
    for (const auto& node : graph_.nodes()) {
      bool any = false, all = true;
      for (const auto id : node.inputs) {
        if (!id || !computed_[at(id)] || graph_.value(id).shape.size() < 3) continue;
        any = true;
        all = all && context_[at(id)];
      }
      const auto* pool = std::get_if<Pool>(&node.op);
      const bool shrinks =
          pool != nullptr && std::any_of(pool->window.strides.begin(), pool->window.strides.end(),
                                         [](auto stride) { return stride >= kManyTimes; });
      for (const auto id : node.outputs) context_[at(id)] = shrinks || (any && all);
    }
  }

  /// The axes of the value that hold its positions, the longest first.
  std::vector<std::size_t> positions() const {
    const auto& shape = graph_.value(of_).shape;
    std::vector<std::size_t> out;
    const auto& layout = forms_.layouts[at(of_)];
    const bool known = layout.order != Layout::Order::unknown && layout.spatial + 2 == shape.size();
    if (shape.size() == 3)
      out = {shape[2] >= kManyMore * shape[1] ? 2U : 1U};
    else if (known)
      out = layout.spatial_axes();
    else if (shape.size() > 3)
      for (std::size_t axis = 2; axis < shape.size(); ++axis) out.push_back(axis);
    std::erase_if(out, [&](std::size_t axis) { return shape[axis] < 2; });
    std::stable_sort(out.begin(), out.end(),
                     [&](std::size_t a, std::size_t b) { return shape[a] > shape[b]; });
    return out;
  }

  /// A map with its channels first and more than one position each way.
  bool is_candidate(ValueId id) const {
    const auto& value = graph_.value(id);
    const auto& layout = forms_.layouts[at(id)];
    if (id == of_ || !live_[at(id)].any() || !computed_[at(id)] || !value.producer ||
        !sees_more_[at(id)] || context_[at(id)] || regions_[at(id)] ||
        !detail::is_map(value, layout))
      return false;
    // Positions that a reshape laid among the channels, or the other way round.
    const auto& op = graph_.node(value.producer).op;
    if (std::holds_alternative<Reshape>(op) || std::holds_alternative<Transpose>(op)) return false;
    const auto axes = layout.spatial_axes();
    return axes.size() > 1 && std::all_of(axes.begin(), axes.end(),
                                          [&](std::size_t axis) { return value.shape[axis] > 1; });
  }

  std::int64_t positions_of(ValueId id) const {
    std::int64_t out = 1;
    for (const auto axis : forms_.layouts[at(id)].spatial_axes())
      out *= graph_.value(id).shape[axis];
    return out;
  }

  DefaultLayer coarsest() const {
    ValueId best;
    for (const auto& node : graph_.nodes())
      for (const auto id : node.outputs)
        if (is_candidate(id) && (!best || positions_of(id) <= positions_of(best))) best = id;
    if (!best || positions_of(best) >= base::element_count(positions_extents()))
      return last_of_all();
    return {best, "the coarsest map that the place depends on, " +
                      detail::text(graph_.value(best).shape) +
                      ": finer ones show little but the place itself"};
  }

  Shape positions_extents() const {
    Shape out;
    for (const auto axis : positions()) out.push_back(graph_.value(of_).shape[axis]);
    return out;
  }

  DefaultLayer last_of_all() const {
    const auto cuts = detail::on_every_path(
        graph_, of_, [&](ValueId id) { return live_[at(id)].any() && computed_[at(id)]; });
    ValueId last;
    for (const auto& node : graph_.nodes())
      for (const auto id : node.outputs)
        if (cuts[at(id)] && is_candidate(id)) last = id;
    if (!last)
      return {{},
              "no map with more than one position each way lies on every path to the place: "
              "name a layer"};
    return {last, "the last map that all numbers at the place depend on, " +
                      detail::text(graph_.value(last).shape)};
  }

  const Graph& graph_;
  ValueId of_;
  Shape place_;
  MapForms::Impl forms_;
  std::vector<bool> computed_;
  std::vector<bool> regions_;
  std::vector<detail::Live> live_;
  std::vector<bool> sees_more_, context_;
};

}  // namespace

DefaultLayer find_local_layer(const Graph& graph, ValueId of, const Shape& place) {
  return LocalLayerSearch(graph, of, place).run();
}

std::vector<DefaultLayer> find_local_candidates(const Graph& graph, ValueId of,
                                                const Shape& place) {
  return LocalLayerSearch(graph, of, place).candidates();
}

}  // namespace fovea::graph
