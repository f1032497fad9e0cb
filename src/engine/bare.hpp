#pragma once

#include "engine/builder.hpp"

/// A plan's convolutions without what is fused into them.
namespace fovea::engine {

/// The step's convolution made anew by the same implementation in the same layouts, with its bias
/// and a ReLU at its end and nothing else; with the scratch memory that it wants. None where the
/// step is no forward convolution.
struct BareConvolution {
  dnnl::primitive primitive;
  Desc scratchpad;
};
std::optional<BareConvolution> bare_convolution(const Step& step);

}  // namespace fovea::engine
