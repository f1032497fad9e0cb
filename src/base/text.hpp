#pragma once

#include <span>
#include <string>

#include "fovea/tensor.hpp"

namespace fovea::base {

/// "[1, 3, 224, 224]".
inline std::string text(const Shape& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return out + "]";
}

/// "a, b, c".
inline std::string joined(std::span<const std::string> items) {
  std::string out;
  for (const auto& item : items) out.append(out.empty() ? "" : ", ").append(item);
  return out;
}

}  // namespace fovea::base
