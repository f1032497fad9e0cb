#include <cstring>
#include <initializer_list>

#include "simd/kernels.hpp"

namespace fovea::simd {

extern const Kernels kBaselineKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

namespace {

/// Asks the compiler's run-time library, which also asks whether the operating system saves the
/// wide registers.
bool supports(Isa isa) {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  switch (isa) {
    case Isa::baseline:
      return true;
    case Isa::avx2:
      return avx2;
    case Isa::avx512:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  }
  return false;
}

}  // namespace

const Kernels* kernels(Isa isa) {
  if (!supports(isa)) return nullptr;
  switch (isa) {
    case Isa::baseline:
      return &kBaselineKernels;
    case Isa::avx2:
      return &kAvx2Kernels;
    case Isa::avx512:
      return &kAvx512Kernels;
  }
  return nullptr;
}

const Kernels& kernels() {
  static const Kernels& best = []() -> const Kernels& {
    for (const Isa isa : {Isa::avx512, Isa::avx2})
      if (const Kernels* found = kernels(isa)) return *found;
    return kBaselineKernels;
  }();
  return best;
}

Isa best_isa() {
  return kernels().isa;
}

const char* to_string(Isa isa) {
  switch (isa) {
    case Isa::baseline:
      return "baseline";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  return "?";
}

std::int64_t padded_channels(MapLayout layout) {
  return (layout.channels + layout.block - 1) / layout.block * layout.block;
}

void clear_padding(float* map, MapLayout layout) {
  const std::int64_t used = layout.channels % layout.block;
  if (used == 0) return;
  float* last = map + (layout.channels - used) * layout.positions;
  for (std::int64_t p = 0; p < layout.positions; ++p)
    std::memset(last + p * layout.block + used, 0,
                static_cast<std::size_t>(layout.block - used) * sizeof(float));
}

}  // namespace fovea::simd
