#pragma once

#include "fovea/export.hpp"

namespace fovea {

/// What the calling thread's own calls may use of the machine, from here to the end of the object:
/// reading, preprocessing and drawing pictures, and explainers made or run with `threads` 0. For
/// callers that are several threads themselves, each of which would else bring a whole OpenMP team.
/// Results are the same to the bit, but those of explainers made for other numbers of threads.
///
/// Of one thread: made and destroyed there, innermost first. Cost: none to speak of.
class FOVEA_API ThreadLimit {
 public:
  /// Throws Error invalid_argument unless `threads` is from 1 to 1024.
  explicit ThreadLimit(int threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int before_;
};

}  // namespace fovea
