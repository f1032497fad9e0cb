// On the namespace: see arch_baseline.cpp.
#define xsimd fovea_xsimd_avx2
#define FOVEA_SIMD_AVX2
#define FOVEA_SIMD_ARCH xsimd::fma3<xsimd::avx2>
#include "simd/kernels/table.hpp"

namespace fovea::simd {
constinit const Kernels kAvx2Kernels = make_table(Isa::avx2);
}
