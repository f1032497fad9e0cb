#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "fovea/tensor.hpp"

/// What numpy.savez and savez_compressed write: a zip archive of .npy files, numbers as floats and
/// texts left out.
namespace fovea::testing_support {
namespace npz_detail {

template <class T>
T at(const std::string& bytes, std::size_t offset) {
  if (offset + sizeof(T) > bytes.size()) throw std::runtime_error("the archive ends too early");
  T out;
  std::memcpy(&out, bytes.data() + offset, sizeof(T));
  return out;
}

inline std::string inflated(const std::string& bytes, std::size_t offset, std::size_t packed,
                            std::size_t size) {
  std::string out(size, '\0');
  std::string in = bytes.substr(offset, packed);
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  inflateInit2(&stream, -MAX_WBITS);  // no header: the archive has its own
  const int end = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (end != Z_STREAM_END) throw std::runtime_error("the archive is damaged");
  return out;
}

template <class T>
void read(const std::string& npy, std::size_t offset, Tensor& out) {
  for (std::size_t i = 0; i < out.data.size(); ++i)
    out.data[i] = static_cast<float>(at<T>(npy, offset + i * sizeof(T)));
}

/// False for an element type that is no number.
inline bool parse(const std::string& npy, Tensor& out) {
  const std::size_t length = at<std::uint16_t>(npy, 8);
  const std::string header = npy.substr(10, length);
  if (header.find("'fortran_order': False") == std::string::npos)
    throw std::runtime_error("not in C order");
  const auto open = header.find('(');
  std::stringstream extents(header.substr(open + 1, header.find(')') - open - 1));
  std::string extent;
  std::size_t n = 1;
  while (std::getline(extents, extent, ',')) {
    if (extent.find_first_of("0123456789") == std::string::npos) continue;
    out.shape.push_back(std::stoll(extent));
    n *= static_cast<std::size_t>(out.shape.back());
  }
  out.data.resize(n);
  const auto is = [&](const char* type) { return header.find(type) != std::string::npos; };
  if (is("'<f4'"))
    read<float>(npy, 10 + length, out);
  else if (is("'<f8'"))
    read<double>(npy, 10 + length, out);
  else if (is("'<i8'"))
    read<std::int64_t>(npy, 10 + length, out);
  else if (is("'|u1'") || is("'|b1'"))
    read<std::uint8_t>(npy, 10 + length, out);
  else
    return false;
  return true;
}

}  // namespace npz_detail

/// By name, without ".npy". Throws std::runtime_error for what is no such file.
inline std::map<std::string, Tensor> read_npz(const std::filesystem::path& file) {
  using namespace npz_detail;
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto end = bytes.rfind("PK\5\6");
  if (end == std::string::npos) throw std::runtime_error("not an .npz file: " + file.string());
  std::map<std::string, Tensor> out;
  std::size_t entry = at<std::uint32_t>(bytes, end + 16);
  for (int left = at<std::uint16_t>(bytes, end + 10); left > 0; --left) {
    const auto method = at<std::uint16_t>(bytes, entry + 10);
    const auto packed = at<std::uint32_t>(bytes, entry + 20);
    const auto size = at<std::uint32_t>(bytes, entry + 24);
    const auto name_length = at<std::uint16_t>(bytes, entry + 28);
    const std::string name = bytes.substr(entry + 46, name_length);
    const auto local = at<std::uint32_t>(bytes, entry + 42);
    const auto data = local + std::size_t{30} + at<std::uint16_t>(bytes, local + 26) +
                      at<std::uint16_t>(bytes, local + 28);
    entry += std::size_t{46} + name_length + at<std::uint16_t>(bytes, entry + 30) +
             at<std::uint16_t>(bytes, entry + 32);
    if (method != 0 && method != 8) throw std::runtime_error("packed by another method: " + name);
    const auto npy = method == 0 ? bytes.substr(data, size) : inflated(bytes, data, packed, size);
    Tensor tensor;
    if (parse(npy, tensor)) out[name.substr(0, name.rfind(".npy"))] = std::move(tensor);
  }
  return out;
}

}  // namespace fovea::testing_support
