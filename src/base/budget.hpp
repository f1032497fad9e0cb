#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "fovea/error.hpp"

namespace fovea::base {

/// What holds memory for later that nobody uses now.
class Spares {
 public:
  /// Frees it, and gives its bytes back to its budget.
  virtual void drop_spares() = 0;

 protected:
  ~Spares() = default;
};

/// Bytes that may be taken together, and how many are. Nobody waits: what does not fit, once the
/// spares are dropped, is refused, so that two who hold something cannot wait for each other. Safe
/// from any thread.
class Budget {
 public:
  explicit Budget(std::int64_t limit) : limit_(limit) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  std::int64_t limit() const { return limit_; }
  std::int64_t taken() const { return taken_.load(std::memory_order_relaxed); }

  /// `what`: who wants them, for the sentence of Error out_of_memory. Call it with nothing locked
  /// that a holder of spares needs.
  void take(std::int64_t bytes, std::string_view what);
  void release(std::int64_t bytes) noexcept { taken_.fetch_sub(bytes, std::memory_order_relaxed); }

  void add_spares(Spares& spares);
  void remove_spares(Spares& spares);

 private:
  bool fits(std::int64_t bytes);

  const std::int64_t limit_;
  std::atomic<std::int64_t> taken_{0};
  std::mutex mutex_;
  std::vector<Spares*> spares_;
};

/// Bytes of a budget, taken until this goes. The budget must outlive it.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Budget& budget, std::int64_t bytes, std::string_view what)
      : budget_(&budget), bytes_(bytes) {
    budget.take(bytes, what);
  }
  Reservation(Reservation&& other) noexcept : budget_(other.budget_), bytes_(other.bytes_) {
    other.bytes_ = 0;
  }
  Reservation& operator=(Reservation&& other) noexcept {
    if (this == &other) return *this;
    release();
    budget_ = other.budget_;
    bytes_ = other.bytes_;
    other.bytes_ = 0;
    return *this;
  }
  ~Reservation() { release(); }

  /// More of the same budget.
  void add(std::int64_t bytes, std::string_view what) {
    budget_->take(bytes, what);
    bytes_ += bytes;
  }
  /// Whoever calls this gives the bytes back by itself.
  void keep() noexcept { bytes_ = 0; }
  std::int64_t bytes() const { return bytes_; }
  void release() noexcept {
    if (bytes_ != 0) budget_->release(bytes_);
    bytes_ = 0;
  }

 private:
  Budget* budget_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace fovea::base
