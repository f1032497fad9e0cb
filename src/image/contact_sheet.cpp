#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "image/check.hpp"
#include "image/color_bar.hpp"
#include "image/opencv.hpp"
#include "image/writing.hpp"

namespace fovea {
namespace {

using image::Writer;

constexpr int kMargin = 8;
constexpr int kTextSize = 13;
constexpr int kLeastBar = 96;
constexpr int kLeastCaption = 20;  // so that sheets of one line have their extents in any font
constexpr int kGap = 4;            // between a picture and its texts
constexpr std::size_t kLines = 4;  // of a text, at most

/// The extents of a picture that is at most so large.
cv::Size fitting(const Image& image, int width, int height) {
  const double scale = std::min(
      {1.0, static_cast<double>(width) / image.width, static_cast<double>(height) / image.height});
  const auto scaled = [&](int extent) {
    return std::max(1, static_cast<int>(std::lround(scale * extent)));
  };
  return {scaled(image.width), scaled(image.height)};
}

int height_at(const Image& image, int width) {
  return fitting(image, width, image.height).height;
}

/// A row of cells, and how high its parts are.
struct Row {
  struct Texts {
    text::Paragraph caption;
    std::optional<image::ColorBar> bar;
    text::Paragraph note;
  };
  const std::vector<SheetCell>* cells = nullptr;
  std::vector<Texts> texts = {};
  int caption = 0, picture = 0, bar = 0, note = 0;

  int height() const { return caption + kGap + picture + below(bar) + below(note); }
  static int below(int part) { return part > 0 ? kGap + part : 0; }
};

Row measured(const std::vector<SheetCell>& cells, int width, Writer& writer) {
  Row out{&cells};
  out.caption = std::max(kLeastCaption, writer.line_height());
  for (const auto& cell : cells) {
    auto& texts = out.texts.emplace_back();
    texts.caption = writer.set(cell.caption, width, kLines);
    texts.note = writer.set(cell.note, width, kLines);
    if (cell.scale) {
      // As wide as its picture, where its numbers have room there.
      const int own = cell.image.width > 0 ? std::min(width, cell.image.width) : width;
      texts.bar.emplace(*cell.scale, std::max(own, std::min(width, kLeastBar)), kTextSize, writer);
    }
    out.caption = std::max(out.caption, texts.caption.height());
    out.note = std::max(out.note, texts.note.height());
    if (texts.bar) out.bar = std::max(out.bar, texts.bar->height());
    if (cell.image.rgb.empty()) continue;
    image::check_image(cell.image);
    out.picture = std::max(out.picture, height_at(cell.image, width));
  }
  return out;
}

Image reduced(const Image& image, cv::Size size) {
  Image out{size.width, size.height,
            std::vector<std::uint8_t>(3 * static_cast<std::size_t>(size.area()))};
  // OpenCV's header has no const; nothing is written through it.
  const cv::Mat from(image.height, image.width, CV_8UC3,
                     const_cast<std::uint8_t*>(image.rgb.data()));
  cv::Mat to(size, CV_8UC3, out.rgb.data());
  image::translated(Error(ErrorCode::internal, "the picture could not be drawn"),
                    [&] { cv::resize(from, to, size, 0, 0, cv::INTER_AREA); });
  return out;
}

void put(const Image& picture, Image& sheet, int x, int y, int width) {
  if (picture.rgb.empty()) return;
  const auto small = reduced(picture, fitting(picture, width, picture.height));
  for (int row = 0; row < small.height; ++row) {
    const auto from = small.rgb.begin() + std::ptrdiff_t{3} * row * small.width;
    std::copy_n(from, 3 * small.width,
                sheet.rgb.begin() + 3 * (static_cast<std::ptrdiff_t>(y + row) * sheet.width + x));
  }
}

}  // namespace

Drawing draw_sheet(const std::vector<std::vector<SheetCell>>& rows, int width) {
  return image::guarded([&] {
    if (width < 32)
      throw Error(ErrorCode::invalid_argument, "a sheet's pictures are at least 32 pixels wide");
    std::size_t columns = 0;
    for (const auto& row : rows) columns = std::max(columns, row.size());
    if (columns == 0) throw Error(ErrorCode::invalid_argument, "a sheet needs a picture");
    const auto across =
        static_cast<std::int64_t>(columns) * (width + kMargin) + std::int64_t{kMargin};
    Writer writer(kTextSize);
    std::vector<Row> measures;
    std::int64_t total = kMargin;
    for (const auto& row : rows) {
      measures.push_back(measured(row, width, writer));
      total += measures.back().height() + kMargin;
    }
    image::check_extents(across, total, ErrorCode::invalid_argument);
    Image out{static_cast<int>(across), static_cast<int>(total),
              std::vector<std::uint8_t>(static_cast<std::size_t>(3 * across * total), 255)};
    int y = kMargin;
    for (const auto& row : measures) {
      int x = kMargin;
      for (std::size_t c = 0; c < row.cells->size(); ++c, x += width + kMargin) {
        const auto& texts = row.texts[c];
        int top = y;
        writer.write(texts.caption, out, x, top);
        top += row.caption + kGap;
        put((*row.cells)[c].image, out, x, top, width);
        top += row.picture;
        if (texts.bar) texts.bar->draw(out, x, top + kGap, writer);
        writer.write(texts.note, out, x, top + Row::below(row.bar) + kGap);
      }
      y += row.height() + kMargin;
    }
    return Drawing{std::move(out), writer.warnings()};
  });
}

Image fitted(const Image& image, int width, int height) {
  return image::guarded([&] {
    image::check_image(image);
    if (width < 1 || height < 1)
      throw Error(ErrorCode::invalid_argument, "a picture is at least a pixel large");
    return reduced(image, fitting(image, width, height));
  });
}

Image contact_sheet(const std::vector<std::vector<SheetCell>>& rows, int width) {
  return draw_sheet(rows, width).image;
}

}  // namespace fovea
