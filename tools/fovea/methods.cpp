#include "fovea/method_info.hpp"

#include <nlohmann/json.hpp>

#include "json_output.hpp"
#include "outputs.hpp"
#include "subcommands.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

std::string range(const MethodOption& option) {
  if (!option.choices.empty())
    return option.choices[static_cast<std::size_t>(option.value)] + " of " + joined(option.choices);
  return number_text(option.value) + ", " + number_text(option.min) + " to " +
         number_text(option.max);
}

std::string as_text() {
  std::string text;
  for (const auto& row : methods()) {
    text += row.name + "  (" + row.title + ")\n  " + row.paper + "\n  use:   " + row.use +
            "\n  needs: " + row.needs + "\n  cost:  " + row.cost + "\n";
    for (const auto& option : row.options)
      text += "  option " + option.name + " (" + range(option) + "): " + option.help + "\n";
    if (!row.layer_rules.empty()) text += "  rules of layers: " + joined(row.layer_rules) + "\n";
    for (const auto& tensor : row.given)
      text += "  tensor " + tensor.name + (tensor.required ? " (needed) " : " ") + tensor.shape +
              ": " + tensor.help + "\n";
  }
  return text;
}

std::string as_markdown() {
  std::string text =
      "| method | use it for | needs | cost | options (default, range) | paper |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const auto& row : methods()) {
    text += "| `" + row.name + "` " + row.title + " | " + row.use + " | " + row.needs + " | " +
            row.cost + " | ";
    bool first = true;
    for (const auto& option : row.options) {
      text +=
          (first ? "" : "<br>") + ("`" + option.name) + "` (" + range(option) + "): " + option.help;
      first = false;
    }
    text += " | " + row.paper + " |\n";
  }
  return text;
}

Json as_json() {
  auto out = Json::array();
  for (const auto& row : methods()) {
    auto options = Json::array(), given = Json::array();
    for (const auto& option : row.options)
      options.push_back({{"name", option.name},
                         {"default", option.value},
                         {"least", option.min},
                         {"most", option.max},
                         {"whole", option.is_integer},
                         {"choices", option.choices},
                         {"help", option.help}});
    for (const auto& tensor : row.given)
      given.push_back({{"name", tensor.name},
                       {"shape", tensor.shape},
                       {"help", tensor.help},
                       {"required", tensor.required}});
    out.push_back({{"name", row.name},
                   {"title", row.title},
                   {"paper", row.paper},
                   {"use", row.use},
                   {"needs", row.needs},
                   {"cost", row.cost},
                   {"explains", row.kind == MapKind::layer ? "layer" : "input"},
                   {"score", row.of_probability ? "probability" : "logit"},
                   {"options", options},
                   {"given", given},
                   {"layer_rules", row.layer_rules}});
  }
  return out;
}

}  // namespace

void list_methods(const MethodsArguments& arguments) {
  write_result(arguments.json, arguments.markdown ? as_markdown() : as_text(),
               json_text({{"methods", as_json()}}));
}

}  // namespace fovea::cli
