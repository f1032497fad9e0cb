#include "text.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace fovea::cli {

std::string shape_text(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string out;
  for (const auto extent : shape) {
    if (!out.empty()) out += " x ";
    out += extent < 0 ? "?" : std::to_string(extent);
  }
  return out;
}

std::string joined(std::span<const std::string> items, std::string_view separator) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out += separator;
    out += item;
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

double shortest(float value) {
  if (!std::isfinite(value)) return value;
  char buffer[64];
  *std::to_chars(buffer, buffer + sizeof buffer - 1, value).ptr = '\0';
  return std::strtod(buffer, nullptr);
}

std::string number_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

}  // namespace fovea::cli
