#include "graph/query/tokens.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"
#include "graph/op_traits.hpp"
#include "graph/query/batch_axes.hpp"

namespace fovea::graph {
namespace {

using Order = detail::Layout::Order;

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id.index);
}

/// Follows the positions through one node.
class OriginOf {
 public:
  OriginOf(const Graph& graph, const Node& node, const std::vector<detail::Layout>& layouts,
           const std::vector<std::optional<Origin>>& known)
      : graph_(graph), node_(node), layouts_(layouts), known_(known) {}

  std::optional<Origin> of(ValueId out) const {
    const auto& layout = layouts_[at(out)];
    const auto& shape = graph_.value(out).shape;
    if (layout.order == Order::unknown || layout.spatial == 0 || shape.size() != layout.spatial + 2)
      return std::nullopt;
    if (layout.spatial > 1) return Origin{spatial(out), 0};
    return std::visit([&](const auto& op) { return sequence(op, out); }, node_.op);
  }

 private:
  /// The first of the spatial extents.
  std::size_t first(ValueId id) const { return layouts_[at(id)].spatial_axes().front(); }
  Shape spatial(ValueId id) const {
    Shape out;
    for (const auto axis : layouts_[at(id)].spatial_axes())
      out.push_back(graph_.value(id).shape[axis]);
    return out;
  }
  bool is_sequence(ValueId id) const {
    return id && layouts_[at(id)].order != Order::unknown && layouts_[at(id)].spatial == 1 &&
           graph_.value(id).shape.size() == 3;
  }

  template <class Operator>
  std::optional<Origin> sequence(const Operator& op, ValueId out) const {
    constexpr auto places = trait::row<Operator>.places;
    if constexpr (places == trait::places_by_fields)
      return by_fields(op, out);
    else
      return places == trait::places_new && layouts_[at(out)].order == Order::channels_first
                 ? own(out)
                 : inherited(out);
  }
  std::optional<Origin> by_fields(const Concat& op, ValueId out) const {
    if (static_cast<std::size_t>(op.axis) != first(out)) return inherited(out);
    std::int64_t offset = 0;
    for (const auto id : node_.inputs) {
      if (known_[at(id)] && is_sequence(id))
        return Origin{known_[at(id)]->extents, offset + known_[at(id)]->prefix};
      offset += graph_.value(id).shape[static_cast<std::size_t>(op.axis)];
    }
    return std::nullopt;
  }
  std::optional<Origin> by_fields(const Slice& op, ValueId out) const {
    auto origin = known_[at(node_.inputs[0])];
    for (std::size_t k = 0; origin && k < op.axes->size(); ++k) {
      if (static_cast<std::size_t>((*op.axes)[k]) != first(out)) continue;
      origin->prefix -= (*op.starts)[k];
      const auto end = origin->prefix + base::element_count(origin->extents);
      if ((*op.steps)[k] != 1 || origin->prefix < 0 || end > spatial(out)[0]) origin.reset();
    }
    return origin;
  }
  std::optional<Origin> by_fields(const Reshape&, ValueId out) const {
    const auto in = node_.inputs[0];
    const auto& origin = known_[at(in)];
    if (!origin) return std::nullopt;
    // The spatial extents merged into one, or a sequence as it was.
    const bool same = is_sequence(in) ? spatial(in) == spatial(out)
                                      : base::element_count(spatial(in)) == spatial(out)[0];
    return same ? origin : std::nullopt;
  }
  /// One axis of positions from the start: a signal.
  std::optional<Origin> own(ValueId out) const { return Origin{spatial(out), 0}; }
  std::optional<Origin> inherited(ValueId out) const {
    for (const auto id : node_.inputs)
      if (is_sequence(id) && known_[at(id)] && spatial(id) == spatial(out)) return known_[at(id)];
    return std::nullopt;
  }

  const Graph& graph_;
  const Node& node_;
  const std::vector<detail::Layout>& layouts_;
  const std::vector<std::optional<Origin>>& known_;
};

std::vector<std::optional<Origin>> find_origins(const Graph& graph,
                                                const std::vector<detail::Layout>& layouts) {
  std::vector<std::optional<Origin>> out(graph.values().size());
  for (const auto& node : graph.nodes())
    for (const auto id : node.outputs)
      if (!node.inputs.empty() && node.inputs[0] && !graph.value(id).constant)
        out[at(id)] = OriginOf(graph, node, layouts, out).of(id);
  return out;
}

/// Rows and columns of the first input that looks like an image.
Shape image_extents(const Graph& graph) {
  for (const auto id : graph.inputs) {
    const auto& shape = graph.value(id).shape;
    if (shape.size() != 4) continue;
    const bool last = shape[1] > 4 && shape[3] <= 4;
    return last ? Shape{shape[1], shape[2]} : Shape{shape[2], shape[3]};
  }
  return {};
}

std::int64_t root_of(std::int64_t n) {
  const auto root = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(n))));
  return root * root == n ? root : 0;
}

/// The grid of square patches that cover the image, or else a square.
Shape patches(const Shape& image, std::int64_t count) {
  if (count < 2) return {};
  if (image.size() == 2 && image[0] * image[1] % count == 0) {
    const auto size = root_of(image[0] * image[1] / count);
    if (size > 0 && image[0] % size == 0 && image[1] % size == 0)
      return {image[0] / size, image[1] / size};
  }
  const auto root = root_of(count);
  return root > 0 ? Shape{root, root} : Shape{};
}

std::string by_rows(const Shape& grid) {
  std::string out;
  for (const auto extent : grid) out += (out.empty() ? "" : "x") + std::to_string(extent);
  return out;
}

}  // namespace

MapForms::Impl::Impl(const Graph& g, ValueId logits, TokenOptions o)
    : graph(g),
      options(std::move(o)),
      image_axes(detail::image_axes(g, logits)),
      layouts(detail::layouts(g, image_axes)),
      origins(find_origins(g, layouts)),
      live(detail::live_parts(g, logits)),
      image(image_extents(g)) {}

bool MapForms::Impl::is_sequence(ValueId id) const {
  const auto& value = graph.value(id);
  const auto& layout = layouts[at(id)];
  if (value.type != DType::f32 || value.shape.size() != 3) return false;
  if (layout.order == Order::channels_last) return layout.spatial == 1;
  return layout.order == Order::unknown && options.given();
}

detail::Layout MapForms::Impl::sequence_layout(ValueId id) const {
  const auto& layout = layouts[at(id)];
  if (layout.order != Order::unknown) return layout;
  return {Order::channels_last, 1, {}, image_axes[at(id)].value_or(0)};
}

MapForm MapForms::Impl::token_form(ValueId id) const {
  const auto tokens = tokens_of(id);
  const auto layout = sequence_layout(id);
  const auto form = [&](Shape extents, std::int64_t prefix) {
    return MapForm{Grid{std::move(extents), prefix, layout.images, {layout.channel_axis()}}, ""};
  };
  const auto has = "this layer is a sequence of " + std::to_string(tokens) + " tokens";
  const auto& origin = origins[at(id)];
  const bool shown = origin && (!options.prefix || *options.prefix == origin->prefix);
  if (!options.grid.empty()) {
    const auto places = base::element_count(options.grid);
    if (shown && base::element_count(origin->extents) == places)
      return form(options.grid, origin->prefix);
    const auto left = tokens - places;
    if (options.prefix ? left == *options.prefix : left == 0 || left == 1)
      return form(options.grid, left);
    const auto given = has + ", and the token grid " + by_rows(options.grid) + " has " +
                       std::to_string(places) + " places";
    if (left < 0) return {std::nullopt, given};
    const auto wanted = options.prefix ? std::to_string(*options.prefix) + " were given"
                                       : "0 or 1 are expected: give their number";
    return {std::nullopt, given + ", which leaves " + std::to_string(left) +
                              " tokens in front of the patches, where " + wanted};
  }
  if (shown) return form(origin->extents, origin->prefix);
  for (const std::int64_t prefix : {0, 1}) {
    const auto front = options.prefix.value_or(prefix);
    if (auto grid = patches(image, tokens - front); !grid.empty())
      return form(std::move(grid), front);
  }
  return {std::nullopt,
          has + ", and nothing shows the grid that its patches lie on: give the token grid"};
}

MapForm MapForms::Impl::form(ValueId id) const {
  const auto& shape = graph.value(id).shape;
  const auto& layout = layouts[at(id)];
  const auto& origin = origins[at(id)];
  if (is_sequence(id)) {
    auto out = token_form(id);
    const auto& part = live[at(id)];
    if (out.grid && part.part == detail::Live::Part::range && part.axis == token_axis(id)) {
      const auto first = out.grid->prefix;
      if (!part.touches(tokens_of(id), first, first + base::element_count(out.grid->extents)))
        out.unseen =
            "no gradient reaches this layer's patch tokens, since the scores read other tokens "
            "(the class token) alone from here on: explain an earlier layer, up to the first norm "
            "of the last block";
    }
    return out;
  }
  if (!origin || layout.order == Order::unknown) return {};
  const auto on = [&](const Shape& extents) {
    return MapForm{Grid{extents, 0, layout.images, {layout.channel_axis()}}, ""};
  };
  const bool is_whole = layout.spatial + 2 == shape.size();
  if (layout.order == Order::channels_last && is_whole) return on(origin->extents);
  if (layout.images != 0 && is_whole && layout.spatial > 1) return on(origin->extents);
  const bool folds = origin->prefix == 0 && (origin->extents.size() > 1 || layout.images != 0);
  if (layout.order == Order::channels_first && shape.size() == 3 && folds &&
      base::element_count(origin->extents) == shape[layout.spatial_axes().front()])
    return on(origin->extents);
  if (layout.order == Order::channels_first && shape.size() == 3 && origin->prefix > 0)
    return {std::nullopt,
            "this layer holds its tokens behind their channels, class token included: explain the "
            "sequence that it comes from"};
  return {};
}

MapForms::MapForms(const Graph& graph, ValueId logits, TokenOptions options)
    : impl_(std::make_unique<const Impl>(graph, logits, std::move(options))) {}
MapForms::~MapForms() = default;

MapForm MapForms::of(ValueId layer) const {
  return impl_->form(layer);
}

}  // namespace fovea::graph
