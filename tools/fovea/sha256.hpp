#pragma once

#include <future>
#include <map>
#include <optional>
#include <string>

#include "fovea/request.hpp"

/// What files held, in 64 hexadecimal digits.
namespace fovea::cli {

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
