#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/builder.hpp"
#include "engine/ops/sums.hpp"
#include "engine/path.hpp"
#include "graph/graph.hpp"

/// What every operator's file defines: `forward` and `backward`, side by side. What a backward pass
/// reads, and which inputs have a gradient at all, is in the operator's row (graph/op_traits.hpp).
namespace fovea::engine {

/// What a backward pass reads of the forward pass: a bit per input, and the output, which are kept
/// from fusion and from being overwritten; and what the node's own steps kept.
struct BackwardReads {
  unsigned inputs = 0;
  bool output = false;
  bool kept = false;
};

/// A node while its forward steps are built.
class ForwardContext {
 public:
  /// `keeps`: a backward pass that passes the node reads what its steps keep.
  ForwardContext(Builder& builder, const graph::Node& node, bool keeps = false)
      : b(builder), node_(node), keeps_(keeps) {}

  Builder& b;

  const graph::Node& node() const { return node_; }
  std::size_t inputs() const { return node_.inputs.size(); }
  std::size_t outputs() const { return node_.outputs.size(); }
  bool has(std::size_t i) const { return i < inputs() && node_.inputs[i]; }
  const Shape& in_shape(std::size_t i) const { return b.graph().value(node_.inputs[i]).shape; }
  const Shape& out_shape(std::size_t o = 0) const {
    return b.graph().value(node_.outputs[o]).shape;
  }
  graph::DType in_type(std::size_t i) const { return b.graph().value(node_.inputs[i]).type; }
  graph::DType out_type(std::size_t o = 0) const { return b.graph().value(node_.outputs[o]).type; }

  /// Of a backward pass: Error internal for an input that it did not declare and that is no
  /// constant.
  Operand in(std::size_t i) {
    require_declared(i);
    return b.value(node_.inputs[i]);
  }
  Operand plain_in(std::size_t i) { return b.plain(in(i)); }
  Operand f32_in(std::size_t i) { return b.f32(in(i)); }
  bool is_constant(std::size_t i) const {
    return b.graph().value(node_.inputs[i]).constant.has_value();
  }
  /// The floats of a constant input.
  graph::Floats constant(std::size_t i) const {
    return b.graph().value(node_.inputs[i]).constant->floats();
  }

  Operand make_plain_out(std::size_t o = 0) { return b.make(plain_desc(out_shape(o))); }
  /// Somewhere to write output o in this layout: its place in a concatenation where it has one.
  Operand make_out(const Desc& desc, std::size_t o = 0) {
    const Operand place = b.place_of(node_.outputs[o]);
    return place && place.desc == desc ? place : b.make(desc);
  }
  /// Somewhere to write an element-wise result: its place in a concatenation, or the input itself
  /// where nobody needs it any more.
  Operand make_like(const Operand& input) {
    if (const Operand place = b.place_of(node_.outputs[0]); place && place.desc == input.desc)
      return place;
    if (!b.may_overwrite(input)) return b.make(input.desc);
    b.overwritten(input);
    return input;
  }
  void out(std::size_t o, const Operand& tensor) { b.set_value(node_.outputs[o], tensor); }

  /// True where a backward pass comes by that reads what is kept. Elsewhere it would be memory and
  /// time for nobody.
  bool keeps() const { return keeps_; }
  /// A buffer that the node's steps fill for its backward passes: of any element type, as many as
  /// are asked for. A workspace holds it from the first step that writes it to the end, since
  /// backward passes come again.
  Operand keep(const Desc& desc) { return b.keep(node_.outputs[0], desc); }

  /// Error with this node's place.
  [[noreturn]] void fail(ErrorCode code, const std::string& sentence) const {
    throw Error(code, sentence, graph::where(node_));
  }

 protected:
  ForwardContext(Builder& builder, const graph::Node& node, BackwardReads reads)
      : b(builder), node_(node), declared_(reads) {}
  void require_declared(std::size_t i) const {
    const bool kept =
        !declared_ || is_constant(i) || (i < 32 && (declared_->inputs >> i & 1u) != 0);
    if (!kept)
      fail(ErrorCode::internal,
           "its walk back reads input " + std::to_string(i) + " without declaring it");
  }
  void require_declared_output() const {
    if (declared_ && !declared_->output)
      fail(ErrorCode::internal, "its walk back reads its result without declaring it");
  }
  void require_declared_state() const {
    if (!declared_ || !declared_->kept)
      fail(ErrorCode::internal, "its walk back reads what was kept without declaring it");
  }

 private:
  const graph::Node& node_;
  std::optional<BackwardReads> declared_;  ///< none: a forward pass
  bool keeps_ = false;
};

/// Gradients while a backward pass is built: per value, the sum of what its readers sent.
class Gradients {
 public:
  explicit Gradients(Builder& builder) : b_(builder) {}
  bool has(graph::ValueId id) const { return tensors_.contains(id.index); }
  Operand get(graph::ValueId id) const { return tensors_.at(id.index); }
  void add(graph::ValueId id, const Operand& part);

  /// True where nothing after `reader`, whose backward pass is being built, reads what is in the
  /// tensor's memory, other than as the gradient of `own`.
  bool may_overwrite(const Operand& tensor, const graph::Node& reader,
                     graph::ValueId own = {}) const;

 private:
  /// Where the value is made: no later than any node that reads it.
  int made_at(graph::ValueId id) const { return b_.graph().value(id).producer.index; }

  Builder& b_;
  std::map<int, Operand> tensors_;
  /// By buffer, the values whose gradients lie in it, with where they are made.
  std::map<BufferId, std::set<std::pair<int, int>>> lying_in_;
};

/// A node while its backward steps are built.
class BackwardContext : public ForwardContext {
 public:
  /// `reads`: what of the forward pass is still there.
  BackwardContext(Builder& builder, const graph::Node& node, Gradients& gradients,
                  const std::vector<bool>& on_path, BackwardReads reads)
      : ForwardContext(builder, node, reads), gradients_(gradients), on_path_(on_path) {}

  /// True where input i leads to what the gradient is wanted for.
  bool wants(std::size_t i) const {
    return has(i) && on_path_[static_cast<std::size_t>(node().inputs[i].index)];
  }
  /// The places along an axis of input i at which anything wants a gradient.
  Places wanted_places(std::size_t i, std::size_t axis) const {
    return places_on_path(b.graph(), on_path_, node().inputs[i], axis);
  }
  bool has_grad(std::size_t o = 0) const { return gradients_.has(node().outputs[o]); }
  /// The gradient of output o, f32, in whatever layout; and row-major.
  Operand grad(std::size_t o = 0) { return gradients_.get(node().outputs[o]); }
  Operand plain_grad(std::size_t o = 0) { return b.plain(grad(o)); }
  /// The value that output o had in the forward pass.
  Operand dst(std::size_t o = 0) {
    require_declared_output();
    return b.value(node().outputs[o]);
  }
  /// What the forward steps kept, in the order in which they asked for it: as the workspace's last
  /// forward run left it, to be read only.
  Operand kept(std::size_t i = 0) {
    require_declared_state();
    return b.kept(node().outputs[0], i);
  }

  /// Where the gradient of input i, a feature map, had better lie: in the layout that the input had
  /// in the forward pass; a row-major map of many channels in blocks of them.
  Desc grad_layout(std::size_t i) {
    const auto& shape = in_shape(i);
    const auto id = node().inputs[i];
    const Desc own = b.has_value(id) ? like(b.value(id).desc, shape) : plain_desc(shape);
    const auto home = home_desc(shape, Type::f32);
    return home && is_plain(own) && shape[1] >= home_block() ? *home : own;
  }
  /// Input i (0 or 1) as what it is multiplied with passes a gradient on. Under
  /// GradientRule::rescale a product of two signals is a b - a' b' = (a - a') (b + b') / 2 +
  /// (b - b') (a + a') / 2.
  Operand factor(std::size_t i);
  Operand plain_factor(std::size_t i) { return b.plain(factor(i)); }
  Operand make_plain_grad(std::size_t i) { return b.make(plain_desc(in_shape(i))); }
  /// True where the node may write over a gradient that it has read.
  bool may_overwrite(const Operand& tensor) const {
    return gradients_.may_overwrite(tensor, node());
  }
  /// What was sent to input i before, where the node may add to it in place while it reads `diff`.
  Operand sum_so_far(std::size_t i, const Operand& diff) const {
    const auto id = node().inputs[i];
    if (!gradients_.has(id)) return {};
    const Operand sum = gradients_.get(id);
    const bool free = sum.buffer != diff.buffer && gradients_.may_overwrite(sum, node(), id);
    return free ? sum : Operand();
  }
  /// Adds a contribution to the gradient of input i; its extents are the input's.
  void send(std::size_t i, const Operand& tensor) { gradients_.add(node().inputs[i], tensor); }

 private:
  Gradients& gradients_;
  const std::vector<bool>& on_path_;
};

/// Of a node, by its operator's row (graph/op_traits.hpp) and its post-ops; `wanted`: a bit per
/// input that a gradient is wanted of; `rescale`: under GradientRule::rescale, whose backward
/// passes read these values of the reference run, too.
BackwardReads backward_reads(const graph::Op& op, unsigned wanted, bool rescale = false);
bool has_gradient(const graph::Op& op, std::size_t input);
/// Is it a float to which no gradient leads by definition?
bool is_stopped(const graph::Op& op, std::size_t input);
/// Does GradientRule::rescale go on to this input?
bool is_rescaled(const graph::Op& op, std::size_t input);

/// Builds the context's node. Error unsupported where its operator has no gradient.
void forward(ForwardContext& context);
void backward(BackwardContext& context);

/// What the query's operator does to channel sums (sums.hpp). Not asked where an input other than 0
/// leads to the map, or the node has several outputs.
SumOffer sum_offer(const SumQuery& query);
/// Of operators that offer to end the backward pass: scale * the channel sums of input 0's
/// gradient, [n, c]; `layout` is that of input 0. Sends nothing to input 0.
Operand sum_backward(BackwardContext& context, const SumLayout& layout, float scale);

/// What each operator defines; `backward` where its row gives an input a gradient. Constants by the
/// time a plan is built say so in `forward`.
#define FOVEA_OPERATOR(Op)                         \
  void forward(const graph::Op&, ForwardContext&); \
  void backward(const graph::Op&, BackwardContext&);
FOVEA_EACH_OPERATOR(FOVEA_OPERATOR)
#undef FOVEA_OPERATOR

/// Of those whose row offers sums, or ends a backward pass of them.
SumOffer sum_offer(const graph::Unary&, const SumQuery&);
SumOffer sum_offer(const graph::Pool&, const SumQuery&);
SumOffer sum_offer(const graph::Reduce&, const SumQuery&);
SumOffer sum_offer(const graph::Reshape&, const SumQuery&);
SumOffer sum_offer(const graph::Transpose&, const SumQuery&);
SumOffer sum_offer(const graph::Gemm&, const SumQuery&);
SumOffer sum_offer(const graph::MatMul&, const SumQuery&);
Operand sum_backward(const graph::Gemm&, BackwardContext&, const SumLayout&, float scale);
Operand sum_backward(const graph::MatMul&, BackwardContext&, const SumLayout&, float scale);

}  // namespace fovea::engine
