#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/ops/conv_phases.hpp"
#include "engine/ops/conv_ways.hpp"
#include "engine/ops/linear.hpp"
#include "engine/ops/post_ops.hpp"
#include "engine/ops/window.hpp"

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

Tensor weights_in(const Conv& op, ForwardContext& c, const Desc& want) {
  const Desc as = plain_desc(grouped(c.in_shape(1), op.group));
  if (c.is_constant(1)) return c.b.packed_weight(c.node().inputs[1], as, want, "conv");
  Tensor weights = c.plain_in(1);
  weights.desc = as;
  return c.b.in_layout(weights, want);
}

/// The gradient of the input by `mirror`, a convolution of `diff`; added to `sum` in place where
/// there is one. None where oneDNN cannot. `make` computes its weights from the node's.
template <class Make>
Tensor convolved(ForwardContext& c, const Tensor& diff, const ConvProblem& mirror,
                 const std::string& transform, const Tensor& sum, Make&& make) {
  graph::PostOps post;
  if (sum) post.push_back({graph::PostOp::Kind::add_input, {}, 0});
  const auto way = best_conv(c.b, mirror, post, diff.desc, sum ? sum.desc : Desc());
  if (!way.pd || (sum && !(way.fused.sum && way.pd.dst_desc() == sum.desc))) return {};
  const Tensor src = c.b.in_layout(diff, way.pd.src_desc());
  const Tensor weights =
      c.b.derived_weight(c.node().inputs[1], plain_desc(mirror.weights), way.pd.weights_desc(),
                         transform, std::forward<Make>(make));
  const Tensor dst = sum ? sum : c.b.make(way.pd.dst_desc());
  if (sum) c.b.overwritten(sum);
  c.b.primitive(dnnl::convolution_forward(way.pd), way.pd.scratchpad_desc(), way.pd.impl_info_str(),
                {{DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, dst}});
  return dst;
}

/// The node's weights as a walk back takes them: as they are, or rewritten.
std::vector<float> taken(const Rewritten& weights, std::span<const float> own) {
  return weights.make ? weights.make(own) : std::vector<float>(own.begin(), own.end());
}

/// Where each output position meets each tap once (no strides), the gradient is a convolution with
/// mirrored weights, for which oneDNN has more algorithms than for gradients. `sum`: what it may be
/// added to in place.
Tensor mirrored_backward(const ConvProblem& problem, ForwardContext& c, const Tensor& diff,
                         const Rewritten& weights, const Tensor& sum) {
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
    if (const Tensor dst = convolved(c, diff, *mirror, key, sum, make)) return dst;
  return convolved(c, diff, *mirror, key, {}, make);
}

/// The same for strides over a picture.
Tensor phased_backward(const ConvProblem& problem, ForwardContext& c, const Tensor& diff,
                       const Rewritten& weights) {
  const auto dense = without_strides(problem);
  const auto mirror = dense ? mirrored(*dense) : std::nullopt;
  if (!mirror) return {};
  const Tensor dst =
      convolved(c, diff, *mirror, "conv phases" + weights.key, {}, [&](std::span<const float> own) {
        return mirrored_weights(*dense, weights_without_strides(problem, taken(weights, own)));
      });
  return dst ? ungrouped(c.b, problem, dst) : dst;
}

/// The gradient of the input for constant weights, by a convolution where there is one. `sum` as
/// above.
Tensor convolved_backward(const ConvProblem& problem, ForwardContext& c, const Tensor& diff,
                          const Rewritten& weights, const Tensor& sum) {
  const Tensor dst = mirrored_backward(problem, c, diff, weights, sum);
  return dst ? dst : phased_backward(problem, c, diff, weights);
}

/// By oneDNN's own operator for gradients.
template <class Weights>
Tensor plain_backward(const ConvProblem& problem, BackwardContext& c, const Tensor& diff,
                      Weights&& weights) {
  const auto pd = best_conv_backward(c.b, problem, diff.desc, c.grad_layout(0));
  require(pd, c);
  const Tensor diff_dst = c.b.in_layout(diff, pd.diff_dst_desc());
  const Tensor diff_src = c.b.make(pd.diff_src_desc());
  c.b.primitive(dnnl::convolution_backward_data(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                {{DNNL_ARG_DIFF_DST, diff_dst},
                 {DNNL_ARG_WEIGHTS, weights(pd.weights_desc())},
                 {DNNL_ARG_DIFF_SRC, diff_src}});
  return diff_src;
}

}  // namespace

void forward(const Conv& op, ForwardContext& c) {
  Desc wanted = c.b.place_of(c.node().outputs[0]).desc;
  if (const auto fused = fuse(op.post); fused.sum)
    wanted = c.in(static_cast<std::size_t>(fused.sum_input)).desc;
  const auto [name, pd, fused] = best_conv(c.b, problem_of(op, c), op.post, c.in(0).desc, wanted);
  require(pd, c);
  const Tensor src = c.b.in_layout(c.in(0), pd.src_desc());
  const Tensor weights = weights_in(op, c, pd.weights_desc());
  const Tensor dst = post_op_dst(c, fused, pd.dst_desc());
  std::vector<std::pair<int, Tensor>> args = {
      {DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, dst}};
  if (c.has(2) && !is_post_op_input(op.post, 2)) args.emplace_back(DNNL_ARG_BIAS, c.plain_in(2));
  c.b.primitive(dnnl::convolution_forward(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                std::move(args));
  finish_post_ops(c, op.post, fused, dst);
}

void backward(const Conv& op, BackwardContext& c) {
  const Tensor diff = backward_through(c, op.post);
  if (!c.wants(0)) return;
  const auto problem = problem_of(op, c);
  if (problem.type == Type::f32 && c.is_constant(1)) {
    const Tensor sum = c.sum_so_far(0, diff);
    if (const Tensor dst = convolved_backward(problem, c, diff, {}, sum)) {
      if (!sum || !same_place(dst, sum)) c.send(0, dst);
      return;
    }
  }
  c.send(0, plain_backward(problem, c, diff,
                           [&](const Desc& want) { return weights_in(op, c, want); }));
}

Tensor apply(const Conv& op, ForwardContext& c, const Tensor& x, const Substitute& form,
             const Tensor& bias, const Tensor& sum) {
  auto problem = problem_of(op, c);
  problem.type = Type::f32;
  problem.bias = static_cast<bool>(bias);
  const auto run = [&](const Tensor& into) -> Tensor {
    graph::PostOps post;
    if (into) post.push_back({graph::PostOp::Kind::add_input, {}, 0});
    const auto way = best_conv(c.b, problem, post, x.desc, into ? into.desc : Desc());
    if (into && !(way.pd && way.fused.sum && way.pd.dst_desc() == into.desc)) return {};
    require(way.pd, c);
    const auto weights = rewritten(form);
    const Tensor src = c.b.in_layout(x, way.pd.src_desc());
    const Tensor dst = into ? into : c.b.make(way.pd.dst_desc());
    if (into) c.b.overwritten(into);
    std::vector<std::pair<int, Tensor>> args = {
        {DNNL_ARG_SRC, src},
        {DNNL_ARG_WEIGHTS,
         c.b.derived_weight(c.node().inputs[1], plain_desc(problem.weights), way.pd.weights_desc(),
                            "conv" + weights.key, weights.make)},
        {DNNL_ARG_DST, dst}};
    if (bias) args.emplace_back(DNNL_ARG_BIAS, bias);
    c.b.primitive(dnnl::convolution_forward(way.pd), way.pd.scratchpad_desc(),
                  way.pd.impl_info_str(), std::move(args));
    return dst;
  };
  if (sum)
    if (const Tensor dst = run(sum)) return dst;
  return run({});
}

Tensor transpose(const Conv& op, BackwardContext& c, const Tensor& s, const Substitute& form,
                 const Tensor& sum) {
  auto problem = problem_of(op, c);
  problem.type = Type::f32;
  problem.bias = false;
  const auto weights = rewritten(form);
  if (const Tensor dst = convolved_backward(problem, c, s, weights, sum)) return dst;
  return plain_backward(problem, c, s, [&](const Desc& want) {
    return c.b.derived_weight(c.node().inputs[1], plain_desc(problem.weights), want,
                              "conv" + weights.key, weights.make);
  });
}

}  // namespace fovea::engine
