#include "folder/rows.hpp"

#include <utility>

namespace fovea::cli {
namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(100);

}  // namespace

Rows::Rows(std::size_t photos, std::size_t ahead, ResultsFile& file, Pace& pace, Standing standing)
    : photos_(photos), ahead_(ahead), file_(file), pace_(pace), standing_(standing) {
  show(true);
}

std::optional<std::size_t> Rows::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || given_ < written_ + ahead_; });
  if (stopped_ || given_ == photos_) return std::nullopt;
  return given_++;
}

void Rows::add(std::size_t place, Row row) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(place, std::move(row));
  for (auto first = waiting_.begin(); first != waiting_.end() && first->first == written_;
       first = waiting_.begin()) {
    const auto done = std::move(first->second);
    waiting_.erase(first);
    file_.append(done.line);
    ++written_;
    const bool is_ok = done.error.empty();
    file_.count(is_ok);
    ++(is_ok ? standing_.ok : standing_.failed);
    if (!is_ok) pace_.tell(done.error);
  }
  show(false);
  changed_.notify_all();
}

void Rows::stop(std::exception_ptr failure) {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  if (!failure_) failure_ = std::move(failure);
  changed_.notify_all();
}

bool Rows::is_stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

std::exception_ptr Rows::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

Standing Rows::standing() const {
  const std::lock_guard lock(mutex_);
  return standing_;
}

void Rows::watch(int threads, const std::function<bool()>& interrupted) {
  std::unique_lock lock(mutex_);
  while (left_ < threads) {
    changed_.wait_for(lock, kBetweenLooks);
    if (interrupted() && !stopped_) {
      stopped_ = true;
      changed_.notify_all();
    }
    show(false);
  }
  show(true);
  pace_.clear();
}

void Rows::leave() {
  const std::lock_guard lock(mutex_);
  ++left_;
  changed_.notify_all();
}

void Rows::show(bool at_once) {
  standing_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  pace_.show(standing_, at_once);
}

}  // namespace fovea::cli
