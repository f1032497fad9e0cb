#include <array>

#include "explain/method.hpp"

namespace fovea::explain {

std::span<const Entry> registry() {
  static const std::array<Entry, 2> entries = {gradcam(), cam()};
  return entries;
}

const Entry& find(std::string_view name) {
  std::string known;
  for (const auto& entry : registry()) {
    if (entry.info.name == name) return entry;
    known += (known.empty() ? "" : ", ") + entry.info.name;
  }
  throw Error(ErrorCode::invalid_argument,
              "there is no method '" + std::string(name) + "'; known are: " + known);
}

}  // namespace fovea::explain

namespace fovea {

std::vector<MethodInfo> methods() {
  std::vector<MethodInfo> out;
  for (const auto& entry : explain::registry()) out.push_back(entry.info);
  return out;
}

}  // namespace fovea
