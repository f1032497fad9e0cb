#include "api/layers.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/target_values.hpp"
#include "graph/query/local_layer.hpp"

namespace fovea::api {
namespace {

/// The place that the first of the known targets is about.
struct KnownPlace {
  graph::ValueId of;
  Shape at;
};
std::optional<KnownPlace> known_place(const Explainer::Impl& impl, const graph::Graph& graph) {
  const auto& targets = impl.options.prepare.targets;
  const auto place =
      targets.empty() ? std::nullopt : api::place_of(targets.front(), impl.target_values);
  if (!place) return std::nullopt;
  // The scores have no name of their own.
  const auto of =
      place->value.empty() ? impl.scores.logits : graph::find_layer(graph, place->value);
  if (graph.value(of).shape.size() != place->at.size()) return std::nullopt;
  return KnownPlace{of, place->at};
}

graph::DefaultLayer default_layer(const Explainer::Impl& impl, const graph::Graph& graph,
                                  const std::optional<KnownPlace>& place,
                                  const graph::TokenOptions& tokens) {
  if (place)
    if (auto found = graph::find_local_layer(graph, place->of, place->at); found.value) {
      found.features = found.value;
      return found;
    }
  return graph::find_default_layer(graph, impl.target, tokens);
}

/// Of layers that are not the default one, what speaks for or against them.
void give_reasons(Explainer::Impl& impl, const graph::Graph& graph, const KnownPlace& place) {
  const auto candidates = graph::find_local_candidates(graph, place.of, place.at);
  const auto fields = impl.fields->of(impl.layers, impl.options.prepare.targets.front(), -1, 0);
  for (std::size_t i = 0; i < impl.layers.size(); ++i) {
    auto& layer = impl.layers[i];
    layer.receptive_field = fields[i];
    if (!layer.why.empty()) continue;
    for (const auto& one : candidates)
      if (graph.value(one.value).name == layer.name) layer.why = one.why;
    const bool is_one =
        std::all_of(layer.grid.begin(), layer.grid.end(), [](auto extent) { return extent == 1; });
    if (positions_in(fields[i]) == 1 && !is_one)
      layer.why = "the place sees one position of it: the map would show where that is alone";
  }
}

/// Are the places along one axis the images: that of its grid, or the first?
bool keeps_images(const Explainer::Impl& impl, const graph::Graph& graph, graph::ValueId id,
                  const graph::MapForm& form) {
  const std::size_t axis = form.grid ? form.grid->images : 0;
  if (impl.image_batch.count == 1) return graph.value(id).shape[axis] == 1;
  return impl.image_batch.axis_of(id) == std::optional(axis);
}

/// Throws Error invalid_argument where the layer cannot be explained.
graph::MapForm form_of(const Explainer::Impl& impl, const graph::Graph& graph,
                       const graph::MapForms& forms, graph::ValueId id) {
  const auto& value = graph.value(id);
  auto form = forms.of(id);
  if (!form.refusal.empty())
    throw Error(ErrorCode::invalid_argument, form.refusal, {"", value.name, ""});
  const bool is_sequence = form.grid && value.shape.size() == 3;
  if (!impl.options.prepare.token_grid.empty() && !is_sequence)
    throw Error(ErrorCode::invalid_argument,
                "a token grid is given, but this layer is no sequence of tokens",
                {"", value.name, ""});
  return form;
}

/// Of a layer that is not made of the image, the input with as many axes that it is made of.
std::string other_image(const Explainer::Impl& impl, const graph::Graph& graph, graph::ValueId id) {
  if (graph.inputs.size() < 2) return {};
  const auto image = graph.inputs[impl.image_batch.input];
  if (graph::reaches(graph, image, id)) return {};
  for (const auto input : graph.inputs)
    if (graph.value(input).shape.size() == graph.value(image).shape.size() &&
        graph::reaches(graph, input, id))
      return graph.value(input).name;
  return {};
}

}  // namespace

graph::TokenOptions tokens_of(const Explainer::Impl& impl) {
  return {impl.options.prepare.token_grid, impl.options.prepare.prefix_tokens};
}

void describe_layers(Explainer::Impl& impl, const graph::Graph& graph,
                     const graph::MapForms& forms) {
  const auto tokens = tokens_of(impl);
  const auto place = known_place(impl, graph);
  const auto found = default_layer(impl, graph, place, tokens);
  impl.default_why = found.why;
  if (found.value) impl.default_layer = graph.value(found.value).name;
  if (found.features) impl.feature_layer = graph.value(found.features).name;
  const auto class_maps = graph::find_class_maps(graph, impl.target);
  for (const auto id : graph::explainable_layers(graph, impl.target, tokens)) {
    const auto& value = graph.value(id);
    const auto form = forms.of(id);
    if (!keeps_images(impl, graph, id, form)) continue;
    const auto& node = graph.node(value.producer);
    Shape grid = form.grid ? form.grid->extents : Shape(value.shape.begin() + 2, value.shape.end());
    LayerInfo info{value.name,        node.name,
                   node.op_type,      value.shape,
                   id == found.value, "",
                   std::move(grid),   class_maps[static_cast<std::size_t>(id.index)]};
    if (info.is_default) info.why = found.why;
    impl.layers.push_back(std::move(info));
  }
  if (place && impl.fields) give_reasons(impl, graph, *place);
}

explain::Layer resolve_layer(const Explainer::Impl& impl, const graph::Graph& graph,
                             const graph::MapForms& forms, const std::string& name) {
  const graph::ValueId id = graph::find_layer(graph, name);
  if (!id)
    throw Error(ErrorCode::invalid_argument, "the model has no layer of this name", {"", name, ""});
  const auto& value = graph.value(id);
  if (value.shape.size() < 3 || value.shape.size() > 5)
    throw Error(ErrorCode::invalid_argument,
                "this layer is not a feature map: it has " + std::to_string(value.shape.size()) +
                    " extents, where [images, channels, ...] with 3 to 5 is needed",
                {"", value.name, ""});
  if (!keeps_images(impl, graph, id, forms.of(id)))
    throw Error(ErrorCode::invalid_argument,
                "the first extent of this layer is not the number of images", {"", value.name, ""});
  if (!graph::reaches(graph, id, impl.target))
    throw Error(ErrorCode::invalid_argument, "the scores do not depend on this layer",
                {"", value.name, ""});
  explain::Layer layer;
  layer.name = value.name;
  layer.value = id;
  const auto form = form_of(impl, graph, forms, id);
  layer.grid = form.grid;
  layer.unseen = form.unseen;
  layer.shape = value.shape;
  if (layer.grid) {
    layer.value_shape = value.shape;
    layer.shape = layer.grid->map_shape(value.shape);
  }
  layer.other_image = other_image(impl, graph, id);
  layer.is_linear_head = graph::is_piecewise_linear(graph, id, impl.target);
  layer.is_head_map = impl.head && impl.head->feature_map == id;
  return layer;
}

}  // namespace fovea::api
