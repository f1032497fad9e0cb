#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

/// The command line as a whole: its subcommands, and what is said of one that is wrong.
namespace fovea::cli {

/// The program: what it is called, its own options, every subcommand with its.
void describe_program(CLI::App& app);

/// The arguments behind the program's name, the last one first, as CLI11 takes them; --json, --box
/// and --whole, which may stand alone, with their values. An argument behind --json that names a
/// model, a tensor or a picture, or an existing file that holds something other than JSON, is not
/// the file that it writes.
std::vector<std::string> with_values(int argc, const char* const* argv);

/// Throws Error invalid_argument, with the nearest, for a subcommand that does not exist.
void check_command(const CLI::App& app, int argc, const char* const* argv);

/// What is wrong, what may have been meant, and the help that lists what there is. `app` is as
/// parsing left it.
std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error);

}  // namespace fovea::cli
