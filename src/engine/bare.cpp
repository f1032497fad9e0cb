#include "engine/bare.hpp"

#include <algorithm>
#include <string_view>

#include "engine/dnnl_compat.hpp"
#include "engine/primitive_cache.hpp"

namespace fovea::engine {
namespace {

using Forward = dnnl::convolution_forward;

Forward::primitive_desc desc_of(const dnnl::primitive& primitive) {
  dnnl_primitive_desc_t copy = nullptr;
  dnnl::error::wrap_c_api(dnnl_primitive_desc_clone(&copy, primitive.get_primitive_desc()),
                          "could not copy a primitive's description");
  return Forward::primitive_desc(copy);
}

bool is_relu(const dnnl::post_ops& ops, int index) {
  if (ops.kind(index) != dnnl::primitive::kind::eltwise) return false;
  float alpha = 0, beta = 0;
  return compat::eltwise_of(ops, index, alpha, beta) == dnnl::algorithm::eltwise_relu && alpha == 0;
}

}  // namespace

std::optional<BareConvolution> bare_convolution(const Step& step) {
  const bool writes_dst = std::any_of(step.args.begin(), step.args.end(),
                                      [](const auto& arg) { return arg.first == DNNL_ARG_DST; });
  if (step.kernel || !writes_dst || step.primitive.get_kind() != dnnl::primitive::kind::convolution)
    return std::nullopt;
  const auto own = desc_of(step.primitive);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto fused = own.get_primitive_attr().get_post_ops();
  if (fused.len() > 0 && is_relu(fused, fused.len() - 1)) {
    dnnl::post_ops relu;
    compat::append_eltwise(relu, dnnl::algorithm::eltwise_relu, 0, 0);
    attr.set_post_ops(relu);
  }
  const auto cached = keep_primitives_cached();
  std::optional<BareConvolution> found;
  compat::each_window_forward<Forward>(
      cpu(), compat::algorithm_of(own), own.src_desc(), own.weights_desc(), own.bias_desc(),
      own.dst_desc(), compat::window_of(own), attr, [&](const Forward::primitive_desc& pd) {
        if (std::string_view(pd.impl_info_str()) != step.implementation) return false;
        found = BareConvolution{Forward(pd), pd.scratchpad_desc()};
        return true;
      });
  if (!found)
    throw Error(ErrorCode::internal,
                "oneDNN does not have the convolution without what is fused into it",
                {"", step.node, step.implementation});
  return found;
}

}  // namespace fovea::engine
