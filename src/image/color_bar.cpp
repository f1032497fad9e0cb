#include "image/color_bar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "image/check.hpp"

namespace fovea::image {
namespace {

constexpr int kGap = 2;     // between the bar and its numbers
constexpr int kDigits = 3;  // of a number

std::string number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value + 0.0,
                                 std::chars_format::general, kDigits);
  return {text.data(), end.ptr};
}

int width_of(const text::Paragraph& paragraph) {
  return static_cast<int>(std::ceil(paragraph.width()));
}

// What `colormap` makes of its values from the first to the last.
Image ramp(Colormap colormap, int width) {
  Tensor values{{1, width}, {}};
  const double first = colormap == Colormap::red_blue ? -1 : 0;
  for (int x = 0; x < width; ++x)
    values.data.push_back(static_cast<float>(first + (1 - first) * x / std::max(1, width - 1)));
  return heatmap(values, colormap);
}

}  // namespace

ColorBar::ColorBar(const ColorScale& scale, int width, int text_size, Writer& writer)
    : bar_(std::max(6, text_size * 3 / 5)), ramp_(ramp(scale.colormap, width)) {
  if (!std::isfinite(scale.low) || !std::isfinite(scale.high) || scale.low > scale.high)
    throw Error(ErrorCode::invalid_argument,
                "a scale of colours goes from a value to a larger one");
  const auto set = [&](double value) { return writer.set(number(value), width, 1); };
  numbers_.push_back({set(scale.low), 0});
  numbers_.push_back({set(scale.high), 0});
  const int left_end = width_of(numbers_[0].text);
  numbers_[1].x = std::max(0, width - width_of(numbers_[1].text));
  if (!(scale.low < 0 && 0 < scale.high)) return;
  Number zero{set(0)};
  const double place = width * (-scale.low / (scale.high - scale.low));
  zero.x = static_cast<int>(std::lround(place - zero.text.width() / 2));
  // Not where it would run into the others.
  if (zero.x > left_end + text_size / 2 &&
      zero.x + width_of(zero.text) + text_size / 2 < numbers_[1].x)
    numbers_.push_back(std::move(zero));
}

int ColorBar::height() const {
  int text = 0;
  for (const auto& each : numbers_) text = std::max(text, each.text.height());
  return bar_ + kGap + text;
}

void ColorBar::draw(Image& picture, int x, int y, const Writer& writer) const {
  const auto bytes = static_cast<std::ptrdiff_t>(ramp_.rgb.size());
  for (int row = y; row < y + bar_; ++row)
    std::copy_n(ramp_.rgb.begin(), bytes,
                picture.rgb.begin() + 3 * (static_cast<std::ptrdiff_t>(row) * picture.width + x));
  for (const auto& each : numbers_) writer.write(each.text, picture, x + each.x, y + bar_ + kGap);
}

}  // namespace fovea::image
