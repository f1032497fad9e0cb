#include "engine/counting_allocator.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <dnnl.hpp>
#include <stdexcept>

// The C library's own, which glibc exports under these names.
extern "C" {
void* __libc_malloc(std::size_t size);                           // NOLINT
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT
void* __libc_realloc(void* old, std::size_t size);               // NOLINT
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT
void __libc_free(void* data);                                    // NOLINT
}

namespace fovea::engine_test {
namespace {

constexpr std::size_t kMaxPrimitives = 1 << 12;

std::atomic<bool> counting{false};
std::atomic<bool> in_onednn{false};
std::atomic<std::size_t> own{0}, openmp{0};
std::array<std::atomic<std::size_t>, kMaxPrimitives> onednns;
std::atomic<std::size_t> primitives{0};

std::atomic<bool> weighing{false};
std::atomic<std::int64_t> alive{0}, peak{0};
thread_local bool is_onednns = false;  // what this thread is doing

void note_peak() {
  const auto now = alive.load();
  auto most = peak.load();
  while (now > most && !peak.compare_exchange_weak(most, now)) {
  }
}

/// The mapping that was made last. Its edges, to be cut off at once so that it begins where a huge
/// page does, never hold anything: it counts from the next call on that is no cut.
struct Mapping {
  std::byte* begin = nullptr;
  std::size_t size = 0;

  bool cut(const Mapping& edge) {
    if (edge.size >= size) return false;
    if (edge.begin != begin && edge.begin + edge.size != begin + size) return false;
    if (edge.begin == begin) begin += edge.size;
    size -= edge.size;
    return true;
  }
};
thread_local Mapping newest;

bool weighs() {
  return weighing.load(std::memory_order_relaxed) && !is_onednns;
}

void* arrived(void* data) {
  if (weighs() && data != nullptr) {
    alive += static_cast<std::int64_t>(malloc_usable_size(data));
    note_peak();
  }
  return data;
}

void leaves(void* data) {
  if (weighs() && data != nullptr) alive -= static_cast<std::int64_t>(malloc_usable_size(data));
}

/// The dynamic linker allocates the thread-local variables of a thread that is started, which only
/// OpenMP does here: for one, when oneDNN asks for fewer threads, and the next one for more.
bool is_openmp(const void* caller) {
  Dl_info info{};
  if (dladdr(caller, &info) == 0 || info.dli_fname == nullptr) return false;
  return std::strstr(info.dli_fname, "libgomp") != nullptr ||
         std::strstr(info.dli_fname, "ld-linux") != nullptr;
}

void count(const void* caller) {
  if (!counting.load(std::memory_order_relaxed)) return;
  if (is_openmp(caller)) {
    ++openmp;
  } else if (in_onednn) {
    ++onednns[primitives % kMaxPrimitives];
  } else {
    ++own;
  }
}

}  // namespace

AllocationCount::AllocationCount() {
  own = openmp = primitives = 0;
  for (auto& n : onednns) n = 0;
  counting = true;
}

AllocationCount::~AllocationCount() {
  counting = false;
}

Allocations AllocationCount::stop() {
  counting = false;
  Allocations out;
  out.own = own;
  out.openmp = openmp;
  if (primitives >= kMaxPrimitives) throw std::length_error("more primitives than are counted");
  out.onednns.assign(onednns.begin(), onednns.begin() + static_cast<std::ptrdiff_t>(primitives));
  return out;
}

PeakBytes::PeakBytes() {
  alive = peak = 0;
  weighing = true;
}

PeakBytes::~PeakBytes() {
  weighing = false;
}

std::int64_t PeakBytes::most() const {
  note_peak();
  return peak;
}

std::int64_t PeakBytes::live() const {
  return alive;
}

}  // namespace fovea::engine_test

using fovea::engine_test::arrived;
using fovea::engine_test::count;
using fovea::engine_test::leaves;

extern "C" {

void* malloc(std::size_t size) {
  count(__builtin_return_address(0));
  return arrived(__libc_malloc(size));
}

void* calloc(std::size_t n, std::size_t size) {
  count(__builtin_return_address(0));
  return arrived(__libc_calloc(n, size));
}

void* realloc(void* old, std::size_t size) {
  count(__builtin_return_address(0));
  leaves(old);
  return arrived(__libc_realloc(old, size));
}

void* memalign(std::size_t alignment, std::size_t size) {
  count(__builtin_return_address(0));
  return arrived(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count(__builtin_return_address(0));
  return arrived(__libc_memalign(alignment, size));
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  count(__builtin_return_address(0));
  *out = arrived(__libc_memalign(alignment, size));
  return *out == nullptr && size != 0 ? ENOMEM : 0;
}

void free(void* data) {
  leaves(data);
  __libc_free(data);
}

[[gnu::visibility("default")]] void* mmap(void* at, std::size_t size, int protection, int flags,
                                          int file, off_t offset) {
  auto* out = reinterpret_cast<void*>(syscall(SYS_mmap, at, size, protection, flags, file, offset));
  if (fovea::engine_test::weighs() && out != MAP_FAILED && (flags & MAP_ANONYMOUS) != 0) {
    fovea::engine_test::note_peak();
    fovea::engine_test::alive += static_cast<std::int64_t>(size);
    fovea::engine_test::newest = {static_cast<std::byte*>(out), size};
  }
  return out;
}

[[gnu::visibility("default")]] int munmap(void* at, std::size_t size) {
  if (fovea::engine_test::weighs()) {
    if (!fovea::engine_test::newest.cut({static_cast<std::byte*>(at), size}))
      fovea::engine_test::note_peak();
    fovea::engine_test::alive -= static_cast<std::int64_t>(size);
  }
  return static_cast<int>(syscall(SYS_munmap, at, size));
}

// Visible, so that it stands in for oneDNN's in fovea's shared library too.
[[gnu::visibility("default")]] dnnl_status_t dnnl_primitive_execute(
    const_dnnl_primitive_t primitive, dnnl_stream_t stream, int count_of_args,
    const dnnl_exec_arg_t* args) {
  using fovea::engine_test::in_onednn;
  using fovea::engine_test::is_onednns;
  using fovea::engine_test::primitives;
  static const auto real = reinterpret_cast<decltype(&dnnl_primitive_execute)>(
      dlsym(RTLD_NEXT, "dnnl_primitive_execute"));
  in_onednn = is_onednns = true;
  const auto status = real(primitive, stream, count_of_args, args);
  in_onednn = is_onednns = false;
  ++primitives;
  return status;
}

[[gnu::visibility("default")]] dnnl_status_t dnnl_sgemm(char transa, char transb, dnnl_dim_t m,
                                                        dnnl_dim_t n, dnnl_dim_t k, float alpha,
                                                        const float* a, dnnl_dim_t lda,
                                                        const float* b, dnnl_dim_t ldb, float beta,
                                                        float* c, dnnl_dim_t ldc) {
  static const auto real = reinterpret_cast<decltype(&dnnl_sgemm)>(dlsym(RTLD_NEXT, "dnnl_sgemm"));
  fovea::engine_test::is_onednns = true;
  const auto status = real(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  fovea::engine_test::is_onednns = false;
  return status;
}

}  // extern "C"
