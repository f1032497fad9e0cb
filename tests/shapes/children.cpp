#include "shapes/children.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace fovea::shapes_test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// What a child tells its parent, in memory that both see.
struct Shared {
  std::int64_t number = 0;
  bool returned = false;  ///< from the last piece of work, with the text below
  Tally tally;
  std::array<char, 2048> text = {};
  std::array<char, 1024> about_to = {};
};

template <std::size_t N>
void put(std::array<char, N>& to, const std::string& text) {
  to[text.copy(to.data(), N - 1)] = '\0';
}

Shared& shared_memory() {
  static Shared* const shared = [] {
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("mmap");
    return new (memory) Shared;
  }();
  return *shared;
}

std::int64_t most_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

std::string done(const std::function<std::string(std::int64_t, Tally&)>& work, std::int64_t number,
                 Tally& tally, const Limits& limits) {
  const auto before = most_memory();
  std::string text;
  try {
    text = work(number, tally);
  } catch (const std::exception& error) {
    text = std::string("an exception was left: ") + error.what();
  }
  const auto more = most_memory() - before;
  if (text.empty() && !kSanitized && more > limits.bytes)
    text = "took " + std::to_string(more >> 20) + " MiB more than before";
  return text;
}

/// One process: goes on until a piece fails, which ends it.
[[noreturn]] void be_child(std::int64_t first, std::int64_t end,
                           const std::function<std::string(std::int64_t, Tally&)>& work,
                           const Limits& limits, const std::string& log) {
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(file, 2);
  if (!kSanitized) {
    const auto most = static_cast<rlim_t>(limits.bytes) * 2 + (rlim_t{2} << 30);
    const rlimit bound{most, most};
    ::setrlimit(RLIMIT_AS, &bound);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
  }
  auto& shared = shared_memory();
  for (auto number = first; number < end; ++number) {
    shared.number = number;
    put(shared.about_to, "");
    ::alarm(kSanitized ? limits.seconds * 4 : limits.seconds);
    const auto text = done(work, number, shared.tally, limits);
    ::alarm(0);
    if (text.empty()) continue;
    put(shared.text, text);
    shared.returned = true;
    ::_exit(1);
  }
  ::_exit(0);
}

/// What a sanitizer, or the C library, said: its verdict and fovea's own frames.
std::string report(const std::string& log) {
  std::ifstream in(log);
  std::string out, line;
  int frames = 0;
  while (std::getline(in, line)) {
    const bool verdict = line.find("ERROR: ") != std::string::npos ||
                         line.find("runtime error") != std::string::npos ||
                         line.find("terminate called") != std::string::npos ||
                         line.find("what():") != std::string::npos;
    const bool frame = line.find("    #") == 0 && line.find("/src/") != std::string::npos;
    if (verdict || (frame && ++frames <= 6)) out += "\n    " + line;
  }
  return out;
}

}  // namespace

std::vector<Fault> faults(std::int64_t first, std::int64_t count,
                          const std::function<std::string(std::int64_t, Tally&)>& work,
                          Tally& tally, const Limits& limits) {
  std::vector<Fault> out;
  const auto log = (std::filesystem::temp_directory_path() /
                    ("fovea-shapes-" + std::to_string(::getpid()) + ".log"))
                       .string();
  auto& shared = shared_memory();
  shared.tally = {};
  for (auto next = first; next < first + count; next = shared.number + 1) {
    shared.returned = false;
    std::fflush(nullptr);
    const auto child = ::fork();
    if (child < 0) throw std::runtime_error("fork");
    if (child == 0) be_child(next, first + count, work, limits, log);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
    std::string what;
    if (shared.returned)
      what = shared.text.data();
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
      what = "took longer than " + std::to_string(limits.seconds) + " s";
    else if (WIFSIGNALED(status))
      what = "signal " + std::to_string(WTERMSIG(status));
    else
      what = "exit status " + std::to_string(WEXITSTATUS(status));
    if (!shared.returned) what += ": " + std::string(shared.about_to.data()) + report(log);
    out.push_back({shared.number, std::move(what)});
  }
  tally = shared.tally;
  std::error_code ignored;
  std::filesystem::remove(log, ignored);
  return out;
}

void about_to(const std::string& what) {
  put(shared_memory().about_to, what);
}

std::string listed(const std::vector<Fault>& faults) {
  std::ostringstream out;
  out << faults.size() << " faults\n";
  for (const auto& fault : faults) out << fault.number << ": " << fault.what << '\n';
  return out.str();
}

std::int64_t number_from_environment(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoll(text, nullptr, 10);
}

}  // namespace fovea::shapes_test
