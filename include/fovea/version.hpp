#pragma once

#include <string>
#include <vector>

#include "fovea/export.hpp"

namespace fovea {

/// Versions of what runs, and what the CPU can do.
struct BuildInfo {
  std::string version;                        ///< fovea's own, "0.1.0"
  std::string onednn;                         ///< of the library loaded now
  std::string compiler;                       ///< that built fovea
  std::string simd;                           ///< kernels chosen: "baseline", "avx2" or "avx512"
  std::string onednn_isa;                     ///< what oneDNN may use at most on this CPU
  std::vector<std::string> instruction_sets;  ///< "sse2", "avx2", "avx512_bf16", "amx_bf16", ...
  bool bf16 = false;                          ///< Precision::bf16 is possible
  int threads = 0;                            ///< OpenMP's default team
};

FOVEA_API BuildInfo build_info();

}  // namespace fovea
