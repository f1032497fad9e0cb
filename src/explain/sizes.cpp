#include "explain/sizes.hpp"

#include <algorithm>

#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"

namespace fovea::explain {
namespace {

using base::Size;

Size product(std::span<const std::int64_t> extents) {
  Size out = 1;
  for (const auto extent : extents) out = out * extent;
  return out;
}

std::span<const std::int64_t> tail(const Shape& shape, std::size_t first) {
  return std::span(shape).subspan(std::min(first, shape.size()));
}

/// Floats; an input that images share counts for each.
Size inputs_of_an_image(const Context& context) {
  Size out = 0;
  for (std::size_t i = 0; i < context.inputs.size(); ++i) out += std::ssize(part_of(context, i, 0));
  return out;
}

}  // namespace

Sizes::Sizes(const Context& context) : images(context.batch), classes(context.row()) {
  const auto& shape = context.layer.shape;
  if (shape.size() > 1) channels = shape[1];
  positions = product(tail(shape, 2));
  plain = channels * positions;
  map = images * plain;
  if (!context.layer.is_input) {
    const auto view = feature_map(context);
    map = std::max(map, images * view.image_stride);
  }
  input = product(tail(context.input.shape, 1));
  pixels = context.extents.empty() ? input : product(context.extents);
  for (const auto& one : context.inputs) inputs += std::ssize(one.data);
}

Size common_bytes(const Entry& entry, const Context& context) {
  constexpr Size kRest = 1 << 14, kPerClass = 32, kPerChannel = 96, kPerImage = 512;
  const Sizes s(context);
  const bool of_layer = entry.uses_layer() || !context.layer.is_input;
  const Size handed_out = of_layer ? std::max(s.positions, s.pixels) : s.input + s.pixels;
  const Size rows = s.classes * Size(2) * kFloat + s.channels * Size(4) * kDouble + kPerImage;
  return s.images * (handed_out * kFloat + rows) + s.classes * kPerClass +
         s.channels * kPerChannel + kRest;
}

Size layer_gradient_bytes(const Context& context) {
  return Sizes(context).map * kFloat;
}

Size tail_bytes(const Context& context, const Network& net) {
  const Sizes s(context);
  Size each = s.plain;
  const auto& grid = context.layer.grid;
  if (grid && !grid->is_map()) {
    const auto stride = feature_map(context).image_stride;
    each += grid->is_in_order(context.layer.value_shape) && net.batch == context.batch
                ? Size(stride)
                : Size(2) * stride;
  }
  Size inputs = 0;
  if (net.reads_inputs) inputs = inputs_of_an_image(context);
  return Size(net.batch) * ((each + inputs) * kFloat + Size(16)) + Size(1024);
}

Size tail_bytes(const Context& context) {
  const auto* net = context.find(NetworkSpec::Part::tail);
  if (net == nullptr) return 0;
  return tail_bytes(context, *net) + Sizes(context).plain * kFloat;
}

Size joined_gradients_bytes(const Context& context, std::int64_t targets) {
  const Sizes s(context);
  // What a pass left is kept where another one comes in between.
  Size kept = 0, passes = 0;
  for (const auto* layer : {&context.layer, &context.input})
    for (const auto& [gradient, index] : layer->gradients) {
      if (gradient.seeds == 1 || (layer == &context.input && context.layer.is_input)) continue;
      kept += layer->is_input ? s.images * s.input : s.map;
      passes += 1;
    }
  if (!(Size(1) < passes)) kept = 0;
  return Size(targets) * (kept * kGrown + s.images * s.classes) * kFloat;
}

Size input_gradient_bytes(const Context& context) {
  const Sizes s(context);
  return (s.images * s.input + s.input) * kFloat;
}

Size rerun_bytes(const Context& context) {
  const Sizes s(context);
  return (s.inputs + s.images * s.classes) * kFloat;
}

Size perturbation_bytes(const Context& context, Size variants) {
  const Sizes s(context);
  const Size batch = context.network(NetworkSpec::Part::full).batch;
  Size inputs = 0;
  inputs = inputs_of_an_image(context);
  return (batch * inputs + s.input) * kFloat + variants * kDouble * kGrown;
}

Size every_class_bytes(const Context& context) {
  if (!context.head) return 0;
  const Sizes s(context);
  const Size identity = context.head->weights.empty() ? s.classes * s.channels : Size(0);
  return (s.classes * s.positions + s.plain + identity) * kFloat;
}

}  // namespace fovea::explain
