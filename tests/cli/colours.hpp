#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fovea/image.hpp"
#include "fovea/tensor.hpp"
#include "npy.hpp"
#include "program.hpp"

/// Inputs for the models of fixtures/, whose answers are known (see make_fixtures.py).
namespace fovea::cli_test {

inline constexpr std::int64_t kSize = 16;
inline constexpr std::size_t kPixels = kSize * kSize;

/// [images, 3, 16, 16], every value different and some negative; red scores lowest, blue highest.
inline Tensor some_colours(std::int64_t images = 1) {
  Tensor tensor{{images, 3, kSize, kSize}, {}};
  const auto count = static_cast<std::size_t>(images) * 3 * kPixels;
  for (std::size_t i = 0; i < count; ++i) {
    const auto colour = (i / kPixels) % 3;
    tensor.data.push_back(static_cast<float>((i * 37) % 101) / 100.0F - 0.2F +
                          0.1F * static_cast<float>(colour));
  }
  return tensor;
}

/// What the network's feature map is for one colour of one image.
inline std::vector<float> rectified(const Tensor& tensor, std::size_t image, std::size_t colour) {
  const auto first =
      tensor.data.begin() + static_cast<std::ptrdiff_t>((image * 3 + colour) * kPixels);
  std::vector<float> out(first, first + static_cast<std::ptrdiff_t>(kPixels));
  for (auto& value : out) value = std::max(value, 0.0F);
  return out;
}

inline double mean_of(const std::vector<float>& values) {
  double sum = 0;
  for (const auto value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

inline std::vector<float> divided(std::vector<float> values, double by) {
  for (auto& value : values) value = static_cast<float>(value / by);
  return values;
}

inline float largest(const std::vector<float>& values) {
  return *std::max_element(values.begin(), values.end());
}

inline void expect_near(const std::vector<float>& actual, const std::vector<float>& expected,
                        double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    ASSERT_NEAR(actual[i], expected[i], tolerance) << "at " << i;
}

/// Red on the left half, blue on the right.
inline Image red_and_blue(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const bool red = x < width / 2;
      for (const int level : {red ? 255 : 0, 0, red ? 0 : 200})
        image.rgb.push_back(static_cast<std::uint8_t>(level));
    }
  return image;
}

inline void write_npy(const std::string& file, const Tensor& tensor) {
  const auto bytes = cli::npy_bytes(tensor);
  write_file(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

inline void expect_done(const Outcome& outcome) {
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

/// The JSON of a run that was told `--json -`: nothing else may be on standard output.
inline nlohmann::json json_of(const Outcome& outcome) {
  expect_done(outcome);
  EXPECT_EQ(outcome.err, "");
  return nlohmann::json::parse(outcome.out);
}

}  // namespace fovea::cli_test
