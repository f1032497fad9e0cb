#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

/// Integers at an offset of a file; the caller has checked that the bytes are there.
namespace fovea::image {

inline std::uint32_t le16(std::span<const std::uint8_t> b, std::size_t at) {
  return b[at] | static_cast<std::uint32_t>(b[at + 1]) << 8;
}

inline std::uint32_t le32(std::span<const std::uint8_t> b, std::size_t at) {
  return le16(b, at) | le16(b, at + 2) << 16;
}

inline std::uint32_t be16(std::span<const std::uint8_t> b, std::size_t at) {
  return static_cast<std::uint32_t>(b[at]) << 8 | b[at + 1];
}

inline std::uint32_t be32(std::span<const std::uint8_t> b, std::size_t at) {
  return be16(b, at) << 16 | be16(b, at + 2);
}

/// True where `b` has `text` at `at` (and false where it ends before).
inline bool has_text(std::span<const std::uint8_t> b, std::size_t at, std::string_view text) {
  return at <= b.size() && b.size() - at >= text.size() &&
         std::memcmp(b.data() + at, text.data(), text.size()) == 0;
}

inline std::string_view as_text(std::span<const std::uint8_t> b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

}  // namespace fovea::image
