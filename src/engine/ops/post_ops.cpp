#include "engine/ops/post_ops.hpp"

#include "engine/dnnl_compat.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::PostOp;
using graph::UnaryKind;

bool append(dnnl::post_ops& ops, const graph::Unary& op) {
  using A = dnnl::algorithm;
  switch (op.kind) {
    case UnaryKind::relu:
      compat::append_eltwise(ops, A::eltwise_relu, 0, 0);
      return true;
    case UnaryKind::leaky_relu:
      compat::append_eltwise(ops, A::eltwise_relu, op.alpha, 0);
      return true;
    case UnaryKind::clip:
      compat::append_eltwise(ops, A::eltwise_clip, op.alpha, op.beta);
      return true;
    case UnaryKind::sigmoid:
      compat::append_eltwise(ops, A::eltwise_logistic, 0, 0);
      return true;
    case UnaryKind::tanh:
      compat::append_eltwise(ops, A::eltwise_tanh, 0, 0);
      return true;
    case UnaryKind::elu:
      compat::append_eltwise(ops, A::eltwise_elu, op.alpha, 0);
      return true;
    case UnaryKind::silu:
      compat::append_eltwise(ops, A::eltwise_swish, op.alpha, 0);
      return true;
    case UnaryKind::identity:
    case UnaryKind::selu:
    case UnaryKind::celu:
    case UnaryKind::hard_sigmoid:
    case UnaryKind::hard_swish:
    case UnaryKind::softplus:
    case UnaryKind::softsign:
    case UnaryKind::mish:
    case UnaryKind::gelu:
    case UnaryKind::gelu_tanh:
    case UnaryKind::erf:
    case UnaryKind::sqrt:
    case UnaryKind::exp:
    case UnaryKind::log:
    case UnaryKind::abs:
    case UnaryKind::neg:
    case UnaryKind::reciprocal:
    case UnaryKind::floor:
    case UnaryKind::ceil:
    case UnaryKind::round:
    case UnaryKind::sign:
    case UnaryKind::sin:
    case UnaryKind::cos:
    case UnaryKind::tan:
    case UnaryKind::asin:
    case UnaryKind::acos:
    case UnaryKind::atan:
    case UnaryKind::sinh:
    case UnaryKind::cosh:
    case UnaryKind::asinh:
    case UnaryKind::acosh:
    case UnaryKind::atanh:
    case UnaryKind::is_nan:
    case UnaryKind::is_inf:
    case UnaryKind::logical_not:
      break;
  }
  return false;
}

}  // namespace

FusedPostOps fuse(const graph::PostOps& post, std::size_t max) {
  FusedPostOps out;
  out.attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops ops;
  for (const auto& op : post) {
    if (out.taken == max) break;
    if (op.kind == PostOp::Kind::add_input) {
      if (out.taken != 0) break;
      ops.append_sum(1.f);
      out.sum = true;
      out.sum_input = op.input;
    } else if (!append(ops, op.unary)) {
      break;
    }
    ++out.taken;
  }
  out.attr.set_post_ops(ops);
  return out;
}

Operand post_op_dst(ForwardContext& c, const FusedPostOps& fused, const Desc& desc) {
  if (!fused.sum) return c.make_out(desc);
  const Operand addend = c.in(static_cast<std::size_t>(fused.sum_input));
  if (addend.desc == desc && c.b.may_overwrite(addend)) {
    c.b.overwritten(addend);
    return addend;
  }
  const Operand dst = c.make_out(desc);
  c.b.copy_to(addend, dst);
  return dst;
}

void finish_post_ops(ForwardContext& c, const graph::PostOps& post, const FusedPostOps& fused,
                     const Operand& dst) {
  Operand result = dst;
  for (std::size_t i = fused.taken; i < post.size(); ++i) {
    result = c.b.f32(result);
    if (post[i].kind == PostOp::Kind::add_input) {
      result = sum_of(c.b, result, c.f32_in(static_cast<std::size_t>(post[i].input)));
      continue;
    }
    if (has_padding(result.desc) && !keeps_zero(post[i].unary)) result = c.b.plain(result);
    add_unary_step(c.b, post[i].unary, result, result);
    c.b.overwritten(result);
  }
  c.out(0, result);
}

Operand backward_through(BackwardContext& c, const graph::PostOps& post) {
  Operand diff = c.grad();
  for (std::size_t i = post.size(); i-- > 0;) {
    if (post[i].kind == PostOp::Kind::unary) {
      if (c.b.rule() == GradientRule::rescale)
        c.fail(ErrorCode::internal, "the rescale rule does not know what a fused function took");
      diff = unary_gradient(c.b, post[i].unary, diff, c.dst(), c.may_overwrite(diff));
    } else if (c.wants(static_cast<std::size_t>(post[i].input))) {
      c.send(static_cast<std::size_t>(post[i].input), diff);
    }
  }
  return diff;
}

BackwardReads post_op_reads(const graph::PostOps& post) {
  BackwardReads reads;
  for (const auto& op : post) reads.output = reads.output || op.kind == PostOp::Kind::unary;
  return reads;
}

bool is_post_op_input(const graph::PostOps& post, std::size_t input) {
  for (const auto& op : post)
    if (op.kind == PostOp::Kind::add_input && static_cast<std::size_t>(op.input) == input)
      return true;
  return false;
}

}  // namespace fovea::engine
