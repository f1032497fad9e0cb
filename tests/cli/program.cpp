#include "program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace fovea::cli_test {
namespace fs = std::filesystem;

namespace {

[[noreturn]] void become(const std::vector<std::string>& command, const fs::path& folder,
                         const std::array<int, 2>& out, const std::array<int, 2>& err) {
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, 0);
  ::dup2(out[1], 1);
  ::dup2(err[1], 2);
  for (const int end : {out[0], out[1], err[0], err[1]}) ::close(end);
  const char* path = std::getenv("PATH");
  ::setenv("PATH",
           (fs::path(FOVEA_PROGRAM).parent_path().string() + ":" + (path ? path : "")).c_str(), 1);
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  if (::chdir(folder.c_str()) == 0) ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

namespace {

// A reading and a writing end.
std::array<int, 2> open_pipe() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("pipe");
  return ends;
}

std::array<int, 2> open_terminal() {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0)
    throw std::runtime_error("posix_openpt");
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  if (slave < 0) throw std::runtime_error("ptsname");
  return {master, slave};
}

Outcome run_with(const std::vector<std::string>& command, const fs::path& folder,
                 const std::array<int, 2>& err) {
  const auto out = open_pipe();
  const auto child = ::fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) become(command, folder, out, err);
  ::close(out[1]);
  ::close(err[1]);

  Outcome outcome;
  std::array<pollfd, 2> ends = {{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}};
  const std::array<std::string*, 2> texts = {&outcome.out, &outcome.err};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    ::poll(ends.data(), ends.size(), -1);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      char buffer[4096];
      const auto count = ::read(ends[i].fd, buffer, sizeof buffer);
      if (count > 0) {
        texts[i]->append(buffer, static_cast<std::size_t>(count));
      } else {
        ::close(ends[i].fd);
        ends[i].fd = -1;
      }
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
  return outcome;
}

}  // namespace

Outcome run_command(const std::vector<std::string>& command, const fs::path& folder) {
  return run_with(command, folder, open_pipe());
}

Outcome run_command_on_terminal(const std::vector<std::string>& command, const fs::path& folder) {
  return run_with(command, folder, open_terminal());
}

Scratch::Scratch() {
  auto pattern = (fs::temp_directory_path() / "fovea-cli-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Outcome Scratch::fovea(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), FOVEA_PROGRAM);
  return run_command(arguments, path_);
}

std::vector<std::string> Scratch::names() const {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(path_))
    out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

std::string fixture(const std::string& name) {
  return FOVEA_SOURCE_DIR "/tests/cli/fixtures/" + name + ".onnx";
}

std::string read_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_file(const fs::path& file, const std::string& bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream << bytes;
  if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace fovea::cli_test
