#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

/// The command line as a table: what manual pages and completions are made of.
namespace fovea::cli {

struct OptionRow {
  std::vector<std::string> names;   ///< "-m", "--model"; of an argument without dashes its name
  std::string value;                ///< "FILE", "f32|bf16|auto"; empty for a switch
  std::string help, by_default;     ///< the latter empty where the help says it or there is none
  bool value_is_optional = false;   ///< in square brackets where a page names it
  std::vector<std::string> values;  ///< where the set is known
  bool files = false;               ///< a file or folder may stand there
  bool list = false;                ///< several of `values` with commas between them
  bool repeatable = false;
};

struct CommandRow {
  std::string name, help, footer;  ///< of the program as a whole the name is empty
  std::vector<OptionRow> options, arguments;
};

/// The program itself, then its subcommands.
std::vector<CommandRow> command_table(const CLI::App& app);

/// A manual page, in man(7): of the program where `command` is the first row, else of a subcommand.
/// `date`: YYYY-MM-DD.
std::string manual_page(const std::vector<CommandRow>& table, const CommandRow& command,
                        const std::string& date);

std::string bash_completion(const std::vector<CommandRow>& table);
std::string zsh_completion(const std::vector<CommandRow>& table);
std::string fish_completion(const std::vector<CommandRow>& table);

}  // namespace fovea::cli
