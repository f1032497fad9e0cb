#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dnnl_compat.hpp"
#include "engine/ops/op.hpp"
#include "engine/ops/post_ops.hpp"

/// The candidates for a convolution among what oneDNN has, and which of them a plan takes.
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

struct ConvCandidate {
  std::string name;
  ConvForward::primitive_desc pd;  ///< empty where oneDNN has none
  FusedPostOps fused;              ///< the post-ops that the primitive performs
};

/// Loops over single elements, or over a copy of every window.
bool is_slow(std::string_view implementation);

/// What identifies a problem to the tuner: `what` is computed, with these post-ops, between these
/// layouts (`dst` may be empty: any).
std::string name_of(const Builder& b, const char* what, const ConvProblem& problem,
                    const graph::PostOps& post, const Desc& src, const Desc& dst);

/// The fastest candidate that the tuner knows or finds; without one, the first of oneDNN's direct
/// algorithms. `src`: where the input is. `dst`: the layout that the result has to have for a sum
/// into it or for a place in a concatenation; empty where any will do.
ConvCandidate best_conv(Builder& b, const ConvProblem& problem, const graph::PostOps& post,
                        const Desc& src, const Desc& dst);

using ConvBackward = dnnl::convolution_backward_data;

/// The same for the gradient of the input: from `diff`, where the gradient of the result is, to the
/// layout `wanted` if that costs nothing.
ConvBackward::primitive_desc best_conv_backward(Builder& b, const ConvProblem& problem,
                                                const Desc& diff, const Desc& wanted);

/// The convolution that computes the gradient of the input, with mirrored weights; none where that
/// takes more than a convolution (strides) or where padding exceeds the kernel.
std::optional<ConvProblem> mirrored(const ConvProblem& problem);

/// Its weights, row-major, from the weights of the problem: inputs and outputs change places in
/// each group, and every kernel is turned around.
std::vector<float> mirrored_weights(const ConvProblem& problem, std::span<const float> weights);

}  // namespace fovea::engine
