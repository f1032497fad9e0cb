#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/explanation.hpp"
#include "fovea/export.hpp"
#include "fovea/tensor.hpp"

/// fovea::vision: photos in, pictures out. Every function is pure or touches one named file, and is
/// safe from any thread.
namespace fovea {

/// 8-bit RGB, rows from the top, no padding: `rgb.size() == 3 * width * height`.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;
};

/// JPEG, PNG, BMP or WebP, by content; EXIF orientation applied; grey and alpha become RGB (alpha
/// is dropped). Throws Error bad_input (missing, unreadable, truncated, empty, larger than 16384 a
/// side or 64 megapixels).
FOVEA_API Image read_image(const std::filesystem::path& file);
/// The same from memory; `name` stands in error messages.
FOVEA_API Image decode_image(std::span<const std::byte> bytes, const std::string& name = {});

/// Format by extension (.png .jpg .jpeg .bmp .webp). The file appears whole or not at all.
/// Throws Error invalid_argument (extension) or bad_input (cannot be written).
FOVEA_API void write_image(const std::filesystem::path& file, const Image& image);
FOVEA_API std::vector<std::byte> encode_image(const Image& image, std::string_view extension);

/// How a photo becomes the network's input; the map's way back into the photo follows from it.
struct Preprocess {
  enum class Order { rgb, bgr, luma };
  enum class Geometry {
    stretch,        ///< the whole photo, aspect ratio ignored
    center_square,  ///< the largest centred square, then resized
    resize_crop,    ///< shorter side to `shorter_side`, then the centre cut out (torchvision)
    letterbox,      ///< the whole photo inside, borders filled with the mean
  };
  enum class Resize {
    bilinear_antialias,  ///< as Pillow and torchvision do
    bilinear,            ///< OpenCV's INTER_LINEAR
    nearest,
    area,  ///< OpenCV's INTER_AREA
  };
  Order order = Order::rgb;
  /// A pixel value x in 0..255 becomes (x * scale - mean) / std, per channel in `order`.
  double scale = 1.0 / 255;
  std::array<double, 3> mean = {0.485, 0.456, 0.406};
  std::array<double, 3> std = {0.229, 0.224, 0.225};
  Geometry geometry = Geometry::resize_crop;
  /// For resize_crop; 0: the input's shorter extent times 256 / 224.
  int shorter_side = 0;
  Resize resize = Resize::bilinear_antialias;

  static Preprocess imagenet();   ///< the defaults above
  static Preprocess inception();  ///< RGB to -1..1, resize_crop with 0.875 central fraction
  static Preprocess caffe();      ///< BGR, 0..255 minus (104, 117, 123), center_square
  static Preprocess raw();        ///< RGB, 0..255 as it is, stretch
};

/// The rectangle of the photo that the network's input shows, in photo pixels; it reaches beyond
/// the photo where a letterbox adds borders.
struct View {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};
FOVEA_API View view_of(int photo_width, int photo_height, const Preprocess& recipe,
                       std::int64_t input_width, std::int64_t input_height);

enum class Layout { nchw, nhwc };

/// The network's input [1, c, h, w] (or [1, h, w, c]) for a photo; `channels` 3, or 1 with luma.
FOVEA_API Tensor preprocess(const Image& photo, const Preprocess& recipe, std::int64_t channels,
                            std::int64_t height, std::int64_t width, Layout layout = Layout::nchw);

/// A map [h, w] that covers `view`, resampled (bilinear, half-pixel) at every pixel of the photo:
/// [photo_height, photo_width]; 0 where the network did not look.
FOVEA_API Tensor map_on_photo(const Tensor& map, const View& view, int photo_width,
                              int photo_height);

enum class Colormap { jet, turbo, viridis, inferno };

/// Colours for a map in 0..1 (values outside are clamped, NaN is drawn as 0).
FOVEA_API Image heatmap(const Tensor& map, Colormap colormap = Colormap::jet);

struct OverlayOptions {
  double alpha = 0.5;  ///< weight of the heat map, 0..1
  Colormap colormap = Colormap::jet;
};
/// The photo with the map blended over it; `map` has the photo's extents (see map_on_photo).
FOVEA_API Image overlay(const Image& photo, const Tensor& map, const OverlayOptions& options = {});

}  // namespace fovea
