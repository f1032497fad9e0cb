#include "graph/query/batch_axes.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>

#include "graph/op_traits.hpp"

namespace fovea::graph::detail {
namespace {

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id.index);
}

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  const auto first = shape.begin();
  return std::accumulate(first + static_cast<std::ptrdiff_t>(begin),
                         first + static_cast<std::ptrdiff_t>(end), std::int64_t{1},
                         std::multiplies<>());
}

/// Follows the images through one node, to its output `o`.
class Follow {
 public:
  Follow(const Graph& graph, std::int64_t images, const Node& node, const std::vector<Along>& known,
         std::size_t o)
      : graph_(graph), images_(images), node_(node), known_(known), o_(o) {}

  template <class Operator>
  Along operator()(const Operator& op) const {
    constexpr auto batch_axis = trait::row<Operator>.batch_axis;
    if constexpr (batch_axis == trait::batch_axis_by_fields) {
      return by_fields(op);
    } else if constexpr (batch_axis == trait::as_first_off_axis) {
      const auto own = static_cast<std::size_t>(*op.axis);
      return first_alone([own](std::size_t axis) { return axis != own; }, kMixed);
    } else {
      switch (batch_axis) {
        case trait::as_first:
          return first_alone([](auto) { return true; });
        case trait::as_operands:
          return element_wise();
        case trait::as_first_axis:
          return images_alone();
        case trait::as_first_two_axes:
          return first_alone([](std::size_t axis) { return axis < 2; });
        case trait::as_axis_of_equal_extent:
          return unchanged_extent();
        case trait::batch_axis_unknown:
          return any() ? kUnknown : Along{};
        case trait::no_batch_axis:
        case trait::as_first_off_axis:
        case trait::batch_axis_by_fields:
          break;
      }
      return {};
    }
  }

 private:
  Along by_fields(const Conv& op) const { return window(op.window, op.group == 1); }
  Along by_fields(const ConvTranspose& op) const { return window(op.window, op.group == 1, true); }
  Along by_fields(const LayerNorm& op) const {
    const auto rank = static_cast<std::int64_t>(shape(0).size());
    const auto from = static_cast<std::size_t>(op.axis < 0 ? op.axis + rank : op.axis);
    return first_alone([from](std::size_t axis) { return axis < from; }, kMixed);
  }
  Along by_fields(const Softmax& op) const { return off_axis(op); }
  Along by_fields(const Hardmax& op) const { return off_axis(op); }
  template <class Operator>
  Along off_axis(const Operator& op) const {
    const auto rank = static_cast<std::int64_t>(shape(0).size());
    const auto from = static_cast<std::size_t>(op.axis < 0 ? op.axis + rank : op.axis);
    return first_alone([&](std::size_t axis) { return op.flatten ? axis < from : axis != from; },
                       kMixed);
  }

  Along by_fields(const Resize& op) const {
    return first_alone([&](std::size_t axis) { return keeps_axis(op, axis, shape(0)[axis]); });
  }

  /// The grid of an image samples that image.
  Along by_fields(const GridSample&) const {
    for (std::size_t i = 0; i < 2; ++i)
      if (input(i).is_axis() && (input(i).axis != 0 || input(i).inner != 1)) return kUnknown;
    return joined({spoilt(), input(0), input(1)});
  }

  /// Images are rows of x, of the lengths and of the states, or the states' directions; over time
  /// they mix.
  Along by_fields(const Recurrent&) const {
    constexpr std::size_t kLengths = 4;
    const std::size_t directions = o_ == 0 ? 1 : 0;  // and images behind them
    std::vector<Along> parts{spoilt()};
    for (const std::size_t i : {0u, 4u, 5u, 6u}) {
      const auto x = input(i);
      if (!x.is_axis()) continue;
      const bool is_row = x.axis == (i == kLengths ? 0u : 1u);
      if (is_row)
        parts.push_back(along(directions + 1, x.inner));
      else if (i > kLengths && x.axis == 0)
        parts.push_back(along(directions, x.inner));
      else
        parts.push_back(kMixed);
    }
    for (const std::size_t i : {1u, 2u, 3u, 7u})
      if (input(i).is_axis()) parts.push_back(kUnknown);
    return joined(parts);
  }

  Along by_fields(const TopK& op) const {
    const auto own = static_cast<std::size_t>(op.axis);
    return first_alone([own](std::size_t axis) { return axis != own; }, kMixed);
  }
  /// Off the axis an element keeps its place.
  Along by_fields(const GatherElements& op) const {
    const auto found = joined({spoilt(), input(0), input(1)});
    if (!found.is_axis()) return found;
    const bool kept = found.axis != static_cast<std::size_t>(op.axis) &&
                      shape(0)[found.axis] == shape(1)[found.axis];
    return kept ? found : kUnknown;
  }

  Along by_fields(const Gemm& op) const {
    const auto a = input(0), b = input(1);
    Along product;
    if (a.is_axis()) product = a.axis == (op.trans_a ? 1 : 0) ? along(0, a.inner) : kMixed;
    if (b.is_axis())
      product = product.any() || b.axis != (op.trans_b ? 0 : 1) ? kMixed : along(1, b.inner);
    return joined({spoilt(), product, aligned(2)});
  }
  Along by_fields(const MatMul&) const { return joined({spoilt(), factor(0), factor(1)}); }
  Along by_fields(const Einsum& op) const {
    const auto arrow = op.equation.find("->");
    if (spoilt().any()) return spoilt();
    if (arrow == std::string::npos || op.equation.find('.') != std::string::npos)
      return any() ? kUnknown : Along{};
    std::string terms = op.equation;
    terms.erase(std::remove(terms.begin(), terms.end(), ' '), terms.end());
    const std::string result = terms.substr(terms.find("->") + 2);
    std::string left = terms.substr(0, terms.find("->"));
    std::vector<Along> parts;
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      const std::string own = left.substr(0, left.find(','));
      left.erase(0, own.size() + 1);
      const auto x = input(i);
      if (!x.is_axis()) continue;
      const auto letter = x.axis < own.size() ? result.find(own[x.axis]) : std::string::npos;
      parts.push_back(letter == std::string::npos ? kMixed : along(letter, x.inner));
    }
    return joined(parts);
  }

  Along by_fields(const Reduce& op) const {
    const auto x = input(0);
    if (!x.is_axis()) return x;
    std::size_t before = 0;
    for (const auto axis : *op.axes) {
      if (static_cast<std::size_t>(axis) == x.axis) return kMixed;
      if (static_cast<std::size_t>(axis) < x.axis) ++before;
    }
    return along(op.keep_dims ? x.axis : x.axis - before, x.inner);
  }
  /// Whole periods one after the other go on as one; what has none is no period.
  Along by_fields(const Concat& op) const {
    const auto found = element_wise();
    if (!found.is_axis() || found.axis != static_cast<std::size_t>(op.axis)) return found;
    for (std::size_t i = 0; i < node_.inputs.size(); ++i)
      if (input(i) != found) return kUnknown;
    return found;
  }
  Along by_fields(const Split& op) const {
    const auto axis = static_cast<std::size_t>(op.axis);
    std::int64_t start = 0;
    for (std::size_t i = 0; i < o_; ++i) start += graph_.value(node_.outputs[i]).shape[axis];
    return first_alone(
        [&](std::size_t own) { return own != axis || are_periods(start, output()[axis]); },
        kPicked);
  }
  /// What leaves the axis as it is, or whole periods of it; a cut may turn it round.
  Along by_fields(const Slice& op) const {
    return first_alone(
        [&](std::size_t axis) {
          std::int64_t start = 0;
          for (std::size_t k = 0; k < op.axes->size(); ++k) {
            if (static_cast<std::size_t>((*op.axes)[k]) != axis) continue;
            if ((*op.steps)[k] != 1) return false;
            start = (*op.starts)[k];
          }
          return are_periods(start, output()[axis]);
        },
        kPicked);
  }
  Along by_fields(const Transpose& op) const {
    const auto x = input(0);
    if (!x.is_axis()) return x;
    const auto found = std::find(op.perm.begin(), op.perm.end(), static_cast<std::int64_t>(x.axis));
    return along(static_cast<std::size_t>(found - op.perm.begin()), x.inner);
  }
  /// The distance from one image to the next stays; which axis it belongs to changes.
  Along by_fields(const Reshape&) const {
    const auto x = input(0);
    if (!x.is_axis()) return x;
    const auto& from = shape(0);
    const auto& to = output();
    const auto stride = x.inner * product(from, x.axis + 1, from.size());
    for (std::size_t axis = 0; axis < to.size(); ++axis) {
      const auto after = product(to, axis + 1, to.size());
      if (after > stride || after * to[axis] <= stride) continue;
      const auto period = stride * images_;
      const bool fits = stride % after == 0 && after * to[axis] % period == 0;
      return fits ? along(axis, stride / after) : kUnknown;
    }
    return kUnknown;
  }
  Along by_fields(const Gather& op) const {
    if (spoilt().any()) return spoilt();
    const auto data = input(0), indices = input(1);
    const auto axis = static_cast<std::size_t>(op.axis);
    if (data.is_axis() && indices.is_axis()) return kUnknown;
    if (indices.is_axis()) return along(axis + indices.axis, indices.inner);
    if (!data.is_axis()) return {};
    if (data.axis == axis) return gathered(data, axis);
    return data.axis < axis ? data : along(data.axis + shape(1).size() - 1, data.inner);
  }

  const Shape& shape(std::size_t i) const { return graph_.value(node_.inputs[i]).shape; }
  const Shape& output() const { return graph_.value(node_.outputs[o_]).shape; }
  Along input(std::size_t i) const {
    return i < node_.inputs.size() && node_.inputs[i] ? known_[at(node_.inputs[i])] : Along{};
  }
  bool any() const { return others(0); }
  bool others(std::size_t from = 1) const {
    for (std::size_t i = from; i < node_.inputs.size(); ++i)
      if (input(i).any()) return true;
    return false;
  }

  /// What an input is that is along no axis: the worst of them, nowhere where there is none.
  Along spoilt() const {
    Along out;
    for (std::size_t i = 0; i < node_.inputs.size(); ++i)
      if (input(i).kind > Along::Kind::axis && input(i).kind > out.kind) out = input(i);
    return out;
  }

  /// All of them at once: they must agree.
  static Along joined(const std::vector<Along>& parts) {
    Along out;
    for (const auto& part : parts) {
      if (!part.any() || out == part) continue;
      if (part == kMixed || (out.any() && part != kUnknown && out != kUnknown)) return kMixed;
      if (out.kind < part.kind) out = part;
    }
    return out;
  }

  /// Input `i` as it is broadcast to the output.
  Along aligned(std::size_t i) const {
    const auto x = input(i);
    return x.is_axis() ? along(x.axis + output().size() - shape(i).size(), x.inner) : x;
  }
  Along element_wise() const {
    std::vector<Along> parts{spoilt()};
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) parts.push_back(aligned(i));
    return joined(parts);
  }

  /// The first input's axis, where it `stays`; what else depends on the images is not followed.
  template <class Stays>
  Along first_alone(Stays stays, Along otherwise = kUnknown) const {
    const auto x = input(0);
    if (spoilt().any()) return spoilt();
    if (others()) return kUnknown;
    return !x.is_axis() || stays(x.axis) ? x : otherwise;
  }
  Along images_alone() const {
    return first_alone([](std::size_t axis) { return axis == 0; });
  }
  /// Is a cut of the first input's axis made of whole rounds of the images?
  bool are_periods(std::int64_t start, std::int64_t extent) const {
    const auto period = input(0).inner * images_;
    return extent > 0 && start % period == 0 && extent % period == 0;
  }
  /// Constant indices along the images' axis may leave them in order, as where an exporter writes a
  /// strided view.
  Along gathered(const Along& data, std::size_t axis) const {
    const auto& indices = graph_.value(node_.inputs[1]).constant;
    if (!indices) return kPicked;
    const auto& extents = shape(1);
    const auto count = static_cast<std::int64_t>(indices->ints.size());
    const auto image_at = [&](std::int64_t place) {
      const auto index = indices->ints[static_cast<std::size_t>(place)];
      return (index < 0 ? index + shape(0)[axis] : index) / data.inner % images_;
    };
    for (std::size_t d = 0; d < extents.size(); ++d) {
      const auto after = product(extents, d + 1, extents.size());
      std::int64_t inner = 0;  // as many places hold the first image
      while (inner < extents[d] && image_at(inner * after) == 0) ++inner;
      if (inner == 0 || extents[d] % (inner * images_) != 0) continue;
      bool in_order = true;
      for (std::int64_t place = 0; place < count && in_order; ++place)
        in_order = image_at(place) == place / (after * inner) % images_;
      if (in_order) return along(axis + d, inner);
    }
    return kPicked;
  }
  Along unchanged_extent() const {
    return first_alone([&](std::size_t axis) { return shape(0)[axis] == output()[axis]; });
  }
  Along window(const Window& window, bool mixes_channels, bool transposed = false) const {
    const auto x = input(0);
    if (!x.is_axis() || x.axis == 0 || others()) return images_alone();
    if (x.axis == 1) return mixes_channels ? kMixed : kUnknown;
    const auto d = x.axis - 2;
    const bool slides = window.strides[d] == 1 && window.pads_begin[d] == 0 &&
                        window.pads_end[d] == 0 && shape(0)[x.axis] == output()[x.axis];
    if (window.kernel[d] == 1) return slides ? x : kUnknown;
    const bool meet = !transposed || window.kernel[d] > window.strides[d];
    return meet && x.inner == 1 && window.dilations[d] == 1 ? kMixed : kUnknown;
  }

  /// A factor of a matrix product.
  Along factor(std::size_t i) const {
    const auto x = input(i);
    if (!x.is_axis()) return x;
    const auto rank = shape(i).size();
    const auto from_last = rank - 1 - x.axis;
    const std::size_t contracted = i == 0 || rank == 1 ? 0 : 1;
    if (from_last == contracted) return kMixed;
    // A vector on the other side leaves its extent out of the result.
    const std::size_t missing = shape(1 - i).size() == 1 && from_last > 0 ? 1 : 0;
    return along(output().size() - 1 - (from_last - missing), x.inner);
  }

  const Graph& graph_;
  std::int64_t images_;
  const Node& node_;
  const std::vector<Along>& known_;
  std::size_t o_;
};

}  // namespace

std::vector<Along> follow_images(const Graph& graph, ValueId from, Along start,
                                 std::int64_t images) {
  std::vector<Along> out(graph.values().size());
  out[at(from)] = start;
  for (const auto& node : graph.nodes())
    for (std::size_t o = 0; o < node.outputs.size(); ++o)
      if (!graph.value(node.outputs[o]).constant)
        out[at(node.outputs[o])] = std::visit(Follow(graph, images, node, out, o), node.op);
  return out;
}

}  // namespace fovea::graph::detail
