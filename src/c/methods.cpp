#include "c/methods.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "c/guard.hpp"
#include "c/options.hpp"
#include "c/structs.hpp"
#include "c/tensors.hpp"
#include "fovea/asking.hpp"
#include "fovea/spelling.hpp"

namespace fovea::c {
namespace {

/// "a=1,b=2" as pairs, in order.
std::vector<std::pair<std::string, std::string>> assignments(const char* text, const char* member) {
  std::vector<std::pair<std::string, std::string>> out;
  std::string_view rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const auto item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const auto at = item.rfind('=');
    if (at == std::string_view::npos || at == 0 || at + 1 == item.size())
      refuse("'" + std::string(item) + "' in " + member + " is not NAME=VALUE");
    out.emplace_back(item.substr(0, at), item.substr(at + 1));
  }
  return out;
}

/// A number, or the name of one of the option's choices.
double value_of(const MethodInfo& info, const std::string& name, const std::string& value) {
  const auto option = std::find_if(info.options.begin(), info.options.end(),
                                   [&](const MethodOption& row) { return row.name == name; });
  if (option == info.options.end()) {
    std::vector<std::string> known;
    for (const auto& row : info.options) known.push_back(row.name);
    refuse(info.name + " has no option '" + name + "'" + did_you_mean(known, name));
  }
  double number = 0;
  const auto* end = value.data() + value.size();
  const auto [rest, failure] = std::from_chars(value.data(), end, number);
  if (failure == std::errc() && rest == end) return number;
  const auto& choices = option->choices;
  const auto at = std::find(choices.begin(), choices.end(), value);
  if (at != choices.end()) return static_cast<double>(at - choices.begin());
  refuse("the option " + name + " of " + info.name + ": '" + value + "' is " +
         (choices.empty() ? std::string("no number")
                          : "none of its choices" + did_you_mean(choices, value)));
}

}  // namespace

const std::vector<MethodInfo>& all_methods() {
  static const auto all = methods();
  return all;
}

Method method_of(const fovea_method* method) {
  const auto given = read(method);
  Method out;
  out.name = &required(given.name, "a method's name");
  const auto* info = find_method(out.name);
  if (info == nullptr) {
    std::vector<std::string> known;
    for (const auto& row : all_methods()) known.push_back(row.name);
    refuse("there is no method '" + out.name + "'" + did_you_mean(known, out.name));
  }
  for (const auto& [name, value] : assignments(given.options, "a method's options"))
    if (!out.options.emplace(name, value_of(*info, name, value)).second)
      refuse("the option " + name + " is given twice");
  for (const auto& [layer, rule] : assignments(given.layer_rules, "a method's layer_rules"))
    if (!out.layer_rules.emplace(layer, rule).second)
      refuse("the layer " + layer + " has two rules");
  for (const auto& [name, view] : feeds_of(given.given, given.given_count, "given"))
    out.given.emplace(name, Tensor{view.shape, {view.data.begin(), view.data.end()}});
  check_method(out);
  return out;
}

}  // namespace fovea::c
