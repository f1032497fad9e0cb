#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "c/guard.hpp"
#include "fovea.h"
#include "fovea/explainer.hpp"

namespace fovea::c {

/// Begins every handle. A destroyed one has lost its mark, so that most that are used again are
/// found out: as long as nobody else has the memory. A list of those that live would find all, at
/// the price of a lock that every call of the process shares.
template <std::uint64_t kMark>
class Marked {
 public:
  Marked() = default;
  Marked(const Marked&) = delete;
  Marked& operator=(const Marked&) = delete;
  ~Marked() { mark_ = 0; }
  bool is_marked() const { return mark_ == kMark; }

 private:
  volatile std::uint64_t mark_ = kMark;  // else what a destructor writes is left out
};

/// Where warnings go.
struct Log {
  fovea_log to = nullptr;
  void* user = nullptr;

  void operator()(const std::vector<std::string>& warnings) const {
    if (to == nullptr) return;
    for (const auto& warning : warnings) to(user, warning.c_str());
  }
};

}  // namespace fovea::c

struct fovea_model : fovea::c::Marked<0x6d6f64656c> {
  explicit fovea_model(fovea::Model made) : model(std::move(made)) {}
  const fovea::Model model;
};

struct fovea_explainer : fovea::c::Marked<0x6578706c61696e> {
  fovea_explainer(fovea::Explainer made, fovea::c::Log to) : explainer(std::move(made)), log(to) {}
  const fovea::Explainer explainer;
  const fovea::c::Log log;
};

struct fovea_run : fovea::c::Marked<0x72756e> {
  fovea_run(const fovea_explainer& of, fovea::Run made)
      : explainer(of.explainer), log(of.log), run(std::move(made)) {}
  const fovea::Explainer explainer;
  const fovea::c::Log log;
  fovea::Run run;
  mutable std::atomic_flag in_call = ATOMIC_FLAG_INIT;
};

struct fovea_explanations : fovea::c::Marked<0x776879> {
  std::vector<fovea::Explanation> all;
  std::vector<std::string> targets;  ///< as they were asked for, one per explanation
};

namespace fovea::c {

template <class Handle>
bool lives(const Handle* handle) {
  return handle != nullptr && handle->is_marked();
}

/// Throws Error invalid_argument for a handle that is none.
template <class Handle>
Handle& used(Handle* handle, const char* name) {
  if (!required(handle, name).is_marked())
    refuse(std::string(name) + " was destroyed, or is no such handle");
  return *handle;
}

template <class Handle>
void destroy(Handle* handle) noexcept {
  if (!lives(handle)) return;
  delete handle;
}

/// A run for the length of one call.
class RunInCall {
 public:
  explicit RunInCall(const fovea_run* run) : run_(used(run, "run")) {
    if (run_.in_call.test_and_set(std::memory_order_acquire))
      refuse("the run is in another call: it serves one at a time");
  }
  RunInCall(const RunInCall&) = delete;
  RunInCall& operator=(const RunInCall&) = delete;
  ~RunInCall() { run_.in_call.clear(std::memory_order_release); }

 private:
  const fovea_run& run_;
};

}  // namespace fovea::c
