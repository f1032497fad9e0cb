#pragma once

/// What is left of the library in the child of a fork, where only the thread that forked goes on.
namespace fovea::base {

enum class Fork {
  none,   ///< no child, or one of a process whose teams had not run: nothing is missing
  alone,  ///< OpenMP waits for threads that are gone: no parallel region may be entered
  /// A call was under way, so that a lock may be held by a thread that is gone: nothing may be
  /// called.
  broken,
};
Fork fork_state() noexcept;

/// Throws Error invalid_argument where the state is `broken`.
void check_fork();

/// From here on, a child is `alone`. Whoever starts a team says so first.
void note_team() noexcept;

/// A call of the library, from its making to its end: of a fork meanwhile, by any thread, the child
/// is `broken`. Throws what `check_fork` does.
class CallUnderWay {
 public:
  CallUnderWay();
  ~CallUnderWay();
  CallUnderWay(const CallUnderWay&) = delete;
  CallUnderWay& operator=(const CallUnderWay&) = delete;
};

}  // namespace fovea::base
