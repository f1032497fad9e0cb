// Each arch_*.cpp gives xsimd's namespace a name of its own: the inline functions of the three
// would otherwise share symbols, and the linker might keep the AVX-512 copy for everyone.
#define xsimd fovea_xsimd_baseline
#define FOVEA_SIMD_ARCH xsimd::sse2
#include "simd/kernels/table.hpp"

namespace fovea::simd {
constinit const Kernels kBaselineKernels = make_table(Isa::baseline);
}
