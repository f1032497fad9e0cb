#pragma once

#include "engine/ops/op.hpp"

/// What a convolution or matrix product does to its result: as oneDNN post-ops where oneDNN has
/// them, as steps of our own behind it where not.
namespace fovea::engine {

/// The attributes for the primitive; what it cannot take is left to finish_post_ops.
struct FusedPostOps {
  dnnl::primitive_attr attr;
  bool sum = false;  ///< the primitive adds to what dst holds
  int sum_input = 0;
  std::size_t taken = 0;  ///< post-ops that the primitive performs
};
/// At most the first `max` of them.
FusedPostOps fuse(const graph::PostOps& post, std::size_t max = std::size_t(-1));

/// Where the primitive writes: the added value's own buffer where nobody needs it any more, else a
/// buffer that holds a copy of it; simply a new buffer without a sum.
Operand post_op_dst(ForwardContext& context, const FusedPostOps& fused, const Desc& desc);

/// The post-ops that the primitive did not take, in place on dst.
void finish_post_ops(ForwardContext& context, const graph::PostOps& post, const FusedPostOps& fused,
                     const Operand& dst);

/// The post-ops' backward pass: sends the added inputs their part and returns the gradient of
/// the bare operation's result.
Operand backward_through(BackwardContext& context, const graph::PostOps& post);

/// What backward_through reads.
BackwardReads post_op_reads(const graph::PostOps& post);

/// True for an input that a post-op adds.
bool is_post_op_input(const graph::PostOps& post, std::size_t input);

}  // namespace fovea::engine
