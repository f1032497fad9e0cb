#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/ops/conv_candidates.hpp"
#include "engine/ops/conv_parameters.hpp"
#include "engine/ops/conv_space_to_depth.hpp"
#include "engine/ops/linear.hpp"
#include "engine/ops/post_ops.hpp"

namespace fovea::engine {
namespace {

using graph::Conv;

/// Weights as oneDNN counts them: groups are an axis of their own.
Shape grouped(const Shape& weights, std::int64_t group) {
  if (group == 1) return weights;
  Shape out = weights;
  out[0] /= group;
  out.insert(out.begin(), group);
  return out;
}

ConvProblem problem_of(const Conv& op, const ForwardContext& c) {
  return {c.in_shape(0),          c.out_shape(),      grouped(c.in_shape(1), op.group),
          window_dims(op.window), c.b.compute_type(), c.has(2) && !is_post_op_input(op.post, 2)};
}

Operand weights_in(const Conv& op, ForwardContext& c, const Desc& want) {
  const Desc as = plain_desc(grouped(c.in_shape(1), op.group));
  if (c.is_constant(1)) return c.b.packed_weight(c.node().inputs[1], as, want, "conv");
  Operand weights = c.plain_in(1);
  weights.desc = as;
  return c.b.in_layout(weights, want);
}

/// The gradient of the input by `mirror`, a convolution of `diff`; added to `sum` in place where
/// there is one. None where oneDNN cannot. `make` computes its weights from the node's.
template <class Make>
Operand convolved(ForwardContext& c, const Operand& diff, const ConvProblem& mirror,
                  const std::string& transform, const Operand& sum, Make&& make) {
  graph::PostOps post;
  if (sum) post.push_back({graph::PostOp::Kind::add_input, {}, 0});
  const auto candidate = best_conv(c.b, mirror, post, diff.desc, sum ? sum.desc : Desc());
  if (!candidate.pd || (sum && !(candidate.fused.sum && candidate.pd.dst_desc() == sum.desc)))
    return {};
  const Operand src = c.b.in_layout(diff, candidate.pd.src_desc());
  const Operand weights =
      c.b.derived_weight(c.node().inputs[1], plain_desc(mirror.weights),
                         candidate.pd.weights_desc(), transform, std::forward<Make>(make));
  const Operand dst = sum ? sum : c.b.make(candidate.pd.dst_desc());
  if (sum) c.b.overwritten(sum);
  c.b.primitive(dnnl::convolution_forward(candidate.pd), candidate.pd.scratchpad_desc(),
                candidate.pd.impl_info_str(),
                {{DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, dst}});
  return dst;
}

/// The node's weights as a backward pass takes them: as they are, or rewritten.
std::vector<float> taken(const Rewritten& weights, std::span<const float> own) {
  return weights.make ? weights.make(own) : std::vector<float>(own.begin(), own.end());
}

/// Where each output position meets each tap once (no strides), the gradient is a convolution with
/// mirrored weights, for which oneDNN has more algorithms than for gradients. `sum`: what it may be
/// added to in place.
Operand mirrored_backward(const ConvProblem& problem, ForwardContext& c, const Operand& diff,
                          const Rewritten& weights, const Operand& sum) {
  const auto mirror = mirrored(problem);
  if (!mirror) return {};
  const auto make = [&](std::span<const float> own) {
    return mirrored_weights(problem, taken(weights, own));
  };
  const std::string key = "conv mirrored" + weights.key;
  const bool pointwise = std::all_of(mirror->weights.end() - std::ssize(problem.window.strides),
                                     mirror->weights.end(), [](auto k) { return k == 1; });
  // Winograd takes no sum, so that a wider kernel had better be added afterwards.
  if (sum && pointwise)
    if (const Operand dst = convolved(c, diff, *mirror, key, sum, make)) return dst;
  return convolved(c, diff, *mirror, key, {}, make);
}

/// The same for strides over a picture.
Operand space_to_depth_backward(const ConvProblem& problem, ForwardContext& c, const Operand& diff,
                                const Rewritten& weights) {
  const auto dense = without_strides(problem);
  const auto mirror = dense ? mirrored(*dense) : std::nullopt;
  if (!mirror) return {};
  const Operand dst =
      convolved(c, diff, *mirror, "conv phases" + weights.key, {}, [&](std::span<const float> own) {
        return mirrored_weights(*dense, weights_without_strides(problem, taken(weights, own)));
      });
  return dst ? depth_to_space(c.b, problem, dst) : dst;
}

/// The gradient of the input for constant weights, by a convolution where there is one. `sum` as
/// above.
Operand convolved_backward(const ConvProblem& problem, ForwardContext& c, const Operand& diff,
                           const Rewritten& weights, const Operand& sum) {
  const Operand dst = mirrored_backward(problem, c, diff, weights, sum);
  return dst ? dst : space_to_depth_backward(problem, c, diff, weights);
}

/// By oneDNN's own operator for gradients.
template <class Weights>
Operand plain_backward(const ConvProblem& problem, BackwardContext& c, const Operand& diff,
                       Weights&& weights) {
  // In the layout of the input, for as many images as the problem has.
  const Desc layout = c.grad_layout(0);
  const Desc wanted = problem.src == c.in_shape(0) ? layout : like(layout, problem.src);
  const auto pd = best_conv_backward(c.b, problem, diff.desc, wanted);
  require(pd, c);
  const Operand diff_dst = c.b.in_layout(diff, pd.diff_dst_desc());
  const Operand diff_src = c.b.make(pd.diff_src_desc());
  c.b.primitive(dnnl::convolution_backward_data(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                {{DNNL_ARG_DIFF_DST, diff_dst},
                 {DNNL_ARG_WEIGHTS, weights(pd.weights_desc())},
                 {DNNL_ARG_DIFF_SRC, diff_src}});
  return diff_src;
}

Shape times(Shape shape, std::int64_t seeds) {
  shape[0] *= seeds;
  return shape;
}

/// The gradients of several seeds as those of so many more images. None where they do not lie so,
/// or the weights are no constant.
Operand backward_of_seeds(const Conv& op, const ConvProblem& problem, BackwardContext& c,
                          const Operand& diff) {
  const auto seeds = c.b.seeds();
  if (seeds == 1 || !c.is_constant(1) || !c.b.seeds_are_dense(diff)) return {};
  if (like(diff.desc, problem.dst) != diff.desc) return {};
  ConvProblem all = problem;
  all.src = times(problem.src, seeds);
  all.dst = times(problem.dst, seeds);
  const Operand from = diff.as(like(diff.desc, all.dst));
  const AllSeeds together(c.b);
  Operand out;
  if (problem.type == Type::f32) out = convolved_backward(all, c, from, {}, {});
  if (!out)
    out = plain_backward(all, c, from, [&](const Desc& want) { return weights_in(op, c, want); });
  if (like(out.desc, all.src) != out.desc) out = c.b.plain(out);
  out.desc = like(out.desc, problem.src);
  return out;
}

}  // namespace

void forward(const Conv& op, ForwardContext& c) {
  Desc wanted = c.b.place_of(c.node().outputs[0]).desc;
  if (const auto fused = fuse(op.post); fused.sum)
    wanted = c.in(static_cast<std::size_t>(fused.sum_input)).desc;
  const auto [name, pd, fused] = best_conv(c.b, problem_of(op, c), op.post, c.in(0).desc, wanted);
  require(pd, c);
  const Operand src = c.b.in_layout(c.in(0), pd.src_desc());
  const Operand weights = weights_in(op, c, pd.weights_desc());
  const Operand dst = post_op_dst(c, fused, pd.dst_desc());
  std::vector<std::pair<int, Operand>> args = {
      {DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, dst}};
  if (c.has(2) && !is_post_op_input(op.post, 2)) args.emplace_back(DNNL_ARG_BIAS, c.plain_in(2));
  c.b.primitive(dnnl::convolution_forward(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                std::move(args));
  finish_post_ops(c, op.post, fused, dst);
}

void backward(const Conv& op, BackwardContext& c) {
  const Operand diff = backward_through(c, op.post);
  const auto problem = problem_of(op, c);
  if (problem.bias && c.wants(2)) c.send(2, bias_gradient(c, diff));
  if (c.wants(1)) {
    const auto part = weights_gradient<ConvForward, dnnl::convolution_backward_weights>(
        c, dnnl::algorithm::convolution_direct, problem.weights, problem.window, diff,
        plain_desc(problem.weights));
    c.send(1, part.as(plain_desc(c.in_shape(1))));
  }
  if (!c.wants(0)) return;
  if (const Operand of_seeds = backward_of_seeds(op, problem, c, diff)) return c.send(0, of_seeds);
  if (problem.type == Type::f32 && c.is_constant(1)) {
    const Operand sum = c.sum_so_far(0, diff);
    if (const Operand dst = convolved_backward(problem, c, diff, {}, sum)) {
      if (!sum || !same_place(dst, sum)) c.send(0, dst);
      return;
    }
  }
  c.send(0, plain_backward(problem, c, diff,
                           [&](const Desc& want) { return weights_in(op, c, want); }));
}

Operand apply(const Conv& op, ForwardContext& c, const Operand& x, const Substitute& form,
              const Operand& bias, const Operand& sum) {
  auto problem = problem_of(op, c);
  problem.type = Type::f32;
  problem.bias = static_cast<bool>(bias);
  const auto run = [&](const Operand& into) -> Operand {
    graph::PostOps post;
    if (into) post.push_back({graph::PostOp::Kind::add_input, {}, 0});
    const auto candidate = best_conv(c.b, problem, post, x.desc, into ? into.desc : Desc());
    if (into && !(candidate.pd && candidate.fused.sum && candidate.pd.dst_desc() == into.desc))
      return {};
    require(candidate.pd, c);
    const auto weights = rewritten(form);
    const Operand src = c.b.in_layout(x, candidate.pd.src_desc());
    const Operand dst = into ? into : c.b.make(candidate.pd.dst_desc());
    if (into) c.b.overwritten(into);
    std::vector<std::pair<int, Operand>> args = {
        {DNNL_ARG_SRC, src},
        {DNNL_ARG_WEIGHTS,
         c.b.derived_weight(c.node().inputs[1], plain_desc(problem.weights),
                            candidate.pd.weights_desc(), "conv" + weights.key, weights.make)},
        {DNNL_ARG_DST, dst}};
    if (bias) args.emplace_back(DNNL_ARG_BIAS, bias);
    c.b.primitive(dnnl::convolution_forward(candidate.pd), candidate.pd.scratchpad_desc(),
                  candidate.pd.impl_info_str(), std::move(args));
    return dst;
  };
  if (sum)
    if (const Operand dst = run(sum)) return dst;
  return run({});
}

Operand transpose(const Conv& op, BackwardContext& c, const Operand& s, const Substitute& form,
                  const Operand& sum) {
  auto problem = problem_of(op, c);
  problem.type = Type::f32;
  problem.bias = false;
  const auto weights = rewritten(form);
  if (const Operand dst = convolved_backward(problem, c, s, weights, sum)) return dst;
  return plain_backward(problem, c, s, [&](const Desc& want) {
    return c.b.derived_weight(c.node().inputs[1], plain_desc(problem.weights), want,
                              "conv" + weights.key, weights.make);
  });
}

}  // namespace fovea::engine
