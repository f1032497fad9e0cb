#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/checked.hpp"
#include "graph/choice.hpp"
#include "graph/copying.hpp"
#include "graph/infer/context.hpp"
#include "graph/repeat.hpp"

namespace fovea::graph {
namespace {

using detail::condition;
using detail::Steps;
using detail::steps_of;
using detail::trip_count;

/// Is the value there once the graph is bound?
bool is_bound(const Graph& bound, ValueId id) {
  const auto& value = bound.value(id);
  return value.constant || value.producer ||
         std::find(bound.inputs.begin(), bound.inputs.end(), id) != bound.inputs.end();
}

/// A loop that is in no other.
struct Loop {
  NodeId first, last;
  std::vector<NodeId> body = {};    ///< in order; other loops among them
  std::vector<NodeId> needed = {};  ///< those that the end needs
  Steps steps = {};
  /// The body's condition ends it in front of the trip count.
  bool is_ended = false;
  std::vector<ValueId> conditions = {};  ///< what each step makes of it, in the graph that is made
};

/// Those of which both ends are there.
std::vector<Loop> outer_loops(const Graph& graph) {
  std::vector<Loop> loops;
  std::vector<std::int32_t> owner(graph.values().size(), -1);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const auto& node = graph.nodes()[n];
    const NodeId id{static_cast<std::int32_t>(n)};
    std::int32_t own = -1;
    for (const auto input : node.inputs)
      if (input) own = std::max(own, owner[static_cast<std::size_t>(input.index)]);
    if (begins_repeat(node) && own < 0) {
      own = static_cast<std::int32_t>(loops.size());
      loops.push_back({id, {}});
    } else if (ends_repeat(node) && node.inputs.size() > 1) {
      const auto first = graph.value(node.inputs[1]).producer;
      if (own >= 0 && first == loops[static_cast<std::size_t>(own)].first) {
        loops[static_cast<std::size_t>(own)].last = id;
        continue;  // what it makes is in no loop
      }
    }
    if (own < 0) continue;
    auto& loop = loops[static_cast<std::size_t>(own)];
    if (loop.first != id) loop.body.push_back(id);
    for (const auto output : node.outputs) owner[static_cast<std::size_t>(output.index)] = own;
  }
  std::erase_if(loops, [](const Loop& loop) { return !loop.last; });
  return loops;
}

void find_needed(const Graph& graph, std::vector<Loop>& loops) {
  std::vector<bool> needed(graph.values().size(), false);
  const auto need = [&](const Node& node) {
    for (const auto input : node.inputs)
      if (input) needed[static_cast<std::size_t>(input.index)] = true;
  };
  for (auto& loop : loops) {
    need(graph.node(loop.last));
    for (auto it = loop.body.rbegin(); it != loop.body.rend(); ++it) {
      const auto& node = graph.node(*it);
      if (std::none_of(node.outputs.begin(), node.outputs.end(),
                       [&](ValueId id) { return needed[static_cast<std::size_t>(id.index)]; }))
        continue;
      need(node);
      loop.needed.push_back(*it);
    }
    std::reverse(loop.needed.begin(), loop.needed.end());
  }
}

/// A graph again, with some of its loops unrolled.
class Unrolling {
 public:
  Unrolling(const Graph& from, const Graph& bound, const base::Limits& limits)
      : from_(from), bound_(bound), limits_(limits), copying_(from, out_) {}

  /// `whole`: the steps are those that the loops have, not a trial.
  Graph make(std::vector<Loop>& loops, bool whole) {
    copying_.copy_constants(as_it_is);
    for (const auto id : from_.inputs) copying_.copy_input(id, from_.value(id).name);
    std::vector<Loop*> ends(from_.nodes().size(), nullptr);
    std::vector<bool> skipped(from_.nodes().size(), false);
    for (auto& loop : loops) {
      ends[at(loop.last)] = &loop;
      skipped[at(loop.first)] = true;
      for (const auto id : loop.body) skipped[at(id)] = true;
    }
    for (std::size_t n = 0; n < from_.nodes().size(); ++n) {
      limits_.check();
      if (skipped[n]) continue;
      if (ends[n] != nullptr)
        unroll(*ends[n], whole);
      else
        copying_.copy_node(from_.nodes()[n], from_.nodes()[n].name, as_it_is);
    }
    for (const auto id : from_.outputs) out_.outputs.push_back(now(id));
    return std::move(out_);
  }

 private:
  static std::size_t at(NodeId id) { return static_cast<std::size_t>(id.index); }
  ValueId now(ValueId id) const { return copying_.now(id); }

  ValueId add(std::string op_type, Op op, std::vector<ValueId> inputs, const std::string& name) {
    const auto id =
        out_.add_node(name, std::move(op_type), std::move(op), std::move(inputs), {name});
    return out_.node(id).outputs[0];
  }
  ValueId add(Op op, std::vector<ValueId> inputs, const std::string& name) {
    const std::string op_type(name_of(op));
    return add(op_type, std::move(op), std::move(inputs), name);
  }
  ValueId truth(BinaryKind kind, ValueId a, ValueId b) {
    return add(Binary{kind}, {a, b}, copying_.fresh(loop_name_ + "/as_planned"));
  }
  ValueId constant(Constant value, const std::string& name) {
    return out_.add_constant(copying_.fresh(name), std::move(value));
  }
  static Constant whole_number(std::int64_t value, bool is_vector, DType type = DType::i64) {
    return Constant::of_ints(is_vector ? Shape{1} : Shape{}, {value}, type);
  }

  void unroll(Loop& loop, bool whole) {
    const auto& first = from_.node(loop.first);
    const auto& last = from_.node(loop.last);
    const auto repeat = repeat_of(from_, first);
    loop_name_ = last.name;
    const auto inputs = copying_.now(first.inputs);
    const std::size_t begin = repeat.is_scan ? 1 : 3;
    std::vector<ValueId> carried;
    for (std::size_t i = 0; i < repeat.carried; ++i) carried.push_back(inputs.at(begin + i));
    std::vector<std::vector<ValueId>> collected(repeat.collected.size());
    const auto results = std::span(last.inputs).subspan(repeat.results());
    for (std::int64_t t = 0; t < loop.steps.count; ++t) {
      limits_.check();
      const auto suffix = "@" + std::to_string(t);
      begin_step(loop, repeat, carried, t);
      for (const auto id : loop.needed)
        copying_.copy_node(from_.node(id), from_.node(id).name + suffix,
                           [&](const auto& name) { return copying_.fresh(name + suffix); });
      carried = copying_.now(results.first(repeat.carried));
      for (std::size_t i = 0; i < collected.size(); ++i)
        collected[i].push_back(now(results[repeat.carried + i]));
      if (!repeat.is_scan) loop.conditions.push_back(now(last.inputs[repeat.results() - 1]));
    }
    const auto as_planned = whole ? witness(loop, repeat) : ValueId{};
    for (std::size_t i = 0; i < last.outputs.size(); ++i) {
      const auto& name = from_.value(last.outputs[i]).name;
      if (i >= carried.size() && collected[i - carried.size()].empty())
        continue;  // nobody reads it
      const auto made = i < carried.size()
                            ? carried[i]
                            : stacked(repeat.collected[i - carried.size()],
                                      std::move(collected[i - carried.size()]), name);
      copying_.set(last.outputs[i],
                   as_planned ? add(std::string(kChoice), Where{}, {as_planned, made}, name)
                              : add(Unary{}, {made}, name));
    }
  }

  void begin_step(const Loop& loop, const Repeat& repeat, const std::vector<ValueId>& carried,
                  std::int64_t t) {
    const auto& first = from_.node(loop.first);
    const auto suffix = "@" + std::to_string(t);
    std::size_t output = 0;
    const auto name = [&] { return from_.value(first.outputs[output]).name + suffix; };
    const auto set = [&](ValueId value) { copying_.set(first.outputs[output++], value); };
    if (!repeat.is_scan) {
      set(constant(whole_number(t, repeat.number_is_vector), name()));
      set(constant(whole_number(1, repeat.condition_is_vector, DType::boolean), name()));
    }
    for (const auto value : carried) set(value);
    for (std::size_t i = 0; i < repeat.scanned.size(); ++i) {
      const auto from = first.inputs[1 + repeat.carried + i];
      const auto place = repeat.scanned[i].reversed ? loop.steps.count - 1 - t : t;
      const auto index = constant(whole_number(place, false), loop_name_ + "/place" + suffix);
      set(add(Gather{repeat.scanned[i].axis}, {now(from), index}, copying_.fresh(name())));
    }
  }

  ValueId stacked(const Repeat::Scanned& how, std::vector<ValueId> steps, const std::string& name) {
    for (auto& step : steps)
      step = add(Reshape{ReshapeKind::unsqueeze, Ints{how.axis}, false}, {step},
                 copying_.fresh(out_.value(step).name + "/element"));
    if (how.reversed) std::reverse(steps.begin(), steps.end());
    return add(Concat{how.axis}, std::move(steps), copying_.fresh(name + "/stacked"));
  }

  /// What must hold for the steps to be as many as now: a graph that is bound for other extents, in
  /// which it does not, cannot be. None where nothing but constants decides.
  ValueId witness(const Loop& loop, const Repeat& repeat) {
    const auto& first = from_.node(loop.first);
    const auto count = loop.steps.count;
    ValueId out;
    const auto require = [&](ValueId one) {
      out = out ? truth(BinaryKind::logical_and, out, one) : one;
    };
    const auto is_open = [&](ValueId id) { return id && !from_.value(id).constant; };
    const auto number = [&](std::int64_t n) {
      return constant(whole_number(n, false), loop_name_ + "/steps");
    };
    if (repeat.is_scan) {
      for (std::size_t i = 0; i < repeat.scanned.size(); ++i) {
        const auto id = first.inputs[1 + repeat.carried + i];
        if (!is_open(id)) continue;
        const auto rank = bound_.value(id).shape.size();
        const auto axis = detail::front_axis(repeat.scanned[i].axis, rank);
        const auto length =
            add(ShapeOf{axis, axis + 1}, {now(id)}, copying_.fresh(loop_name_ + "/length"));
        require(truth(BinaryKind::equal, length, number(count)));
      }
      return out;
    }
    if (is_open(trip_count(first)))
      require(truth(loop.is_ended ? BinaryKind::greater_or_equal
                    : count == 0  ? BinaryKind::less_or_equal
                                  : BinaryKind::equal,
                    now(trip_count(first)), number(count)));
    const auto refuted = [&](ValueId id) {
      return add(Unary{UnaryKind::logical_not}, {id}, copying_.fresh(loop_name_ + "/ended"));
    };
    if (is_open(condition(first)) && count > 0) require(now(condition(first)));
    if (!loop.steps.is_computed) return out;
    for (std::int64_t t = 0; t + 1 < count; ++t)
      require(loop.conditions[static_cast<std::size_t>(t)]);
    if (loop.is_ended) require(refuted(loop.conditions.back()));
    return out;
  }

  const Graph& from_;
  const Graph& bound_;
  const base::Limits& limits_;
  Graph out_;
  Copying copying_;
  std::string loop_name_;
};

/// Nodes that a loop of so many steps is.
std::int64_t unrolled_nodes(const Graph& graph, const Loop& loop, std::int64_t steps) {
  const auto repeat = repeat_of(graph, graph.node(loop.first));
  const auto each =
      loop.needed.size() + repeat.scanned.size() + repeat.collected.size() + 1 /* witness */;
  return base::checked_mul(steps, static_cast<std::int64_t>(each)) +
         static_cast<std::int64_t>(repeat.carried + 2 * repeat.collected.size() + 2);
}

/// One round: the loops that are in no other.
class Round {
 public:
  Round(const Graph& graph, const std::map<std::string, Shape>& shapes, std::int64_t batch,
        const base::Limits& limits, const Compute& compute)
      : graph_(graph),
        shapes_(shapes),
        batch_(batch),
        limits_(limits),
        compute_(compute),
        bound_(bound(graph)),
        nodes_(std::ssize(graph.nodes())) {}

  /// None where no loop's steps can be counted.
  std::optional<Graph> unrolled() {
    auto loops = outer_loops(graph_);
    find_needed(graph_, loops);
    std::erase_if(loops, [&](Loop& loop) { return !is_counted(loop); });
    end_by_conditions(loops);
    std::erase_if(loops, [&](const Loop& loop) { return lacks_results(loop); });
    leave_what_does_not_fit(loops);
    if (loops.empty()) return std::nullopt;
    return Unrolling(graph_, bound_, limits_).make(loops, true);
  }

 private:
  Graph bound(Graph graph) const {
    bind_what_can_be(graph, shapes_, batch_, limits_, compute_);
    return graph;
  }

  bool is_counted(Loop& loop) const {
    const auto& first = graph_.node(loop.first);
    const auto repeat = repeat_of(graph_, first);
    for (std::size_t i = 0; i < repeat.scanned.size(); ++i)
      if (!is_bound(bound_, first.inputs.at(1 + repeat.carried + i))) return false;
    try {
      loop.steps = steps_of(graph_, bound_, first, graph_.node(loop.last));
      return true;
    } catch (const Error&) {
      return false;  // binding says it again
    }
  }

  /// Does somebody read what a loop of no steps collects?
  bool lacks_results(const Loop& loop) {
    if (loop.steps.count > 0) return false;
    if (is_read_.empty()) {
      is_read_.resize(graph_.values().size(), false);
      const auto read = [&](const std::vector<ValueId>& ids) {
        for (const auto id : ids)
          if (id) is_read_[static_cast<std::size_t>(id.index)] = true;
      };
      for (const auto& node : graph_.nodes()) read(node.inputs);
      read(graph_.outputs);
    }
    const auto& last = graph_.node(loop.last);
    const auto carried = repeat_of(graph_, last).carried;
    for (auto i = carried; i < last.outputs.size(); ++i)
      if (is_read_[static_cast<std::size_t>(last.outputs[i].index)]) return true;
    return false;
  }

  /// What one loop became in the steps of another is unrolled together or not at all.
  void leave_what_does_not_fit(std::vector<Loop>& loops) const {
    const auto origin = [&](const Loop& loop) {
      const auto& name = graph_.node(loop.last).name;
      return name.substr(0, name.find('@'));
    };
    std::map<std::string, std::int64_t> more;
    for (const auto& loop : loops)
      more[origin(loop)] += unrolled_nodes(graph_, loop, loop.steps.count);
    auto left = kMaxUnrolledNodes - nodes_;
    std::map<std::string, bool> fits;
    for (const auto& [name, nodes] : more) {
      fits[name] = nodes <= left;
      if (fits[name]) left -= nodes;
    }
    std::erase_if(loops, [&](const Loop& loop) { return !fits.at(origin(loop)); });
  }

  /// Of loops whose bodies compute a condition: the steps until it is false, found by a graph of as
  /// many as there may be. Those of which nobody knows are left out.
  void end_by_conditions(std::vector<Loop>& loops) {
    std::vector<Loop> tried;
    auto left = kMaxUnrolledNodes - nodes_;
    for (const auto& loop : loops) {
      if (!loop.steps.is_computed) continue;
      auto& trial = tried.emplace_back(loop);
      const auto each = unrolled_nodes(graph_, loop, 1);
      trial.steps.count =
          std::max<std::int64_t>(std::min({loop.steps.count, kMaxSteps, left / each}), 0);
      left -= each * trial.steps.count;
    }
    if (tried.empty()) return;
    const auto trial = bound(Unrolling(graph_, bound_, limits_).make(tried, false));
    std::erase_if(loops, [&](Loop& loop) {
      if (!loop.steps.is_computed) return false;
      const auto same = std::find_if(tried.begin(), tried.end(),
                                     [&](const Loop& one) { return one.first == loop.first; });
      return !end(loop, *same, trial);
    });
  }

  static bool end(Loop& loop, const Loop& tried, const Graph& trial) {
    for (std::size_t t = 0; t < tried.conditions.size(); ++t) {
      // Of the last possible step it decides nothing.
      if (static_cast<std::int64_t>(t) + 1 == loop.steps.count) return true;
      const auto& condition = trial.value(tried.conditions[t]).constant;
      if (!condition || condition->type != DType::boolean || condition->size() != 1) return false;
      if (condition->ints[0] != 0) continue;
      loop.steps.count = static_cast<std::int64_t>(t) + 1;
      loop.is_ended = true;
      return true;
    }
    return loop.steps.count == 0;
  }

  const Graph& graph_;
  const std::map<std::string, Shape>& shapes_;
  std::int64_t batch_;
  const base::Limits& limits_;
  const Compute& compute_;
  Graph bound_;
  const std::int64_t nodes_;
  std::vector<bool> is_read_;  ///< per value, once somebody asks
};

}  // namespace

void unroll(Graph& graph, const std::map<std::string, Shape>& shapes, std::int64_t batch,
            const base::Limits& limits, const Compute& compute) {
  const auto has_loop = [&] {
    return std::any_of(graph.nodes().begin(), graph.nodes().end(), begins_repeat);
  };
  // A round each: a loop in a loop, and one whose steps another one's result counts.
  for (std::int64_t seen = 0; has_loop() && seen < kMaxNodesSeen;) {
    seen += std::ssize(graph.nodes());
    auto next = Round(graph, shapes, batch, limits, compute).unrolled();
    if (!next) return;
    graph = std::move(*next);
  }
}

}  // namespace fovea::graph
