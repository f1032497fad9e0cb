#include "graph/query/class_maps.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "graph/op_traits.hpp"
#include "graph/query.hpp"
#include "graph/query/batch_axes.hpp"

namespace fovea::graph::detail {
namespace {

using Axis = std::optional<std::size_t>;

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id.index);
}

std::int64_t product_after(const Shape& shape, std::size_t axis) {
  return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end(),
                         std::int64_t{1}, std::multiplies<>());
}

/// The axis of input `i` of which place k is all that place k of the result's axis depends on.
class InputAxis {
 public:
  InputAxis(const Graph& graph, const Node& node, std::size_t i, std::size_t axis)
      : graph_(graph), node_(node), i_(i), axis_(axis) {}

  template <class Operator>
  Axis operator()(const Operator& op) const {
    if constexpr (trait::row<Operator>.rows == trait::rows_apart)
      return broadcast();
    else if constexpr (requires(const InputAxis& self) { self.of(op); })
      return i_ == 0 || std::is_same_v<Operator, Concat> ? of(op) : std::nullopt;
    else
      return std::nullopt;
  }

  Axis of(const Pool&) const { return axis_ < 2 ? unchanged() : std::nullopt; }
  Axis of(const Resize&) const { return unchanged(); }
  Axis of(const Pad&) const { return unchanged(); }
  Axis of(const Slice&) const { return unchanged(); }
  Axis of(const Concat& op) const {
    return static_cast<std::size_t>(op.axis) == axis_ ? std::nullopt : unchanged();
  }
  Axis of(const Softmax& op) const {
    const auto rank = static_cast<std::int64_t>(output().size());
    const auto own = static_cast<std::size_t>(op.axis < 0 ? op.axis + rank : op.axis);
    return op.flatten || own == axis_ ? std::nullopt : unchanged();
  }
  Axis of(const Transpose& op) const { return static_cast<std::size_t>(op.perm[axis_]); }
  Axis of(const Reduce& op) const {
    std::size_t left = axis_;
    for (std::size_t axis = 0; axis < input().size(); ++axis) {
      const bool reduced = std::find(op.axes->begin(), op.axes->end(),
                                     static_cast<std::int64_t>(axis)) != op.axes->end();
      if (reduced && !op.keep_dims) continue;
      if (left-- == 0) return reduced ? std::nullopt : Axis(axis);
    }
    return std::nullopt;
  }
  Axis of(const Reshape&) const {
    const auto after = product_after(output(), axis_);
    const auto is_it = [&](std::size_t axis) {
      return input()[axis] == output()[axis_] && product_after(input(), axis) == after;
    };
    // Of a single class every extent of 1 is as good: channels come first.
    for (std::size_t axis = 1; axis < input().size(); ++axis)
      if (is_it(axis)) return axis;
    return !input().empty() && is_it(0) ? Axis(0) : std::nullopt;
  }

 private:
  Axis unchanged() const {
    const bool same = input().size() == output().size() && input()[axis_] == output()[axis_];
    return same ? Axis(axis_) : std::nullopt;
  }
  Axis broadcast() const {
    const auto from_last = output().size() - axis_;
    if (input().size() < from_last) return std::nullopt;
    const auto axis = input().size() - from_last;
    return input()[axis] == output()[axis_] ? Axis(axis) : std::nullopt;
  }
  const Shape& input() const { return graph_.value(node_.inputs[i_]).shape; }
  const Shape& output() const { return graph_.value(node_.outputs[0]).shape; }

  const Graph& graph_;
  const Node& node_;
  std::size_t i_;
  std::size_t axis_;
};

/// Where the classes lie in the scores.
Axis class_axis(const Graph& graph, ValueId scores, const std::vector<Layout>& layouts) {
  const auto& shape = graph.value(scores).shape;
  std::vector<std::size_t> wide;
  for (std::size_t axis = 1; axis < shape.size(); ++axis)
    if (shape[axis] > 1) wide.push_back(axis);
  if (wide.size() == 1) return wide.front();
  // An order of axes in which nothing is known of them may be made of one in which it is.
  std::vector<const Ints*> perms;
  for (auto id = scores;;) {
    const auto& layout = layouts[at(id)];
    if (layout.order != Layout::Order::unknown && layout.spatial + 2 == shape.size()) {
      auto axis = layout.channel_axis();
      for (auto perm = perms.rbegin(); perm != perms.rend(); ++perm)
        axis = static_cast<std::size_t>(
            std::find((*perm)->begin(), (*perm)->end(), static_cast<std::int64_t>(axis)) -
            (*perm)->begin());
      return axis;
    }
    const auto* node = producer(graph, id);
    const auto* transpose = node == nullptr ? nullptr : std::get_if<Transpose>(&node->op);
    if (transpose == nullptr) break;
    perms.push_back(&transpose->perm);
    id = node->inputs[0];
  }
  return wide.empty() && shape.size() > 1 ? Axis(1) : std::nullopt;
}

}  // namespace

std::vector<bool> class_maps(const Graph& graph, ValueId logits,
                             const std::vector<Layout>& layouts) {
  std::vector<Axis> axes(graph.values().size());
  std::vector<bool> out(axes.size(), false);
  if (!logits) return out;
  // Where a value leads: by one axis to all scores, or otherwise too.
  std::vector<bool> leads(axes.size(), false), otherwise(axes.size(), false);
  leads[at(logits)] = true;
  axes[at(logits)] = class_axis(graph, logits, layouts);
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    const auto does_lead = [&](ValueId id) { return leads[at(id)]; };
    if (std::none_of(node->outputs.begin(), node->outputs.end(), does_lead)) continue;
    const auto result = node->outputs[0];
    const bool by_class =
        node->outputs.size() == 1 && axes[at(result)].has_value() && !otherwise[at(result)];
    for (std::size_t i = 0; i < node->inputs.size(); ++i) {
      const auto id = node->inputs[i];
      if (!id || graph.value(id).constant) continue;
      const auto axis =
          by_class ? std::visit(InputAxis(graph, *node, i, *axes[at(result)]), node->op) : Axis();
      if (!axis || (leads[at(id)] && axes[at(id)] != axis)) otherwise[at(id)] = true;
      axes[at(id)] = axis;
      leads[at(id)] = true;
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto& layout = layouts[i];
    const auto& value = graph.values()[i];
    if (!axes[i] || otherwise[i] || !value.producer || i == at(logits)) continue;
    const bool known =
        layout.order != Layout::Order::unknown && layout.spatial + 2 == value.shape.size();
    out[i] = !known || layout.channel_axis() == *axes[i];
  }
  return out;
}

}  // namespace fovea::graph::detail

namespace fovea::graph {

std::vector<bool> find_class_maps(const Graph& graph, ValueId logits) {
  return detail::class_maps(graph, logits,
                            detail::layouts(graph, detail::image_axes(graph, logits)));
}

}  // namespace fovea::graph
