#include "fovea/version.hpp"

#include "base/parallel.hpp"
#include "engine/plan.hpp"
#include "simd/kernels.hpp"

namespace fovea {
namespace {

std::vector<std::string> instruction_sets() {
  std::vector<std::string> out;
  __builtin_cpu_init();
  const auto add = [&](bool has, const char* name) {
    if (has) out.emplace_back(name);
  };
  add(__builtin_cpu_supports("sse2") != 0, "sse2");
  add(__builtin_cpu_supports("sse4.2") != 0, "sse4.2");
  add(__builtin_cpu_supports("avx") != 0, "avx");
  add(__builtin_cpu_supports("avx2") != 0, "avx2");
  add(__builtin_cpu_supports("fma") != 0, "fma");
  add(__builtin_cpu_supports("avx512f") != 0, "avx512f");
  add(__builtin_cpu_supports("avx512dq") != 0, "avx512dq");
  add(__builtin_cpu_supports("avx512bw") != 0, "avx512bw");
  add(__builtin_cpu_supports("avx512vl") != 0, "avx512vl");
  add(__builtin_cpu_supports("avx512vnni") != 0, "avx512_vnni");
  add(__builtin_cpu_supports("avx512bf16") != 0, "avx512_bf16");
  return out;
}

}  // namespace

BuildInfo build_info() {
  BuildInfo info;
  info.version = FOVEA_VERSION;
  info.onednn = engine::onednn_version();
#if defined(__clang__)
  info.compiler = "clang " __clang_version__;
#else
  info.compiler = "gcc " __VERSION__;
#endif
  info.simd = simd::to_string(simd::best_isa());
  info.onednn_isa = engine::onednn_isa();
  info.instruction_sets = instruction_sets();
  if (info.onednn_isa == "avx512_core_amx") info.instruction_sets.emplace_back("amx_bf16");
  info.bf16 = engine::bf16_supported();
  info.threads = base::max_threads();
  return info;
}

}  // namespace fovea
