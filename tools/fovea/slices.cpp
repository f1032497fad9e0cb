#include "slices.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace fovea::cli {
namespace {

constexpr std::int64_t kColumns = 5;
constexpr int kWidth = 256;  // of a slice on the sheet, at most
constexpr std::int64_t kPixels =
    std::int64_t{2} * kWidth;  // a side of a slice that is drawn, at most
constexpr int kLeast = 120;    // a side of a slice that is small, at least

std::size_t index(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

/// What a voxel of the volume is in one channel: where its values lie in the tensor.
struct Channel {
  const float* data;
  std::int64_t step;  ///< from one voxel to the next
};

Tensor volume_of(const Channel& channel, const Shape& shape) {
  Tensor out{shape, {}};
  const auto count = shape[0] * shape[1] * shape[2];
  out.data.reserve(index(count));
  for (std::int64_t i = 0; i < count; ++i) out.data.push_back(channel.data[i * channel.step]);
  return out;
}

}  // namespace

Slices::Slices(const Shape& volume, const std::optional<Shape>& peak, std::int64_t most)
    : volume_(volume) {
  const auto depth = volume[0];
  const auto step = (depth + most - 1) / most;
  if (peak) peak_ = peak->front();
  for (auto at = peak_ ? *peak_ % step : step / 2; at < depth; at += step) places_.push_back(at);
  if (most == 1) places_ = {peak_.value_or(depth / 2)};
  voxels_ = (std::max(volume[1], volume[2]) + kPixels - 1) / kPixels;
}

Tensor Slices::stacked(const Tensor& volume) const {
  const auto rows = volume_[1], columns = volume_[2];
  const auto high = (rows + voxels_ - 1) / voxels_, wide = (columns + voxels_ - 1) / voxels_;
  Tensor out{{static_cast<std::int64_t>(places_.size()) * high, wide}, {}};
  out.data.reserve(index(out.shape[0] * wide));
  for (const auto place : places_)
    for (std::int64_t r = 0; r < high; ++r)
      for (std::int64_t c = 0; c < wide; ++c) {
        double sum = 0;
        std::int64_t count = 0;
        for (auto y = r * voxels_; y < std::min(rows, (r + 1) * voxels_); ++y)
          for (auto x = c * voxels_; x < std::min(columns, (c + 1) * voxels_); ++x, ++count)
            sum += static_cast<double>(volume.data[index((place * rows + y) * columns + x)]);
        out.data.push_back(static_cast<float>(sum / static_cast<double>(count)));
      }
  return out;
}

Image Slices::cut(const Image& stacked, std::size_t slice) const {
  Image out{stacked.width, stacked.height / static_cast<int>(places_.size()), {}};
  const auto bytes =
      static_cast<std::ptrdiff_t>(std::size_t{3} * index(out.width) * index(out.height));
  const auto from = stacked.rgb.begin() + static_cast<std::ptrdiff_t>(slice) * bytes;
  out.rgb.assign(from, from + bytes);
  const int side = std::max(out.width, out.height);
  return side < kLeast ? enlarged(out, (kLeast + side - 1) / side) : out;
}

std::vector<SheetCell> Slices::cells(const Image& stacked) const {
  std::vector<SheetCell> out;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    auto caption = "depth " + std::to_string(places_[i]) + " of " + std::to_string(volume_[0]);
    if (places_[i] == peak_) caption += " *";
    out.push_back({std::move(caption), cut(stacked, i)});
  }
  return out;
}

std::string Slices::text(const std::string& through) const {
  if (static_cast<std::int64_t>(places_.size()) == volume_[0])
    return "all " + std::to_string(volume_[0]);
  std::string out;
  for (const auto place : places_) out += (out.empty() ? "" : ", ") + std::to_string(place);
  return out + " of " + std::to_string(volume_[0]) + ", evenly spaced" +
         (through.empty() ? "" : ", through " + through);
}

Image Slices::sheet(const Image& stacked) const {
  if (places_.size() == 1) return cut(stacked, 0);
  std::vector<std::vector<SheetCell>> rows;
  int width = kLeast;
  for (auto& cell : cells(stacked)) {
    if (rows.empty() || rows.back().size() == index(kColumns)) rows.emplace_back();
    rows.back().push_back(std::move(cell));
    width = std::max(width, std::min(kWidth, rows.back().back().image.width));
  }
  return contact_sheet(rows, width);
}

std::optional<Image> stacked_slices(const Tensor& tensor, const Shape& volume, std::int64_t image,
                                    const Slices& slices) {
  if (tensor.shape.size() != 5 || image >= tensor.shape[0]) return std::nullopt;
  const auto has_volume_at = [&](std::size_t axis) {
    return std::equal(volume.begin(), volume.end(),
                      tensor.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  };
  const bool first = has_volume_at(2);
  if (!first && !has_volume_at(1)) return std::nullopt;
  const auto channels = tensor.shape[first ? 1 : 4];
  const auto voxels = volume[0] * volume[1] * volume[2];
  const auto* own = tensor.data.data() + image * channels * voxels;
  float low = 0, high = 0;
  bool any = false;
  for (std::int64_t i = 0; i < channels * voxels; ++i) {
    if (!std::isfinite(own[i])) continue;
    low = any ? std::min(low, own[i]) : own[i];
    high = any ? std::max(high, own[i]) : own[i];
    any = true;
  }
  const double scale = high > low ? 255.0 / (static_cast<double>(high) - low) : 0.0;
  const bool coloured = channels == 3;
  std::vector<double> sums;
  Image out;
  for (std::int64_t c = 0; c < channels; ++c) {
    const auto channel = slices.stacked(
        volume_of(first ? Channel{own + c * voxels, 1} : Channel{own + c, channels}, volume));
    out.width = static_cast<int>(channel.shape[1]);
    out.height = static_cast<int>(channel.shape[0]);
    out.rgb.resize(3 * channel.data.size());
    sums.resize(channel.data.size());
    for (std::size_t p = 0; p < channel.data.size(); ++p) {
      sums[p] += static_cast<double>(channel.data[p]);
      if (!coloured && c + 1 < channels) continue;
      const double value =
          coloured ? static_cast<double>(channel.data[p]) : sums[p] / static_cast<double>(channels);
      const double level = std::isfinite(value) ? (value - low) * scale : 0.0;
      const auto byte = static_cast<std::uint8_t>(std::lround(std::clamp(level, 0.0, 255.0)));
      for (std::size_t rgb = 0; rgb < 3; ++rgb)
        if (!coloured || rgb == index(c)) out.rgb[3 * p + rgb] = byte;
    }
  }
  return out;
}

}  // namespace fovea::cli
