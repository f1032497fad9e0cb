#pragma once

#include <future>
#include <map>
#include <optional>
#include <string>

/// What a file held, in 64 hexadecimal digits.
namespace fovea::cli {

/// The SHA-256 of a file; none for what can be read but once (a pipe) and for what is not there or
/// cannot be read. Throws Error internal where the library fails.
std::optional<std::string> sha256_of(const std::string& file);

/// Takes files' SHA-256 beside other work, each file once.
class Digests {
 public:
  /// Begins, on a thread of its own.
  void start(const std::string& file);
  /// What sha256_of says; waits for it where it was started.
  std::optional<std::string> of(const std::string& file);

 private:
  std::map<std::string, std::shared_future<std::optional<std::string>>> found_;
};

}  // namespace fovea::cli
