#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// Work that may end its process, done in child processes.
namespace fovea::shapes_test {

/// What came of the questions asked: how many were answered, how many refused, by error code.
struct Tally {
  std::int64_t runs = 0;  ///< models that were run and asked everything
  std::int64_t answers = 0;
  std::array<std::int64_t, 8> refusals = {};
};

struct Fault {
  std::int64_t number = 0;
  std::string what;
};

struct Limits {
  unsigned seconds = 30;                       ///< of one piece of work
  std::int64_t bytes = std::int64_t{3} << 30;  ///< that one piece may add to what is in use
};

/// Calls `work` for each number from `first`, `count` of them, and returns those that failed: where
/// `work` returned a sentence, left an exception, took too long or too much, or a signal or a
/// sanitizer ended its process (what it reported comes along). The work after it goes on in a new
/// process. The caller must not have used fovea: OpenMP's threads do not survive a fork.
std::vector<Fault> faults(std::int64_t first, std::int64_t count,
                          const std::function<std::string(std::int64_t, Tally&)>& work,
                          Tally& tally, const Limits& limits = {});

/// What a piece of work is about to do: named where a signal ends it.
void about_to(const std::string& what);

/// Lines for a failed expectation.
std::string listed(const std::vector<Fault>& faults);

/// The number that an environment variable holds, or another.
std::int64_t number_from_environment(const char* name, std::int64_t otherwise);

}  // namespace fovea::shapes_test
