#include "engine/ops/elementwise.hpp"
#include "engine/ops/op.hpp"
#include "engine/ops/post_ops.hpp"
#include "graph/op_traits.hpp"

/// What the engine asks of an operator's row.
namespace fovea::engine {
namespace {

namespace trait = graph::trait;

BackwardReads reads_by_fields(const graph::Unary& op, unsigned) {
  return slope_from_result(op) ? BackwardReads{0, true} : BackwardReads{1u, false};
}

/// Of x, scale and bias: x and its moments for the first two, the scale for x.
BackwardReads norm_reads(unsigned wanted) {
  const bool either = (wanted & 3u) != 0;
  return {(either ? 1u : 0u) | ((wanted & 1u) << 1), false, either};
}
/// Weights, lengths and peepholes; what the steps were is kept.
BackwardReads reads_by_fields(const graph::Recurrent&, unsigned) {
  return {1u << 1 | 1u << 2 | 1u << 4 | 1u << 7, false, true};
}
BackwardReads reads_by_fields(const graph::LayerNorm&, unsigned wanted) {
  return norm_reads(wanted);
}
BackwardReads reads_by_fields(const graph::InstanceNorm&, unsigned wanted) {
  return norm_reads(wanted);
}
BackwardReads reads_by_fields(const graph::GroupNorm&, unsigned wanted) {
  return norm_reads(wanted);
}
/// (x - mean) (variance + epsilon)^-1/2 scale + bias.
BackwardReads reads_by_fields(const graph::BatchNorm&, unsigned wanted) {
  constexpr unsigned kX = 1, kScale = 2, kMean = 8, kVariance = 16;
  BackwardReads reads;
  if ((wanted & (kX | kMean)) != 0) reads.inputs |= kScale | kVariance;
  if ((wanted & kScale) != 0) reads.inputs |= kX | kMean | kVariance;
  if ((wanted & kVariance) != 0) reads.inputs |= kX | kScale | kMean | kVariance;
  return reads;
}

/// The regions and their images; whose largest sample it was, the map says.
BackwardReads reads_by_fields(const graph::RoiAlign& op, unsigned) {
  return {op.max ? 7u : 6u, false};
}

template <class Op>
BackwardReads reads_of(const Op& op, unsigned wanted, bool rescale) {
  const auto arithmetic = trait::arithmetic(op);
  switch (rescale ? arithmetic.rescale_reads : arithmetic.reads) {
    case trait::nothing:
      break;
    case trait::first:
      return {1u, false};
    case trait::second:
      return {2u, false};
    case trait::both:
      return {3u, false};
    case trait::result:
      return {0, true};
    case trait::first_and_result:
      return {1u, true};
    case trait::other_factor:
      return {((wanted & 1u) << 1) | (wanted >> 1 & 1u), false};
    case trait::divisor:
      return {(wanted & 2u) != 0 ? 3u : 2u, false};
    case trait::reads_by_fields:
      if constexpr (trait::of_any_kind<Op>([](const auto& any) {
                      return any.reads == trait::reads_by_fields ||
                             any.rescale_reads == trait::reads_by_fields;
                    }))
        return reads_by_fields(op, wanted);
      break;
  }
  return {};
}

template <class Op>
concept HasPostOps = requires(const Op& op) {
  op.post;
};

}  // namespace

BackwardReads backward_reads(const graph::Op& op, unsigned wanted, bool rescale) {
  return std::visit(
      [&]<class Op>(const Op& own) {
        auto reads = reads_of(own, wanted, rescale);
        if constexpr (HasPostOps<Op>) {
          const auto behind = post_op_reads(own.post);
          reads.inputs |= behind.inputs;
          reads.output = reads.output || behind.output;
        }
        return reads;
      },
      op);
}

namespace {

/// Is the input among those of the mask, or one that a post-op adds?
template <class Op>
bool is_among(const Op& op, unsigned inputs, std::size_t input) {
  if (inputs == trait::kEveryInput) return true;
  if constexpr (HasPostOps<Op>)
    if (is_post_op_input(op.post, input)) return true;
  return input < 32 && (inputs >> input & 1u) != 0;
}

}  // namespace

bool has_gradient(const graph::Op& op, std::size_t input) {
  return std::visit(
      [&](const auto& own) { return is_among(own, trait::arithmetic(own).gradients, input); }, op);
}

bool is_stopped(const graph::Op& op, std::size_t input) {
  return std::visit(
      [&]<class Op>([[maybe_unused]] const Op& own) {
        return input < 32 && (trait::kStoppedInputs<Op> >> input & 1u) != 0;
      },
      op);
}

bool is_rescaled(const graph::Op& op, std::size_t input) {
  return std::visit(
      [&](const auto& own) { return is_among(own, trait::arithmetic(own).rescales, input); }, op);
}

namespace {

/// Of integers a run, which holds floats, would round what these yield.
bool rounds_integers(const graph::Op& op) {
  if (const auto* reduce = std::get_if<graph::Reduce>(&op))
    return reduce->kind == graph::ReduceKind::l2 || reduce->kind == graph::ReduceKind::log_sum_exp;
  if (const auto* unary = std::get_if<graph::Unary>(&op))
    return unary->kind == graph::UnaryKind::erf || unary->kind == graph::UnaryKind::log;
  return std::holds_alternative<graph::Gemm>(op) || std::holds_alternative<graph::MatMul>(op) ||
         std::holds_alternative<graph::Einsum>(op);
}

}  // namespace

void forward(ForwardContext& context) {
  if (rounds_integers(context.node().op) && context.in_type(0) != graph::DType::f32)
    context.fail(ErrorCode::unsupported, "of so many integers");
  std::visit([&](const auto& op) { forward(op, context); }, context.node().op);
}

void backward(BackwardContext& context) {
  std::visit(
      [&]<class Op>(const Op& op) {
        if constexpr (trait::of_any_kind<Op>([](const auto& any) { return any.gradients != 0; }))
          backward(op, context);
        else
          context.fail(ErrorCode::unsupported, "this operator has no gradient");
      },
      context.node().op);
}

SumOffer sum_offer(const SumQuery& query) {
  return std::visit(
      [&]<class Op>(const Op& op) {
        if constexpr (trait::row<Op>.sums != trait::no_sums)
          return sum_offer(op, query);
        else
          return SumOffer();
      },
      query.node.op);
}

Operand sum_backward(BackwardContext& context, const SumLayout& layout, float scale) {
  return std::visit(
      [&]<class Op>(const Op& op) -> Operand {
        if constexpr (trait::row<Op>.sums == trait::ends_sums)
          return sum_backward(op, context, layout, scale);
        else
          context.fail(ErrorCode::internal, "this operator has no channel sums");
      },
      context.node().op);
}

}  // namespace fovea::engine
