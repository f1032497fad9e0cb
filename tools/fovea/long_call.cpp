#include "long_call.hpp"

#include <atomic>
#include <csignal>
#include <utility>

namespace fovea::cli {
namespace {

constexpr auto kQuiet = std::chrono::milliseconds(500);

std::atomic<std::stop_source*> listener = nullptr;
struct sigaction before;

// No callback is registered with these sources, so that to stop is to set a flag: safe here.
extern "C" void stop_listener(int) {
  if (auto* source = listener.load()) source->request_stop();
}

}  // namespace

LongCall::LongCall(std::string what) : what_(std::move(what)), progress_(kQuiet) {
  ::sigaction(SIGINT, nullptr, &before);
  if (before.sa_handler == SIG_IGN) return;  // as nohup and shells' background jobs have it
  listener = &source_;
  struct sigaction stop = {};
  stop.sa_handler = stop_listener;
  stop.sa_flags = SA_RESETHAND;
  listens_ = ::sigaction(SIGINT, &stop, nullptr) == 0;
}

LongCall::~LongCall() {
  if (listens_) ::sigaction(SIGINT, &before, nullptr);
  listener = nullptr;
}

CallOptions LongCall::options() {
  CallOptions out;
  out.stop = source_.get_token();
  out.progress = [this](double done) {
    if (done < 1)
      progress_.show(what_, done);
    else
      progress_.clear();
  };
  return out;
}

void LongCall::check() const {
  if (source_.stop_requested()) throw Error(ErrorCode::cancelled, "the call was cancelled");
}

}  // namespace fovea::cli
