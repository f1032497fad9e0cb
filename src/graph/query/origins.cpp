#include "graph/query/origins.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/checked.hpp"
#include "graph/evaluate/evaluate.hpp"
#include "graph/op_traits.hpp"
#include "graph/query/activation.hpp"
#include "graph/query/edges.hpp"

namespace fovea::graph {
namespace {

/// Larger values are not followed: their elements are numbered, one integer each.
constexpr std::int64_t kMostNumbered = std::int64_t{1} << 26;

template <class... Operators>
bool is_any(const Op& op) {
  return (std::holds_alternative<Operators>(op) || ...);
}

/// How many of its inputs, from the first on, a node moves; the others say where to. 0 where it
/// computes.
std::size_t moved_inputs(const Node& node) {
  if (std::holds_alternative<Concat>(node.op)) return node.inputs.size();
  return is_any<Split, Slice, Transpose, Expand, Tile, Gather, GatherElements, GatherND>(node.op)
             ? 1
             : 0;
}

/// Does the node leave every element where it is, in row-major order?
bool keeps_places(const Node& node) {
  if (std::holds_alternative<Reshape>(node.op)) return true;
  if (const auto* unary = std::get_if<Unary>(&node.op)) return unary->kind == UnaryKind::identity;
  const auto* cast = std::get_if<Cast>(&node.op);
  return cast != nullptr && cast->to == DType::f32;
}

/// The node's output, computed of places in place of numbers: those of one input behind the
/// other's.
std::optional<Constant> computed_places(const Graph& graph, const Node& node, ValueId output,
                                        std::size_t moved, Shape& begins) {
  std::vector<Constant> numbered;
  numbered.reserve(node.inputs.size());
  detail::Inputs in;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i]) return std::nullopt;
    const auto& value = graph.value(node.inputs[i]);
    if (i >= moved) {
      if (!value.constant) return std::nullopt;
      in.push_back(&*value.constant);
      continue;
    }
    const auto size = base::element_count(value.shape);
    begins.push_back(count);
    count = base::checked_add(count, size);
    if (count > kMostNumbered) return std::nullopt;
    Ints places(static_cast<std::size_t>(size));
    std::iota(places.begin(), places.end(), begins.back());
    numbered.push_back(Constant::of_ints(value.shape, std::move(places)));
    in.push_back(&numbered.back());
  }
  if (base::element_count(graph.value(output).shape) > kMostNumbered) return std::nullopt;
  if (const auto* split = std::get_if<Split>(&node.op)) {
    auto parts = detail::evaluate_split(*split, *in[0]);
    const auto which = std::find(node.outputs.begin(), node.outputs.end(), output);
    return std::move(parts[static_cast<std::size_t>(which - node.outputs.begin())]);
  }
  return std::visit(
      [&]<class Operator>(const Operator& op) -> std::optional<Constant> {
        if constexpr (trait::row<Operator>.folding == trait::folded)
          return detail::evaluate_op(op, in, graph.value(output).shape);
        else
          return std::nullopt;
      },
      node.op);
}

/// Elements of one value, on their way back.
struct Group {
  ValueId value;
  std::vector<std::size_t> slots;  ///< of the elements that were asked about
  std::vector<std::int64_t> at;
  Origin::Through through = Origin::Through::nothing;
};

class Walk {
 public:
  Walk(const Graph& graph, ValueId value, std::span<const std::int64_t> at, bool logits)
      : graph_(graph), images_(first_extent(value)), logits_(logits) {
    Group all{value, {}, {at.begin(), at.end()}};
    all.slots.resize(at.size());
    std::iota(all.slots.begin(), all.slots.end(), std::size_t{0});
    found_.resize(at.size());
    image_.resize(at.size());
    for (std::size_t i = 0; i < at.size(); ++i) image_[i] = image_of(value, at[i]);
    settle(all);
    open_.push_back(std::move(all));
  }

  std::vector<Origin> found() {
    while (!open_.empty()) {
      auto group = std::move(open_.back());
      open_.pop_back();
      step(group);
    }
    return std::move(found_);
  }

 private:
  std::int64_t first_extent(ValueId id) const {
    const auto& shape = graph_.value(id).shape;
    return shape.empty() ? 0 : shape[0];
  }
  std::int64_t image_of(ValueId id, std::int64_t at) const {
    const auto& shape = graph_.value(id).shape;
    const auto elements = base::element_count(shape);
    return elements == 0 || shape.empty() ? 0 : at / (elements / shape[0]);
  }

  /// Takes the group's elements for origins where the images lie as before.
  void settle(const Group& group) {
    if (first_extent(group.value) != images_) return;
    for (std::size_t i = 0; i < group.at.size(); ++i)
      if (image_of(group.value, group.at[i]) == image_[group.slots[i]])
        found_[group.slots[i]] = {group.through, group.value, group.at[i]};
  }

  void go_on(Group group) {
    const auto& value = graph_.value(group.value);
    if (value.constant || value.type != DType::f32) return;
    settle(group);
    open_.push_back(std::move(group));
  }

  void step(Group& group) {
    const auto* node = detail::producer(graph_, group.value);
    if (node == nullptr) return;
    if (const auto moves = detail::moves_of(graph_, *node, group.value, group.at)) {
      std::map<std::size_t, Group> parts;
      for (std::size_t i = 0; i < group.at.size(); ++i) {
        auto& part = parts[moves->input[i]];
        part.slots.push_back(group.slots[i]);
        part.at.push_back(moves->at[i]);
      }
      for (auto& [input, part] : parts) {
        part.value = node->inputs[input];
        part.through = group.through;
        go_on(std::move(part));
      }
      return;
    }
    if (!logits_ || group.through != Origin::Through::nothing) return;
    const auto activation = detail::activation_of(graph_, group.value);
    if (!activation || graph_.value(activation->of).shape != graph_.value(group.value).shape)
      return;
    group.value = activation->of;
    group.through = activation->kind == detail::Activation::Kind::sigmoid
                        ? Origin::Through::sigmoid
                        : Origin::Through::softmax;
    go_on(std::move(group));
  }

  const Graph& graph_;
  std::int64_t images_;
  bool logits_;
  std::vector<Origin> found_;
  std::vector<std::int64_t> image_;
  std::vector<Group> open_;
};

}  // namespace

namespace detail {

std::optional<Moves> moves_of(const Graph& graph, const Node& node, ValueId output,
                              std::span<const std::int64_t> elements) {
  if (keeps_places(node))
    return Moves{std::vector<std::size_t>(elements.size(), 0), {elements.begin(), elements.end()}};
  const auto moved = moved_inputs(node);
  if (moved == 0) return std::nullopt;
  Shape begins;
  const auto places = computed_places(graph, node, output, moved, begins);
  if (!places) return std::nullopt;
  Moves out;
  for (const auto element : elements) {
    const auto place = places->ints[static_cast<std::size_t>(element)];
    // Of inputs without elements begins are the same: the last of them has the place.
    const auto after = std::upper_bound(begins.begin(), begins.end(), place);
    out.input.push_back(static_cast<std::size_t>(after - begins.begin()) - 1);
    out.at.push_back(place - begins[out.input.back()]);
  }
  return out;
}

}  // namespace detail

std::vector<Origin> find_origins(const Graph& graph, ValueId value,
                                 std::span<const std::int64_t> at, bool logits) {
  return Walk(graph, value, at, logits).found();
}

}  // namespace fovea::graph
