#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// Runs the built program as a user does: a process, its output, its exit status.
namespace fovea::cli_test {

struct Outcome {
  int status = -1;  ///< exit status; -1 where a signal ended it
  std::string out, err;
};

/// `command[0]` is looked up on PATH, with the folder of the built program in front.
Outcome run_command(const std::vector<std::string>& command, const std::filesystem::path& folder);

/// The same with a terminal for standard error.
Outcome run_command_on_terminal(const std::vector<std::string>& command,
                                const std::filesystem::path& folder);

/// A folder of its own, gone with the object.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  /// The program, in this folder.
  Outcome fovea(std::vector<std::string> arguments) const;
  /// Names of what is in the folder, sorted.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path path_;
};

/// The path of tests/cli/fixtures/NAME.onnx.
std::string fixture(const std::string& name);

std::string read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& bytes);

}  // namespace fovea::cli_test
