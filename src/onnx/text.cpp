#include "onnx/text.hpp"

#include <cstddef>

#include "fovea/error.hpp"
#include "onnx/limits.hpp"

namespace fovea::onnx {
namespace {

constexpr std::size_t kLongestQuoted = 80;

bool is_control(unsigned char c) {
  return c < 0x20 || c == 0x7f;
}

// Length of the UTF-8 sequence at the front, 0 where there is none (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < s.size() && at(i) >= low && at(i) <= high;
  };
  const unsigned c = at(0);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return tail(1) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) {
    const unsigned low = c == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = c == 0xed ? 0x9f : 0xbf;
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (c >= 0xf0 && c <= 0xf4) {
    const unsigned low = c == 0xf0 ? 0x90 : 0x80;
    const unsigned high = c == 0xf4 ? 0x8f : 0xbf;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string quote(std::string_view name) {
  std::string out = "'";
  while (!name.empty()) {
    const auto length = utf8_length(name);
    if (out.size() + length > kLongestQuoted) return out + "...'";
    if (length == 0 || is_control(static_cast<unsigned char>(name.front())))
      out += '?';
    else
      out += name.substr(0, length);
    name.remove_prefix(length == 0 ? 1 : length);
  }
  return out + "'";
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const char first = text.front();
    const bool layout = first == '\n' || first == '\r' || first == '\t';
    if (length == 0 || (!layout && is_control(static_cast<unsigned char>(first))))
      out += '?';
    else
      out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

void check_name(std::string_view name, std::string_view what) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::bad_model, "the name of " + std::string(what) + " " + why,
                {{}, quote(name), {}});
  };
  if (name.size() > kMaxNameBytes)
    refuse("is longer than " + std::to_string(kMaxNameBytes) + " bytes");
  for (auto rest = name; !rest.empty();) {
    const auto length = utf8_length(rest);
    if (length == 0) refuse("is not UTF-8 text");
    if (is_control(static_cast<unsigned char>(rest.front())))
      refuse("contains a control character");
    rest.remove_prefix(length);
  }
}

}  // namespace fovea::onnx
