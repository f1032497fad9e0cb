#include "fovea/axes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "image/check.hpp"
#include "image/writing.hpp"

namespace fovea {
namespace {

constexpr int kWidthsPerEm = 60;  // of a picture's width
constexpr int kLeastText = 13, kMostText = 64;
constexpr double kMostSteps = 10;  // between the ticks of an even axis
constexpr double kNear = 0.07;     // ticks of an uneven axis, at least apart

using Frequencies = AudioAxes::Frequencies;

std::string short_number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value + 0.0,
                                 std::chars_format::general, 6);
  return {text.data(), end.ptr};
}

/// 1, 2 or 5 times a power of ten: so far apart that no more than `kMostSteps` fit.
double even_step(double range) {
  const double least = range / kMostSteps;
  const double power = std::pow(10., std::floor(std::log10(least)));
  for (const double times : {1., 2., 5.})
    if (times * power >= least * (1 - 1e-9)) return times * power;
  return 10 * power;
}

bool is_positive(double value) {
  return std::isfinite(value) && value > 0;
}

/// From 0 to `range`, both ends of the axis.
PictureAxis even_axis(std::string name, double range) {
  PictureAxis out{std::move(name), {}};
  const double step = even_step(range);
  for (int i = 0; i * step <= range * (1 + 1e-9); ++i)
    out.ticks.push_back({std::min(1., i * step / range), short_number(i * step)});
  return out;
}

/// The middles of `count` numbered parts.
PictureAxis numbered_axis(std::string name, std::int64_t count) {
  PictureAxis out{std::move(name), {}};
  const auto all = static_cast<double>(count);
  const auto step = std::max<std::int64_t>(1, std::llround(even_step(all)));
  for (std::int64_t i = 0; i < count; i += step)
    out.ticks.push_back({(static_cast<double>(i) + 0.5) / all, std::to_string(i)});
  return out;
}

double mel(double hertz, bool slaney) {
  if (!slaney) return 2595 * std::log10(1 + hertz / 700);
  const double linear = 3 * hertz / 200;
  return hertz < 1000 ? linear : 15 + std::log(hertz / 1000) * 27 / std::log(6.4);
}

/// Bins' middles as a function of their frequency; bin 0 is 0.
class Bins {
 public:
  Bins(const AudioAxes& audio, std::int64_t count)
      : audio_(audio), count_(static_cast<double>(count)), top_(audio.highest) {
    if (audio.frequencies == Frequencies::octaves) {
      if (!is_positive(audio.lowest) || !is_positive(audio.per_octave))
        throw Error(ErrorCode::invalid_argument,
                    "an axis of octaves wants the lowest frequency and how many bins an octave has "
                    "('audio.lowest', 'audio.per_octave')");
      top_ = audio.lowest * std::exp2((count_ - 1) / audio.per_octave);
      return;
    }
    if (top_ == 0) top_ = audio.rate / 2;
    if (!is_positive(top_) || !(audio.lowest >= 0) || audio.lowest >= top_)
      throw Error(ErrorCode::invalid_argument,
                  "an axis of frequencies wants a highest one above the lowest, or the sampling "
                  "rate ('audio.highest', 'audio.rate')");
  }

  double lowest() const { return audio_.lowest; }
  double highest() const { return top_; }

  double of(double hertz) const {
    switch (audio_.frequencies) {
      case Frequencies::octaves:
        return std::log2(hertz / audio_.lowest) * audio_.per_octave;
      case Frequencies::mel:
      case Frequencies::mel_slaney: {
        const bool slaney = audio_.frequencies == Frequencies::mel_slaney;
        const double from = mel(audio_.lowest, slaney), to = mel(top_, slaney);
        // Filters overlap: the first one begins at the lowest frequency, where the one before it
        // would have its middle.
        return (mel(hertz, slaney) - from) / (to - from) * (count_ + 1) - 1;
      }
      case Frequencies::linear:
      case Frequencies::bins:
        break;
    }
    return (hertz - audio_.lowest) / (top_ - audio_.lowest) * (count_ - 1);
  }

  /// Where it lies on the axis, if it does.
  std::optional<double> place(double hertz) const {
    const double at = (of(hertz) + 0.5) / count_;
    if (!(at >= -1e-9 && at <= 1 + 1e-9)) return std::nullopt;
    return std::clamp(at, 0., 1.);
  }

 private:
  const AudioAxes& audio_;
  double count_;
  double top_;
};

std::string hertz_text(double hertz) {
  return hertz >= 1000 ? short_number(hertz / 1000) + "k" : short_number(hertz);
}

void check_axis(const PictureAxis& axis) {
  for (const auto& tick : axis.ticks)
    if (!(tick.at >= 0 && tick.at <= 1))
      throw Error(ErrorCode::invalid_argument, "a tick lies outside of its axis");
}

struct Label {
  text::Paragraph text;
  int width = 0;
  double at = 0;
};

std::vector<Label> labels_of(const PictureAxis& axis, int width, image::Writer& writer) {
  std::vector<Label> out;
  for (const auto& tick : axis.ticks) {
    auto text = writer.set(tick.text, width, 1);
    const auto wide = static_cast<int>(std::ceil(text.width()));
    out.push_back({std::move(text), wide, tick.at});
  }
  return out;
}

void fill_black(Image& picture, int x, int y, int width, int height) {
  for (int row = y; row < y + height; ++row)
    std::fill_n(picture.rgb.begin() + 3 * (static_cast<std::ptrdiff_t>(row) * picture.width + x),
                3 * width, std::uint8_t{0});
}

}  // namespace

Tensor upright(const Tensor& map, bool time_first) {
  image::check_map(map);
  const auto rows = map.shape[0], columns = map.shape[1];
  const auto frames = time_first ? rows : columns, bins = time_first ? columns : rows;
  Tensor out{{bins, frames}, std::vector<float>(map.data.size())};
  for (std::int64_t bin = 0; bin < bins; ++bin)
    for (std::int64_t frame = 0; frame < frames; ++frame)
      out.data[static_cast<std::size_t>((bins - 1 - bin) * frames + frame)] =
          map.data[static_cast<std::size_t>(time_first ? frame * columns + bin
                                                       : bin * columns + frame)];
  return out;
}

PictureAxis time_axis(const AudioAxes& audio, std::int64_t frames) {
  const double seconds = static_cast<double>(frames) * audio.hop / audio.rate;
  return is_positive(audio.rate) && is_positive(seconds) ? even_axis("time (s)", seconds)
                                                         : numbered_axis("frame", frames);
}

PictureAxis sample_axis(const AudioAxes& audio, std::int64_t samples) {
  const double seconds = static_cast<double>(samples) / audio.rate;
  return is_positive(audio.rate) && is_positive(seconds) ? even_axis("time (s)", seconds)
                                                         : numbered_axis("sample", samples);
}

PictureAxis frequency_axis(const AudioAxes& audio, std::int64_t bins) {
  if (audio.frequencies == Frequencies::bins) return numbered_axis("bin", bins);
  PictureAxis out{"frequency (Hz)", {}};
  const Bins all(audio, bins);
  if (audio.frequencies == Frequencies::linear) {
    const double step = even_step(all.highest() - all.lowest());
    for (double i = std::ceil(all.lowest() / step); i * step <= all.highest() * (1 + 1e-9); ++i)
      if (const auto at = all.place(i * step)) out.ticks.push_back({*at, hertz_text(i * step)});
    return out;
  }
  const auto add = [&](double hertz) {
    const auto at = all.place(hertz);
    if (at && (out.ticks.empty() || *at - out.ticks.back().at >= kNear))
      out.ticks.push_back({*at, hertz_text(hertz)});
  };
  for (double power = 1; power <= all.highest(); power *= 10)
    for (const double times : {1., 2., 5.}) add(times * power);
  if (out.ticks.size() > 2) return out;
  // Less than an octave or two.
  out.ticks.clear();
  const double step = even_step(all.highest() - all.lowest());
  for (double i = std::ceil(all.lowest() / step); i * step <= all.highest(); ++i) add(i * step);
  return out;
}

Drawing with_axes(const Image& picture, const PictureAxis& across, const PictureAxis& up,
                  int text_size) {
  return image::guarded([&] {
    image::check_image(picture);
    check_axis(across);
    check_axis(up);
    if (text_size != 0 && (text_size < 6 || text_size > 512))
      throw Error(ErrorCode::invalid_argument, "an axis' text is of 6 to 512 pixels");
    const int size =
        text_size > 0 ? text_size : std::clamp(picture.width / kWidthsPerEm, kLeastText, kMostText);
    const int margin = size / 2, tick = std::max(3, size / 3), line = std::max(1, size / 12);
    image::Writer writer(size);
    const int most = std::max(picture.width, 4 * size);
    const auto below = labels_of(across, most, writer), left = labels_of(up, most, writer);
    const auto across_name = writer.set(across.name, most, 1),
               up_name = writer.set(up.name, most, 1);
    int left_width = 0;
    for (const auto& label : left) left_width = std::max(left_width, label.width);
    const int text_height = writer.line_height();
    const int x0 = margin + left_width + 2 + tick + line;
    const int y0 = margin + up_name.height() + std::max(margin, text_height / 2 + 1);
    const int half = below.empty() ? 0 : below.back().width / 2;
    const auto named = static_cast<int>(std::ceil(std::max(across_name.width(), up_name.width())));
    const std::int64_t width =
        std::max<std::int64_t>(std::int64_t{x0} + picture.width + half + margin,
                               std::int64_t{named} + std::int64_t{2} * margin);
    const std::int64_t height = std::int64_t{y0} + picture.height + line + tick + text_height +
                                across_name.height() + margin;
    image::check_extents(width, height, ErrorCode::invalid_argument);
    Image out{
        static_cast<int>(width), static_cast<int>(height),
        std::vector<std::uint8_t>(static_cast<std::size_t>(std::int64_t{3} * width * height), 255)};
    const auto row = static_cast<std::ptrdiff_t>(3) * picture.width;
    for (std::ptrdiff_t y = 0; y < picture.height; ++y)
      std::copy_n(picture.rgb.begin() + y * row, row,
                  out.rgb.begin() + 3 * ((y0 + y) * out.width + x0));
    fill_black(out, x0 - line, y0, line, picture.height + line);
    fill_black(out, x0 - line, y0 + picture.height, picture.width + line, line);
    writer.write(up_name, out, margin, margin);

    const int ticks_y = y0 + picture.height + line;
    int free = 0;
    for (const auto& label : below) {
      const int x = x0 + static_cast<int>(std::lround(label.at * (picture.width - 1)));
      const int begin = std::max(0, x - label.width / 2);
      if (begin < free) continue;
      fill_black(out, x, ticks_y, line, tick);
      writer.write(label.text, out, begin, ticks_y + tick);
      free = begin + label.width + size / 2;
    }
    writer.write(across_name, out,
                 x0 + std::max(0, (picture.width - static_cast<int>(across_name.width())) / 2),
                 ticks_y + tick + text_height);
    int lowest = out.height;
    for (const auto& label : left) {
      const int y = y0 + static_cast<int>(std::lround((1 - label.at) * (picture.height - 1)));
      if (y + text_height / 2 > lowest) continue;
      fill_black(out, x0 - line - tick, y, tick, line);
      writer.write(label.text, out, x0 - line - tick - 2 - label.width, y - text_height / 2);
      lowest = y - text_height / 2;
    }
    return Drawing{std::move(out), writer.warnings()};
  });
}

}  // namespace fovea
