#include "how.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "npy.hpp"
#include "session.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, sentence);
}

/// NAME=VALUE in two.
std::pair<std::string, std::string> assignment(const std::string& text, const char* option) {
  const auto at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size())
    refuse(std::string(option) + " takes NAME=VALUE, not '" + text + "'");
  return {text.substr(0, at), text.substr(at + 1)};
}

/// Cannot run without something that only the user has.
bool needs_tensor(const MethodInfo& info) {
  return std::any_of(info.given.begin(), info.given.end(),
                     [](const auto& tensor) { return tensor.required; });
}

template <class List>
bool has(const List& list, const std::string& name) {
  return std::any_of(list.begin(), list.end(), [&](const auto& item) { return item.name == name; });
}

}  // namespace

const MethodInfo& info_of(const std::string& name) {
  static const auto all = methods();
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const auto& info) { return info.name == name; });
  if (it == all.end()) refuse("there is no method '" + name + "'");
  return *it;
}

std::string normalize_text(Normalize how) {
  if (how == Normalize::none) return "none";
  return how == Normalize::minmax ? "minmax" : "max";
}

Normalize parse_normalize(const std::string& text) {
  if (text == "none") return Normalize::none;
  return text == "minmax" ? Normalize::minmax : Normalize::max;
}

Colormap parse_colormap(const std::string& text) {
  if (text == "turbo") return Colormap::turbo;
  if (text == "viridis") return Colormap::viridis;
  return text == "inferno" ? Colormap::inferno : Colormap::jet;
}

std::vector<std::string> method_names(const ExplainArguments& arguments) {
  std::vector<std::string> out;
  if (arguments.method == "all") {
    for (const auto& info : methods())
      if (!info.dear && !needs_tensor(info)) out.push_back(info.name);
    return out;
  }
  std::size_t begin = 0;
  for (;;) {
    const auto comma = arguments.method.find(',', begin);
    out.push_back(arguments.method.substr(begin, comma - begin));
    if (comma == std::string::npos) return out;
    begin = comma + 1;
  }
}

namespace {

/// A number, or the name of one of an option's choices.
double option_value(const std::string& name, const std::string& value,
                    const std::vector<std::string>& methods) {
  double number = 0;
  const auto* end = value.data() + value.size();
  if (const auto [rest, failure] = std::from_chars(value.data(), end, number);
      failure == std::errc() && rest == end)
    return number;
  std::vector<std::string> known;
  for (const auto& method : methods)
    for (const auto& option : info_of(method).options) {
      if (option.name != name) continue;
      const auto it = std::find(option.choices.begin(), option.choices.end(), value);
      if (it != option.choices.end()) return static_cast<double>(it - option.choices.begin());
      known.insert(known.end(), option.choices.begin(), option.choices.end());
    }
  if (known.empty()) refuse("--option " + name + ": '" + value + "' is not a number");
  refuse("--option " + name + ": '" + value + "' is none of its choices" +
         did_you_mean(known, value) + " ('fovea methods' lists them)");
}

}  // namespace

void parse_method_options(ExplainArguments& arguments) {
  const auto names = method_names(arguments);
  for (const auto& name : names) require_method(name);
  if (!arguments.layer_rules.empty() &&
      std::all_of(names.begin(), names.end(),
                  [](const std::string& name) { return info_of(name).layer_rules.empty(); }))
    refuse("--rule: the method has no rules that layers could follow");
  for (const auto& text : arguments.options) {
    const auto [name, value] = assignment(text, "--option");
    if (!arguments.method_options.emplace(name, option_value(name, value, names)).second)
      refuse("--option " + name + " is given twice");
  }
  for (const auto& [name, value] : arguments.method_options)
    if (std::none_of(names.begin(), names.end(), [&name = name](const std::string& method) {
          return has(info_of(method).options, name);
        })) {
      std::vector<std::string> known;
      for (const auto& method : names)
        for (const auto& option : info_of(method).options) known.push_back(option.name);
      refuse("the method has no option '" + name + "'" + did_you_mean(known, name) +
             " ('fovea methods' lists them)");
    }
}

Method method_for(const std::string& name, const ExplainArguments& arguments) {
  const auto& info = info_of(name);
  Method out{name};
  const auto own = arguments.options_by_method.find(name);
  if (own != arguments.options_by_method.end()) out.options = own->second;
  for (const auto& [option, value] : arguments.method_options)
    if (has(info.options, option)) out.options[option] = value;
  for (const auto& text : arguments.layer_rules) {
    const auto [layer, rule] = assignment(text, "--rule");
    if (!info.layer_rules.empty()) out.layer_rules[layer] = rule;
  }
  for (const auto& text : arguments.given) {
    const auto [tensor, file] = assignment(text, "--given");
    if (!has(info.given, tensor)) refuse(info.title + " takes no tensor '" + tensor + "'");
    out.given[tensor] = read_npy(file);
  }
  return out;
}

ExplainOptions explain_options(const ExplainArguments& arguments) {
  ExplainOptions out;
  if (!arguments.normalize.empty()) out.normalize = parse_normalize(arguments.normalize);
  out.fuse = arguments.fuse == "max"       ? Fuse::max
             : arguments.fuse == "product" ? Fuse::product
                                           : Fuse::mean;
  out.smooth = arguments.smooth;
  out.keep_sign = arguments.keep_sign;
  return out;
}

}  // namespace fovea::cli
