#include "engine/work.hpp"

#include <algorithm>

namespace fovea::engine {
namespace {

using Args = std::vector<std::pair<int, Operand>>;

/// Extents of one of several arguments, the first that there is; empty where there is none.
Dims extents_of(const Args& args, std::initializer_list<int> indices) {
  for (const int wanted : indices)
    for (const auto& [index, tensor] : args)
      if (index == wanted) return dims_in(tensor.desc);
  return {};
}

std::int64_t product(const Dims& dims) {
  std::int64_t out = 1;
  for (const auto extent : dims) out *= extent;
  return out;
}

/// Weights are [outputs, inputs, kernel...], with the groups as an axis before where there are
/// any. Each position of the side that the kernel is laid over (`over`: [n, channels, ...]) meets
/// the weights of its channel.
std::int64_t window_multiply_adds(const Dims& over, const Dims& weights) {
  if (over.size() < 2 || over[1] == 0) return 0;
  return product(over) / over[1] * product(weights);
}

}  // namespace

std::int64_t flops_of(dnnl::primitive::kind kind, const Args& args) {
  const Dims weights = extents_of(args, {DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_WEIGHTS});
  switch (kind) {
    case dnnl::primitive::kind::convolution:
      return 2 * window_multiply_adds(extents_of(args, {DNNL_ARG_DST, DNNL_ARG_DIFF_DST}), weights);
    case dnnl::primitive::kind::deconvolution:
      return 2 * window_multiply_adds(extents_of(args, {DNNL_ARG_SRC, DNNL_ARG_DIFF_SRC}), weights);
    case dnnl::primitive::kind::matmul: {
      const Dims src = extents_of(args, {DNNL_ARG_SRC});
      return src.empty() ? 0 : 2 * product(extents_of(args, {DNNL_ARG_DST})) * src.back();
    }
    default:
      return 0;
  }
}

std::int64_t bytes_of(const Args& args) {
  std::int64_t out = 0;
  for (const auto& [index, tensor] : args) out += static_cast<std::int64_t>(tensor.desc.get_size());
  return out;
}

}  // namespace fovea::engine
