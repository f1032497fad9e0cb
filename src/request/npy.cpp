#include "fovea/files.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include "fovea/error.hpp"
#include "request/text.hpp"

namespace fovea {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kLongestHeader = 1 << 16;
constexpr std::int64_t kMaxElements = (std::int64_t{1} << 31) - 1;
constexpr std::size_t kMaxExtents = 8;

struct Header {
  char kind = 0;         // f, i, u or b
  std::size_t size = 0;  // bytes of one element
  bool swapped = false;  // big-endian
  bool fortran = false;
  Shape shape;
  std::int64_t count = 1;
};

[[noreturn]] void refuse(const std::string& reason) {
  throw Error(ErrorCode::bad_input, reason);
}

// The header is a Python dictionary of three entries; this reads just that, in any order.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  Header parse() {
    Header header;
    bool seen_descr = false, seen_order = false, seen_shape = false;
    expect('{');
    while (!take('}')) {
      const auto key = quoted();
      expect(':');
      if (key == "descr" && !seen_descr) {
        seen_descr = true;
        element_type(header);
      } else if (key == "fortran_order" && !seen_order) {
        seen_order = true;
        header.fortran = boolean();
      } else if (key == "shape" && !seen_shape) {
        seen_shape = true;
        shape(header);
      } else {
        broken();
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (!rest_.empty() || !seen_descr || !seen_order || !seen_shape) broken();
    return header;
  }

 private:
  [[noreturn]] static void broken() { refuse("the .npy header is malformed"); }

  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }
  bool take(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) broken();
  }
  std::string_view quoted() {
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) broken();
    const auto end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) broken();
    const auto text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool boolean() {
    skip_blanks();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return value;
      }
    }
    broken();
  }
  void element_type(Header& header) {
    skip_blanks();
    if (!rest_.empty() && rest_.front() == '[') refuse("structured .npy arrays are not supported");
    const auto text = quoted();
    static constexpr std::array<std::string_view, 12> kKnown = {"f2", "f4", "f8", "i1", "i2", "i4",
                                                                "i8", "u1", "u2", "u4", "u8", "b1"};
    const bool has_order =
        !text.empty() && std::string_view("<>|=").find(text.front()) != std::string_view::npos;
    const auto type = has_order ? text.substr(1) : text;
    if (std::find(kKnown.begin(), kKnown.end(), type) == kKnown.end())
      refuse("the .npy element type '" + std::string(text) +
             "' is not supported (f2 f4 f8, i1 to i8, u1 to u8 and b1 are)");
    header.kind = type[0];
    header.size = static_cast<std::size_t>(type[1] - '0');
    header.swapped = text.front() == '>' && header.size > 1;
  }
  void shape(Header& header) {
    expect('(');
    while (!take(')')) {
      header.shape.push_back(extent());
      if (header.shape.size() > kMaxExtents) refuse("the tensor has more than 8 dimensions");
      if (__builtin_mul_overflow(header.count, header.shape.back(), &header.count) ||
          header.count > kMaxElements)
        refuse("the tensor has more than 2^31 - 1 elements");
      if (!take(',')) {
        expect(')');
        break;
      }
    }
  }
  std::int64_t extent() {
    skip_blanks();
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      value = value * 10 + (rest_[digits] - '0');
      if (value > kMaxElements) refuse("the tensor has more than 2^31 - 1 elements");
    }
    if (digits == 0) broken();
    rest_.remove_prefix(digits);
    if (value == 0) refuse("the tensor is empty (an extent is 0)");
    return value;
  }

  std::string_view rest_;
};

float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  float value = 0;
  if (exponent == 31)
    value = mantissa == 0 ? INFINITY : NAN;
  else if (exponent == 0)
    value = std::ldexp(static_cast<float>(mantissa), -24);
  else
    value = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  return (bits >> 15) != 0 ? -value : value;
}

template <class T>
void convert(const std::byte* from, std::vector<float>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    T value;
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    to[i] = static_cast<float>(value);
  }
}

void convert_half(const std::byte* from, std::vector<float>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from + i * 2, 2);
    to[i] = half_to_float(bits);
  }
}

void convert_all(const Header& header, const std::byte* from, std::vector<float>& to) {
  switch (header.kind) {
    case 'f':
      if (header.size == 2) return convert_half(from, to);
      if (header.size == 4) return convert<float>(from, to);
      return convert<double>(from, to);
    case 'i':
      if (header.size == 1) return convert<std::int8_t>(from, to);
      if (header.size == 2) return convert<std::int16_t>(from, to);
      if (header.size == 4) return convert<std::int32_t>(from, to);
      return convert<std::int64_t>(from, to);
    default:  // u and b
      if (header.size == 1) return convert<std::uint8_t>(from, to);
      if (header.size == 2) return convert<std::uint16_t>(from, to);
      if (header.size == 4) return convert<std::uint32_t>(from, to);
      return convert<std::uint64_t>(from, to);
  }
}

// From the first extent running fastest to the last one running fastest.
std::vector<float> to_c_order(const std::vector<float>& from, const Shape& shape) {
  std::vector<float> to(from.size());
  Shape index(shape.size(), 0);
  Shape stride(shape.size(), 1);
  for (std::size_t d = 1; d < shape.size(); ++d) stride[d] = stride[d - 1] * shape[d - 1];
  for (auto& value : to) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) offset += index[d] * stride[d];
    value = from[static_cast<std::size_t>(offset)];
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  return to;
}

// A piece at a time, unless so much `is_there`: a pipe's header may promise more than comes.
std::vector<std::byte> read_exactly(std::istream& stream, std::size_t size, bool is_there = false) {
  constexpr std::size_t kPiece = std::size_t{16} << 20;
  std::vector<std::byte> bytes;
  if (is_there) bytes.reserve(size);
  while (bytes.size() < size) {
    const auto before = bytes.size(), count = std::min(kPiece, size - before);
    if (bytes.capacity() < before + count) bytes.reserve(std::min(size, 2 * before + kPiece));
    bytes.resize(before + count);
    stream.read(reinterpret_cast<char*>(bytes.data() + before),
                static_cast<std::streamsize>(count));
    if (static_cast<std::size_t>(stream.gcount()) != count) refuse("the .npy file ends early");
  }
  return bytes;
}

Tensor read(const std::filesystem::path& file) {
  auto stream = request::open_input(file, ErrorCode::bad_input);
  std::error_code failure;
  std::optional<std::uintmax_t> file_size;  // of a pipe: none
  if (std::filesystem::is_regular_file(file, failure))
    file_size = std::filesystem::file_size(file, failure);
  if (failure) refuse("the file cannot be read");
  if (file_size && *file_size < 10) refuse("this is not a .npy file");

  const auto start = read_exactly(stream, 8);
  if (std::memcmp(start.data(), kMagic.data(), kMagic.size()) != 0)
    refuse("this is not a .npy file");
  const int version = static_cast<int>(start[6]);
  if (version < 1 || version > 3)
    refuse("the .npy format version " + std::to_string(version) + " is not supported");
  const std::size_t length_size = version == 1 ? 2 : 4;
  const auto length_bytes = read_exactly(stream, length_size);
  std::uint32_t length = 0;
  std::memcpy(&length, length_bytes.data(), length_size);
  if (length > kLongestHeader) refuse("the .npy header is malformed");
  const auto text = read_exactly(stream, length);
  const auto header =
      HeaderParser({reinterpret_cast<const char*>(text.data()), text.size()}).parse();

  const std::uintmax_t body = static_cast<std::uintmax_t>(header.count) * header.size;
  const std::uintmax_t before = 8 + length_size + length;
  if (file_size && *file_size != before + body)
    refuse("the .npy file should hold " + std::to_string(body) + " bytes of data and holds " +
           std::to_string(*file_size - before));
  auto bytes = read_exactly(stream, body, file_size.has_value());
  if (!file_size && stream.peek() != std::char_traits<char>::eof())
    refuse("the .npy file should hold " + std::to_string(body) + " bytes of data and holds more");
  if (header.swapped)
    for (std::size_t i = 0; i < bytes.size(); i += header.size)
      std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                   bytes.begin() + static_cast<std::ptrdiff_t>(i + header.size));

  Tensor tensor{header.shape, std::vector<float>(static_cast<std::size_t>(header.count))};
  convert_all(header, bytes.data(), tensor.data);
  if (header.fortran && header.shape.size() > 1)
    tensor.data = to_c_order(tensor.data, tensor.shape);
  return tensor;
}

}  // namespace

Tensor read_npy(const std::filesystem::path& file) {
  try {
    return read(file);
  } catch (const Error& error) {
    throw error.with({.file = file.string(), .node = {}, .op = {}});
  }
}

std::vector<std::byte> npy_bytes(const Tensor& tensor) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const auto extent : tensor.shape)
    header += (header.back() == '(' ? "" : ", ") + std::to_string(extent);
  if (tensor.shape.size() == 1) header += ',';  // a Python tuple of one
  header += "), }";
  // The data starts at a multiple of 64 bytes; the header ends with a newline.
  constexpr std::size_t kPrefix = 10;
  while ((kPrefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';

  std::string start(kMagic);
  start += '\x01';
  start += '\0';
  start += static_cast<char>(header.size() & 255);
  start += static_cast<char>(header.size() >> 8);
  start += header;
  const auto data = std::as_bytes(std::span(tensor.data));
  const auto head = std::as_bytes(std::span(start));
  std::vector<std::byte> out;
  out.reserve(head.size() + data.size());
  out.insert(out.end(), head.begin(), head.end());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

}  // namespace fovea
