#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Counts heap allocations of the whole process by who asks. Linking it replaces malloc and its
/// kin, mmap, and dnnl_primitive_execute and dnnl_sgemm, through which all of oneDNN's work goes.
namespace fovea::engine_test {

struct Allocations {
  /// Outside of oneDNN and OpenMP: fovea's, and the standard library's on its behalf.
  std::size_t own = 0;
  std::size_t openmp = 0;            ///< by OpenMP or for its threads, wherever it was called from
  std::vector<std::size_t> onednns;  ///< by oneDNN, per execution of a primitive, in order
};

/// From the construction on, in every thread. One at a time.
class AllocationCount {
 public:
  AllocationCount();
  ~AllocationCount();
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;

  /// Ends the count.
  Allocations stop();
};

/// The most bytes that lived together, beyond those at its construction, in every thread, mappings
/// of their own among them. What oneDNN asks for while it computes does not count. One at a time.
class PeakBytes {
 public:
  PeakBytes();
  ~PeakBytes();
  PeakBytes(const PeakBytes&) = delete;
  PeakBytes& operator=(const PeakBytes&) = delete;

  std::int64_t most() const;
  /// Now.
  std::int64_t live() const;
};

}  // namespace fovea::engine_test
