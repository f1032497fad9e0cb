#include "explain/gradients.hpp"

#include <algorithm>
#include <chrono>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "explain/feature_map.hpp"
#include "explain/head_weights.hpp"
#include "simd/kernels.hpp"

namespace fovea::explain {
namespace {

using engine::GradientReduce;
using engine::ValueView;

/// weights^T seeds, per image: [batch, channels].
std::vector<float> through_head(const Context& context, std::span<const float> from) {
  const auto& head = *context.head;
  std::vector<float> out(static_cast<std::size_t>(context.batch * head.channels), 0.f);
  for (std::int64_t n = 0; n < context.batch; ++n)
    detail::add_head_rows(head, from.data() + n * context.row(), out.data() + n * head.channels);
  return out;
}

float positions_of(const ValueView& view) {
  return static_cast<float>(base::element_count(spatial_extents(view)));
}

std::vector<float> means_in(const ValueView& view) {
  return {view.data, view.data + view.shape[0] * view.shape[1]};
}

/// The objective's, by a backward pass of its own or of several targets.
ValueView gradient_of(Context& context, const Layer& layer, const Gradient& which) {
  if (context.joined != nullptr)
    if (const auto view = context.joined->gradient(context, layer, which)) return *view;
  const auto index = index_of(layer, which);
  run_backward(context, index, seeds(context));
  return context.plan.gradient(context.workspace, index);
}

}  // namespace

std::size_t index_of(const Layer& layer, const Gradient& gradient) {
  const auto it = layer.gradients.find(gradient);
  if (it == layer.gradients.end())
    throw Error(ErrorCode::internal, "a method reads a gradient that it did not ask for");
  return it->second;
}

ValueView feature_map(const Context& context) {
  return context.plan.map(context.workspace, context.layer.map);
}

std::vector<float> seeds(const Context& context) {
  std::vector<float> out(static_cast<std::size_t>(context.batch * context.row()));
  const auto row = static_cast<std::size_t>(context.row());
  for (std::size_t n = 0; n < static_cast<std::size_t>(context.batch); ++n)
    context.objectives[n].gradient(context.scores.subspan(n * row, row),
                                   std::span(out).subspan(n * row, row));
  return out;
}

void run_backward(Context& context, std::size_t gradient, std::span<const float> seeds,
                  const engine::References* references) {
  if (context.joined != nullptr) context.joined->keep(context);
  const auto start = std::chrono::steady_clock::now();
  context.plan.backward(context.workspace, gradient, seeds, context.call, references);
  if (context.backward_ms != nullptr)
    *context.backward_ms +=
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Gradient> layer_gradient_needs(const Layer& layer, GradientReduce reduce) {
  if (layer.is_head_map) return {};
  return {{.reduce = reduce}};
}

std::vector<float> mean_gradient(Context& context) {
  if (context.joined != nullptr)
    if (const auto view = context.joined->gradient(context, context.layer,
                                                   {.reduce = GradientReduce::spatial_mean}))
      return means_in(*view);
  return mean_gradient(context, seeds(context));
}

std::vector<float> mean_gradient(Context& context, std::span<const float> from) {
  const Gradient which{.reduce = GradientReduce::spatial_mean};
  if (!context.layer.gradients.contains(which) && context.layer.is_head_map) {
    auto out = through_head(context, from);
    const float positions = positions_of(feature_map(context));
    for (auto& v : out) v /= positions;
    return out;
  }
  const auto index = index_of(context.layer, which);
  run_backward(context, index, from);
  return means_in(context.plan.gradient(context.workspace, index));
}

LayerGradient layer_gradient(Context& context) {
  LayerGradient out;
  const Gradient which;
  if (context.layer.gradients.contains(which) || !context.layer.is_head_map) {
    out.view_ = gradient_of(context, context.layer, which);
    const auto map = feature_map(context);
    if (out.view_.block == map.block && out.view_.image_stride == map.image_stride) return out;
    // Methods go through both side by side: the gradient takes the map's layout.
    out.owned_.assign(static_cast<std::size_t>(map.shape[0] * map.image_stride), 0.f);
    const auto positions = base::element_count(spatial_extents(map));
    for (std::int64_t n = 0; n < map.shape[0]; ++n)
      for (std::int64_t c = 0; c < map.shape[1]; ++c) {
        const auto place = [&](const ValueView& v) {
          return n * v.image_stride + channel_begin(c, positions, v.block);
        };
        for (std::int64_t p = 0; p < positions; ++p)
          out.owned_[static_cast<std::size_t>(place(map) + p * map.block)] =
              out.view_.data[place(out.view_) + p * out.view_.block];
      }
    out.view_ = map;
    out.view_.data = out.owned_.data();
    return out;
  }
  out.view_ = feature_map(context);
  const auto means = through_head(context, seeds(context));
  const simd::MapLayout layout{out.view_.shape[1], base::element_count(spatial_extents(out.view_)),
                               out.view_.block};
  out.owned_.assign(static_cast<std::size_t>(out.view_.shape[0] * out.view_.image_stride), 0.f);
  for (std::int64_t n = 0; n < out.view_.shape[0]; ++n)
    simd::kernels().channel_spread(means.data() + n * layout.channels,
                                   1 / static_cast<float>(layout.positions), layout, 0,
                                   layout.channels, out.owned_.data() + n * out.view_.image_stride);
  out.view_.data = out.owned_.data();
  return out;
}

std::vector<Tensor> input_gradients(Context& context, const Gradient& which) {
  const auto view = gradient_of(context, context.input, which);
  std::vector<Tensor> out;
  for (std::int64_t n = 0; n < context.batch; ++n) out.push_back(plain(view, context.input, n));
  return out;
}

Tensor plain(const ValueView& view, std::int64_t image) {
  Tensor out{{view.shape.begin() + 1, view.shape.end()}, {}};
  const float* src = view.data + image * view.image_stride;
  const auto elements = base::element_count(out.shape);
  if (view.block == 1) {
    out.data.assign(src, src + elements);
    return out;
  }
  out.data.resize(static_cast<std::size_t>(elements));
  const auto channels = view.shape[1], positions = elements / channels, block = view.block;
  base::parallel_for(channels, 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = begin; c < end; ++c) {
      const float* from = src + channel_begin(c, positions, block);
      float* to = out.data.data() + c * positions;
      for (std::int64_t p = 0; p < positions; ++p) to[p] = from[p * block];
    }
  });
  return out;
}

Tensor plain(const ValueView& view, const Layer& layer, std::int64_t image) {
  if (!layer.is_single) return plain(view, image);
  Tensor out{{layer.shape.begin() + 1, layer.shape.end()}, {}};
  if (view.shape.empty()) {
    out.data.assign(view.data, view.data + 1);
    return out;
  }
  for (std::int64_t row = 0; row < view.shape[0]; ++row) {
    const Tensor part = plain(view, row);
    out.data.insert(out.data.end(), part.data.begin(), part.data.end());
  }
  return out;
}

Context& Rerun::forward(std::span<const Tensor> inputs) {
  const auto& net = context_.network(NetworkSpec::Part::rerun);
  std::vector<std::span<const float>> feeds(inputs.size());
  std::transform(inputs.begin(), inputs.end(), feeds.begin(),
                 [](const Tensor& t) { return std::span<const float>(t.data); });
  net.plan.forward(net.workspace, feeds, context_.call);
  const auto rows = net.rows();
  scores_.assign(rows.begin(), rows.end());
  auto& again = context_again_.emplace(context_);
  again.workspace = net.workspace;
  again.scores = scores_;
  again.inputs = inputs;
  again.networks = {};
  again.background = nullptr;
  again.joined = nullptr;
  return again;
}

Tail::Tail(const Context& context, std::int64_t image)
    : Tail(context, context.network(NetworkSpec::Part::tail),
           std::vector<std::int64_t>(
               static_cast<std::size_t>(context.network(NetworkSpec::Part::tail).batch), image)) {}

Tail::Tail(const Context& context, const Network& net, std::span<const std::int64_t> images)
    : layer_(context.layer), net_(net), backward_ms_(context.backward_ms), call_(context.call) {
  call_.step_ms = {};
  const auto view = feature_map(context);
  auto extents = view.shape;
  extents[0] = net_.batch;
  maps_.resize(static_cast<std::size_t>(base::element_count(extents)));
  if (const auto& grid = context.layer.grid; grid && !grid->is_map()) {
    values_.reserve(images.size() * static_cast<std::size_t>(view.image_stride));
    for (const auto image : images) {
      const float* own = view.data + image * view.image_stride - grid->prefix * view.shape[1];
      values_.insert(values_.end(), own, own + view.image_stride);
    }
  }
  if (!net_.reads_inputs) return;
  for (std::size_t i = 0; i < context.inputs.size(); ++i) {
    auto& repeated = inputs_.emplace_back();
    const auto rows = images.first(net_.stacked[i] ? images.size() : 1);
    repeated.reserve(rows.size() * part_of(context, i, rows[0]).size());
    for (const auto image : rows) {
      const auto own = part_of(context, i, image);
      repeated.insert(repeated.end(), own.begin(), own.end());
    }
  }
}

std::span<float> Tail::map(std::int64_t i) {
  const auto size = maps_.size() / static_cast<std::size_t>(net_.batch);
  return std::span(maps_).subspan(static_cast<std::size_t>(i) * size, size);
}

void Tail::put_back() {
  const auto& grid = *layer_.grid;
  const auto channels = static_cast<std::size_t>(layer_.shape[1]);
  const auto positions = static_cast<std::size_t>(base::element_count(grid.extents));
  const auto stride = values_.size() / static_cast<std::size_t>(net_.batch);
  for (std::int64_t i = 0; i < net_.batch; ++i) {
    const auto from = map(i);
    float* to = values_.data() + static_cast<std::size_t>(i) * stride +
                static_cast<std::size_t>(grid.prefix) * channels;
    for (std::size_t p = 0; p < positions; ++p)
      for (std::size_t c = 0; c < channels; ++c) to[p * channels + c] = from[c * positions + p];
  }
}

std::span<const float> Tail::as_fed() {
  if (values_.empty()) return maps_;
  put_back();
  auto shape = layer_.value_shape;
  shape[layer_.grid->images] = net_.batch;
  if (layer_.grid->is_in_order(shape)) return values_;
  // The value's own axes, in the order of the grid, over the distance from place to place.
  const auto axes = layer_.grid->order(shape.size());
  std::vector<std::size_t> strides(shape.size(), 1), place(shape.size(), 0);
  for (auto axis = shape.size() - 1; axis-- > 0;)
    strides[axis] = strides[axis + 1] * static_cast<std::size_t>(shape[axis + 1]);
  fed_.resize(values_.size());
  std::size_t to = 0;
  for (const float value : values_) {
    fed_[to] = value;
    for (auto i = axes.size(); i-- > 0;) {
      const auto axis = axes[i];
      to += strides[axis];
      if (++place[axis] < static_cast<std::size_t>(shape[axis])) break;
      to -= strides[axis] * place[axis];
      place[axis] = 0;
    }
  }
  return fed_;
}

std::span<const float> Tail::forward() {
  std::vector<std::span<const float>> feeds{as_fed()};
  feeds.insert(feeds.end(), inputs_.begin(), inputs_.end());
  net_.plan.forward(net_.workspace, feeds, call_);
  return net_.rows();
}

ValueView Tail::backward(std::span<const float> seeds) {
  const auto start = std::chrono::steady_clock::now();
  net_.plan.backward(net_.workspace, 0, seeds, call_);
  if (backward_ms_ != nullptr)
    *backward_ms_ +=
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return net_.plan.gradient(net_.workspace, 0);
}

}  // namespace fovea::explain
