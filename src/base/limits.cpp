#include "base/limits.hpp"

#include "base/fork.hpp"
#include "fovea/error.hpp"

namespace fovea::base {

void Limits::check() const {
  check_fork();  // of a call that forked and goes on in the child
  if (is_cancelled()) throw Error(ErrorCode::cancelled, "the call was cancelled");
  if (deadline && std::chrono::steady_clock::now() > *deadline)
    throw Error(ErrorCode::deadline_exceeded, "the call's deadline passed");
}

}  // namespace fovea::base
