#pragma once

#include <stop_token>
#include <string>

#include "fovea/explainer.hpp"
#include "progress.hpp"

namespace fovea::cli {

/// A call that may take minutes: tells a terminal how far it is, and ends with Error cancelled at
/// Ctrl-C (SIGINT), so that what is to be cleaned up is. A second Ctrl-C ends the program at once.
/// One at a time.
class LongCall {
 public:
  explicit LongCall(std::string what);
  ~LongCall();
  LongCall(const LongCall&) = delete;
  LongCall& operator=(const LongCall&) = delete;

  /// For the call; this object must outlive it.
  CallOptions options();
  /// Throws Error cancelled where Ctrl-C came after the call.
  void check() const;
  bool is_stopped() const { return source_.stop_requested(); }
  /// Ends the call as Ctrl-C does. From any thread.
  void stop() { source_.request_stop(); }

 private:
  std::string what_;
  std::stop_source source_;
  Progress progress_;
  bool listens_ = false;
};

}  // namespace fovea::cli
