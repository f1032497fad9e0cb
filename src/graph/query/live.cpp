#include "graph/query/live.hpp"

#include <algorithm>
#include <numeric>

#include "graph/op_traits.hpp"

namespace fovea::graph::detail {
namespace {

using Part = Live::Part;

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id.index);
}

/// The least that holds both.
Live joined(const Live& a, const Live& b) {
  if (!a.any()) return b;
  if (!b.any()) return a;
  if (a.part == Part::range && b.part == Part::range && a.axis == b.axis && a.period == b.period)
    return Live::range(a.axis, a.period, std::min(a.begin, b.begin), std::max(a.end, b.end));
  return Live::everything();
}

std::int64_t product_after(const Shape& shape, std::size_t axis) {
  return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end(),
                         std::int64_t{1}, std::multiplies<>());
}

/// What of input `i` matters, given what of the node's output does.
class InputPart {
 public:
  InputPart(const Graph& graph, const Node& node, const std::vector<Live>& live, std::size_t i)
      : graph_(graph), node_(node), live_(live), i_(i), out_(live[at(node.outputs[0])]) {}

  template <class Operator>
  Live operator()(const Operator& op) const {
    constexpr auto rows = trait::row<Operator>.rows;
    if constexpr (rows == trait::rows_by_fields)
      return by_fields(op);
    else
      return rows == trait::rows_apart ? broadcast() : Live::everything();
  }

 private:
  /// Parameters are per channel, whatever their extents are like.
  Live by_fields(const BatchNorm&) const { return i_ == 0 ? broadcast() : Live::everything(); }
  Live by_fields(const LayerNorm& op) const {
    const auto rank = static_cast<std::int64_t>(output().size());
    const auto from = op.axis < 0 ? op.axis + rank : op.axis;
    return is_range() && static_cast<std::int64_t>(out_.axis) < from ? broadcast()
                                                                     : Live::everything();
  }
  Live by_fields(const Softmax& op) const {
    const auto rank = static_cast<std::int64_t>(output().size());
    const auto axis = static_cast<std::size_t>(op.axis < 0 ? op.axis + rank : op.axis);
    const bool apart = op.flatten ? out_.axis < axis : out_.axis != axis;
    return is_range() && apart ? out_ : Live::everything();
  }
  Live by_fields(const Reduce& op) const {
    if (!is_range()) return Live::everything();
    const auto reduced = [&](std::size_t axis) {
      return std::find(op.axes->begin(), op.axes->end(), static_cast<std::int64_t>(axis)) !=
             op.axes->end();
    };
    std::size_t left = out_.axis;
    for (std::size_t axis = 0; axis < input().size(); ++axis) {
      if (reduced(axis) && !op.keep_dims) continue;
      if (left-- == 0) return reduced(axis) ? Live::everything() : on(axis);
    }
    return Live::everything();
  }
  Live by_fields(const MatMul&) const {
    const auto rank = output().size();
    const bool both_matrices = input(0).size() >= 2 && input(1).size() >= 2;
    if (!is_range() || !both_matrices || out_.axis + 1 == rank) return Live::everything();
    if (out_.axis + 2 == rank) return i_ == 0 ? on(input().size() - 2) : Live::everything();
    return broadcast();
  }
  Live by_fields(const Gemm& op) const {
    if (!is_range() || out_.axis != 0 || i_ != 0) return Live::everything();
    return on(op.trans_a ? 1 : 0);
  }
  Live by_fields(const Einsum& op) const {
    const auto arrow = op.equation.find("->");
    if (!is_range() || arrow == std::string::npos) return Live::everything();
    std::string own = op.equation.substr(0, arrow);
    for (std::size_t skipped = 0; skipped < i_; ++skipped) own.erase(0, own.find(',') + 1);
    own.erase(std::min(own.find(','), own.size()));
    const auto without_spaces = [](std::string& text) {
      text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
    };
    std::string result = op.equation.substr(arrow + 2);
    without_spaces(own);
    without_spaces(result);
    const auto axis = own.find(result.at(out_.axis));
    const bool whole = axis != std::string::npos && input()[axis] == output()[out_.axis];
    return whole ? on(axis) : Live::everything();
  }
  Live by_fields(const Transpose& op) const {
    return is_range() ? on(static_cast<std::size_t>(op.perm[out_.axis])) : Live::everything();
  }
  Live by_fields(const Reshape&) const {
    if (!is_range()) return Live::everything();
    // The place along an axis, modulo the period, is the flat index divided by what follows.
    const auto after = product_after(output(), out_.axis);
    for (std::size_t axis = 0; axis < input().size(); ++axis)
      if (product_after(input(), axis) == after && input()[axis] >= out_.period &&
          input()[axis] % out_.period == 0)
        return on(axis);
    return Live::everything();
  }
  Live by_fields(const Concat& op) const {
    const auto axis = static_cast<std::size_t>(op.axis);
    if (!is_range() || axis != out_.axis) return out_;
    if (out_.period != output()[axis]) return Live::everything();
    std::int64_t offset = 0;
    for (std::size_t j = 0; j < i_; ++j) offset += input(j)[axis];
    const auto extent = input()[axis];
    const auto begin = std::max<std::int64_t>(out_.begin - offset, 0);
    const auto end = std::min(out_.end - offset, extent);
    return begin < end ? Live::range(axis, extent, begin, end) : Live{};
  }
  Live by_fields(const Slice& op) const {
    for (std::size_t k = 0; k < op.axes->size(); ++k) {
      const auto axis = static_cast<std::size_t>((*op.axes)[k]);
      const auto extent = input()[axis], start = (*op.starts)[k], step = (*op.steps)[k];
      if (is_range() && out_.axis != axis) continue;
      if (step != 1 || output()[axis] == extent) continue;
      if (!is_range()) return Live::range(axis, extent, start, start + output()[axis]);
      if (out_.period != output()[axis]) return Live::everything();
      return Live::range(axis, extent, start + out_.begin, start + out_.end);
    }
    // What is not cut stays as it is; a backward or strided cut of the range's own axis does not.
    const bool same = is_range() && input()[out_.axis] == output()[out_.axis] &&
                      std::all_of(op.steps->begin(), op.steps->end(), [](auto s) { return s > 0; });
    return same ? out_ : Live::everything();
  }
  Live by_fields(const Gather& op) const {
    const auto axis = static_cast<std::size_t>(op.axis);
    const auto& indices = graph_.value(node_.inputs[1]).constant;
    if (i_ != 0 || !indices || indices->ints.empty()) return Live::everything();
    const auto extent = input()[axis];
    std::int64_t low = extent, high = -1;
    for (auto index : indices->ints) {
      if (index < 0) index += extent;
      low = std::min(low, index);
      high = std::max(high, index);
    }
    return Live::range(axis, extent, low, high + 1);
  }
  Live by_fields(const Split& op) const {
    const auto axis = static_cast<std::size_t>(op.axis);
    std::int64_t offset = 0, low = -1, high = 0;
    Live along;
    bool apart = true;
    for (const auto id : node_.outputs) {
      const auto extent = graph_.value(id).shape[axis];
      const auto& live = live_[at(id)];
      if (live.any()) {
        if (low < 0) low = offset;
        high = offset + extent;
        apart = apart && live.part == Part::range && live.axis != axis;
        along = joined(along, live);
      }
      offset += extent;
    }
    return apart ? along : Live::range(axis, offset, low, high);
  }
  const Shape& input(std::size_t j) const { return graph_.value(node_.inputs[j]).shape; }
  const Shape& input() const { return input(i_); }
  const Shape& output() const { return graph_.value(node_.outputs[0]).shape; }
  bool is_range() const { return out_.part == Part::range; }
  Live on(std::size_t axis) const { return Live::range(axis, out_.period, out_.begin, out_.end); }

  /// The output's range along the same axis counted from the last, which the input must have whole.
  Live broadcast() const {
    if (!is_range()) return Live::everything();
    const auto from_last = output().size() - out_.axis;
    if (input().size() < from_last) return Live::everything();
    const auto axis = input().size() - from_last;
    return input()[axis] == output()[out_.axis] ? on(axis) : Live::everything();
  }

  const Graph& graph_;
  const Node& node_;
  const std::vector<Live>& live_;
  std::size_t i_;
  const Live& out_;
};

}  // namespace

Live Live::range(std::size_t axis, std::int64_t period, std::int64_t begin, std::int64_t end) {
  if (begin <= 0 && end >= period) return everything();
  return {Part::range, axis, period, begin, end};
}

bool Live::touches(std::int64_t tokens, std::int64_t from, std::int64_t to) const {
  if (part != Part::range || period != tokens) return any();
  return begin < to && from < end;
}

std::vector<Live> live_parts(const Graph& graph, ValueId logits) {
  return live_parts(graph, logits, Live::everything());
}

std::vector<Live> live_parts(const Graph& graph, ValueId of, const Live& part_of_it) {
  std::vector<Live> live(graph.values().size());
  if (of) live[at(of)] = part_of_it;
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    const bool matters = std::any_of(node->outputs.begin(), node->outputs.end(), [&](ValueId id) {
      return live[at(id)].any() && !graph.value(id).constant;
    });
    if (!matters) continue;
    for (std::size_t i = 0; i < node->inputs.size(); ++i) {
      const auto id = node->inputs[i];
      if (!id || graph.value(id).constant) continue;
      const auto part = std::visit(InputPart(graph, *node, live, i), node->op);
      live[at(id)] = joined(live[at(id)], part);
    }
  }
  return live;
}

}  // namespace fovea::graph::detail
