// FullGrad. S. Srinivas, F. Fleuret, "Full-Gradient Representation for Neural Network
// Visualization", NeurIPS 2019, eq. 8:
//
//   L = psi(x dy/dx) + sum_l sum_(k in l) psi(b_k dy/dz_k)        psi: |.|, min-max, resize
//
// Biases: of convolutions, and of batch norms (shift - scale mean / deviation), in the graph as the
// file has it, before any folding. An exporter that has folded its batch norms has moved their
// biases, so the map is that of the folded network. As in the grad-cam package: every channel is
// scaled by min-max with 1e-7 before it is resized. Resizing being linear, a layer's channels are
// summed first, and resized once.

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "explain/attribution.hpp"
#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/masks.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/gradients.hpp"

namespace fovea::explain {
namespace {

/// dst += sum over channels of |factor_c values_c| scaled by min-max.
void add_scaled(const float* values, ChannelSteps steps, const float* factors, float* dst) {
  std::mutex mutex;
  base::parallel_for(steps.channels, std::max<std::int64_t>(1, 16384 / steps.positions),
                     [&](std::int64_t begin, std::int64_t end) {
                       std::vector<float> sum(static_cast<std::size_t>(steps.positions), 0.f);
                       for (auto c = begin; c < end; ++c) {
                         const float factor = factors != nullptr ? std::abs(factors[c]) : 1.f;
                         const float* from = values + c * steps.channel_step;
                         float low = std::abs(from[0]), high = low;
                         for (std::int64_t p = 0; p < steps.positions; ++p) {
                           const float v = std::abs(from[p * steps.position_step]);
                           low = std::min(low, v);
                           high = std::max(high, v);
                         }
                         const float scale = factor / (factor * (high - low) + 1e-7f);
                         for (std::int64_t p = 0; p < steps.positions; ++p)
                           sum[static_cast<std::size_t>(p)] +=
                               scale * (std::abs(from[p * steps.position_step]) - low);
                       }
                       const std::lock_guard lock(mutex);
                       for (std::int64_t p = 0; p < steps.positions; ++p)
                         dst[p] += sum[static_cast<std::size_t>(p)];
                     });
}

base::Size fullgrad_bytes(const Context& context) {
  const Sizes s(context);
  const auto index = context.input.gradients.at({.of_input = true, .biases = true});
  base::Size gradient = 0, positions = s.pixels;
  for (std::size_t l = 0; l < context.biases.size(); ++l) {
    const auto view = context.plan.tap(context.workspace, index, l);
    const base::Size of_channel = base::element_count(spatial_extents(view));
    gradient = std::max(gradient, of_channel * view.shape[1]);
    positions = std::max(positions, of_channel);
  }
  // A sum of each thread, and the layer's map before and after it is resized.
  const base::Size maps = base::max_threads() + 3;
  return input_gradient_bytes(context) + (gradient + positions * maps) * kFloat;
}

std::vector<Evidence> run(Context& context) {
  const Gradient which{.of_input = true, .biases = true};
  auto gradients = input_gradients(context, which);
  const auto index = context.input.gradients.at(which);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    Tensor& g = gradients[static_cast<std::size_t>(n)];
    const Tensor x = image_of(context, n);
    for (std::size_t i = 0; i < x.data.size(); ++i) g.data[i] *= x.data[i];
    const auto steps = channel_steps(g.shape, context.extents);
    Tensor map{context.extents.empty() ? g.shape : context.extents,
               std::vector<float>(static_cast<std::size_t>(steps.positions))};
    add_scaled(g.data.data(), steps, nullptr, map.data.data());
    for (std::size_t l = 0; l < context.biases.size(); ++l) {
      const auto view = context.plan.tap(context.workspace, index, l);
      const Shape extents = spatial_extents(view);
      if (extents.size() != context.extents.size()) continue;
      const auto positions = base::element_count(extents);
      Tensor layer{extents, std::vector<float>(static_cast<std::size_t>(positions))};
      const Tensor gradient = plain(view, n);
      add_scaled(gradient.data.data(), {view.shape[1], positions, positions, 1},
                 context.biases[l].bias.data(), layer.data.data());
      const Tensor large = extents == context.extents ? layer : resized(layer, context.extents);
      for (std::size_t p = 0; p < map.data.size(); ++p) map.data[p] += large.data[p];
    }
    out.push_back({std::move(map)});
  }
  return out;
}

}  // namespace

template <>
Row<FullGrad> row<FullGrad>() {
  return {
      .info = {.title = "FullGrad",
               .paper = "Srinivas and Fleuret 2019, Full-Gradient Representation for Neural "
                        "Network Visualization, eq. 8",
               .needs = "an input that the score depends on",
               .cost = "1 forward, 1 walk back to the input",
               .use = "the whole network at once: input and biases",
               .kind = MapKind::input},
      .needs =
          [] { return Needs{.gradients = {{.of_input = true, .biases = true}}, .inputs = true}; },
      .run = run,
      .scratch_bytes = fullgrad_bytes,
      .relu = false};
}
template const Entry& entry<FullGrad>();

}  // namespace fovea::explain
