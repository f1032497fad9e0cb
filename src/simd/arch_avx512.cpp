// On the namespace: see arch_baseline.cpp.
#define xsimd fovea_xsimd_avx512
#define FOVEA_SIMD_AVX512
#define FOVEA_SIMD_ARCH xsimd::avx512bw
#include "simd/kernels/table.hpp"

namespace fovea::simd {
constinit const Kernels kAvx512Kernels = make_table(Isa::avx512);
}
