#include "api/receptive_fields.hpp"

#include <algorithm>
#include <optional>

#include "api/target_values.hpp"

namespace fovea::api {
namespace {

using Parts = std::vector<std::pair<graph::ValueId, graph::Box>>;
using Value = ReceptiveFields::Value;

/// Scores of classes are not places, nor is a vector of anything else.
bool has_positions(const TargetValue& value) {
  return value.shape.size() > 1;
}

graph::Box of_image(const Value& value, graph::Box box, std::int64_t image) {
  if (value.described.of_images) box.insert(box.begin(), {image, image + 1});
  return box;
}

/// The least box around the factors that are not 0; none where all are.
std::optional<graph::Box> around(const std::vector<float>& factors, const Shape& shape) {
  std::optional<graph::Box> out;
  Shape place(shape.size());
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (factors[i] == 0) continue;
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) place[d] = rest % shape[d];
    const auto element = graph::element(place);
    out = out ? graph::hull(*out, element) : element;
  }
  return out;
}

const Value* named(const std::vector<Value>& values, const std::string& name) {
  for (const auto& value : values)
    if (value.described.name == name) return has_positions(value.described) ? &value : nullptr;
  return nullptr;
}

/// The parts of values that a target is made of; none where it is not about places.
Parts parts_of(const std::vector<Value>& values, const Target& target, std::int64_t class_index,
               std::int64_t image) {
  Parts out;
  if (const auto* sum = target.as<Target::Sum>()) {
    for (const auto& term : sum->terms) {
      const auto* value = named(values, term.value);
      if (value == nullptr || term.at.size() != value->described.shape.size()) return {};
      auto place = term.at;
      for (std::size_t d = 0; d < place.size(); ++d)
        if (place[d] < 0) place[d] += value->described.shape[d];
      if (term.factor != 0)
        out.emplace_back(value->id, of_image(*value, graph::element(place), image));
    }
  } else if (const auto* weights = target.as<Target::Weights>()) {
    const auto* value = named(values, weights->value);
    if (value == nullptr) return {};
    if (auto box = around(weights->factors, value->described.shape))
      out.emplace_back(value->id, of_image(*value, std::move(*box), image));
  } else if (class_index >= 0) {
    const auto* value = named(values, "");
    if (value == nullptr) return {};
    Shape place(value->described.shape.size());
    auto rest = class_index;
    for (std::size_t d = place.size(); d-- > 0; rest /= value->described.shape[d])
      place[d] = rest % value->described.shape[d];
    out.emplace_back(value->id, of_image(*value, graph::element(place), image));
  }
  return out;
}

std::vector<AxisRange> on_grid(const std::optional<graph::Box>& part, const Shape& shape,
                               const std::optional<graph::Grid>& grid) {
  std::vector<AxisRange> out;
  if (part && part->size() == shape.size())
    for (const auto& [begin, end] : graph::on_grid(*part, shape, grid)) out.push_back({begin, end});
  return out;
}

}  // namespace

std::vector<AxisRange> ReceptiveFields::of(const explain::Layer& layer, const Target& target,
                                           std::int64_t class_index, std::int64_t image) const {
  const auto parts = parts_of(values, target, class_index, image);
  if (parts.empty() || layer.is_input || !layer.value) return {};
  const auto all = graph::receptive_fields(graph, parts, graph.value(layer.value).producer);
  return on_grid(all[static_cast<std::size_t>(layer.value.index)], graph.value(layer.value).shape,
                 layer.grid);
}

std::vector<std::vector<AxisRange>> ReceptiveFields::of(const std::vector<LayerInfo>& layers,
                                                        const Target& target,
                                                        std::int64_t class_index,
                                                        std::int64_t image) const {
  std::vector<std::vector<AxisRange>> out(layers.size());
  const auto parts = parts_of(values, target, class_index, image);
  if (parts.empty()) return out;
  const auto all = graph::receptive_fields(graph, parts);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto id = graph.find_value(layers[i].name);
    const auto& shape = layers[i].shape;
    const bool is_map = shape.size() > 2 && Shape(shape.begin() + 2, shape.end()) == layers[i].grid;
    if (id && is_map) out[i] = on_grid(all[static_cast<std::size_t>(id.index)], shape, {});
  }
  return out;
}

std::shared_ptr<const ReceptiveFields> receptive_fields(const graph::Graph& bound,
                                                        const TargetValues& read,
                                                        const std::vector<TargetValue>& described) {
  if (std::none_of(described.begin(), described.end(), has_positions)) return nullptr;
  auto out = std::make_shared<ReceptiveFields>();
  out->graph = graph::without_weights(bound);
  for (std::size_t i = 0; i < described.size(); ++i)
    out->values.push_back({described[i], read.values[i].second});
  return out;
}

std::int64_t positions_in(const std::vector<AxisRange>& field) {
  std::int64_t out = field.empty() ? 0 : 1;
  for (const auto& [begin, end] : field) out *= end - begin;
  return out;
}

std::string in_words(const std::vector<AxisRange>& field) {
  std::string out;
  for (const auto& [begin, end] : field)
    out += (out.empty() ? "" : ", ") + std::to_string(begin) +
           (end - begin > 1 ? " to " + std::to_string(end - 1) : "");
  return "(" + out + ")";
}

}  // namespace fovea::api
