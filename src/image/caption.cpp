#include <algorithm>
#include <optional>
#include <utility>

#include "image/check.hpp"
#include "image/color_bar.hpp"
#include "image/writing.hpp"

namespace fovea {
namespace {

constexpr int kWidthsPerEm = 45;  // of a picture's width, so that lines of it hold as much
constexpr int kLeastText = 13, kMostText = 64;
constexpr int kLeastWidth = 240;   // of a picture with a caption
constexpr std::size_t kLines = 4;  // that one line of a caption may take

}  // namespace

Drawing captioned(const Image& picture, const Caption& caption, const CaptionOptions& options) {
  return image::guarded([&] {
    image::check_image(picture);
    if (options.text_size != 0 && (options.text_size < 6 || options.text_size > 512))
      throw Error(ErrorCode::invalid_argument, "a caption's text is of 6 to 512 pixels");
    const int size = options.text_size > 0
                         ? options.text_size
                         : std::clamp(picture.width / kWidthsPerEm, kLeastText, kMostText);
    const int width = std::max(picture.width, kLeastWidth);
    const int margin = std::min(size / 2, width / 4);  // something is left between two of them
    const int inner = width - 2 * margin;
    image::Writer writer(size);

    std::optional<image::ColorBar> bar;
    std::int64_t height = std::int64_t{picture.height} + margin;
    const int bar_top = static_cast<int>(height);
    if (caption.scale) {
      bar.emplace(*caption.scale, inner, size, writer);
      height += bar->height() + margin;
    }
    std::vector<text::Paragraph> lines;
    for (const auto& line : caption.lines) {
      lines.push_back(writer.set(line, inner, kLines));
      height += lines.back().height();
    }
    if (!lines.empty()) height += margin;
    image::check_extents(width, height, ErrorCode::invalid_argument);

    Image out{
        width, static_cast<int>(height),
        std::vector<std::uint8_t>(static_cast<std::size_t>(std::int64_t{3} * width * height), 255)};
    const auto row = static_cast<std::ptrdiff_t>(3) * picture.width;
    for (std::ptrdiff_t y = 0; y < picture.height; ++y)
      std::copy_n(picture.rgb.begin() + y * row, row, out.rgb.begin() + 3 * y * width);
    int y = bar_top;
    if (bar) {
      bar->draw(out, margin, y, writer);
      y += bar->height() + margin;
    }
    for (const auto& line : lines) {
      writer.write(line, out, margin, y);
      y += line.height();
    }
    return Drawing{std::move(out), writer.warnings()};
  });
}

}  // namespace fovea
