#include "image/exif.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>

#include "base/parallel.hpp"
#include "image/byte_order.hpp"
#include "image/resample.hpp"

namespace fovea::image {
namespace {

constexpr std::size_t kTiffHeader = 8;
constexpr std::size_t kEntry = 12;
constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr int kPixel = 3;

// The fields of a TIFF directory, in its order of bytes.
class Fields {
 public:
  Fields(std::span<const std::uint8_t> all, bool little) : all_(all), little_(little) {}

  std::uint32_t u16(std::size_t at) const { return little_ ? le16(all_, at) : be16(all_, at); }
  std::uint32_t u32(std::size_t at) const { return little_ ? le32(all_, at) : be32(all_, at); }

  // The first value of an entry; none where its values lie outside, 0 for a kind that is no number
  // to Pillow (a byte is text there).
  std::optional<double> value(std::size_t entry) const {
    enum Kind : std::uint32_t {
      unsigned_short = 3,
      unsigned_long = 4,
      rational = 5,
      signed_byte = 6,
      signed_short = 8,
      signed_long = 9,
      signed_rational = 10,
      single = 11,
      real = 12,
      directory = 13,
    };
    constexpr std::array<std::uint8_t, 14> kSizes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
    const std::uint32_t kind = u16(entry + 2);
    if (kind >= kSizes.size()) return 0;
    const std::uint64_t bytes = std::uint64_t{kSizes[kind]} * u32(entry + 4);
    if (bytes == 0) return 0;
    const std::size_t at = bytes <= 4 ? entry + 8 : u32(entry + 8);
    if (at > all_.size() || bytes > all_.size() - at) return std::nullopt;
    switch (kind) {
      case unsigned_short:
        return u16(at);
      case unsigned_long:
      case directory:
        return u32(at);
      case signed_byte:
        return static_cast<std::int8_t>(all_[at]);
      case signed_short:
        return static_cast<std::int16_t>(u16(at));
      case signed_long:
        return static_cast<std::int32_t>(u32(at));
      case single:
        return std::bit_cast<float>(u32(at));
      case rational:
        return static_cast<double>(u32(at)) / static_cast<double>(u32(at + 4));
      case signed_rational:
        return static_cast<double>(static_cast<std::int32_t>(u32(at))) /
               static_cast<double>(static_cast<std::int32_t>(u32(at + 4)));
      case real: {
        const std::uint64_t first = u32(at), second = u32(at + 4);
        return std::bit_cast<double>(little_ ? second << 32 | first : first << 32 | second);
      }
      default:
        return 0;
    }
  }

 private:
  std::span<const std::uint8_t> all_;
  bool little_;
};

// 1 where a value is none of 2 to 8; none where the tag is not there.
std::optional<int> tagged_orientation(std::span<const std::uint8_t> exif) {
  if (exif.size() < kTiffHeader) return std::nullopt;
  const bool little = has_text(exif, 0, std::string_view("II*\0", 4));
  if (!little && !has_text(exif, 0, std::string_view("MM\0*", 4))) return std::nullopt;
  const Fields fields(exif, little);
  const std::size_t directory = fields.u32(4);
  if (directory > exif.size() - 2) return std::nullopt;
  const std::size_t entries = fields.u16(directory);
  std::optional<int> out;
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * kEntry;
    if (at + kEntry > exif.size()) break;
    if (fields.u16(at) != kOrientationTag) continue;
    const auto value = fields.value(at);
    if (!value) continue;
    const bool valid = *value >= 1 && *value <= 8 && *value == std::floor(*value);
    out = valid ? static_cast<int>(*value) : 1;
  }
  return out;
}

// Looked for as text, in an attribute or an element, as Pillow does.
int xmp_orientation(std::string_view xmp) {
  constexpr std::string_view kName = "tiff:Orientation";
  for (std::size_t at = xmp.find(kName); at != std::string_view::npos; at = xmp.find(kName, at)) {
    at += kName.size();
    const auto rest = xmp.substr(at);
    const std::size_t skip = rest.starts_with("=\"") ? 2 : rest.starts_with(">") ? 1 : 0;
    if (skip == 0 || rest.size() <= skip || rest[skip] < '0' || rest[skip] > '9') continue;
    const int value = rest[skip] - '0';
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

}  // namespace

int orientation_of(std::span<const std::uint8_t> exif, std::string_view xmp) {
  // Some writers keep the name that the block has inside a JPEG.
  constexpr std::string_view kName("Exif\0\0", 6);
  while (has_text(exif, 0, kName)) exif = exif.subspan(kName.size());
  const auto tagged = tagged_orientation(exif);
  return tagged ? *tagged : xmp_orientation(xmp);
}

View oriented(const View& view, int width, int height, int orientation) {
  if (orientation <= 1 || orientation > 8) return view;
  const bool transposed = orientation >= 5;
  const bool mirrored_x =
      orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool mirrored_y =
      orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  View out = transposed ? View{view.y0, view.x0, view.y1, view.x1} : view;
  const double w = transposed ? height : width, h = transposed ? width : height;
  if (mirrored_x) out = {w - out.x1, out.y0, w - out.x0, out.y1};
  if (mirrored_y) out = {out.x0, h - out.y1, out.x1, h - out.y0};
  return out;
}

Image oriented(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  const std::ptrdiff_t w = image.width, h = image.height;
  Image out{transposed ? image.height : image.width, transposed ? image.width : image.height, {}};
  out.rgb.resize(image.rgb.size());

  // Each output pixel (x, y) is read from first + x * step_x + y * step_y.
  const std::ptrdiff_t right = kPixel, down = kPixel * w;
  const std::ptrdiff_t last_column = (w - 1) * right, last_row = (h - 1) * down;
  struct Walk {
    std::ptrdiff_t first, step_x, step_y;
  };
  const Walk walks[] = {
      {last_column, -right, down},              // 2: mirrored left to right
      {last_column + last_row, -right, -down},  // 3: upside down
      {last_row, right, -down},                 // 4: mirrored top to bottom
      {0, down, right},                         // 5: transposed
      {last_row, -down, right},                 // 6: to be turned clockwise
      {last_column + last_row, -down, -right},  // 7: transposed along the other diagonal
      {last_column, down, -right},              // 8: to be turned anticlockwise
  };
  const Walk walk = walks[orientation - 2];
  // A few rows at once: where rows become columns, each of them is in the same cache line.
  constexpr std::int64_t kRows = 16;
  const std::int64_t width = out.width, height = out.height;
  base::parallel_for(
      (height + kRows - 1) / kRows, rows_per_thread(kRows * width), [&](auto begin, auto end) {
        for (std::int64_t y = begin * kRows; y < std::min(end * kRows, height); y += kRows) {
          const std::int64_t rows = std::min(kRows, height - y);
          const std::uint8_t* from = image.rgb.data() + walk.first + y * walk.step_y;
          std::uint8_t* to = out.rgb.data() + y * width * kPixel;
          for (std::int64_t x = 0; x < width; ++x)
            for (std::int64_t row = 0; row < rows; ++row)
              std::memcpy(to + (row * width + x) * kPixel,
                          from + x * walk.step_x + row * walk.step_y, kPixel);
        }
      });
  return out;
}

}  // namespace fovea::image
