#include <charconv>
#include <string>
#include <vector>

#include "c/guard.hpp"
#include "c/infos.hpp"
#include "c/methods.hpp"
#include "c/structs.hpp"

namespace {

using fovea::MethodOption;

/// As short as it is read back the same.
std::string text_of(double value) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::string text_of(const MethodOption& option) {
  auto out = option.name + "=";
  if (option.choices.empty())
    return out + text_of(option.value) + " " + text_of(option.min) + ".." + text_of(option.max);
  out += option.choices.at(static_cast<std::size_t>(option.value)) + " ";
  for (const auto& one : option.choices) out += (&one == &option.choices.front() ? "" : "|") + one;
  return out;
}

/// Of each method.
const std::vector<std::string>& options_texts() {
  static const auto all = [] {
    std::vector<std::string> out;
    for (const auto& method : fovea::c::all_methods()) {
      auto& text = out.emplace_back();
      for (const auto& option : method.options) text += (text.empty() ? "" : ",") + text_of(option);
    }
    return out;
  }();
  return all;
}

}  // namespace

extern "C" {

size_t fovea_method_count(void) {
  try {
    return fovea::c::all_methods().size();
  } catch (...) {
    return 0;
  }
}

fovea_status fovea_method_at(size_t index, fovea_method_info* info, fovea_error* error) {
  return fovea::c::guarded(error, [&] {
    const auto& method = fovea::c::at(fovea::c::all_methods(), index, "method");
    auto value = fovea::c::defaults<fovea_method_info>();
    value.name = method.name.c_str();
    value.title = method.title.c_str();
    value.paper = method.paper.c_str();
    value.use = method.use.c_str();
    value.options = options_texts()[index].c_str();
    value.is_expensive = method.expensive;
    value.is_of_input = method.kind == fovea::MapKind::input;
    fovea::c::write(fovea::c::required(info, "info"), value);
    return FOVEA_OK;
  });
}

}  // extern "C"
