#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "arguments.hpp"
#include "fovea/error.hpp"
#include "fovea/version.hpp"
#include "outputs.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

bool is_number(const std::string& text) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  return failure == std::errc() && rest == end;
}

/// Empty, or with the beginning of JSON.
bool may_be_json(const std::string& file) {
  std::error_code failure;
  if (!fs::is_regular_file(file, failure)) return true;
  std::ifstream stream(file, std::ios::binary);
  char first = '{';
  stream >> std::ws >> first;
  return first == '{' || first == '[';
}

bool is_json_output(const std::string& text) {
  if (text == "-") return true;
  if (text.empty() || text.front() == '-') return false;
  const auto extension = lower(fs::path(text).extension().string());
  if (extension == ".json" || extension == ".jsonl") return true;
  const auto is = [&](std::string_view other) { return extension == other; };
  const auto pictures = picture_extensions();
  return !is(".onnx") && !is(".npy") && !is(".tif") && !is(".tiff") &&
         std::none_of(pictures.begin(), pictures.end(), is) && may_be_json(text);
}

const CLI::App& used(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : *parsed.front();
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> out;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) out.push_back("--" + name);
    for (const auto& name : option->get_snames()) out.push_back("-" + name);
  }
  return out;
}

/// What is wrong with arguments that nothing takes; empty where there are none.
std::string unexpected(const CLI::App& app) {
  const auto extras = app.remaining();
  if (extras.empty()) return {};
  const auto option = std::find_if(extras.begin(), extras.end(), [](const std::string& text) {
    return text.size() > 1 && text.front() == '-';
  });
  if (option == extras.end()) return "'" + extras.front() + "' is an argument too many";
  const auto name = option->substr(0, option->find('='));
  return "there is no option '" + name + "'" + did_you_mean(option_names(app), name);
}

}  // namespace

void describe_program(CLI::App& app) {
  app.name("fovea");
  app.description("Where a convolutional network looked: explanations from ONNX files.");
  app.require_subcommand(1);
  app.set_version_flag("--version", [] { return "fovea " + build_info().version; });
  add_explain(app);
  add_explain_all(app);
  add_predict(app);
  add_bench(app);
  add_index(app);
  add_inspect(app);
  add_methods(app);
  add_version(app);
}

std::vector<std::string> with_values(int argc, const char* const* argv) {
  std::vector<std::string> out;
  for (int i = argc - 1; i > 0; --i) {
    const std::string argument = argv[i];
    if (argument == "--json" && (out.empty() || !is_json_output(out.back()))) out.emplace_back("-");
    if (argument == "--box" && (out.empty() || !is_number(out.back())))
      out.emplace_back(kDefaultShare);
    if (argument == "--whole" &&
        (out.empty() || (out.back() != kDefaultWhole && out.back() != "letterbox")))
      out.emplace_back(kDefaultWhole);
    out.push_back(argument);
  }
  return out;
}

void check_command(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> known;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(command->get_name());
  const std::string name = argv[1];
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw Error(ErrorCode::invalid_argument, "there is no subcommand '" + name + "'" +
                                                 did_you_mean(known, name) +
                                                 " (known: " + joined(known) + ")");
}

std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error) {
  const auto& sub = used(app);
  const auto surplus = unexpected(sub);
  return (surplus.empty() ? std::string(error.what()) : surplus) + " ('fovea " +
         (&sub == &app ? "" : sub.get_name() + " ") + "--help' lists what there is)";
}

}  // namespace fovea::cli
