#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "exit_code.hpp"
#include "fovea/error.hpp"
#include "fovea/version.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr int kUsage = 2;
constexpr int kOurs = 1;
constexpr int kInterrupted = 130;  // 128 and the signal's number, as shells have it

int fail(std::string reason, int status) {
  while (!reason.empty() && (reason.back() == '\n' || reason.back() == ' ')) reason.pop_back();
  for (auto& c : reason)
    if (c == '\n' || c == '\r') c = ' ';
  std::fprintf(stderr, "fovea: error: %s\n", reason.c_str());
  return status;
}

// --json and --box may stand alone; the former's file name is "-" then.
std::vector<std::string> with_values(int argc, char** argv) {
  std::vector<std::string> out;
  for (int i = argc - 1; i > 0; --i) {
    const std::string argument = argv[i];
    if (argument == "--json" && (out.empty() || out.back().starts_with("--"))) out.push_back("-");
    if (argument == "--box" && (out.empty() || out.back().starts_with("-")))
      out.push_back(kDefaultShare);
    out.push_back(argument);
  }
  return out;  // last argument first, as CLI11 takes them
}

// CLI11 would only say that a subcommand is missing.
void check_command(const CLI::App& app, int argc, char** argv) {
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

int run(int argc, char** argv) {
  CLI::App app("Where a convolutional network looked: explanations from ONNX files.", "fovea");
  app.require_subcommand(1);
  app.set_version_flag("--version", [] { return "fovea " + build_info().version; });
  add_explain(app);
  add_predict(app);
  add_bench(app);
  add_index(app);
  add_inspect(app);
  add_methods(app);
  add_version(app);
  try {
    check_command(app, argc, argv);
    app.parse(with_values(argc, argv));
  } catch (const CLI::Success& wanted) {  // --help and --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    return fail(std::string(error.what()) + " ('fovea --help' lists what there is)", kUsage);
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
  // A reader that goes away is a write error, which removes the files that were written.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file as large as files may be
  return fovea::cli::run(argc, argv);
}
