#pragma once

#include <string>

#include "engine/dnnl_compat.hpp"
#include "engine/ops/op.hpp"
#include "engine/ops/post_ops.hpp"

/// The ways in which oneDNN can compute a convolution, and which of them a plan takes.
namespace fovea::engine {

using ConvForward = dnnl::convolution_forward;

/// A convolution in oneDNN's terms, layouts left open.
struct ConvProblem {
  Shape src, dst;
  Shape weights;  ///< groups as an axis of their own where there are any
  compat::WindowDims window;
  Type type;  ///< of src, weights and dst
  bool bias = false;
};

/// As long as an extra axis says that there are groups.
inline bool has_groups(const ConvProblem& p) {
  return p.weights.size() > p.src.size();
}

struct ConvWay {
  std::string name;
  ConvForward::primitive_desc pd;  ///< empty where oneDNN has none
  FusedPostOps fused;              ///< the post-ops that the primitive performs
};

/// The fastest way that the tuner knows or finds; without one, the first of oneDNN's direct
/// algorithms. `src`: where the input is. `dst`: the layout that the result has to have for a sum
/// into it or for a place in a concatenation; empty where any will do.
ConvWay best_conv(Builder& b, const ConvProblem& problem, const graph::PostOps& post,
                  const Desc& src, const Desc& dst);

}  // namespace fovea::engine
