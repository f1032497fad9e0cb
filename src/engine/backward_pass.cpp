#include "engine/backward_pass.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "engine/channel_sums.hpp"
#include "engine/grid_view.hpp"
#include "engine/guarded.hpp"
#include "engine/ops/elementwise.hpp"
#include "engine/ops/op.hpp"
#include "engine/path.hpp"
#include "engine/relevance/relevance_pass.hpp"

namespace fovea::engine {
namespace {

class BackwardPassBuilder {
 public:
  BackwardPassBuilder(Builder& builder, const GradientSpec& spec)
      : builder_(builder),
        graph_(builder.graph()),
        spec_(spec),
        range_(nodes_between(graph_, spec.wrt, spec.of)),
        path_(values_between(graph_, spec.wrt, spec.of)),
        varying_(spec.rule == GradientRule::rescale ? values_behind(graph_, spec.wrt)
                                                    : std::vector<bool>()),
        gradients_(builder),
        tapped_(spec.taps.begin(), spec.taps.end()) {
    if (!path_[static_cast<std::size_t>(spec.wrt.index)])
      throw Error(ErrorCode::invalid_argument, explain_missing_path(graph_, spec.wrt, spec.of),
                  {"", graph_.value(spec.wrt).name, ""});
    require_every_path(graph_, spec.wrt, spec.of);
  }

  void start(const Operand& seeds) { gradients_.add(spec_.of, seeds); }

  /// The gradient at every position.
  Operand to_gradient() {
    for (std::size_t i = range_.last; i-- > range_.first;) {
      if (!on_path(graph_.nodes()[i], path_)) continue;
      tap(graph_.nodes()[i]);
      through(i, [](BackwardContext& context) { backward(context); });
    }
    return finished(spec_.wrt);
  }

  /// The relevance of every element of `wrt`.
  Operand to_relevance(RelevancePass& relevance) {
    for (std::size_t i = range_.last; i-- > range_.first;) {
      const auto& node = graph_.nodes()[i];
      const bool reached = std::any_of(node.outputs.begin(), node.outputs.end(),
                                       [&](graph::ValueId id) { return gradients_.has(id); });
      // What is left of a gate is no path for relevance.
      if (!reached || !on_path(node, path_)) continue;
      builder_.begin_node(node.name, node.op_type);
      guarded(
          ErrorCode::unsupported, [&] { return graph::where(node); },
          [&] { relevance.back(node, gradients_, path_); });
    }
    if (!gradients_.has(spec_.wrt))
      throw Error(ErrorCode::invalid_argument,
                  "no relevance reaches this value: every path from the scores leads through a "
                  "gate, and a gate's signal takes all",
                  {"", graph_.value(spec_.wrt).name, ""});
    return finished(spec_.wrt);
  }

  /// In the order of the spec. Throws Error invalid_argument for a tap that the backward pass did
  /// not pass.
  std::vector<std::pair<Operand, Shape>> taps() const {
    std::vector<std::pair<Operand, Shape>> out;
    for (const auto id : spec_.taps) {
      const auto& value = graph_.value(id);
      const auto it = taps_.find(id.index);
      if (it == taps_.end())
        throw Error(ErrorCode::invalid_argument, "the walk back does not pass this value",
                    {"", value.name, ""});
      out.emplace_back(it->second, value.shape);
    }
    return out;
  }

  /// [n, c], over the positions of a grid that is no map as it lies.
  Operand to_means(const graph::Grid& grid) {
    const Shape& shape = graph_.value(spec_.wrt).shape;
    const Operand gradient = on_grid(builder_, builder_.plain(to_gradient()), shape, grid);
    return mean_on_grid(builder_, gradient, grid.ordered_shape(shape), grid);
  }

  /// [n, c].
  Operand to_means(const ChannelSumsPass& sums) {
    float scale = 1;
    const Shape& shape = graph_.value(spec_.wrt).shape;
    for (std::size_t i = 2; i < shape.size(); ++i) scale /= static_cast<float>(shape[i]);
    Operand result;
    const auto add = [&](const Operand& part) {
      result = result ? sum_of(builder_, result, part) : part;
    };
    for (std::size_t i = range_.last; i-- > range_.first;) {
      const int id = static_cast<int>(i);
      if (!on_path(graph_.nodes()[i], path_) || sums.passed.contains(id)) continue;
      const auto end = sums.ends.find(id);
      through(i, [&](BackwardContext& context) {
        if (end == sums.ends.end())
          backward(context);
        else
          add(sum_backward(context, end->second, scale));
      });
    }
    builder_.begin_node("", "gradient");
    for (const auto map : sums.maps)
      add(sum_positions(builder_, gradients_.get(map), graph_.value(map).shape, scale));
    return result;
  }

 private:
  /// The whole gradient of a value, in a form that leaves the plan.
  Operand finished(graph::ValueId id) {
    builder_.begin_node("", "gradient");
    const Operand result = builder_.f32(gradients_.get(id));
    return map_view(result.desc) ? result : builder_.plain(result);
  }

  /// Keeps what the node's outputs got: their readers have all been passed.
  void tap(const graph::Node& node) {
    for (const auto id : node.outputs) {
      if (!tapped_.contains(id) || !gradients_.has(id)) continue;
      const Operand result = finished(id);
      builder_.pin(result);
      taps_.emplace(id.index, result);
    }
  }

  /// visit(context) of one node.
  template <class Visit>
  void through(std::size_t i, Visit&& visit) {
    const auto& node = graph_.nodes()[i];
    builder_.begin_node(node.name, node.op_type);
    guarded(
        ErrorCode::unsupported, [&] { return graph::where(node); },
        [&] {
          const auto reads = backward_reads(node.op, wanted_inputs(node, path_),
                                            spec_.rule == GradientRule::rescale);
          BackwardContext context(builder_, node, gradients_, path_, reads);
          check_differences(node, context);
          visit(context);
        });
  }

  /// Differences to a reference run add up only where each of them is passed on.
  void check_differences(const graph::Node& node, const BackwardContext& context) const {
    if (varying_.empty()) return;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!context.has(i) || !varying_[static_cast<std::size_t>(node.inputs[i].index)]) continue;
      const std::string sentence = "the rescale rule has no way to input " + std::to_string(i);
      if (!context.wants(i))
        context.fail(
            ErrorCode::unsupported,
            sentence + ", which depends on the image through an operator without gradient");
      if (!is_rescaled(node.op, i))
        context.fail(ErrorCode::unsupported,
                     sentence + " of this operator, which depends on the image");
    }
  }

  Builder& builder_;
  const graph::Graph& graph_;
  const GradientSpec& spec_;
  NodeRange range_;
  std::vector<bool> path_;
  std::vector<bool> varying_;  ///< under GradientRule::rescale: what depends on `wrt` at all
  Gradients gradients_;
  std::set<graph::ValueId> tapped_;
  std::map<int, Operand> taps_;
};

bool by_grid(const std::optional<graph::Grid>& grid) {
  return grid && !grid->is_map();
}

/// A whole result as what leaves the plan.
void put_on_grid(Builder& b, BackwardPassEnds& ends, const graph::Grid& grid) {
  ends.result = on_grid(b, b.plain(ends.result), ends.shape, grid);
  ends.shape = grid.ordered_shape(ends.shape);
}

}  // namespace

ChannelSumsPass way_of(Builder& builder, const GradientSpec& spec,
                       const std::optional<graph::Grid>& grid, bool optimize) {
  const auto& graph = builder.graph();
  if (spec.reduce != GradientReduce::spatial_mean || by_grid(grid)) return {};
  if (!optimize || graph.value(spec.wrt).shape.size() < 2) return plain_sums(spec.wrt);
  const auto path = values_between(graph, spec.wrt, spec.of);
  if (!path[static_cast<std::size_t>(spec.wrt.index)]) return plain_sums(spec.wrt);
  return plan_sums(graph, builder.uses(), spec.wrt, spec.of, path);
}

BackwardPassEnds add_backward_pass(Builder& builder, const GradientSpec& spec,
                                   const std::optional<graph::Grid>& grid,
                                   const ChannelSumsPass& way, const RelevanceRules* rules) {
  if (spec.seeds > 1 &&
      (rules != nullptr || spec.rule == GradientRule::rescale || !spec.taps.empty()))
    throw Error(ErrorCode::internal, "a backward pass of this kind takes one seed");
  builder.begin_gradient(spec.rule, spec.seeds);
  BackwardPassBuilder pass(builder, spec);
  const auto& graph = builder.graph();
  const Shape& shape = graph.value(spec.wrt).shape;
  BackwardPassEnds ends;
  ends.seeds = builder.make(plain_desc(graph.value(spec.of).shape));
  builder.live_from_here(ends.seeds);
  pass.start(ends.seeds);
  if (rules != nullptr) {
    RelevancePass relevance(builder, *rules, spec.images);
    ends.shape = shape;
    ends.result = pass.to_relevance(relevance);
    if (grid) put_on_grid(builder, ends, *grid);
    ends.absorbed = relevance.absorbed();
    builder.live_to_here(ends.absorbed);
  } else if (spec.reduce == GradientReduce::none) {
    ends.shape = shape;
    ends.result = pass.to_gradient();
    if (grid) put_on_grid(builder, ends, *grid);
    ends.taps = pass.taps();
  } else {
    if (shape.size() < 2)
      throw Error(ErrorCode::invalid_argument,
                  "a mean over positions needs a value of at least two extents",
                  {"", graph.value(spec.wrt).name, ""});
    ends.shape = grid ? Shape{shape[grid->images], grid->width(shape)} : Shape{shape[0], shape[1]};
    ends.result = by_grid(grid) ? pass.to_means(*grid) : pass.to_means(way);
  }
  builder.live_to_here(ends.result);
  builder.live_to_here(ends.seeds);
  return ends;
}

}  // namespace fovea::engine
