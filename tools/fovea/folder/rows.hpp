#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "folder/pace.hpp"
#include "folder/results_file.hpp"

namespace fovea::cli {

/// A photo's line, and what is told of it.
struct Row {
  std::string line;
  std::string error;  ///< empty: it was explained
};

/// Gives photos out to threads and writes their lines in the photos' order, so that a folder of
/// results is the same however many threads made it, and a call that was killed has done the first
/// so many. Nobody gets far ahead of what is written: what waits for a slow photo is bounded.
/// Safe from any thread.
class Rows {
 public:
  Rows(std::size_t photos, std::size_t ahead, ResultsFile& file, Pace& pace, Standing standing);

  /// The next photo's place; waits while that is too far ahead. None where there is no more to do,
  /// or the call ends.
  std::optional<std::size_t> next();
  /// Throws what `ResultsFile::append` does.
  void add(std::size_t place, Row row);
  /// No further photos. The first failure is kept.
  void stop(std::exception_ptr failure = nullptr);
  bool is_stopped() const;
  std::exception_ptr failure() const;

  /// Shows how far it is, until all threads are through.
  void watch(int threads, const std::function<bool()>& interrupted);
  /// A thread is through.
  void leave();

  Standing standing() const;

 private:
  using Clock = std::chrono::steady_clock;
  void show(bool at_once);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t photos_, ahead_, given_ = 0, written_ = 0;
  std::map<std::size_t, Row> waiting_;
  ResultsFile& file_;
  Pace& pace_;
  Standing standing_;
  Clock::time_point start_ = Clock::now();
  bool stopped_ = false;
  int left_ = 0;
  std::exception_ptr failure_;
};

}  // namespace fovea::cli
