#include "arguments.hpp"
#include "fovea/method.hpp"
#include "json_output.hpp"
#include "outputs.hpp"

namespace fovea::cli {
namespace {

void list(const std::string& file) {
  std::string text;
  auto json = Json::array();
  for (const auto& row : methods()) {
    text += row.name + "  (" + row.title + ")\n  " + row.paper + "\n  needs: " + row.needs +
            "\n  cost:  " + row.cost + "\n";
    json.push_back({{"name", row.name},
                    {"title", row.title},
                    {"paper", row.paper},
                    {"needs", row.needs},
                    {"cost", row.cost}});
  }
  write_result(file, text, json_text({{"methods", json}}));
}

}  // namespace

void add_methods(CLI::App& app) {
  const auto json = std::make_shared<std::string>();
  auto& sub = *app.add_subcommand("methods", "List the methods: what they need and cost");
  add_json_option(sub, *json);
  sub.callback([json] { list(*json); });
}

}  // namespace fovea::cli
