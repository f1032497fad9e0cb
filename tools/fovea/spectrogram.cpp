#include "spectrogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "captions.hpp"
#include "drawn_map.hpp"
#include "fovea/axes.hpp"
#include "fovea/drawing.hpp"
#include "provenance.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr std::int64_t kLeastWidth = 640, kMostWidth = 1600;
constexpr std::int64_t kLeastHeight = 240, kMostHeight = 800;
constexpr std::int64_t kWaveHeight = 160;

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, sentence);
}

AudioAxes audio_of(const Session& session) {
  return session.task ? session.task->audio : AudioAxes{};
}

/// Whole steps larger where it is small, else as large as it may be.
std::int64_t drawn_extent(std::int64_t extent, std::int64_t least, std::int64_t most) {
  if (extent < least) return extent * ((least + extent - 1) / extent);
  return std::min(extent, most);
}

/// Grey levels from the lowest finite value to the highest, at another size.
Image grey(const Tensor& values, std::int64_t width, std::int64_t height) {
  float low = 0, high = 0;
  bool any = false;
  for (const float v : values.data) {
    if (!std::isfinite(v)) continue;
    low = any ? std::min(low, v) : v;
    high = any ? std::max(high, v) : v;
    any = true;
  }
  const double scale = high > low ? 255. / (static_cast<double>(high) - low) : 0;
  Image out{static_cast<int>(width), static_cast<int>(height), {}};
  out.rgb.reserve(static_cast<std::size_t>(3 * width * height));
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const auto row = y * values.shape[0] / height, column = x * values.shape[1] / width;
      const float v = values.data[static_cast<std::size_t>(row * values.shape[1] + column)];
      const auto level = static_cast<std::uint8_t>(
          std::isfinite(v) ? std::lround((static_cast<double>(v) - low) * scale) : 0);
      out.rgb.insert(out.rgb.end(), 3, level);
    }
  return out;
}

/// The input that is a spectrogram of these extents: image `image` of it, and how it lies.
struct Input {
  Tensor values;
  bool channels_last = false;
};
std::optional<Input> spectrogram_of(const Session& session, const Shape& extents,
                                    std::int64_t image) {
  for (const auto* given : tensors_in_order(session)) {
    const auto& tensor = *given;
    const auto shape = image_shape(tensor.shape);
    if (!shape || shape->height != extents[0] || shape->width != extents[1]) continue;
    const auto count = extents[0] * extents[1];
    Input out{{extents, std::vector<float>(static_cast<std::size_t>(count))},
              shape->layout == Layout::nhwc};
    const auto* from = tensor.data.data() + image * shape->channels * count;
    // Of several channels the first: the others are most often how it changes.
    for (std::int64_t i = 0; i < count; ++i)
      out.values.data[static_cast<std::size_t>(i)] =
          from[out.channels_last ? i * shape->channels : i];
    return out;
  }
  return std::nullopt;
}

/// The longest of the inputs' extents, of one image.
std::vector<float> waveform_of(const Session& session, std::int64_t image) {
  const Tensor* longest = nullptr;
  std::int64_t samples = 0;
  for (const auto* tensor : tensors_in_order(session))
    for (std::size_t d = 1; d < tensor->shape.size(); ++d)
      if (tensor->shape[d] > samples) {
        samples = tensor->shape[d];
        longest = tensor;
      }
  if (longest == nullptr) return {};
  const auto each = std::ssize(longest->data) / std::max<std::int64_t>(1, longest->shape[0]);
  if (each != samples) return {};  // several channels: which one is heard?
  const auto begin = longest->data.begin() + image * each;
  return {begin, begin + each};
}

struct Picture {
  Drawing drawing;
  bool counts_frames = false, counts_bins = false;
};

/// The picture between its axes.
Picture between(const Image& picture, const PictureAxis& across, const PictureAxis& up) {
  return {with_axes(picture, across, up), across.name == "frame" || across.name == "sample",
          up.name == "bin"};
}

/// The number furthest from 0 of each column, where there are more than columns.
Tensor in_columns(const Tensor& values, std::int64_t width) {
  const auto count = std::ssize(values.data);
  if (count <= width) return {{1, count}, values.data};
  Tensor out{{1, width}, std::vector<float>(static_cast<std::size_t>(width))};
  for (std::int64_t i = 0; i < count; ++i) {
    auto& most = out.data[static_cast<std::size_t>(i * width / count)];
    if (const float v = values.data[static_cast<std::size_t>(i)]; std::abs(v) > std::abs(most))
      most = v;
  }
  return out;
}

/// What was heard under its map: the wave's largest and smallest sample in each column.
Image waved(const std::vector<float>& wave, const Tensor& values, const OverlayOptions& options,
            std::int64_t width) {
  Image out = heatmap(resized(in_columns(values, width), {kWaveHeight, width}), options.colormap);
  const std::uint8_t ink = options.colormap == Colormap::red_blue ? 0 : 255;
  float most = 0;
  for (const float v : wave)
    if (std::isfinite(v)) most = std::max(most, std::abs(v));
  const auto samples = std::ssize(wave);
  const auto row_of = [&](float v) {
    const double share = most > 0 ? static_cast<double>(v) / most : 0;
    return std::lround((1 - share) / 2 * static_cast<double>(kWaveHeight - 1));
  };
  for (std::int64_t x = 0; x < width && samples > 0; ++x) {
    // From the last sample of the column before on, so that the line is whole.
    const auto begin = std::max<std::int64_t>(0, x * samples / width - 1);
    const auto end = std::max(begin + 1, (x + 1) * samples / width);
    const auto [low, high] = std::minmax_element(wave.begin() + begin, wave.begin() + end);
    if (!std::isfinite(*low) || !std::isfinite(*high)) continue;
    for (auto y = row_of(*high); y <= row_of(*low); ++y)
      std::fill_n(out.rgb.begin() + 3 * (y * width + x), 3, ink);
  }
  return out;
}

PictureAxis time_of(const AudioAxes& audio, std::int64_t frames, std::size_t samples) {
  return audio.rate > 0 && samples > 0 ? sample_axis(audio, static_cast<std::int64_t>(samples))
                                       : time_axis({}, frames);
}

Picture picture_of(const Session& session, const Explanation& why, const std::string& rendering) {
  if (session.photo) refuse("--spectrogram draws sound, given as a tensor: --input FILE.npy");
  const auto audio = audio_of(session);
  const auto kind = rendering == "signed" ? Rendering::two_colours
                    : rendering == "heat" ? Rendering::heat
                                          : Rendering::automatic;
  const auto drawn = coloured(session.request, why, kind);
  const auto& grid = drawn.values.shape;
  const auto input = why.map.shape.size() == 2 && grid.size() == 2
                         ? spectrogram_of(session, why.map.shape, why.image)
                         : std::nullopt;
  if (input) {
    const bool time_first = audio.time_first.value_or(input->channels_last);
    const auto under = upright(input->values, time_first);
    const auto bins = under.shape[0], frames = under.shape[1];
    const auto width = drawn_extent(frames, kLeastWidth, kMostWidth);
    const auto height = drawn_extent(bins, kLeastHeight, kMostHeight);
    auto picture =
        overlay(grey(under, width, height),
                resized(upright(drawn.values, time_first), {height, width}), drawn.options);
    return between(picture, time_axis(audio, frames), frequency_axis(audio, bins));
  }
  const auto wave = waveform_of(session, why.image);
  if (grid.size() == 1)
    return between(
        waved(wave, drawn.values, drawn.options, drawn_extent(grid[0], kLeastWidth, kMostWidth)),
        time_of(audio, grid[0], wave.size()), {});
  if (grid.size() != 2)
    refuse("--spectrogram draws maps over time, or time and frequency, and this one is " +
           shape_text(grid));
  if (!audio.time_first)
    refuse(
        "which axis of the layer is time is not said: the task's 'audio.time_first', true where "
        "it is the first of " +
        shape_text(grid));
  const auto values = upright(drawn.values, *audio.time_first);
  const auto bins = values.shape[0], frames = values.shape[1];
  const auto picture = heatmap(resized(values, {drawn_extent(bins, kLeastHeight, kMostHeight),
                                                drawn_extent(frames, kLeastWidth, kMostWidth)}),
                               drawn.options.colormap);
  return between(picture, time_of(audio, frames, wave.size()),
                 frequency_axis(audio, audio.bins > 0 ? audio.bins : bins));
}

void warn(Session& session, const std::string& text) {
  auto& all = session.warnings;
  if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
}

}  // namespace

void add_spectrograms(Session& session, const Results& results, const ExplainOutputs& names,
                      const Json& provenance, OutputFiles& files) {
  bool counts_frames = false, counts_bins = false;
  for (const auto& row : results.rows) {
    const auto image = row.why->image;
    const auto file = with_suffix(names.spectrogram,
                                  results.suffix(image, static_cast<std::int64_t>(row.target)));
    auto picture =
        timed(session.times.render, [&] { return picture_of(session, *row.why, names.rendering); });
    auto& drawing = picture.drawing;
    counts_frames = counts_frames || picture.counts_frames;
    counts_bins = counts_bins || picture.counts_bins;
    for (const auto& text : drawing.warnings) warn(session, text);
    if (session.request.caption) {
      auto captioned_one = captioned(
          drawing.image,
          caption_of(*row.why, session.request.targets[row.target], session.labels, std::nullopt));
      for (const auto& text : captioned_one.warnings) warn(session, text);
      drawing.image = std::move(captioned_one.image);
    }
    EncodeOptions options;
    if (!provenance.is_null() && lower(picture_extension(file)) == ".png")
      options.texts = picture_texts(provenance, "spectrogram", *row.why, row.target);
    files.add(file, timed(session.times.encode, [&] {
                return encode_image(drawing.image, picture_extension(file), options);
              }));
  }
  if (counts_frames || counts_bins)
    warn(session, std::string("the task does not say ") +
                      (counts_frames ? "how long a frame is ('audio.rate', 'audio.hop')" : "") +
                      (counts_frames && counts_bins ? " nor " : "") +
                      (counts_bins ? "which frequencies the bins are ('audio.frequencies')" : "") +
                      ": the axes count them");
}

}  // namespace fovea::cli
