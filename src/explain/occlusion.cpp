// Occlusion sensitivity. M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional
// Networks", ECCV 2014, section 4.2:
//
//   a(p) = mean over the windows W that cover p of (y(x) - y(x with W hidden))
//
// Windows and mean as in captum: the first window at position 0, the last of an extent cut at the
// border. A window hides all channels. What hides: a value (the paper's grey square is the mean
// colour, 0 as most networks see it), a given image, or the image blurred, which leaves no edge.
//
// The early layers of y(x with W hidden) differ from those of y(x) near W alone, and only that is
// computed, as in S. Nakandala et al., "Incremental and Approximate Inference for Faster
// Occlusion-based Deep CNN Explanations", SIGMOD 2019, section 3 (the exact form).

#include "explain/occlusion.hpp"

#include <algorithm>
#include <utility>

#include "explain/attribution.hpp"
#include "explain/blur.hpp"
#include "explain/changed_windows.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/perturbation.hpp"

namespace fovea::explain {
namespace {

void check_window(const Context& context, std::int64_t size, std::int64_t stride) {
  for (const auto extent : context.extents)
    if (size > extent)
      throw Error(ErrorCode::invalid_argument,
                  "Occlusion: a window of " + std::to_string(size) +
                      " is larger than the picture, one of whose sides is " +
                      std::to_string(extent));
  if (stride > size)
    throw Error(ErrorCode::invalid_argument, "Occlusion: a stride of " + std::to_string(stride) +
                                                 " leaves positions between " + "windows of " +
                                                 std::to_string(size) + " that none would hide");
}

Tensor mean_over_windows(const Shape& extents, std::span<const Window> windows,
                         std::span<const double> drops) {
  const auto three = as_three(extents);
  std::vector<double> sum(static_cast<std::size_t>(three[0] * three[1] * three[2]), 0.0);
  std::vector<std::int64_t> count(sum.size(), 0);
  for (std::size_t i = 0; i < windows.size(); ++i)
    for_rows(three, windows[i], [&](std::int64_t first, std::int64_t length) {
      for (auto p = first; p < first + length; ++p) {
        sum[static_cast<std::size_t>(p)] += drops[i];
        ++count[static_cast<std::size_t>(p)];
      }
    });
  Tensor out{extents, {}};
  for (std::size_t p = 0; p < sum.size(); ++p)
    out.data.push_back(static_cast<float>(sum[p] / static_cast<double>(count[p])));
  return out;
}

SlidingWindows named_windows(const Occlusion& method) {
  return {method.window, method.stride};
}

Needs needs(const Layer&, const Occlusion& method) {
  auto out = perturbation_needs();
  if (method.incremental)
    out.networks.push_back({.part = NetworkSpec::Part::windows, .windows = named_windows(method)});
  return out;
}

base::Size occlusion_bytes(const Context& context, const Occlusion& method) {
  constexpr base::Size kWindow = sizeof(Window) + 3 * sizeof(void*), kSums = 2;
  const auto [size, stride] = sized_for(named_windows(method), perturbed_extents(context));
  check_window(context, size, stride);
  base::Size windows = 1;
  for (const auto extent : context.extents)
    windows = windows * std::ssize(sliding_intervals(extent, size, stride));
  const Sizes s(context);
  // Of the image and what hides it: either blurred beside the last one.
  const base::Size images = s.input * base::Size(3) * kFloat;
  return perturbation_bytes(context, windows) + windows * (kWindow + kDouble) * kGrown + images +
         s.pixels * (kSums * kDouble + kGrown * kFloat) + changed_window_bytes(context);
}

std::vector<Evidence> run(Context& context, const Chosen<Occlusion>& method) {
  const auto [size, stride] = sized_for(named_windows(method), perturbed_extents(context));
  check_window(context, size, stride);
  const double deviation = method->blur;
  const auto windows = sliding_windows(context.extents, size, stride);
  const auto each = static_cast<std::int64_t>(windows.size()) + 1;
  auto cover = baseline_of(context, method).data;
  Perturbation perturbation(context, context.batch * each);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    if (deviation > 0)
      cover = blurred(perturbation.image(n), perturbation.steps(), context.extents, deviation);
    auto changed = scores_by_changed_window(context, n, cover, windows);
    auto drops = changed
                     ? std::move(*changed)
                     : scores_by_window(perturbation, n, cover, windows, as_three(context.extents));
    const double whole = drops.back();
    for (auto& drop : drops) drop = whole - drop;
    out.push_back({mean_over_windows(context.extents, windows, drops)});
  }
  return out;
}

}  // namespace

std::vector<double> scores_by_window(Perturbation& perturbation, std::int64_t image,
                                     std::span<const float> cover, std::span<const Window> windows,
                                     const Extents3& extents) {
  const auto own = perturbation.image(image);
  const auto steps = perturbation.steps();
  const auto hide = [&](std::int64_t i, std::span<float> out) {
    std::copy(own.begin(), own.end(), out.begin());
    if (i == static_cast<std::int64_t>(windows.size())) return;
    for_rows(extents, windows[static_cast<std::size_t>(i)],
             [&](std::int64_t first, std::int64_t length) {
               for (std::int64_t c = 0; c < steps.channels; ++c)
                 for (auto p = first; p < first + length; ++p) {
                   const auto at =
                       static_cast<std::size_t>(c * steps.channel_step + p * steps.position_step);
                   out[at] = cover[at];
                 }
             });
  };
  return perturbation.scores(image, static_cast<std::int64_t>(windows.size()) + 1, hide);
}

template <>
Row<Occlusion> row<Occlusion>() {
  return {
      .info = {.title = "Occlusion",
               .paper = "Zeiler and Fergus 2014, Visualizing and Understanding Convolutional "
                        "Networks, section 4.2",
               .needs = "an image as the input",
               .cost = "1 forward per window: (1 + (height - `window`) / `stride`) times the same "
                       "of the width",
               .use = "what the score loses without a region; asks nothing of the network",
               .kind = MapKind::input,
               .expensive = true},
      .needs = needs,
      .run = run,
      .scratch_bytes = occlusion_bytes,
      .relu = false};
}
template const Entry& entry<Occlusion>();

}  // namespace fovea::explain
