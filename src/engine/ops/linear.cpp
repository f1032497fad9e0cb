#include "engine/ops/linear.hpp"

#include <algorithm>
#include <bit>

#include "base/checked.hpp"
#include "engine/ops/post_ops.hpp"

namespace fovea::engine {
namespace {

float replaced(const Substitute& form, float v) {
  switch (form.kind) {
    case Substitute::Kind::constant:
      return form.value;
    case Substitute::Kind::square:
      return v * v;
    case Substitute::Kind::parts:
      break;
  }
  return v > 0 ? form.positive * v : form.negative * v;
}

/// The bias's place among the inputs; none without one.
std::size_t bias_input(const graph::Op& op, const graph::Node& node) {
  const auto* conv = std::get_if<graph::Conv>(&op);
  const auto* gemm = std::get_if<graph::Gemm>(&op);
  const auto* matmul = std::get_if<graph::MatMul>(&op);
  const graph::PostOps none;
  const auto& post = conv ? conv->post : gemm ? gemm->post : matmul ? matmul->post : none;
  return node.inputs.size() > 2 && node.inputs[2] && !is_post_op_input(post, 2) ? 2 : 0;
}

std::int64_t channels_of(const graph::Op& op, const Shape& shape) {
  const bool product =
      std::holds_alternative<graph::Gemm>(op) || std::holds_alternative<graph::MatMul>(op);
  return product ? shape.back() : shape[1];
}

}  // namespace

Rewritten rewritten(const Substitute& form, float scale) {
  const auto text = [](float v) { return ' ' + std::to_string(std::bit_cast<std::uint32_t>(v)); };
  std::string key = " as " + std::to_string(static_cast<int>(form.kind)) + text(form.positive) +
                    text(form.negative) + text(form.value) + text(scale);
  return {std::move(key), [form, scale](std::span<const float> own) {
            std::vector<float> out(own.size());
            std::transform(own.begin(), own.end(), out.begin(),
                           [&](float v) { return replaced(form, scale * v); });
            return out;
          }};
}

bool has_linear_form(const graph::Op& op, const graph::Graph& graph, const graph::Node& node) {
  if (node.inputs.size() < 2 || !node.inputs[1]) return false;
  const auto& weights = graph.value(node.inputs[1]);
  if (!weights.constant || weights.type != graph::DType::f32) return false;
  if (graph.value(node.inputs[0]).constant) return false;
  const auto bias = bias_input(op, node);
  if (bias != 0 && !graph.value(node.inputs[bias]).constant) return false;
  if (std::holds_alternative<graph::Conv>(op) || std::holds_alternative<graph::ConvTranspose>(op))
    return true;
  const auto* gemm = std::get_if<graph::Gemm>(&op);
  const bool product = std::holds_alternative<graph::MatMul>(op) || (gemm && !gemm->trans_a);
  if (!product || weights.shape.size() != 2) return false;
  if (bias == 0) return graph.value(node.inputs[0]).shape.size() >= 2;
  const auto& value = graph.value(node.inputs[bias]);
  const auto size = base::element_count(value.shape);
  return graph.value(node.inputs[0]).shape.size() >= 2 &&
         (size == 1 ||
          (size == graph.value(node.outputs[0]).shape.back() && value.shape.back() == size));
}

Operand replaced_bias(ForwardContext& c, const Substitute& form) {
  const auto input = bias_input(c.node().op, c.node());
  if (input == 0) return {};
  const auto* gemm = std::get_if<graph::Gemm>(&c.node().op);
  const auto channels = channels_of(c.node().op, c.out_shape());
  const Desc desc = plain_desc({channels});
  const auto [key, make] = rewritten(form, gemm ? gemm->beta : 1.f);
  return c.b.derived_weight(c.node().inputs[input], desc, desc, "bias" + key,
                            [channels, make = make](std::span<const float> own) {
                              auto out = make(own);
                              out.resize(static_cast<std::size_t>(channels), out.front());
                              return out;
                            });
}

}  // namespace fovea::engine
