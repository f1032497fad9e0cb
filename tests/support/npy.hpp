#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>

#include "fovea/tensor.hpp"

namespace fovea::testing_support {

/// A little-endian f32 .npy file in C order, as the golden scripts write them.
inline Tensor read_npy(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (bytes.size() < 10 || bytes.compare(1, 5, "NUMPY") != 0)
    throw std::runtime_error("not an .npy file: " + file.string());
  const std::size_t length = static_cast<unsigned char>(bytes[8]) +
                             std::size_t{256} * static_cast<unsigned char>(bytes[9]);
  const std::string header = bytes.substr(10, length);
  if (header.find("'<f4'") == std::string::npos || header.find("False") == std::string::npos)
    throw std::runtime_error("not f32 in C order: " + file.string());
  Tensor out;
  std::stringstream extents(
      header.substr(header.find('(') + 1, header.find(')') - header.find('(') - 1));
  std::string extent;
  std::int64_t n = 1;
  while (std::getline(extents, extent, ',')) {
    if (extent.find_first_of("0123456789") == std::string::npos) continue;
    out.shape.push_back(std::stoll(extent));
    n *= out.shape.back();
  }
  out.data.resize(static_cast<std::size_t>(n));
  if (bytes.size() != 10 + length + out.data.size() * sizeof(float))
    throw std::runtime_error("the data does not fill the extents: " + file.string());
  std::memcpy(out.data.data(), bytes.data() + 10 + length, out.data.size() * sizeof(float));
  return out;
}

}  // namespace fovea::testing_support
