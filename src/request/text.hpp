#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "fovea/error.hpp"
#include "fovea/tensor.hpp"

namespace fovea::request {

/// "1 x 3 x 224 x 224", "?" where an extent is open, "scalar" for none.
std::string shape_text(const Shape& shape);
/// "a, b, c".
std::string joined(std::span<const std::string> items);
/// Without control characters: labels go to terminals, which take those for orders.
std::string printable_label(std::string label);
/// ASCII letters only; other bytes stay.
std::string lower(std::string_view text);
/// To be read from its beginning to its end: a regular file, or a pipe, whose writer it waits for.
/// Throws Error(code) naming the file when it is missing, unreadable, or something else: a
/// directory, a device, a socket.
std::ifstream open_input(const std::filesystem::path& file, ErrorCode code);

/// Runs `work`; an Error that names no file names `file` afterwards.
template <class Work>
decltype(auto) in_file(const std::string& file, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw error.with({.file = file, .node = {}, .op = {}});
  }
}

/// Adds the wall time from here to the end of the scope.
class Watch {
 public:
  explicit Watch(double& milliseconds) : to_(milliseconds) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    to_ += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_)
               .count();
  }

 private:
  double& to_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Runs `work`, adds its wall time to `milliseconds` and returns what it returned.
template <class Work>
decltype(auto) timed(double& milliseconds, Work&& work) {
  const Watch watch(milliseconds);
  return std::forward<Work>(work)();
}

}  // namespace fovea::request
