#include "explain/score_weights.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "explain/combine.hpp"
#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/masks.hpp"
#include "explain/sizes.hpp"

namespace fovea::explain {
namespace {

using Masks = std::vector<std::vector<float>>;  // one per image

/// The channels of each image, those that vary most first; all of them in order where `most` is 0.
std::vector<std::vector<std::int64_t>> chosen_channels(const engine::ValueView& view,
                                                       std::int64_t most) {
  std::vector<std::vector<std::int64_t>> out;
  const auto positions = static_cast<double>(base::element_count(spatial_extents(view)));
  for (std::int64_t n = 0; n < view.shape[0]; ++n) {
    std::vector<std::int64_t> channels(static_cast<std::size_t>(view.shape[1]));
    std::iota(channels.begin(), channels.end(), std::int64_t{0});
    if (most > 0 && most < view.shape[1]) {
      const auto sums = channel_sums(view, n);
      const auto spread = sum_over_positions(view, view, n, [&](float a, float, std::int64_t c) {
        const double d = a - sums[static_cast<std::size_t>(c)] / positions;
        return d * d;
      });
      std::stable_sort(channels.begin(), channels.end(), [&](std::int64_t a, std::int64_t b) {
        return spread[static_cast<std::size_t>(a)] > spread[static_cast<std::size_t>(b)];
      });
      channels.resize(static_cast<std::size_t>(most));
    }
    out.push_back(std::move(channels));
  }
  return out;
}

std::vector<float> softmax(const std::vector<double>& scores) {
  const double top = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  std::vector<float> out;
  out.reserve(scores.size());
  for (const double s : scores) sum += std::exp(s - top);
  for (const double s : scores) out.push_back(static_cast<float>(std::exp(s - top) / sum));
  return out;
}

}  // namespace

base::Size score_weighted_bytes(const Context& context) {
  constexpr base::Size kMasks = 4,
                       kPerChannel = 64;  // as made, resized, changed; beside each other
  const Sizes s(context);
  return rerun_bytes(context) +
         s.images * (s.plain + s.positions + std::max(s.pixels, s.positions) * kMasks) * kFloat +
         s.images * s.channels * kPerChannel;
}

std::vector<Evidence> score_weighted(Context& context, std::int64_t most,
                                     const ChannelScorer& scorer) {
  const auto view = feature_map(context);
  const auto images = static_cast<std::size_t>(context.batch);
  const auto channels = chosen_channels(view, most);
  std::vector<Tensor> maps;
  for (std::int64_t n = 0; n < context.batch; ++n) maps.push_back(plain(view, n));
  const Shape from = spatial_extents(view);
  const auto positions = static_cast<std::size_t>(base::element_count(from));
  if (from.size() != context.extents.size())
    throw Error(ErrorCode::invalid_argument,
                "the layer's positions do not correspond to the input's",
                {"", context.layer.name, ""});
  std::vector<Tensor> inputs(context.inputs.begin(), context.inputs.end());
  Rerun rerun(context);
  const auto score = [&](const Masks& masks) {
    for (std::int64_t n = 0; n < context.batch; ++n)
      multiply(image_input(context), masks[static_cast<std::size_t>(n)], context.extents, n,
               inputs[context.image_input]);
    const auto& again = rerun.forward(inputs);
    const auto row = static_cast<std::size_t>(context.row());
    std::vector<double> out;
    for (std::size_t n = 0; n < images; ++n)
      out.push_back(context.objectives[n].value(again.scores.subspan(n * row, row)));
    return out;
  };
  std::vector<std::vector<double>> scores(images);
  for (std::size_t i = 0; i < channels[0].size(); ++i) {
    Masks masks;
    for (std::size_t n = 0; n < images; ++n) {
      const auto begin = maps[n].data.begin() + static_cast<std::ptrdiff_t>(channels[n][i]) *
                                                    static_cast<std::ptrdiff_t>(positions);
      Tensor mask{from, {begin, begin + static_cast<std::ptrdiff_t>(positions)}};
      scale_to_unit(mask.data);
      masks.push_back(resized(mask, context.extents).data);
    }
    const auto found = scorer(static_cast<std::int64_t>(i), masks, score);
    for (std::size_t n = 0; n < images; ++n) scores[n].push_back(found[n]);
    report_progress(context.call, static_cast<std::int64_t>(i) + 1,
                    static_cast<std::int64_t>(channels[0].size()));
  }
  std::vector<Evidence> out;
  for (std::size_t n = 0; n < images; ++n) {
    const auto shares = softmax(scores[n]);
    std::vector<float> weights(static_cast<std::size_t>(view.shape[1]), 0.f);
    for (std::size_t i = 0; i < shares.size(); ++i)
      weights[static_cast<std::size_t>(channels[n][i])] = shares[i];
    out.push_back({weighted_sum(view, static_cast<std::int64_t>(n), weights)});
  }
  return out;
}

}  // namespace fovea::explain
