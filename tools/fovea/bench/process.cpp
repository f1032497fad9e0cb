#include "bench/process.hpp"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace fovea::cli {
namespace {

std::optional<double> own_memory(std::string_view field) {
  std::ifstream stream("/proc/self/status");
  const std::string status{std::istreambuf_iterator<char>(stream), {}};
  return memory_field(status, field);
}

}  // namespace

std::optional<double> resident_memory() {
  return own_memory("VmRSS");
}

std::optional<double> peak_memory() {
  return own_memory("VmHWM");
}

std::optional<double> memory_field(std::string_view status, std::string_view field) {
  const auto line = "\n" + std::string(field) + ":";
  auto at = status.find(line);
  if (at == std::string_view::npos) return std::nullopt;
  at = status.find_first_not_of(" \t", at + line.size());
  if (at == std::string_view::npos) return std::nullopt;
  double kibibytes = 0;
  const auto [rest, failure] =
      std::from_chars(status.data() + at, status.data() + status.size(), kibibytes);
  if (failure != std::errc()) return std::nullopt;
  return kibibytes * 1024 / 1e6;
}

std::string cpu_name() {
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

std::string variable_or_default(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "default" : value;
}

}  // namespace fovea::cli
