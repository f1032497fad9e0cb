#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"
#include "graph/query.hpp"
#include "graph/query/activation.hpp"
#include "graph/query/edges.hpp"

namespace fovea::graph {
namespace {

/// One number per class and image: at most one extent besides the batch is above 1. Without a
/// batch: one number per class.
bool looks_like_scores(const Value& value) {
  if (value.type != DType::f32) return false;
  if (value.shape.size() < 2) return true;
  const auto wide = std::count_if(value.shape.begin() + 1, value.shape.end(),
                                  [](std::int64_t extent) { return extent > 1; });
  return wide <= 1;
}

ValueId choose_output(const Graph& graph, std::string_view name) {
  if (!name.empty()) {
    for (const auto id : graph.outputs)
      if (graph.value(id).name == name) {
        if (graph.value(id).type != DType::f32)
          throw Error(ErrorCode::invalid_argument, "the output does not hold scores",
                      {{}, std::string(name), {}});
        return id;
      }
    throw Error(ErrorCode::invalid_argument, "the model has no such output",
                {{}, std::string(name), {}});
  }
  // A version or a table of anchors is no answer about an image.
  const auto depends = detail::depends_on_inputs(graph);
  const auto first = [&](auto has_rank) {
    return std::find_if(graph.outputs.begin(), graph.outputs.end(), [&](ValueId id) {
      const bool answers = graph.inputs.empty() || depends[static_cast<std::size_t>(id.index)];
      return answers && looks_like_scores(graph.value(id)) &&
             has_rank(graph.value(id).shape.size());
    });
  };
  for (auto* has_rank :
       {+[](std::size_t rank) { return rank == 2; }, +[](std::size_t rank) { return rank > 2; },
        +[](std::size_t rank) { return rank == 1; }, +[](std::size_t) { return true; }})
    if (const auto found = first(has_rank); found != graph.outputs.end()) return *found;
  std::string shapes;
  for (const auto id : graph.outputs)
    shapes += (shapes.empty() ? "" : ", ") + graph.value(id).name + " " +
              detail::text(graph.value(id).shape);
  throw Error(ErrorCode::invalid_argument, "no output looks like class scores: " + shapes +
                                               "; an output that holds scores at positions is "
                                               "used where it is named (--output-name)");
}

/// What a network does to its probabilities before it hands them out, read from the output on.
class Tail {
 public:
  Tail(const Graph& graph, ValueId output) : graph_(graph), value_(output) {}

  ValueId value() const { return value_; }

  /// One node towards the activation; false where the node is none that leaves what it gets.
  bool step() {
    const auto* node = detail::producer(graph_, value_);
    if (node == nullptr || node->inputs.empty() || node->outputs.size() != 1) return false;
    const auto from = passed(*node);
    if (!from || graph_.value(*from).type != DType::f32 ||
        base::element_count(graph_.value(*from).shape) !=
            base::element_count(graph_.value(value_).shape))
      return false;
    nodes_.push_back(node);
    value_ = *from;
    return true;
  }

  /// By how much it multiplies the activation's values, which lie in 0..1 or are logarithms; none
  /// where it does anything else to them.
  std::optional<float> factor(detail::Activation::Kind kind) const {
    using Kind = detail::Activation::Kind;
    bool logarithm = kind == Kind::log_softmax;
    float top = 1;
    for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it) {
      const auto& op = (*it)->op;
      if (const auto* unary = std::get_if<Unary>(&op)) {
        if (unary->kind == UnaryKind::exp || unary->kind == UnaryKind::log) {
          const bool back = unary->kind == UnaryKind::exp;
          if (kind == Kind::sigmoid || logarithm != back || top != 1) return std::nullopt;
          logarithm = !back;
        } else if (unary->kind != UnaryKind::identity && (logarithm || !keeps(*unary, top))) {
          return std::nullopt;
        }
      } else if (const auto* binary = std::get_if<Binary>(&op)) {
        const auto by = factor_of(*binary, **it);
        if (!by) {  // next to nothing, added or as the least; to a logarithm that is much
          if (logarithm && binary->kind == BinaryKind::max) return std::nullopt;
          continue;
        }
        if (*by != 1 && logarithm) return std::nullopt;
        top *= *by;
      }
    }
    return std::isfinite(top) && top > 0 ? std::optional(top) : std::nullopt;
  }

  bool keeps_order() const {
    return std::all_of(nodes_.begin(), nodes_.end(),
                       [&](const Node* node) { return detail::keeps_order(graph_, *node); });
  }
  /// What moves elements or changes extents, first to last.
  std::vector<ValueId> layout() const {
    std::vector<ValueId> out;
    for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it)
      if (std::holds_alternative<Reshape>((*it)->op) ||
          std::holds_alternative<Transpose>((*it)->op))
        out.push_back((*it)->outputs[0]);
    return out;
  }

 private:
  std::optional<ValueId> passed(const Node& node) const {
    const auto first = node.inputs[0];
    if (const auto* binary = std::get_if<Binary>(&node.op)) {
      if (!factor_of(*binary, node) && !stays_positive(*binary, node)) return std::nullopt;
      return detail::only_number(graph_, first) ? node.inputs[1] : first;
    }
    if (const auto* unary = std::get_if<Unary>(&node.op)) {
      constexpr std::array kPassed{UnaryKind::identity, UnaryKind::relu, UnaryKind::abs,
                                   UnaryKind::clip,     UnaryKind::exp,  UnaryKind::log};
      const bool passes = std::find(kPassed.begin(), kPassed.end(), unary->kind) != kPassed.end();
      return passes ? std::optional(first) : std::nullopt;
    }
    if (std::holds_alternative<Reshape>(node.op) || std::holds_alternative<Transpose>(node.op) ||
        std::holds_alternative<Cast>(node.op) || is_copy(graph_, node))
      return first;
    return std::nullopt;
  }

  /// Does the function leave what lies in 0..top, up to rounding?
  static bool keeps(const Unary& op, float top) {
    return op.kind != UnaryKind::clip ||
           (op.alpha <= detail::kRounding * top && op.beta >= (1 - detail::kRounding) * top);
  }

  bool stays_positive(const Binary& op, const Node& node) const {
    if (op.kind != BinaryKind::add && op.kind != BinaryKind::max) return false;
    const auto is = [&](ValueId id) { return detail::is_rounding(graph_, id); };
    return is(node.inputs[0]) || is(node.inputs[1]);
  }

  /// Of a product or a quotient with a positive number.
  std::optional<float> factor_of(const Binary& op, const Node& node) const {
    const auto second = detail::only_number(graph_, node.inputs[1]);
    const auto positive = [](std::optional<float> by) {
      return by && *by > 0 && std::isfinite(*by) ? by : std::nullopt;
    };
    if (op.kind == BinaryKind::div) return second ? positive(1 / *second) : std::nullopt;
    if (op.kind != BinaryKind::mul) return std::nullopt;
    return positive(second ? second : detail::only_number(graph_, node.inputs[0]));
  }

  const Graph& graph_;
  ValueId value_;
  std::vector<const Node*> nodes_;
};

/// Is the softmax over all classes of an image, or at each position over its channels?
bool over_classes(const Graph& graph, ValueId value, const Ints& axes, const Shape& output) {
  const auto& shape = graph.value(value).shape;
  if (shape.size() < 2) return true;
  std::int64_t summed = 1, classes = 1;
  for (const auto axis : axes) summed *= shape[static_cast<std::size_t>(axis)];
  for (std::size_t d = 1; d < shape.size(); ++d) classes *= shape[d];
  if (axes.front() >= 1 && summed == classes) return true;
  const bool one_image = output.size() < 2 || output[0] == 1;
  if (one_image && summed == base::element_count(shape)) return true;
  if (axes.size() != 1 || axes[0] < 1 || shape.size() < 3 || summed < 2) return false;
  const auto axis = static_cast<std::size_t>(axes[0]);
  const auto layout =
      detail::layouts(graph, std::vector<std::optional<std::size_t>>(
                                 graph.values().size()))[static_cast<std::size_t>(value.index)];
  if (layout.order != detail::Layout::Order::unknown && layout.spatial + 2 == shape.size())
    return axis == layout.channel_axis();
  return axis == 1 || axis + 1 == shape.size();
}

Scores looked_through(const Graph& graph, std::string_view output_name) {
  using Kind = detail::Activation::Kind;
  Scores scores;
  scores.output = choose_output(graph, output_name);
  scores.logits = scores.output;
  const auto& output = graph.value(scores.output).shape;
  Tail tail(graph, scores.output);
  do {
    const auto activation = detail::activation_of(graph, tail.value());
    if (!activation) continue;
    const bool sigmoid = activation->kind == Kind::sigmoid;
    const auto factor = tail.factor(activation->kind);
    if (!factor || (!sigmoid && !over_classes(graph, tail.value(), activation->axes, output)))
      return scores;
    const auto& shape = graph.value(activation->of).shape;
    scores.softmax = !sigmoid;
    scores.sigmoid = sigmoid;
    scores.logits = activation->of;
    scores.factor = *factor;
    for (const auto axis : activation->axes)
      scores.classes *= shape.empty() ? 1 : shape[static_cast<std::size_t>(axis)];
    const bool other_rows = shape.size() > 1 && output.size() > 1 && shape[0] != output[0];
    if (other_rows || !tail.keeps_order()) scores.layout = tail.layout();
    return scores;
  } while (tail.step());
  return scores;
}

}  // namespace

Scores find_scores(const Graph& graph, std::string_view output_name) {
  auto scores = looked_through(graph, output_name);
  scores.of_probabilities = detail::is_of_probabilities(graph, scores.logits);
  return scores;
}

void lay_out_logits(Graph& imported, Scores& scores) {
  for (const auto id : scores.layout) {
    const Node like = imported.node(imported.value(id).producer);
    auto inputs = like.inputs;
    inputs[0] = scores.logits;
    const auto name = imported.unique_name(imported.value(scores.logits).name + "_as_scores");
    const auto node = imported.add_node(name, like.op_type, like.op, std::move(inputs), {name});
    scores.logits = imported.node(node).outputs[0];
  }
  scores.layout.clear();
}

}  // namespace fovea::graph
