#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <sstream>
#include <string>

#include "command_line.hpp"
#include "exit_code.hpp"
#include "fovea/error.hpp"
#include "outputs.hpp"

namespace fovea::cli {
namespace {

constexpr int kUsage = 2;
constexpr int kOurs = 1;
constexpr int kInterrupted = 130;  // 128 and the signal's number, as shells have it
constexpr int kPipe = 141;

int fail(std::string reason, int status) {
  while (!reason.empty() && (reason.back() == '\n' || reason.back() == ' ')) reason.pop_back();
  for (auto& c : reason)
    if (c == '\n' || c == '\r') c = ' ';
  std::fprintf(stderr, "fovea: error: %s\n", reason.c_str());
  return status;
}

/// Ends as a program that SIGPIPE ends does.
int end_of_pipe() {
  std::signal(SIGPIPE, SIG_DFL);
  std::raise(SIGPIPE);
  return kPipe;
}

void parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(with_values(argc, argv));
  } catch (const CLI::Success& wanted) {  // --help and --version
    std::ostringstream text;
    app.exit(wanted, text, text);
    print(text.str());
  }
}

int run(int argc, char** argv) {
  CLI::App app;
  describe_program(app);
  try {
    check_command(app, argc, argv);
    parse(app, argc, argv);
  } catch (const ReaderGone&) {
    return end_of_pipe();
  } catch (const CLI::ParseError& error) {
    return fail(usage_sentence(app, error), kUsage);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) return fail("interrupted", kInterrupted);
    return fail(error.what(), exit_code(error.code()));
  } catch (const std::bad_alloc&) {
    return fail("out of memory", kOurs);
  } catch (const std::exception& error) {
    return fail(std::string("internal: ") + error.what(), kOurs);
  }
  return 0;
}

}  // namespace
}  // namespace fovea::cli

int main(int argc, char** argv) {
  // A reader of an output file (a pipe) that goes away is a write error, which removes the others;
  // one of standard output ends the program in its own time.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file as large as files may be
  return fovea::cli::run(argc, argv);
}
