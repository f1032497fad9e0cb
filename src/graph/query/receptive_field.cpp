#include "graph/query/receptive_field.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "graph/op_traits.hpp"
#include "graph/resize_places.hpp"
#include "graph/selection_traits.hpp"

namespace fovea::graph {
namespace {

using Part = std::optional<Box>;

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}
std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return -floor_div(-a, b);
}

bool is_empty(const Box& box) {
  return std::any_of(box.begin(), box.end(), [](const AxisRange& r) { return r.begin >= r.end; });
}

class Read {
 public:
  Read(const Graph& graph, const Node& node, std::size_t i, std::size_t o, const Box& of)
      : graph_(graph), node_(node), i_(i), o_(o), of_(of) {}

  template <class Operator>
  Part operator()(const Operator& op) const {
    constexpr auto& row = trait::row<Operator>;
    if constexpr (row.rows == trait::rows_apart)
      return broadcast();
    else if constexpr (requires { by_fields(op); })
      return by_fields(op);
    else {
      static_assert(row.rows != trait::rows_by_fields && row.reach != trait::reach_by_fields);
      return row.reach == trait::reaches_one ? of_every_channel(of_) : all();
    }
  }

 private:
  /// Parameters are per channel, whatever their extents are like.
  Part by_fields(const BatchNorm&) const { return i_ == 0 ? Part(of_) : all(); }
  Part by_fields(const LayerNorm& op) const { return i_ == 0 ? from_axis(normal(op.axis)) : all(); }
  Part by_fields(const Softmax& op) const {
    if (op.flatten) return from_axis(normal(op.axis));
    Box out = of_;
    out[normal(op.axis)] = all_of(normal(op.axis));
    return out;
  }
  Part by_fields(const Reduce& op) const {
    Box out = all();
    for (std::size_t axis = 0, left = 0; axis < input().size(); ++axis) {
      const bool reduced = std::find(op.axes->begin(), op.axes->end(),
                                     static_cast<std::int64_t>(axis)) != op.axes->end();
      if (reduced && !op.keep_dims) continue;
      if (!reduced) out[axis] = of_[left];
      ++left;
    }
    return out;
  }
  Part by_fields(const MatMul&) const {
    if (i_ > 1) return broadcast();  // of what is added behind it
    const auto ranks = std::pair(input(0).size(), input(1).size());
    const auto own = input().size();
    Box out = all();
    // The last two axes of the result, as far as it has them.
    const std::size_t columns = ranks.second > 1 ? 1 : 0, rows = ranks.first > 1 ? 1 : 0;
    if (i_ == 0 && rows > 0) out[own - 2] = of_[of_.size() - 1 - columns];
    if (i_ == 1 && columns > 0) out[own - 1] = of_.back();
    const auto batch = of_.size() - rows - columns;
    for (std::size_t k = 0; own > 2 && k < own - 2; ++k) {
      const auto there = batch - (own - 2) + k;
      if (input()[k] == output()[there]) out[k] = of_[there];
    }
    return out;
  }
  Part by_fields(const Gemm& op) const {
    if (i_ > 1) return broadcast();
    Box out = all();
    if (i_ == 0)
      out[op.trans_a ? 1 : 0] = of_[0];
    else
      out[op.trans_b ? 0 : 1] = of_[1];
    return out;
  }
  Part by_fields(const Einsum& op) const {
    const auto arrow = op.equation.find("->");
    if (arrow == std::string::npos) return all();
    std::string own = op.equation.substr(0, arrow), result = op.equation.substr(arrow + 2);
    for (std::size_t skipped = 0; skipped < i_; ++skipped) own.erase(0, own.find(',') + 1);
    own.erase(std::min(own.find(','), own.size()));
    std::erase(own, ' ');
    std::erase(result, ' ');
    if (own.size() != input().size() || result.size() != of_.size()) return all();
    Box out = all();
    for (std::size_t axis = 0; axis < own.size(); ++axis)
      if (const auto there = result.find(own[axis]);
          there != std::string::npos && input()[axis] == output()[there])
        out[axis] = of_[there];
    return out;
  }
  Part by_fields(const Transpose& op) const {
    Box out = all();
    for (std::size_t axis = 0; axis < of_.size(); ++axis)
      out[static_cast<std::size_t>(op.perm[axis])] = of_[axis];
    return out;
  }
  /// Extents side by side hold the same elements in groups: those of one group become those of the
  /// other by the elements' places in it.
  Part by_fields(const Reshape&) const {
    const auto &from = input(), &to = output();
    Box out = all();
    for (std::size_t a = 0, b = 0; a < from.size() && b < to.size();) {
      const auto first_a = a, first_b = b;
      auto size_a = from[a++], size_b = to[b++];
      while (size_a != size_b) {
        if (size_a < size_b && a < from.size())
          size_a *= from[a++];
        else if (size_b < size_a && b < to.size())
          size_b *= to[b++];
        else
          return all();
      }
      std::int64_t low = 0, high = 0;
      for (auto axis = first_b; axis < b; ++axis) {
        low = low * to[axis] + of_[axis].begin;
        high = high * to[axis] + of_[axis].end - 1;
      }
      // From the last axis on; where the first and the last element lie in different places of one
      // axis, everything behind it is between them.
      auto rest = size_a;
      bool apart = false;
      for (auto axis = first_a; axis < a; ++axis) {
        rest /= from[axis];
        if (!apart) out[axis] = {low / rest % from[axis], high / rest % from[axis] + 1};
        apart = apart || out[axis].end - out[axis].begin > 1;
      }
    }
    return out;
  }
  Part by_fields(const Concat& op) const {
    const auto axis = static_cast<std::size_t>(op.axis);
    std::int64_t offset = 0;
    for (std::size_t j = 0; j < i_; ++j) offset += input(j)[axis];
    return moved(axis, -offset);
  }
  Part by_fields(const Split& op) const {
    const auto axis = static_cast<std::size_t>(op.axis);
    std::int64_t offset = 0;
    for (std::size_t j = 0; j < o_; ++j) offset += shape_of(node_.outputs[j])[axis];
    return moved(axis, offset);
  }
  Part by_fields(const Slice& op) const {
    Box out = of_;
    for (std::size_t k = 0; k < op.axes->size(); ++k) {
      auto& range = out[static_cast<std::size_t>((*op.axes)[k])];
      const auto start = (*op.starts)[k], step = (*op.steps)[k];
      const auto a = start + range.begin * step, b = start + (range.end - 1) * step;
      range = {std::min(a, b), std::max(a, b) + 1};
    }
    return out;
  }
  Part by_fields(const Gather& op) const {
    const auto axis = static_cast<std::size_t>(op.axis);
    const auto& indices = graph_.value(node_.inputs[1]);
    if (i_ != 0) return all();
    const auto rank = indices.shape.size();
    Box out;
    for (std::size_t d = 0; d < input().size(); ++d)
      out.push_back(d == axis ? all_of(axis) : of_[d < axis ? d : d + rank - 1]);
    if (!indices.constant || indices.constant->ints.empty()) return out;
    AxisRange range{input()[axis], 0};
    const auto& all = indices.constant->ints;
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (!holds(k, indices.shape, axis)) continue;
      const auto index = all[k] < 0 ? all[k] + input()[axis] : all[k];
      range = {std::min(range.begin, index), std::max(range.end, index + 1)};
    }
    out[axis] = range;
    return out;
  }
  Part by_fields(const Conv& op) const { return i_ == 0 ? windowed(op.window) : parameter(); }
  Part by_fields(const Pool& op) const { return windowed(op.window, false); }
  Part by_fields(const ConvTranspose& op) const {
    if (i_ != 0) return all();
    Box out = of_every_channel(of_);
    for (std::size_t d = 0; d < op.window.kernel.size(); ++d) {
      const auto& range = of_[d + 2];
      const auto stride = op.window.strides[d], pad = op.window.pads_begin[d];
      const auto last = (op.window.kernel[d] - 1) * op.window.dilations[d];
      out[d + 2] = {ceil_div(range.begin + pad - last, stride),
                    floor_div(range.end - 1 + pad, stride) + 1};
    }
    return clamped(out);
  }
  Part by_fields(const Pad& op) const {
    if (i_ != 0) return all();
    Box out = of_;
    for (std::size_t axis = 0; axis < out.size(); ++axis) {
      const auto before = (*op.pads)[axis];
      const AxisRange there{of_[axis].begin - before, of_[axis].end - before};
      const bool inside = there.begin >= 0 && there.end <= input()[axis];
      out[axis] = inside || op.mode == PadMode::constant ? there : all_of(axis);
    }
    return clamped(out);
  }
  Part by_fields(const Resize& op) const {
    if (i_ != 0) return all();
    Box out = of_;
    for (std::size_t axis = 0; axis < out.size(); ++axis)
      if (!keeps_axis(op, axis, input()[axis])) out[axis] = resized(op, axis);
    return out;
  }
  Part by_fields(const DepthToSpace& op) const {
    Box out = of_every_channel(of_);
    for (const std::size_t axis : {std::size_t{2}, std::size_t{3}})
      out[axis] = {of_[axis].begin / op.block, (of_[axis].end - 1) / op.block + 1};
    return out;
  }
  Part by_fields(const SpaceToDepth& op) const {
    Box out = of_every_channel(of_);
    for (const std::size_t axis : {std::size_t{2}, std::size_t{3}})
      out[axis] = {of_[axis].begin * op.block, of_[axis].end * op.block};
    return out;
  }
  /// Of its own and of earlier steps; backwards, of later ones.
  Part by_fields(const Recurrent& op) const {
    if (i_ != 0) return all();
    Box out = all();
    out[1] = o_ == 0 ? of_[2] : of_[1];
    if (o_ != 0) return out;
    const bool both = op.direction == RecurrentDirection::bidirectional;
    const bool forwards = both ? of_[1].begin == 0 : op.direction == RecurrentDirection::forward;
    const bool backwards = both ? of_[1].end == 2 : op.direction == RecurrentDirection::reverse;
    if (!backwards) out[0].end = of_[0].end;
    if (!forwards) out[0].begin = of_[0].begin;
    return out;
  }

  const Shape& shape_of(ValueId id) const { return graph_.value(id).shape; }
  const Shape& input(std::size_t j) const { return shape_of(node_.inputs[j]); }
  const Shape& input() const { return input(i_); }
  const Shape& output() const { return shape_of(node_.outputs[o_]); }

  Box all() const { return whole(input()); }
  AxisRange all_of(std::size_t axis) const { return {0, input()[axis]}; }
  std::size_t normal(std::int64_t axis) const {
    return static_cast<std::size_t>(axis < 0 ? axis + std::ssize(of_) : axis);
  }
  Part from_axis(std::size_t axis) const {
    Box out = of_;
    for (; axis < out.size(); ++axis) out[axis] = all_of(axis);
    return out;
  }
  Box of_every_channel(Box box) const {
    if (box.size() > 1) box[1] = all_of(1);
    return box;
  }
  /// Counted from the last axis, where the input has the extent of the result.
  Box broadcast() const {
    Box out = all();
    const auto ranks = std::pair(input().size(), of_.size());
    for (std::size_t k = 1; k <= std::min(ranks.first, ranks.second); ++k)
      if (input()[ranks.first - k] == output()[ranks.second - k])
        out[ranks.first - k] = of_[ranks.second - k];
    return out;
  }
  /// Weights and biases; what a fused sum adds is of the result's extents.
  Box parameter() const { return input() == output() ? of_ : all(); }
  Part clamped(Box box) const {
    for (std::size_t axis = 0; axis < box.size(); ++axis)
      box[axis] = {std::max<std::int64_t>(box[axis].begin, 0),
                   std::min(box[axis].end, input()[axis])};
    return is_empty(box) ? std::nullopt : Part(std::move(box));
  }
  Part moved(std::size_t axis, std::int64_t by) const {
    Box out = of_;
    out[axis] = {of_[axis].begin + by, of_[axis].end + by};
    return clamped(std::move(out));
  }
  Part windowed(const Window& window, bool mixes_channels = true) const {
    Box out = mixes_channels ? of_every_channel(of_) : of_;
    for (std::size_t d = 0; d < window.kernel.size(); ++d) {
      const auto begin = of_[d + 2].begin * window.strides[d] - window.pads_begin[d];
      const auto last = (of_[d + 2].end - 1) * window.strides[d] - window.pads_begin[d];
      out[d + 2] = {begin, last + (window.kernel[d] - 1) * window.dilations[d] + 1};
    }
    return clamped(std::move(out));
  }
  AxisRange resized(const Resize& op, std::size_t axis) const {
    const auto in = input()[axis];
    if (op.coordinates == ResizeCoordinates::tf_crop_and_resize) return all_of(axis);
    const ResizePlaces places(op, axis, in);
    const double low = places(of_[axis].begin), high = places(of_[axis].end - 1);
    AxisRange out;
    if (op.mode == ResizeMode::cubic || op.antialias) {
      const double reach = kernel_reach(op, places);
      out = {static_cast<std::int64_t>(std::ceil(low - reach)),
             static_cast<std::int64_t>(std::floor(high + reach)) + 1};
    } else if (op.mode == ResizeMode::nearest) {
      out = {nearest_element(op.nearest, low), nearest_element(op.nearest, high) + 1};
    } else {
      out = {static_cast<std::int64_t>(std::floor(low)),
             static_cast<std::int64_t>(std::ceil(high)) + 1};
    }
    // What lies beyond is the border's.
    const auto begin = std::clamp<std::int64_t>(out.begin, 0, in - 1);
    return {begin, std::clamp<std::int64_t>(out.end, begin + 1, in)};
  }
  /// Is the index `k`, in order, one of those that the part is made of?
  bool holds(std::size_t k, const Shape& indices, std::size_t axis) const {
    auto rest = static_cast<std::int64_t>(k);
    for (std::size_t d = indices.size(); d-- > 0; rest /= indices[d]) {
      const auto place = rest % indices[d];
      if (place < of_[axis + d].begin || place >= of_[axis + d].end) return false;
    }
    return true;
  }

  const Graph& graph_;
  const Node& node_;
  std::size_t i_, o_;
  const Box& of_;
};

/// Extents that nobody knows: those behind a selection by the data.
bool is_known(const Shape& shape) {
  return std::all_of(shape.begin(), shape.end(), [](auto extent) { return extent > 0; });
}

void add(Part& to, const Box& more) {
  to = to && to->size() == more.size() ? hull(*to, more) : more;
}

}  // namespace

Box whole(const Shape& shape) {
  Box out;
  for (const auto extent : shape) out.push_back({0, extent});
  return out;
}

Box element(const Shape& place) {
  Box out;
  for (const auto at : place) out.push_back({at, at + 1});
  return out;
}

Box hull(const Box& a, const Box& b) {
  Box out = a;
  for (std::size_t d = 0; d < out.size(); ++d)
    out[d] = {std::min(a[d].begin, b[d].begin), std::max(a[d].end, b[d].end)};
  return out;
}

std::optional<Box> part_read(const Graph& graph, const Node& node, std::size_t i, std::size_t o,
                             const Box& of) {
  const auto& input = graph.value(node.inputs[i]).shape;
  const auto& output = graph.value(node.outputs[o]).shape;
  if (!is_known(input) || !is_known(output) || of.size() != output.size()) return whole(input);
  return std::visit(Read(graph, node, i, o, of), node.op);
}

std::vector<std::optional<Box>> receptive_fields(const Graph& graph,
                                                 const std::vector<std::pair<ValueId, Box>>& parts,
                                                 NodeId first) {
  std::vector<Part> out(graph.values().size());
  for (const auto& [id, part] : parts) add(out[static_cast<std::size_t>(id.index)], part);
  const auto& nodes = graph.nodes();
  for (auto n = std::ssize(nodes); n-- > std::max(first.index, 0);) {
    const auto& node = nodes[static_cast<std::size_t>(n)];
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      const auto of = out[static_cast<std::size_t>(node.outputs[o].index)];
      if (!of) continue;
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const auto id = node.inputs[i];
        if (!id || graph.value(id).constant) continue;
        if (const auto part = part_read(graph, node, i, o, *of))
          add(out[static_cast<std::size_t>(id.index)], *part);
      }
    }
  }
  return out;
}

Box on_grid(const Box& part, const Shape& shape, const std::optional<Grid>& grid) {
  if (!grid) return {part.begin() + 2, part.end()};
  std::vector<std::size_t> axes;
  for (const auto axis : grid->order(shape.size()))
    if (axis != grid->images &&
        std::find(grid->channels.begin(), grid->channels.end(), axis) == grid->channels.end())
      axes.push_back(axis);
  std::int64_t low = 0, high = 0;
  for (const auto axis : axes) {
    low = low * shape[axis] + part[axis].begin;
    high = high * shape[axis] + part[axis].end - 1;
  }
  Box out;
  if (grid->prefix == 0 && axes.size() == grid->extents.size()) {
    for (const auto axis : axes) out.push_back(part[axis]);
    return out;
  }
  // Tokens in order; those in front of the patches are no positions.
  low = std::max<std::int64_t>(low - grid->prefix, 0);
  high -= grid->prefix;
  if (high < low) return Box(grid->extents.size());
  std::int64_t rest = 1;
  for (const auto extent : grid->extents) rest *= extent;
  bool apart = false;
  for (const auto extent : grid->extents) {
    rest /= extent;
    out.push_back(apart ? AxisRange{0, extent}
                        : AxisRange{low / rest % extent, high / rest % extent + 1});
    apart = apart || out.back().end - out.back().begin > 1;
  }
  return out;
}

Graph without_weights(Graph graph) {
  for (std::int32_t i = 0; i < std::ssize(graph.values()); ++i) {
    auto& constant = graph.value(ValueId{i}).constant;
    if (constant && constant->ints.empty()) constant.reset();
  }
  return graph;
}

}  // namespace fovea::graph
