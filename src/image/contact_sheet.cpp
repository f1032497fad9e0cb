#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "image/check.hpp"
#include "image/opencv.hpp"

namespace fovea {
namespace {

constexpr int kMargin = 8;
constexpr int kCaption = 24;  // the height of a caption
constexpr double kTextScale = 0.45;

/// What fits into the width, with dots where something is left out.
std::string shortened(std::string text, int width) {
  const auto fits = [&](const std::string& s) {
    int baseline = 0;
    return cv::getTextSize(s, cv::FONT_HERSHEY_SIMPLEX, kTextScale, 1, &baseline).width <= width;
  };
  if (fits(text)) return text;
  while (!text.empty() && !fits(text + "...")) text.pop_back();
  return text + "...";
}

int height_at(const Image& image, int width) {
  return std::max(1, static_cast<int>(std::lround(static_cast<double>(image.height) *
                                                  std::min(width, image.width) / image.width)));
}

void put(const SheetCell& cell, cv::Mat& sheet, int x, int y, int width) {
  cv::putText(sheet, shortened(cell.caption, width), {x, y + kCaption - 8},
              cv::FONT_HERSHEY_SIMPLEX, kTextScale, cv::Scalar(0, 0, 0), 1, cv::LINE_AA);
  if (cell.image.rgb.empty()) return;
  // OpenCV's header has no const; nothing is written through it.
  const cv::Mat src(cell.image.height, cell.image.width, CV_8UC3,
                    const_cast<std::uint8_t*>(cell.image.rgb.data()));
  const cv::Size size(std::min(width, cell.image.width), height_at(cell.image, width));
  cv::Mat small;
  cv::resize(src, small, size, 0, 0, cv::INTER_AREA);
  small.copyTo(sheet(cv::Rect({x, y + kCaption}, size)));
}

}  // namespace

Image contact_sheet(const std::vector<std::vector<SheetCell>>& rows, int width) {
  return image::guarded([&] {
    if (width < 32)
      throw Error(ErrorCode::invalid_argument, "a sheet's pictures are at least 32 pixels wide");
    std::size_t columns = 0;
    std::vector<int> heights;
    std::int64_t total = kMargin;
    for (const auto& row : rows) {
      columns = std::max(columns, row.size());
      int height = 0;
      for (const auto& cell : row) {
        if (cell.image.rgb.empty()) continue;
        image::check_image(cell.image);
        height = std::max(height, height_at(cell.image, width));
      }
      heights.push_back(height + kCaption);
      total += heights.back() + kMargin;
    }
    if (columns == 0) throw Error(ErrorCode::invalid_argument, "a sheet needs a picture");
    const auto across =
        static_cast<std::int64_t>(columns) * (width + kMargin) + std::int64_t{kMargin};
    image::check_extents(across, total, ErrorCode::invalid_argument);
    Image out{static_cast<int>(across), static_cast<int>(total),
              std::vector<std::uint8_t>(static_cast<std::size_t>(3 * across * total), 255)};
    image::translated(Error(ErrorCode::internal, "the sheet could not be drawn"), [&] {
      cv::Mat sheet(out.height, out.width, CV_8UC3, out.rgb.data());
      int y = kMargin;
      for (std::size_t r = 0; r < rows.size(); ++r) {
        for (std::size_t c = 0; c < rows[r].size(); ++c)
          put(rows[r][c], sheet, kMargin + static_cast<int>(c) * (width + kMargin), y, width);
        y += heights[r] + kMargin;
      }
    });
    return out;
  });
}

}  // namespace fovea
