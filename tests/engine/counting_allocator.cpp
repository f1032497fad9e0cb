#include "engine/counting_allocator.hpp"

#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cerrno>
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
}

namespace fovea::engine_test {
namespace {

constexpr std::size_t kMostPrimitives = 1 << 12;

std::atomic<bool> counting{false};
std::atomic<bool> in_onednn{false};
std::atomic<std::size_t> own{0}, openmp{0};
std::array<std::atomic<std::size_t>, kMostPrimitives> onednns;
std::atomic<std::size_t> primitives{0};

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
    ++onednns[primitives % kMostPrimitives];
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
  if (primitives >= kMostPrimitives) throw std::length_error("more primitives than are counted");
  out.onednns.assign(onednns.begin(), onednns.begin() + static_cast<std::ptrdiff_t>(primitives));
  return out;
}

}  // namespace fovea::engine_test

using fovea::engine_test::count;

extern "C" {

void* malloc(std::size_t size) {
  count(__builtin_return_address(0));
  return __libc_malloc(size);
}

void* calloc(std::size_t n, std::size_t size) {
  count(__builtin_return_address(0));
  return __libc_calloc(n, size);
}

void* realloc(void* old, std::size_t size) {
  count(__builtin_return_address(0));
  return __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  count(__builtin_return_address(0));
  *out = __libc_memalign(alignment, size);
  return *out == nullptr && size != 0 ? ENOMEM : 0;
}

// Visible, so that it stands in for oneDNN's in fovea's shared library too.
[[gnu::visibility("default")]] dnnl_status_t dnnl_primitive_execute(
    const_dnnl_primitive_t primitive, dnnl_stream_t stream, int count_of_args,
    const dnnl_exec_arg_t* args) {
  using fovea::engine_test::in_onednn;
  using fovea::engine_test::primitives;
  static const auto real = reinterpret_cast<decltype(&dnnl_primitive_execute)>(
      dlsym(RTLD_NEXT, "dnnl_primitive_execute"));
  in_onednn = true;
  const auto status = real(primitive, stream, count_of_args, args);
  in_onednn = false;
  ++primitives;
  return status;
}

}  // extern "C"
