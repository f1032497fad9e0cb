#include <algorithm>
#include <cmath>
#include <utility>

#include "passes/rewrite.hpp"
#include "passes/scaled.hpp"

//   Conv(x, w, b) -> [BatchNorm | Mul | Div | Add | Sub by a constant per channel] -> y
//   Conv(x, w factor, b factor + offset) -> y
//
// Repeated while such a node follows. The arithmetic is f64. A convolution whose own output must
// stay is left alone.
namespace fovea::passes {
namespace {

using graph::BatchNorm;
using graph::Binary;
using graph::BinaryKind;
using graph::Constant;
using graph::Conv;
using graph::ConvTranspose;
using graph::Gemm;
using graph::MatMul;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

using Doubles = std::vector<double>;

/// y -> factor y + offset, one of each per output channel.
struct PerChannel {
  Doubles factor;
  Doubles offset;

  bool only_scales() const {
    return std::all_of(offset.begin(), offset.end(), [](double v) { return v == 0; });
  }
  bool only_shifts() const {
    return std::all_of(factor.begin(), factor.end(), [](double v) { return v == 1; });
  }
};

class Fold {
 public:
  Fold(graph::Graph& graph, const Keep& keep) : rewrite_(graph, keep) {}

  bool run() {
    bool changed = false;
    for (std::size_t n = 0; n < rewrite_.graph().nodes().size(); ++n) {
      const NodeId id{static_cast<std::int32_t>(n)};
      if (!rewrite_.is_dead(id)) changed = fold_into(id) || changed;
    }
    rewrite_.finish();
    return changed;
  }

 private:
  Node& node(NodeId id) { return rewrite_.graph().node(id); }

  /// Folds all that follows the node into it.
  bool fold_into(NodeId id) {
    if (!is_linear(node(id))) return false;
    PerChannel total;
    const auto first = node(id).outputs[0];
    for (auto out = first;;) {
      const auto reader = rewrite_.only_reader(out);
      if (!reader) break;
      const auto next = effect(node(reader), out, axis_and_count(node(id)));
      if (!next || !can_take(node(id), *next)) break;
      compose(total, *next);
      rewrite_.kill(reader);
      out = node(reader).outputs[0];
      rewrite_.redirect(id, out);
    }
    if (total.factor.empty()) return false;
    apply(id, total);
    return true;
  }

  /// With constant weights in the form whose output channels `apply` knows.
  bool is_linear(const Node& n) const {
    const auto* w = rewrite_.constant(n, 1);
    if (w == nullptr) return false;
    if (const auto* conv = std::get_if<Conv>(&n.op)) return conv->post.empty() && plain_bias(n);
    if (std::holds_alternative<ConvTranspose>(n.op)) return plain_bias(n);
    if (const auto* gemm = std::get_if<Gemm>(&n.op)) return gemm->post.empty() && plain_bias(n);
    if (const auto* matmul = std::get_if<MatMul>(&n.op))
      return matmul->post.empty() && w->shape.size() == 2;
    return false;
  }

  /// A constant bias of one number per channel (or one for all), or none.
  bool plain_bias(const Node& n) const {
    if (n.inputs.size() <= 2 || !n.inputs[2]) return true;
    const auto* b = rewrite_.constant(n, 2);
    if (b == nullptr) return false;
    const auto count = axis_and_count(n).second;
    const auto size = static_cast<std::int64_t>(b->size());
    return size == 1 || (size == count && b->shape.back() == count);
  }

  /// The output's channel axis and its extent.
  std::pair<std::size_t, std::int64_t> axis_and_count(const Node& n) const {
    const auto& shape = rewrite_.value(n.outputs[0]).shape;
    const bool product = std::holds_alternative<Gemm>(n.op) || std::holds_alternative<MatMul>(n.op);
    const auto axis = product ? shape.size() - 1 : 1;
    return {axis, shape[axis]};
  }

  /// A product without a bias takes an offset only where it can become a Gemm.
  bool can_take(const Node& n, const PerChannel& next) const {
    if (!std::holds_alternative<MatMul>(n.op) || next.only_scales()) return true;
    return rewrite_.value(n.inputs[0]).shape.size() == 2;
  }

  std::optional<PerChannel> effect(const Node& reader, ValueId y,
                                   std::pair<std::size_t, std::int64_t> channel) const {
    if (const auto* norm = std::get_if<BatchNorm>(&reader.op); norm != nullptr && !norm->training)
      return reader.inputs[0] == y && channel.first == 1 ? of_norm(*norm, reader) : std::nullopt;
    if (const auto* binary = std::get_if<Binary>(&reader.op))
      return of_binary(*binary, reader, y, channel);
    return std::nullopt;
  }

  std::optional<PerChannel> of_norm(const BatchNorm& norm, const Node& reader) const {
    graph::Floats p[4];
    for (std::size_t i = 0; i < 4; ++i) {
      const auto* constant = rewrite_.constant(reader, i + 1);
      if (constant == nullptr) return std::nullopt;
      p[i] = constant->floats();
    }
    PerChannel out;
    for (std::size_t c = 0; c < p[0].size(); ++c) {
      const double deviation = std::sqrt(static_cast<double>(p[3][c]) + norm.epsilon);
      out.factor.push_back(p[0][c] / deviation);
      out.offset.push_back(p[1][c] - out.factor.back() * p[2][c]);
    }
    return out;
  }

  std::optional<PerChannel> of_binary(const Binary& binary, const Node& reader, ValueId y,
                                      std::pair<std::size_t, std::int64_t> channel) const {
    const std::size_t at = reader.inputs[0] == y ? 1 : 0;
    const auto* constant = rewrite_.constant(reader, at);
    if (constant == nullptr) return std::nullopt;
    const auto& shape = rewrite_.value(y).shape;
    if (rewrite_.value(reader.outputs[0]).shape != shape) return std::nullopt;
    const auto values = per_channel(*constant, shape.size(), channel);
    if (!values) return std::nullopt;
    const auto count = values->size();
    PerChannel out{Doubles(count, 1.0), Doubles(count, 0.0)};
    for (std::size_t c = 0; c < count; ++c) {
      const double v = (*values)[c];
      switch (binary.kind) {
        case BinaryKind::mul:
          out.factor[c] = v;
          break;
        case BinaryKind::div:
          if (at == 0 || v == 0) return std::nullopt;
          out.factor[c] = 1 / v;
          break;
        case BinaryKind::add:
          out.offset[c] = v;
          break;
        case BinaryKind::sub:
          out.factor[c] = at == 0 ? -1.0 : 1.0;
          out.offset[c] = at == 0 ? v : -v;
          break;
        case BinaryKind::pow:
        case BinaryKind::max:
        case BinaryKind::min:
        case BinaryKind::mod:
        case BinaryKind::fmod:
        case BinaryKind::bit_and:
        case BinaryKind::bit_or:
        case BinaryKind::bit_xor:
        case BinaryKind::shift_left:
        case BinaryKind::shift_right:
        case BinaryKind::equal:
        case BinaryKind::less:
        case BinaryKind::less_or_equal:
        case BinaryKind::greater:
        case BinaryKind::greater_or_equal:
        case BinaryKind::logical_and:
        case BinaryKind::logical_or:
        case BinaryKind::logical_xor:
          return std::nullopt;
      }
    }
    return out;
  }

  /// One number per channel of a constant that broadcasts along every other extent.
  static std::optional<Doubles> per_channel(const Constant& constant, std::size_t rank,
                                            std::pair<std::size_t, std::int64_t> channel) {
    const auto [axis, count] = channel;
    if (constant.size() == 1)
      return Doubles(static_cast<std::size_t>(count), constant.floats().front());
    // Seen from behind, where broadcasting lines extents up.
    const auto from_end = rank - axis;
    if (constant.shape.size() < from_end) return std::nullopt;
    const auto at = constant.shape.size() - from_end;
    if (constant.shape[at] != count || constant.size() != static_cast<std::size_t>(count))
      return std::nullopt;
    const auto values = constant.floats();
    return Doubles(values.begin(), values.end());
  }

  static void compose(PerChannel& total, const PerChannel& next) {
    if (total.factor.empty()) {
      total = next;
      return;
    }
    for (std::size_t c = 0; c < next.factor.size(); ++c) {
      total.factor[c] *= next.factor[c];
      total.offset[c] = total.offset[c] * next.factor[c] + next.offset[c];
    }
  }

  static ChannelOf channel_of(const Node& n, const Constant& w) {
    const auto extent = [&](std::size_t d) { return static_cast<std::size_t>(w.shape[d]); };
    const auto size = w.size();
    if (const auto* conv = std::get_if<ConvTranspose>(&n.op)) {
      const auto inner = size / (extent(0) * extent(1));
      return {inner, extent(1), size / static_cast<std::size_t>(conv->group)};
    }
    const auto* gemm = std::get_if<Gemm>(&n.op);
    const bool columns = gemm != nullptr ? !gemm->trans_b : std::holds_alternative<MatMul>(n.op);
    if (columns) return {1, extent(1), size};
    return {size / extent(0), extent(0), size};
  }

  void scale_weights(NodeId id, const Doubles& factor) {
    const auto weights = node(id).inputs[1];
    const auto& w = *rewrite_.constant(node(id), 1);
    auto constant = scaled(w, channel_of(node(id), w), factor);
    node(id).inputs[1] = rewrite_.add_constant(weights, "folded", std::move(constant));
  }

  void apply(NodeId id, const PerChannel& total) {
    const auto weights = node(id).inputs[1];
    if (!total.only_shifts()) scale_weights(id, total.factor);

    const auto old_bias = bias_of(node(id), total.factor.size());
    std::vector<float> bias;
    bool any = false;
    for (std::size_t c = 0; c < total.factor.size(); ++c) {
      bias.push_back(static_cast<float>(old_bias[c] * total.factor[c] + total.offset[c]));
      any = any || bias.back() != 0;
    }
    const bool had_bias = node(id).inputs.size() > 2 && node(id).inputs[2];
    const auto bias_origin = had_bias ? node(id).inputs[2] : weights;
    const auto* bias_name = had_bias ? "folded" : "bias";

    if (!any && !had_bias) return;
    if (std::holds_alternative<MatMul>(node(id).op)) node(id).op = Gemm{};
    if (auto* gemm = std::get_if<Gemm>(&node(id).op)) gemm->beta = 1;
    const auto count = static_cast<std::int64_t>(bias.size());
    node(id).inputs.resize(2);
    node(id).inputs.push_back(rewrite_.add_constant(bias_origin, bias_name,
                                                    Constant::of_floats({count}, std::move(bias))));
  }

  /// What the node adds per channel before the fold.
  Doubles bias_of(const Node& n, std::size_t count) const {
    const auto* b = rewrite_.constant(n, 2);
    if (b == nullptr) return Doubles(count, 0.0);
    const auto values = b->floats();
    Doubles out(values.begin(), values.end());
    if (out.size() == 1) out.assign(count, out.front());
    if (const auto* gemm = std::get_if<Gemm>(&n.op))
      for (auto& v : out) v *= gemm->beta;
    return out;
  }

  Rewrite rewrite_;
};

}  // namespace

bool fold_batchnorm(graph::Graph& graph, const Keep& keep) {
  return Fold(graph, keep).run();
}

}  // namespace fovea::passes
