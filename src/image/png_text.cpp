#include "image/png_text.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image/byte_order.hpp"
#include "image/codec.hpp"
#include "image/exif.hpp"
#include "image/read_file.hpp"

namespace fovea {
namespace image {
namespace {

constexpr std::string_view kSignature = "\x89PNG\r\n\x1A\n";
constexpr std::size_t kFrame = 12;  // length, name, checksum
constexpr std::size_t kLongestKey = 79;
// A chunk's length has 31 bits; texts beyond this are no texts, and could unpack to any size.
constexpr std::size_t kMaxText = std::size_t{16} << 20;

std::uint32_t checksum(std::string_view name_and_data) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(name_and_data.data()), name_and_data.size()));
}

// What is in front of the next zero byte, which goes too; none where there is no such byte.
std::optional<std::string_view> cut(std::string_view& text) {
  const auto end = text.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const auto out = text.substr(0, end);
  text.remove_prefix(end + 1);
  return out;
}

std::string from_latin1(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x80) out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(code >= 0x80 ? 0x80 | (code & 0x3F) : code);
  }
  return out;
}

std::optional<std::string> unpacked(std::string_view packed) {
  std::string out;
  for (std::size_t size = 4 * packed.size() + 1024; size <= kMaxText; size *= 4) {
    out.resize(size);
    auto length = static_cast<uLongf>(size);
    const int status = uncompress(reinterpret_cast<Bytef*>(out.data()), &length,
                                  reinterpret_cast<const Bytef*>(packed.data()),
                                  static_cast<uLong>(packed.size()));
    if (status == Z_OK) return out.substr(0, length);
    if (status != Z_BUF_ERROR) return std::nullopt;
  }
  return std::nullopt;
}

// None for a chunk that is no sound text: it does not make the picture a bad one.
std::optional<ImageText> parse(std::string_view name, std::string_view data) {
  const auto key = cut(data);
  if (!key || key->empty() || key->size() > kLongestKey) return std::nullopt;
  const auto found = [&](std::optional<std::string> text) -> std::optional<ImageText> {
    if (!text) return std::nullopt;
    return ImageText{from_latin1(*key), *std::move(text)};
  };
  if (name == "tEXt") return found(from_latin1(data));
  if (name == "zTXt") {
    if (data.empty() || data[0] != 0) return std::nullopt;
    const auto text = unpacked(data.substr(1));
    return text ? found(from_latin1(*text)) : std::nullopt;
  }
  if (data.size() < 2 || static_cast<unsigned char>(data[0]) > 1 || data[1] != 0)
    return std::nullopt;
  const bool is_packed = data[0] == 1;
  data.remove_prefix(2);
  if (!cut(data) || !cut(data)) return std::nullopt;  // its language, the key in that language
  return found(is_packed ? unpacked(data) : std::string(data));
}

std::vector<ImageText> texts_of(Bytes file) {
  if (!has_text(file, 0, kSignature)) return {};
  std::vector<ImageText> out;
  const std::string_view all(reinterpret_cast<const char*>(file.data()), file.size());
  std::size_t at = kSignature.size(), total = 0;
  std::string_view name;
  while (at + kFrame <= file.size() && name != "IEND") {
    const std::size_t length = be32(file, at);
    if (length > file.size() - at - kFrame) break;
    name = all.substr(at + 4, 4);
    if (name == "tEXt" || name == "zTXt" || name == "iTXt") {
      if (checksum(all.substr(at + 4, length + 4)) != be32(file, at + 8 + length))
        throw bad_image("the PNG is damaged: a text's checksum is wrong");
      auto text = total < kMaxText ? parse(name, all.substr(at + 8, length)) : std::nullopt;
      if (text) total += text->text.size();
      if (text) out.push_back(*std::move(text));
    }
    at += kFrame + length;
  }
  if (name != "IEND") throw bad_image("the PNG is cut off");
  return out;
}

// The bytes that ImageMagick writes as a text: a name and a length on lines of their own, then
// digits.
std::vector<std::uint8_t> raw_profile(std::string_view text) {
  for (int line = 0; line < 3; ++line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::vector<std::uint8_t> out;
  int high = -1;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) continue;
    if (high >= 0) out.push_back(static_cast<std::uint8_t>(high << 4 | digit));
    high = high < 0 ? digit : -1;
  }
  return out;
}

Bytes png_exif(Bytes file) {
  std::size_t at = kSignature.size();
  while (at + kFrame <= file.size()) {
    const std::size_t length = be32(file, at);
    if (length > file.size() - at - kFrame) break;
    if (has_text(file, at + 4, "eXIf")) return file.subspan(at + 8, length);
    at += kFrame + length;
  }
  return {};
}

}  // namespace

int png_orientation(Bytes file) {
  Bytes exif = png_exif(file);
  std::vector<std::uint8_t> profile;
  std::string xmp;
  std::vector<ImageText> texts;
  try {
    texts = texts_of(file);
  } catch (const Error&) {
    // Texts that are damaged do not make the pixels so.
  }
  for (const auto& [key, text] : texts) {
    if (key == "Raw profile type exif") profile = raw_profile(text);
    if (key == "XML:com.adobe.xmp") xmp = text;
  }
  return orientation_of(exif.empty() ? Bytes(profile) : exif, xmp);
}

void check_texts(std::span<const ImageText> texts) {
  const auto refuse = [](const std::string& sentence) {
    throw Error(ErrorCode::invalid_argument, sentence);
  };
  for (const auto& [key, text] : texts) {
    const bool printable =
        std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (key.empty() || key.size() > kLongestKey || !printable || key.front() == ' ' ||
        key.back() == ' ' || key.find("  ") != std::string::npos)
      refuse("a text's key must be 1 to 79 printable ASCII characters, with single spaces inside");
    if (text.size() > kMaxText || text.find('\0') != std::string::npos)
      refuse("a text must have at most 16 MiB and no zero byte");
  }
}

}  // namespace image

std::vector<ImageText> decode_texts(std::span<const std::byte> bytes, const std::string& name) {
  try {
    return image::guarded([&] {
      return image::texts_of({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    });
  } catch (const Error& error) {
    throw error.with({name, "", ""});
  }
}

std::vector<ImageText> read_texts(const std::filesystem::path& file) {
  std::vector<std::byte> bytes;
  try {
    bytes = image::guarded([&] { return image::read_file(file); });
  } catch (const Error& error) {
    throw error.with({file.string(), "", ""});
  }
  return decode_texts(bytes, file.string());
}

}  // namespace fovea
