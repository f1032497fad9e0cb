#include "base/team_size.hpp"
#include "fovea/error.hpp"
#include "fovea/threads.hpp"

namespace fovea {
namespace {

constexpr int kMostThreads = 1024;

int checked(int threads) {
  if (threads < 1 || threads > kMostThreads)
    throw Error(ErrorCode::invalid_argument, "threads must be from 1 to 1024");
  return threads;
}

}  // namespace

ThreadLimit::ThreadLimit(int threads) : before_(base::set_team_size(checked(threads))) {}

ThreadLimit::~ThreadLimit() {
  base::set_team_size(before_);
}

}  // namespace fovea
