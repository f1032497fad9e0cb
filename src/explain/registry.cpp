#include <array>

#include "explain/method.hpp"
#include "explain/registered.hpp"
#include "fovea/spelling.hpp"

namespace fovea::explain {
namespace {

template <class... Methods>
std::array<Entry, sizeof...(Methods)> rows_of(Types<Methods...>) {
  return {entry<Methods>()...};
}

}  // namespace

std::span<const Entry> registry() {
  static const auto entries = rows_of(Registered());
  return entries;
}

const Entry& find(std::string_view name) {
  std::string known;
  std::vector<std::string> names;
  for (const auto& entry : registry()) {
    if (entry.info.name == name) return entry;
    known += (known.empty() ? "" : ", ") + entry.info.name;
    names.push_back(entry.info.name);
  }
  const std::string unknown(name);
  throw Error(ErrorCode::invalid_argument, "there is no method '" + unknown + "'" +
                                               did_you_mean(names, unknown) +
                                               " (known are: " + known + ")");
}

}  // namespace fovea::explain

namespace fovea {

std::vector<MethodInfo> methods() {
  std::vector<MethodInfo> out;
  for (const auto& entry : explain::registry()) out.push_back(entry.info);
  return out;
}

}  // namespace fovea
