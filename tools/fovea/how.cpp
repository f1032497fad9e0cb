#include "how.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "npy.hpp"
#include "session.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

// CLI11 would take what does not fit for the largest number that does.
std::string whole_number(const std::string& text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  return failure == std::errc() && rest == end ? "" : "'" + text + "' is not a class";
}

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

void add_how_options(CLI::App& app, ExplainArguments& arguments) {
  auto* by_class = app.add_option("--class", arguments.classes,
                                  "Explain this class (repeatable; default: the best one)")
                       ->check(whole_number)
                       ->type_name("N")
                       ->allow_extra_args(false);
  auto* by_label = app.add_option("--label", arguments.target_labels,
                                  "Explain the class of this label, or of the only label that "
                                  "contains it (repeatable)")
                       ->type_name("TEXT")
                       ->allow_extra_args(false);
  auto* by_rank = app.add_option("--top", arguments.top, "Explain the K best classes")
                      ->check(CLI::Range(1, 1000000))
                      ->type_name("K");
  by_class->excludes(by_label)->excludes(by_rank);
  by_label->excludes(by_rank);
  app.add_option("--score", arguments.score,
                 "The class's logit, or its probability (default: the logit; of methods that are "
                 "defined on the probability, that)")
      ->check(CLI::IsMember({"logit", "probability"}))
      ->type_name("logit|probability");
  app.add_flag("--against", arguments.against,
               "Show what speaks against the class (the counterfactual)");
  app.add_option("--minus", arguments.minus, "Explain the class's logit less that of class N")
      ->check(whole_number)
      ->type_name("N");
  auto* region =
      app.add_option(
             "--region", arguments.region,
             "Of scores at positions (a segmentation): explain the class's scores over this "
             "part of the photo (of a tensor: of the input), in pixels, or over a mask "
             "[rows, columns] of the scores' own extents")
          ->type_name("X,Y,W,H|FILE.npy");
  auto* similar =
      app.add_option("--similar-to", arguments.similar_to,
                     "Explain how like the model's output is to that of another image (cosine), "
                     "prepared as this one; of a tensor: another tensor (.npy)")
          ->type_name("FILE");
  for (auto* other : {by_class, by_label, by_rank, region}) similar->excludes(other);
  region->excludes(by_rank);
  app.add_option(
         "--method", arguments.method,
         "How: 'fovea methods' lists them. NAME,NAME,... or all (but the dear ones) draws one "
         "labelled sheet: the photo, then a map per method; a row per class and layer")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--option", arguments.options,
                 "An option of the method, a number or one of its choices' names (repeatable)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option(
         "--rule", arguments.layer_rules,
         "The rule that a layer follows, by the name of its node or value, for methods that "
         "have rules (repeatable)")
      ->type_name("LAYER=RULE")
      ->allow_extra_args(false);
  app.add_option("--given", arguments.given,
                 "What the method would draw at random, or its baseline, as .npy (repeatable)")
      ->type_name("NAME=FILE")
      ->allow_extra_args(false);
  app.add_option("--layer", arguments.layers,
                 "The layer whose map is wanted, by the name of its value or node, or the last of "
                 "an operator, like Conv (default: the last feature map before the head). Several "
                 "(repeatable) are fused")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--fuse", arguments.fuse, "How the maps of several layers become one")
      ->check(CLI::IsMember({"mean", "max", "product"}))
      ->type_name("mean|max|product")
      ->capture_default_str();
  app.add_flag("--smooth", arguments.smooth,
               "The mean map of the image, mirrored and not, times 0.9, 1 and 1.1");
  app.add_flag("--keep-sign", arguments.keep_sign,
               "Keep what speaks against the class as negative values");
  app.add_option(
         "--rendering", arguments.rendering,
         "Of --heatmap: heat; signed: red for, blue against (with --keep-sign or a method of "
         "the input); color: an attribution around grey. The last two have the input's size")
      ->check(CLI::IsMember({"heat", "signed", "color"}))
      ->type_name("heat|signed|color")
      ->capture_default_str();
}

}  // namespace fovea::cli
