// Writes the manual pages and the shells' completions of the command line as it is.
// usage: make_pages FOLDER DATE
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "command_line.hpp"
#include "pages/table.hpp"

namespace {

bool write(const std::filesystem::path& file, const std::string& text) {
  std::error_code failure;
  std::filesystem::create_directories(file.parent_path(), failure);
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  if (!stream) std::fprintf(stderr, "make_pages: cannot write %s\n", file.c_str());
  return static_cast<bool>(stream);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::filesystem::path folder = argv[1];
  CLI::App app;
  fovea::cli::describe_program(app);
  const auto table = fovea::cli::command_table(app);
  bool done = true;
  for (const auto& command : table) {
    const auto name = command.name.empty() ? std::string("fovea") : "fovea-" + command.name;
    done =
        write(folder / "man" / (name + ".1"), fovea::cli::manual_page(table, command, argv[2])) &&
        done;
  }
  done = write(folder / "bash/fovea", fovea::cli::bash_completion(table)) && done;
  done = write(folder / "zsh/_fovea", fovea::cli::zsh_completion(table)) && done;
  done = write(folder / "fish/fovea.fish", fovea::cli::fish_completion(table)) && done;
  return done ? 0 : 1;
}
