#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

namespace fovea {

/// Arithmetic of convolutions and matrix products. bf16 needs AVX-512 or AMX; with AMX it is
/// faster than f32, without it slower. `automatic`: bf16 where this CPU runs this network clearly
/// faster in it (timed when the explainer is made), else f32.
enum class Precision { f32, bf16, automatic };

/// How an explainer finds the fastest of oneDNN's algorithms for each layer (direct, Winograd,
/// other layouts). Whatever it picks, results stay within f32's rounding of each other.
enum class Tuning {
  off,  ///< the direct algorithm everywhere: the explainer is made fastest
  /// A few runs of each candidate when the explainer is made, tenths of a second
  /// (CompileOptions::tuning_time is the bound). Empties oneDNN's process-wide cache of primitives
  /// meanwhile.
  quick,
  thorough,  ///< several times as many, for a plan cache that is shipped
  winograd,  ///< Winograd wherever oneDNN has it, timed or not: to compare accuracy
};

/// How the threads of a call wait for each other, at the end of each of the network's steps.
/// Results are the same to the bit.
///
/// A thread that spins has the next step begin at once. On a machine that others use as well it
/// burns a core that another thread of its team waits for, and each step can take a scheduler's
/// slice. One that sleeps wakes some microseconds late.
///
/// There is one way at a time in a process: while one explainer has waiting threads sleep, all
/// OpenMP teams of the process do. Where the environment says how threads wait (OMP_WAIT_POLICY,
/// GOMP_SPINCOUNT), and with another OpenMP than GCC's, nothing is done.
enum class Waiting {
  /// They spin, and sleep from the next step on once calls take far longer than they could while
  /// threads of the process are sent off their cores. They spin again when it has been calm.
  adaptive,
  sleep,   ///< from the explainer's making to its end
  openmp,  ///< as OpenMP has them: GCC's spins for some milliseconds
};

/// Limits of one call. Checked between the network's steps.
struct CallOptions {
  std::stop_token stop = {};  ///< Error cancelled
  /// The same where somebody else owns it: once it is not 0. Null: none. It may be written by any
  /// thread or signal handler, outlives the call, and is read without ordering other memory.
  const std::atomic<int>* stop_flag = nullptr;
  std::optional<std::chrono::steady_clock::time_point> deadline = {};  ///< Error deadline_exceeded
  /// Where not empty, one entry per step of `Explainer::steps` (else Error invalid_argument): the
  /// wall milliseconds of each step that ran are added to its entry. For one call at a time.
  std::span<double> step_ms = {};
  /// Told how much of a call is done, 0 to 1, never less than before: by methods that run the
  /// network hundreds of times (MethodInfo::expensive), after each run or batch of runs, from the
  /// calling thread. What it throws ends the call and reaches the caller.
  std::function<void(double done)> progress = {};
  /// OpenMP threads of the call, at most 1024; 0: the explainer's (PoolOptions::threads). A plan is
  /// made for a number of threads, so the first call of an explainer with another one makes the
  /// plans once more and takes accordingly long (nothing is timed; weights are shared where their
  /// layouts agree). They are kept, and their workspaces count in PoolOptions::memory_limit. An
  /// explanation runs on the threads of the Run that it belongs to, whatever is said here.
  int threads = 0;
};

/// A piece of a run: a oneDNN primitive, or a kernel of fovea's own.
struct StepInfo {
  std::string node;            ///< the node it belongs to; empty for what leads out of the network
  std::string op;              ///< operator, "reorder", or "fetch" and "gradient" for results
  std::string implementation;  ///< as oneDNN names it, or "fovea"
  bool backward = false;       ///< of a backward pass
  /// Two per multiply-add of convolutions and matrix products, borders counted as if inside; 0 for
  /// everything else.
  std::int64_t flops = 0;
  std::int64_t bytes = 0;  ///< of all operands and results, each once; no scratch memory
};

}  // namespace fovea
