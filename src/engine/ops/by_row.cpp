#include "engine/ops/elementwise.hpp"
#include "engine/ops/op.hpp"
#include "engine/ops/post_ops.hpp"
#include "graph/op_traits.hpp"

/// What the engine asks of an operator's row.
namespace fovea::engine {
namespace {

namespace trait = graph::trait;

BackwardReads reads_by_fields(const graph::Unary& op) {
  return slope_from_result(op) ? BackwardReads{0, true} : BackwardReads{1u, false};
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
    case trait::first_and_kept:
      return {1u, false, true};
    case trait::other_factor:
      return {((wanted & 1u) << 1) | (wanted >> 1 & 1u), false};
    case trait::divisor:
      return {(wanted & 2u) != 0 ? 3u : 2u, false};
    case trait::reads_by_fields:
      if constexpr (trait::of_any_kind<Op>([](const auto& any) {
                      return any.reads == trait::reads_by_fields ||
                             any.rescale_reads == trait::reads_by_fields;
                    }))
        return reads_by_fields(op);
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

bool has_gradient(const graph::Op& op, std::size_t input) {
  return std::visit(
      [&]<class Op>(const Op& own) {
        const unsigned gradients = trait::arithmetic(own).gradients;
        if (gradients == trait::kEveryInput) return true;
        if constexpr (HasPostOps<Op>)
          if (is_post_op_input(own.post, input)) return true;
        return input < 32 && (gradients >> input & 1u) != 0;
      },
      op);
}

void forward(ForwardContext& context) {
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
