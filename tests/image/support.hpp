#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/image.hpp"

namespace fovea::image::test {

using Bytes = std::vector<std::byte>;

/// A file of golden/, made by make_goldens.py.
Bytes golden(const std::string& name);
std::filesystem::path golden_path(const std::string& name);

/// The pictures of a golden's binary PPM, which may hold several.
std::vector<Image> golden_pictures(const std::string& name);
Image golden_picture(const std::string& name);

/// Every golden that is an encoded image and should decode.
std::vector<std::string> sample_names();

std::uint8_t byte_at(const Bytes& bytes, std::size_t at);
void put(Bytes& bytes, std::size_t at, std::initializer_list<unsigned> values);

/// The largest difference of two pictures' bytes; 256 where their extents differ.
int largest_difference(const Image& a, const Image& b);

/// What decoding throws; ErrorCode::internal with an empty sentence where it succeeds.
Error decoding_error(const Bytes& bytes);

/// What writing to the descriptor of stderr between construction and text() has left.
class StderrCapture {
 public:
  StderrCapture();
  ~StderrCapture();
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;
  std::string text();

 private:
  std::FILE* file_;
  int saved_;
};

/// An empty directory of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::size_t entries() const;

 private:
  std::filesystem::path path_;
};

/// A picture of noise, the same on every machine.
Image noise(int width, int height, std::uint32_t seed);

/// xorshift: the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed * 2654435769u + 1) {}
  std::uint32_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_;
  }
  float uniform() { return static_cast<float>(next() >> 8) / static_cast<float>(1 << 24); }

 private:
  std::uint32_t state_;
};

}  // namespace fovea::image::test
