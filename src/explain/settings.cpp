#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "explain/method.hpp"
#include "fovea/error.hpp"
#include "fovea/spelling.hpp"

namespace fovea::explain {
namespace {

[[noreturn]] void refuse(const MethodInfo& info, const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, info.title + sentence);
}

template <class List>
std::vector<std::string> names(const List& list) {
  std::vector<std::string> out;
  out.reserve(list.size());
  for (const auto& item : list) out.push_back(item.name);
  return out;
}

/// Behind a name that is unknown: what may be meant, and all there is.
std::string instead_of(const std::string& name, const std::vector<std::string>& known) {
  return "'" + did_you_mean(known, name) +
         " (known are: " + (known.empty() ? "none" : base::joined(known)) + ")";
}

std::string text(double value) {
  std::string out = std::to_string(value);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out.pop_back();
  return out;
}

void check_rule(const MethodInfo& info, const std::string& layer, const std::string& rule) {
  if (info.layer_rules.empty()) refuse(info, " has no rules that layers could follow");
  if (std::find(info.layer_rules.begin(), info.layer_rules.end(), rule) == info.layer_rules.end())
    refuse(info, ": there is no rule '" + rule + "' for the layer '" + layer +
                     instead_of(rule, info.layer_rules));
}

}  // namespace

Settings::Settings(const MethodInfo& info, const Method& method) : info_(info), method_(method) {
  for (const auto& [name, value] : method.options) {
    const auto it = std::find_if(info.options.begin(), info.options.end(),
                                 [&name = name](const auto& o) { return o.name == name; });
    if (it == info.options.end())
      refuse(info, " has no option '" + name + instead_of(name, names(info.options)));
    if (!it->choices.empty() && !(value >= 0 && value < static_cast<double>(it->choices.size()) &&
                                  value == std::floor(value)))
      refuse(info,
             ": '" + name + "' is one of these, by its place from 0: " + base::joined(it->choices));
    if (it->choices.empty() && !(value >= it->min && value <= it->max))
      refuse(info, ": '" + name + "' must lie between " + text(it->min) + " and " + text(it->max));
    if (it->is_integer && value != std::floor(value))
      refuse(info, ": '" + name + "' must be a whole number");
  }
  for (const auto& [name, tensor] : method.given)
    if (std::none_of(info.given.begin(), info.given.end(),
                     [&name = name](const auto& t) { return t.name == name; }))
      refuse(info, " takes no tensor '" + name + instead_of(name, names(info.given)));
  for (const auto& tensor : info.given) {
    const auto it = method.given.find(tensor.name);
    if (tensor.required && (it == method.given.end() || it->second.data.empty()))
      refuse(info, " needs the tensor '" + tensor.name + "': " + tensor.help);
  }
  for (const auto& [layer, rule] : method.layer_rules) check_rule(info, layer, rule);
}

void Settings::refuse_rows(const std::string& option) const {
  refuse(info_, ": more " + option + " are asked for than the given tensor holds");
}

const Tensor* Settings::given(const std::string& name, const Shape& shape) const {
  const auto it = method_.given.find(name);
  if (it == method_.given.end()) return nullptr;
  Shape expected = shape;
  const Shape& has = it->second.shape;
  if (!expected.empty() && expected[0] == -1 && !has.empty() && has[0] > 0) expected[0] = has[0];
  std::size_t elements = 1;
  for (const auto extent : expected) elements *= static_cast<std::size_t>(extent);
  if (has != expected || it->second.data.size() != elements) {
    std::string wanted;
    for (const auto extent : shape)
      wanted += (wanted.empty() ? "" : ", ") + (extent < 0 ? "any" : std::to_string(extent));
    refuse(info_, ": the tensor '" + name + "' must have the extents [" + wanted + "]");
  }
  const auto& data = it->second.data;
  if (!std::all_of(data.begin(), data.end(), [](float v) { return std::isfinite(v); }))
    throw Error(ErrorCode::bad_input,
                info_.title + ": the tensor '" + name + "' holds values that are not finite");
  return &it->second;
}

const Tensor& Settings::required(const std::string& name, const Shape& shape) const {
  const auto* tensor = given(name, shape);
  if (tensor == nullptr) refuse(info_, " needs the tensor '" + name + "'");
  return *tensor;
}

}  // namespace fovea::explain

namespace fovea {

void check_method(const Method& method) {
  explain::Settings(explain::find(method.name).info, method);
}

}  // namespace fovea
