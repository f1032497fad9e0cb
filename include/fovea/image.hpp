#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/explanation.hpp"
#include "fovea/export.hpp"
#include "fovea/localization.hpp"
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

/// JPEG (also progressive and CMYK), PNG (any kind), BMP (not the run-length coded), WebP (not
/// animated) or TIFF (its first page: grey, RGB or palette of 8 or 16 bits, in strips or tiles, as
/// it is or packed by LZW, Deflate or PackBits), recognised by content; 16 bits lose the low byte;
/// EXIF's or XMP's orientation applied; grey and alpha become RGB (alpha is dropped). JPEG and PNG
/// pixels are those that Pillow gives. Throws Error bad_input (missing, unreadable, cut off
/// anywhere, damaged, empty, larger than 16384 a side or 64 megapixels (2^26): judged by the
/// header, before any pixel is decoded; DICOM and NIfTI by their names).
FOVEA_API Image read_image(const std::filesystem::path& file);
/// The same from memory; `name` stands in error messages.
FOVEA_API Image decode_image(std::span<const std::byte> bytes, const std::string& name = {});

/// What a picture's file says beside its pixels, such as how they were made.
struct ImageText {
  std::string key;   ///< 1 to 79 printable ASCII characters; PNG knows "Software", "Title", ...
  std::string text;  ///< UTF-8, no zero byte, at most 16 MiB
};

struct EncodeOptions {
  std::vector<ImageText> texts;  ///< for PNG; the other formats leave them out
};

/// Format by extension (.png .jpg .jpeg .bmp .webp, in either case); PNG, BMP and WebP keep every
/// pixel, JPEG has quality 95. The file appears whole or not at all: it is written beside its place
/// and renamed. Throws Error invalid_argument (extension, an image whose sizes disagree, or a text
/// that is not as above; found before anything is written) or bad_input (cannot be written).
FOVEA_API void write_image(const std::filesystem::path& file, const Image& image,
                           const EncodeOptions& options = {});
FOVEA_API std::vector<std::byte> encode_image(const Image& image, std::string_view extension,
                                              const EncodeOptions& options = {});

/// The texts of a PNG, in file order, also those that other programs wrote or packed; none for
/// another kind of file. A text that makes no sense is left out. Throws Error bad_input (missing,
/// unreadable, cut off, damaged).
FOVEA_API std::vector<ImageText> read_texts(const std::filesystem::path& file);
/// The same from memory; `name` stands in error messages.
FOVEA_API std::vector<ImageText> decode_texts(std::span<const std::byte> bytes,
                                              const std::string& name = {});

/// How a photo becomes the network's input; the map's way back into the photo follows from it.
struct Preprocess {
  /// luma: grey as Pillow's, (19595 R + 38470 G + 7471 B) / 65536 rounded, made before resizing; a
  /// network of 3 channels gets it three times. A network of 1 channel gets luma in any order.
  enum class Order { rgb, bgr, luma };
  enum class Geometry {
    stretch,        ///< the whole photo, aspect ratio ignored
    center_square,  ///< the largest centred square, then resized
    resize_crop,    ///< shorter side to `shorter_side`, then the centre cut out, with black borders
                    ///< where the resized photo is smaller than the input (torchvision)
    letterbox,      ///< the whole photo inside, borders filled with the mean (so 0 in the input)
    squash_crop,   ///< to `resized_width` x `resized_height`, aspect ratio ignored, then the centre
                   ///< cut out as by resize_crop (timm's "squash")
    cover_crop,    ///< to the smallest size that covers `resized_width` x `resized_height`, then
                   ///< the centre (timm's "center" of an input that is no square)
    contain_crop,  ///< to the largest size within `resized_width` x `resized_height`, then the
                   ///< centre, with borders of the mean's nearest pixel value (timm's "border")
  };
  /// Where the centre of a crop lies if an odd number of pixels is left over: half of it to the
  /// nearest even number, as Python's round (torchvision, timm), or down (transformers).
  enum class OddMargin { even, down };
  /// Of 8-bit pixels. The antialiasing kinds mean over every pixel that a new one covers, columns
  /// before rows with bytes in between (as in Pillow up to version 12), and equal the named library
  /// to the bit.
  enum class Resize {
    bilinear_antialias,  ///< Pillow's BILINEAR, so torchvision's on Pillow images
    bilinear,            ///< OpenCV's INTER_LINEAR
    nearest,             ///< the pixel under the centre of the new one (Pillow's NEAREST)
    area,                ///< OpenCV's INTER_AREA
    bicubic_antialias,   ///< Pillow's BICUBIC
    lanczos_antialias,   ///< Pillow's LANCZOS
    hamming_antialias,   ///< Pillow's HAMMING
    box_antialias,       ///< Pillow's BOX
    bilinear_tensor,     ///< torchvision's bilinear of an 8-bit tensor, antialias on (with AVX2)
    bicubic_tensor,      ///< the same of its bicubic
    lanczos_tensor,      ///< the same of its Lanczos (from version 0.27)
    nearest_tensor,      ///< torchvision's "nearest-exact" of a tensor
  };
  Order order = Order::rgb;
  /// A pixel value x in 0..255 becomes (x * scale - mean) / std, computed in f32; mean and std are
  /// per channel in `order` (bgr: of blue first), the first one for a network of 1 channel.
  double scale = 1.0 / 255;
  std::array<double, 3> mean = {0.485, 0.456, 0.406};
  std::array<double, 3> std = {0.229, 0.224, 0.225};
  Geometry geometry = Geometry::resize_crop;
  /// For resize_crop, 0..16384; 0: the input's shorter extent times 256 / 224.
  int shorter_side = 0;
  Resize resize = Resize::bilinear_antialias;
  /// For squash_crop, cover_crop and contain_crop, 0..16384; 0: the input's own extent.
  int resized_width = 0, resized_height = 0;
  OddMargin odd_margin = OddMargin::even;  ///< for the geometries that end in a crop

  /// The defaults above.
  FOVEA_API static Preprocess imagenet();
  /// RGB to -1..1, the rest as above (so the central 0.875).
  FOVEA_API static Preprocess inception();
  /// BGR, 0..255 minus (104, 117, 123), center_square.
  FOVEA_API static Preprocess caffe();
  /// RGB, 0..255 as it is, stretch.
  FOVEA_API static Preprocess raw();

  friend bool operator==(const Preprocess&, const Preprocess&) = default;
};

/// The rectangle of the photo that the network's input shows, in photo pixels; it reaches beyond
/// the photo where the recipe adds borders. Continuous coordinates: pixel i covers [i, i + 1).
struct View {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};
FOVEA_API View view_of(int photo_width, int photo_height, const Preprocess& recipe,
                       std::int64_t input_width, std::int64_t input_height);

/// A photo decoded at no more than a network's input shows of it.
struct ReducedImage {
  Image image;    ///< the pixels that were decoded, EXIF orientation applied
  int width = 0;  ///< the photo's own extents, which read_image would give, and view_of takes
  int height = 0;
  View whole;  ///< where the photo lies in `image`, in pixels of `image`
};
/// Decodes a photo for a recipe and an input's extents. A JPEG of which the recipe makes an image
/// of less than half its size, by bilinear_antialias, is decoded at a half, a quarter or an eighth
/// of its size, whichever still leaves two pixels for each that the recipe makes: faster, and
/// the input differs a little from that of the whole photo (docs/usage.md says how much). Anything
/// else is decoded in full, as by read_image. Throws as read_image and as preprocess.
FOVEA_API ReducedImage read_reduced(const std::filesystem::path& file, const Preprocess& recipe,
                                    std::int64_t input_width, std::int64_t input_height);
/// The same from memory; `name` stands in error messages.
FOVEA_API ReducedImage decode_reduced(std::span<const std::byte> bytes, const Preprocess& recipe,
                                      std::int64_t input_width, std::int64_t input_height,
                                      const std::string& name = {});

/// The whole pixels of the photo that a view shows: those whose centres lie in it. None where it
/// shows none of them. Throws Error invalid_argument (an empty view, extents).
FOVEA_API std::optional<Box> seen_box(const View& view, int photo_width, int photo_height);

/// How a network sees all of a photo.
enum class Whole {
  stretch,    ///< resized to the input's extents, aspect ratio ignored
  letterbox,  ///< resized to fit into the input, borders filled with the mean
};
/// The recipe with its crop left out. The network was trained with the crop: its scores may differ.
FOVEA_API Preprocess without_crop(Preprocess recipe, Whole how);

enum class Layout { nchw, nhwc };

/// The network's input [1, c, h, w] (or [1, h, w, c]) for a photo; `channels` 3, or 1 for luma.
/// Throws Error invalid_argument (channels, extents, a std of 0, values that are not finite), or
/// bad_input (a photo so narrow that resize_crop would make more than 2^26 pixels of it).
FOVEA_API Tensor preprocess(const Image& photo, const Preprocess& recipe, std::int64_t channels,
                            std::int64_t height, std::int64_t width, Layout layout = Layout::nchw);

/// The same for a photo that was decoded for this recipe and these extents.
FOVEA_API Tensor preprocess(const ReducedImage& photo, const Preprocess& recipe,
                            std::int64_t channels, std::int64_t height, std::int64_t width,
                            Layout layout = Layout::nchw);

/// A map [h, w] that covers `view`, resampled (bilinear, half-pixel) at every pixel of the photo:
/// [photo_height, photo_width]; 0 where the network did not look. Edges are clamped, a NaN spreads
/// to the pixels that touch it. Throws Error invalid_argument (not two extents, an empty view).
FOVEA_API Tensor map_on_photo(const Tensor& map, const View& view, int photo_width,
                              int photo_height);

/// Where a map is largest on the photo.
struct Peak {
  std::int64_t row = 0;
  std::int64_t column = 0;
  float value = 0;
};
/// The first largest value of map_on_photo(map, view, photo_width, photo_height) that is neither 0
/// nor NaN, without that map in memory; none where there is no such value. Throws as map_on_photo.
FOVEA_API std::optional<Peak> peak_on_photo(const Tensor& map, const View& view, int photo_width,
                                            int photo_height);

/// Of magma, plasma, viridis, inferno and cividis, equal steps of the value look like equal steps
/// of the colour. red_blue is of signed maps: red above zero, blue below, white at zero.
enum class Colormap { jet, turbo, viridis, inferno, magma, plasma, cividis, red_blue };

/// Colours for a map [h, w] in 0..1 (red_blue: -1..1): OpenCV's tables, entry trunc(255 x) as
/// pytorch-grad-cam takes it (values outside are clamped, NaN is drawn as 0).
FOVEA_API Image heatmap(const Tensor& map, Colormap colormap = Colormap::jet);
/// The same for a map that covers `view` of a photo: the bytes of heatmap(map_on_photo(map, view,
/// photo_width, photo_height), colormap), without that map in memory, and kUnseen, a light grey
/// that no colour map has, where the network did not look.
FOVEA_API Image heatmap(const Tensor& map, const View& view, int photo_width, int photo_height,
                        Colormap colormap = Colormap::jet);

inline constexpr std::array<std::uint8_t, 3> kUnseen = {208, 208, 208};

struct OverlayOptions {
  double alpha = 0.5;  ///< weight of the heat map, 0..1
  Colormap colormap = Colormap::jet;
  /// What of the photo the map covers, whatever the map's extents: there, the bytes of an overlay
  /// with map_on_photo(map, *view, photo.width, photo.height), at a part of its time and memory;
  /// elsewhere the photo as it is. None: the map has the photo's extents.
  std::optional<View> view = {};
  /// The weight follows the value: min(1, 2 alpha |x|), for x clamped as the colours' values are;
  /// so alpha is that of a value of one half. red_blue is then red and blue at their full.
  bool by_value = false;
  /// The photo becomes grey, half way to white, where the map lies, so that colours are the map's.
  bool pale = false;
};
/// The photo with the map blended over it: floor((1 - alpha) photo + alpha heat + 1/2) per byte.
/// Drawn into the photo's own pixels: hand it over with std::move to save a copy. Throws Error
/// invalid_argument (an alpha outside 0..1, an empty view, or without a view a map whose extents
/// are not the photo's).
FOVEA_API Image overlay(Image photo, const Tensor& map, const OverlayOptions& options = {});

/// A light line within the box's edge and a dark one around it: one of them shows on any picture.
struct BoxStyle {
  int line = 0;  ///< width of each, in pixels; 0: a 240th of the picture's shorter side, at least 1
  std::array<std::uint8_t, 3> inside = {255, 255, 255};  ///< RGB
  std::array<std::uint8_t, 3> outside = {0, 0, 0};
};
/// The picture with the box's outline, whose edge runs between the two lines. Hand the picture over
/// with std::move to save a copy. Throws Error invalid_argument for a box that is empty or does not
/// lie within the picture, and for a negative line.
FOVEA_API Image draw_box(Image picture, const Box& box, const BoxStyle& style = {});

/// The picture with a thin frame just within what a view shows of it: no line where that ends with
/// the picture. Hand the picture over with std::move to save a copy. Throws Error invalid_argument
/// (an empty view, a negative line). A line of 0 pixels is a 480th of the shorter side, at least 1.
FOVEA_API Image draw_frame(Image picture, const View& view, const BoxStyle& style = {});

/// Every pixel `times` times in each direction. Throws Error invalid_argument for less than 1, and
/// for more than an image may be.
FOVEA_API Image enlarged(const Image& image, int times);

/// The magnitude that only 100 - `percentile` % of a map's finite values exceed (the largest one
/// where that is 0): what its colours should be full at, so that single values do not leave the
/// rest pale. 0 for a map without any. Throws Error invalid_argument for a percentile outside
/// 0..100. Cost: a copy of the map.
FOVEA_API float full_scale(const Tensor& map, double percentile = 99);

/// A signed map in two colours: red above zero, blue below, white at zero; the magnitude that only
/// one value in a hundred exceeds has the full colour. NaN is white. Throws Error invalid_argument
/// for what is no [height, width].
FOVEA_API Image signed_heatmap(const Tensor& map);

/// An attribution [channels, height, width] of 1 or 3 channels as colours around grey:
/// (a - mean) / deviation / 10 + 1/2, cut to 0..1, as the papers on guided backpropagation draw
/// theirs. Throws Error invalid_argument for other extents.
FOVEA_API Image attribution_image(const Tensor& attribution);

/// A picture, and what its reader would not see of its text.
struct Drawing {
  Image image;
  std::vector<std::string> warnings;  ///< characters that no installed font has: they are boxes
};

/// What the colours of a map's picture stand for.
struct ColorScale {
  Colormap colormap = Colormap::jet;
  double low = 0;   ///< the value of the first colour
  double high = 1;  ///< of the last, not below `low`; both finite
};

/// What stands under a picture. Texts are UTF-8 of any script, in the fonts that fontconfig knows;
/// what is no UTF-8 and control characters are U+FFFD.
struct Caption {
  std::optional<ColorScale> scale = {};  ///< a bar of its colours over the values of its ends
  std::vector<std::string> lines = {};   ///< each is wrapped, and from the fourth line on cut
};

struct CaptionOptions {
  int text_size = 0;  ///< pixels of the em, 6..512; 0: a 45th of the picture's width, within 13..64
};

/// The picture over its caption, on white; widened to 240 pixels where it is narrower. The bar is
/// as wide as the picture less half an em on either side. Throws Error invalid_argument for a scale
/// that goes nowhere, and for what is larger than an image may be. Cost: a copy of the picture; the
/// first text of a process also reads fontconfig's configuration.
FOVEA_API Drawing captioned(const Image& picture, const Caption& caption,
                            const CaptionOptions& options = {});

/// A copy that is at most so large, its proportions kept: each pixel the mean of those that it
/// covers (OpenCV's INTER_AREA). Throws Error invalid_argument for extents below 1.
FOVEA_API Image fitted(const Image& image, int width, int height);

/// A picture on a sheet.
struct SheetCell {
  std::string caption;  ///< above it
  Image image;
  std::optional<ColorScale> scale = {};  ///< a bar of its colours below it
  std::string note = {};                 ///< below that
};

/// Rows of pictures, each under its caption, on white; every picture is scaled to `width` pixels
/// wide at most, its proportions kept. Captions and notes are as those of `captioned`. Rows may
/// differ in length; a cell without an image is empty. Throws Error invalid_argument for a width
/// below 32, no cell at all, a scale that goes nowhere, or a sheet larger than an image may be.
FOVEA_API Drawing draw_sheet(const std::vector<std::vector<SheetCell>>& rows, int width = 256);

/// Its picture alone.
FOVEA_API Image contact_sheet(const std::vector<std::vector<SheetCell>>& rows, int width = 256);

}  // namespace fovea
