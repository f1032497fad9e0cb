#include "bench/inputs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <span>

#include "fovea/session.hpp"

namespace fovea::cli {
namespace {

constexpr std::array<std::size_t, 4> kScales = {1, 4, 16, 64};

/// The planes of one image: `count` of height x width, pixels `step` apart, planes `apart`.
struct Planes {
  std::size_t count = 1, height = 1, width = 1, step = 1, apart = 0;
};

std::size_t extent(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

Planes planes_of(const Shape& shape) {
  Planes out;
  if (const auto image = image_shape(shape)) {
    out.count = extent(image->channels);
    out.height = extent(image->height);
    out.width = extent(image->width);
    out.step = image->layout == Layout::nhwc ? out.count : 1;
    out.apart = image->layout == Layout::nhwc ? 1 : out.height * out.width;
    return out;
  }
  // Whatever else: the last two extents behind the first.
  if (shape.size() > 1) out.width = extent(shape.back());
  if (shape.size() > 2) out.height = extent(shape[shape.size() - 2]);
  for (std::size_t i = 1; i + 2 < shape.size(); ++i) out.count *= extent(shape[i]);
  out.apart = out.height * out.width;
  return out;
}

/// Adds random values, one per `scale` pixels, interpolated between.
void add_noise(float* plane, const Planes& p, std::size_t scale, std::mt19937& random) {
  std::normal_distribution<float> normal;
  const std::size_t columns = p.width / scale + 2, rows = p.height / scale + 2;
  std::vector<float> grid(rows * columns);
  for (auto& value : grid) value = normal(random);
  const auto part = 1.F / static_cast<float>(scale);
  for (std::size_t y = 0; y < p.height; ++y) {
    const float* upper = grid.data() + y / scale * columns;
    const float* lower = upper + columns;
    const float down = static_cast<float>(y % scale) * part;
    for (std::size_t x = 0; x < p.width; ++x) {
      const std::size_t c = x / scale;
      const float right = static_cast<float>(x % scale) * part;
      const float above = upper[c] + right * (upper[c + 1] - upper[c]);
      const float below = lower[c] + right * (lower[c + 1] - lower[c]);
      plane[(y * p.width + x) * p.step] += above + down * (below - above);
    }
  }
}

void standardise(std::span<float> values) {
  double sum = 0, squares = 0;
  for (const float v : values) sum += v;
  const double mean = sum / static_cast<double>(values.size());
  for (const float v : values) squares += (v - mean) * (v - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
  if (!(deviation > 0)) return;  // a single value stays what it is
  for (float& v : values) v = static_cast<float>((v - mean) / deviation);
}

void fill_image(std::span<float> image, const Planes& planes, std::mt19937& random) {
  for (std::size_t i = 0; i < planes.count; ++i)
    for (const auto scale : kScales)
      if (scale == 1 || scale < std::max(planes.height, planes.width))
        add_noise(image.data() + i * planes.apart, planes, scale, random);
  standardise(image);
}

}  // namespace

Inputs::Inputs(const Explainer& explainer, std::size_t count, unsigned seed) : feeds_(count) {
  std::mt19937 random(seed);
  for (const auto& input : explainer.inputs()) {
    const auto planes = planes_of(input.shape);
    const std::size_t image = planes.count * planes.height * planes.width;
    const std::size_t images = input.shape.empty() ? 1 : extent(input.shape.front());
    auto& values = values_.emplace_back(image * (count + images - 1));
    for (std::size_t i = 0; image > 0 && i < values.size(); i += image)
      fill_image(std::span(values).subspan(i, image), planes, random);
    share_out(input, image);
  }
}

Inputs::Inputs(const Explainer& explainer, std::span<const Tensor> photos) : feeds_(photos.size()) {
  const auto& input = explainer.inputs().front();
  const std::size_t images = extent(input.shape.front());
  auto& values = values_.emplace_back();
  for (std::size_t i = 0; i + 1 < photos.size() + images; ++i) {
    const auto& photo = photos[i % photos.size()].data;
    values.insert(values.end(), photo.begin(), photo.end());
  }
  share_out(input, photos.front().data.size());
}

/// Each feed starts one image later.
void Inputs::share_out(const ValueInfo& input, std::size_t image) {
  const std::size_t images = input.shape.empty() ? 1 : extent(input.shape.front());
  for (std::size_t i = 0; i < feeds_.size(); ++i)
    feeds_[i].emplace(
        input.name,
        TensorView(input.shape, std::span(values_.back()).subspan(i * image, image * images)));
}

}  // namespace fovea::cli
