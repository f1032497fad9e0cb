#include <algorithm>
#include <dnnl.hpp>

#include "engine/dnnl_compat.hpp"
#include "engine/plan.hpp"

namespace fovea::engine {

void multiply_matrices(float scale, const float* a, const float* b, float* c, std::int64_t m,
                       std::int64_t k, std::int64_t n) {
  const auto status =
      dnnl_sgemm('N', 'N', m, n, k, scale, a, std::max<std::int64_t>(k, 1), b,
                 std::max<std::int64_t>(n, 1), 0.f, c, std::max<std::int64_t>(n, 1));
  if (status == dnnl_out_of_memory)
    throw Error(ErrorCode::out_of_memory, "not enough memory for a matrix product");
  if (status != dnnl_success) throw Error(ErrorCode::internal, "oneDNN refused a matrix product");
}

std::string onednn_version() {
  const auto* v = dnnl::version();
  return std::to_string(v->major) + '.' + std::to_string(v->minor) + '.' + std::to_string(v->patch);
}

std::string onednn_isa() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "other";
  }
}

bool bf16_supported() {
  // Asked of oneDNN itself: the least convolution in bf16.
  const Desc src({1, 16, 4, 4}, Type::bf16, dnnl::memory::format_tag::any);
  const Desc weights({16, 16, 1, 1}, Type::bf16, dnnl::memory::format_tag::any);
  const auto pd = compat::window_forward<dnnl::convolution_forward>(
      cpu(), dnnl::algorithm::convolution_direct, src, weights, Desc(), src,
      {{1, 1}, {0, 0}, {0, 0}, {0, 0}}, dnnl::primitive_attr());
  return pd && std::string(pd.impl_info_str()).find("ref") == std::string::npos;
}

}  // namespace fovea::engine
