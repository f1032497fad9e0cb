#include "pages/table.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "fovea/method_info.hpp"
#include "fovea/request.hpp"

namespace fovea::cli {
namespace {

/// The words of "[a|b|c]" or "a|b|c"; none where one is a placeholder.
std::vector<std::string> choices(const std::string& value) {
  std::vector<std::string> out(1);
  for (const char c : value) {
    if (c == '[' || c == ']') continue;
    if (c == '|')
      out.emplace_back();
    else
      out.back() += c;
    const bool plain = c == '|' || c == '-' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!plain) return {};
  }
  return out.size() > 1 ? out : std::vector<std::string>{};
}

std::vector<std::string> method_names() {
  std::vector<std::string> out;
  for (const auto& info : methods()) out.push_back(info.name);
  return out;
}

/// As --option takes them, up to the value.
std::vector<std::string> method_options() {
  std::vector<std::string> out;
  for (const auto& info : methods())
    for (const auto& option : info.options) out.push_back(option.name + "=");
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

OptionRow row_of(const CLI::Option& option) {
  OptionRow out;
  for (const auto& name : option.get_snames()) out.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) out.names.push_back("--" + name);
  const bool is_argument = out.names.empty();
  if (is_argument) out.names.push_back(option.get_name(true));
  out.help = option.get_description();
  if (option.get_items_expected_max() == 0) return out;
  // Behind a colon stand the ranges that are checked.
  const auto type = option.get_type_name();
  out.value = is_argument ? out.names.front() : type.substr(0, type.find(':'));
  out.by_default = option.get_default_str();
  out.repeatable = option.get_items_expected_max() > 1;
  if (out.value.starts_with('[') && out.value.ends_with(']')) {
    out.value_is_optional = true;
    out.value = out.value.substr(1, out.value.size() - 2);
  }
  out.values = choices(out.value);
  const auto& name = out.names.back();
  if (name == "--method") out.values = method_names();
  if (name == "--method") out.list = true;
  if (name == "--option") out.values = method_options();
  if (name == "--preprocess") out.values = recipe_names();
  const auto mentions = [&](const char* what) { return out.value.find(what) != std::string::npos; };
  out.files =
      is_argument || mentions("FILE") || mentions("DIR") || mentions("RECIPE") || mentions("IMAGE");
  return out;
}

CommandRow row_of(const CLI::App& app, const std::string& name) {
  CommandRow out{name, app.get_description(), app.get_footer(), {}, {}};
  for (const auto* option : app.get_options()) {
    auto row = row_of(*option);
    auto& rows = row.names.back().starts_with('-') ? out.options : out.arguments;
    rows.push_back(std::move(row));
  }
  return out;
}

}  // namespace

std::vector<CommandRow> command_table(const CLI::App& app) {
  std::vector<CommandRow> out = {row_of(app, "")};
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    out.push_back(row_of(*sub, sub->get_name()));
  return out;
}

}  // namespace fovea::cli
