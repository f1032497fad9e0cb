#include "passes/incremental.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/checked.hpp"
#include "graph/infer.hpp"
#include "passes/incremental/local.hpp"

namespace fovea::passes {
namespace {

using detail::Local;
using detail::Reach;
using graph::ValueId;
using Starts = std::vector<std::int64_t>;  // per window

/// A quotient of a divisor above 0, rounded down.
std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/// Where a result changes when its input changes in `changed`.
Interval reached(const Interval& changed, const Reach& reach, std::int64_t extent) {
  const auto behind = (reach.kernel - 1) * reach.dilation;
  const auto first = -floor_div(-(changed.begin + reach.pad - behind), reach.stride);
  const auto last = floor_div(changed.end - 1 + reach.pad, reach.stride);
  const auto begin = std::clamp<std::int64_t>(first, 0, extent);
  return {begin, std::clamp(last + 1, begin, extent)};
}

/// Along one axis of a map: what changes for each window, and patches of one extent that hold it.
struct Axis {
  std::vector<Interval> changed;
  std::int64_t extent = 1;
  Starts starts;
};

Axis axis_of(std::vector<Interval> changed, std::int64_t full) {
  Axis out;
  for (const auto& one : changed) out.extent = std::max(out.extent, one.end - one.begin);
  for (const auto& one : changed) out.starts.push_back(std::min(one.begin, full - out.extent));
  out.changed = std::move(changed);
  return out;
}

struct Region {
  std::vector<Starts> starts;  // per axis
  Shape extents;
  friend auto operator<=>(const Region&, const Region&) = default;
};

struct Changed {
  ValueId patch;  // in the new graph
  std::vector<Axis> axes;

  Region region() const {
    Region out;
    for (const auto& axis : axes) {
      out.starts.push_back(axis.starts);
      out.extents.push_back(axis.extent);
    }
    return out;
  }
};

/// What a patch of the result reads of an input.
Region read_by(const std::vector<Axis>& axes, const std::vector<Reach>& reach) {
  Region out;
  for (std::size_t d = 0; d < axes.size(); ++d) {
    Starts starts;
    for (const auto start : axes[d].starts)
      starts.push_back(start * reach[d].stride - reach[d].pad);
    out.starts.push_back(std::move(starts));
    out.extents.push_back((axes[d].extent - 1) * reach[d].stride +
                          (reach[d].kernel - 1) * reach[d].dilation + 1);
  }
  return out;
}

class Maker {
 public:
  Maker(const graph::Graph& source, const IncrementalSpec& spec) : source_(source), spec_(spec) {
    const auto& shape = source_.value(spec_.input).shape;
    if (shape.size() < 3 || shape.size() != spec_.windows.size() + 2)
      throw Error(ErrorCode::internal, "windows have other axes than the input",
                  {{}, source_.value(spec_.input).name, {}});
    images_ = shape[0];
  }

  std::optional<IncrementalNetwork> make() {
    const auto needed = needed_nodes();
    if (!needed) return std::nullopt;
    start();
    double total = 0, left = 0;
    for (std::size_t n = 0; n < source_.nodes().size(); ++n) {
      if (!(*needed)[n]) continue;
      spec_.limits.check();
      const auto& node = source_.nodes()[n];
      const auto work = static_cast<double>(detail::multiplications(source_, node));
      total += work;
      left += work * patch(node);
      if (!changed_.contains(node.outputs[0])) compute_full(node);
    }
    if (left == total) return std::nullopt;
    out_.share = left / total;
    out_.output = full(spec_.output);
    out_.graph.outputs = {out_.output};
    const auto rank = static_cast<std::int64_t>(spec_.windows.size());
    out_.graph.value(places_).shape = {images_, out_.rows, 2 * rank};
    graph::infer(out_.graph);
    graph::verify(out_.graph, "incremental", spec_.limits);
    return std::move(out_);
  }

 private:
  /// What the output depends on; none where that is an input other than the one that changes.
  std::optional<std::vector<bool>> needed_nodes() const {
    std::set<ValueId> wanted{spec_.output};
    std::vector<bool> needed(source_.nodes().size(), false);
    for (std::size_t n = source_.nodes().size(); n-- > 0;) {
      const auto& node = source_.nodes()[n];
      for (const auto output : node.outputs)
        if (wanted.contains(output) && !source_.value(output).constant) needed[n] = true;
      if (!needed[n]) continue;
      for (const auto input : node.inputs)
        if (input) wanted.insert(input);
    }
    for (const auto input : source_.inputs)
      if (input != spec_.input && wanted.contains(input)) return std::nullopt;
    return needed;
  }

  void start() {
    const auto& input = source_.value(spec_.input);
    Changed changed;
    Shape shape{input.shape[0], input.shape[1]};
    for (std::size_t d = 0; d < spec_.windows.size(); ++d) {
      changed.axes.push_back(axis_of(spec_.windows[d], input.shape[d + 2]));
      const auto& axis = changed.axes.back();
      out_.patch.push_back(axis.extent);
      out_.places.emplace_back();
      for (const auto begin : axis.starts) out_.places[d].push_back({begin, {}});
    }
    shape.insert(shape.end(), out_.patch.begin(), out_.patch.end());
    changed.patch = out_.graph.add_input(fresh(input.name + "/patch"), input.type, shape);
    places_ = out_.graph.add_input(fresh("places"), graph::DType::i64, {images_, 0, 0});
    changed_[spec_.input] = std::move(changed);
  }

  /// A name that neither graph has.
  std::string fresh(const std::string& wanted) const {
    std::string name = source_.unique_name(wanted);
    for (int i = 2; out_.graph.find_value(name) || source_.find_value(name); ++i)
      name = wanted + std::to_string(i);
    return name;
  }

  /// Computes the node where its inputs changed, if that is worth it. The part of its positions
  /// that are to be computed.
  double patch(const graph::Node& node) {
    const auto local = detail::local(source_, node);
    if (!local) return 1;
    const auto& shape = source_.value(node.outputs[0]).shape;
    for (const auto i : local->data)
      if (!changed_.contains(node.inputs[i])) return 1;
    auto axes = result_axes(node, *local);
    double part = 1;
    for (std::size_t d = 0; d < axes.size(); ++d)
      part *= static_cast<double>(axes[d].extent) / static_cast<double>(shape[d + 2]);
    if (part > spec_.max_changed) return 1;

    const Region region = read_by(axes, local->reach);
    std::vector<ValueId> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool is_data =
          std::find(local->data.begin(), local->data.end(), i) != local->data.end();
      if (!node.inputs[i]) {
        inputs.emplace_back();
      } else if (is_data) {
        inputs.push_back(assembled(node.inputs[i], region, local->fill));
      } else {
        inputs.push_back(full(node.inputs[i]));
      }
    }
    ValueId result = inputs[0];
    if (local->op)
      result = added(node.name, node.op_type, *local->op, std::move(inputs),
                     fresh(source_.value(node.outputs[0]).name + "/patch"));
    changed_[node.outputs[0]] = {result, std::move(axes)};
    return part;
  }

  std::vector<Axis> result_axes(const graph::Node& node, const Local& local) const {
    const auto& shape = source_.value(node.outputs[0]).shape;
    std::vector<Axis> out;
    for (std::size_t d = 0; d + 2 < shape.size(); ++d) {
      std::vector<Interval> all;
      for (const auto i : local.data) {
        const auto& from = changed_.at(node.inputs[i]).axes[d].changed;
        for (std::size_t w = 0; w < from.size(); ++w) {
          const auto one = reached(from[w], local.reach[d], shape[d + 2]);
          if (all.size() <= w) {
            all.push_back(one);
          } else {
            all[w] = {std::min(all[w].begin, one.begin), std::max(all[w].end, one.end)};
          }
        }
      }
      out.push_back(axis_of(std::move(all), shape[d + 2]));
    }
    return out;
  }

  /// A region of the source's value: its patch itself, or laid over what is known.
  ValueId assembled(ValueId id, const Region& region, float fill) {
    const auto& changed = changed_.at(id);
    if (changed.region() == region) return changed.patch;
    auto& made = regions_[{id, region, fill}];
    if (!made) made = laid_over(id, region, fill, fresh(source_.value(id).name + "/region"));
    return made;
  }

  ValueId laid_over(ValueId id, const Region& region, float fill, const std::string& name) {
    const auto& value = source_.value(id);
    const auto& changed = changed_.at(id);
    auto& known = known_[id];
    if (!known) {
      Shape shape = value.shape;
      shape[0] = 1;
      known = out_.graph.add_input(fresh(value.name + "/known"), value.type, shape);
      out_.known.push_back(value.name);
    }
    for (std::size_t d = 0; d < changed.axes.size(); ++d)
      for (std::size_t w = 0; w < region.starts[d].size(); ++w) {
        auto& rows = out_.places[d][w].rows;
        rows.push_back(static_cast<float>(changed.axes[d].starts[w]));
        rows.push_back(static_cast<float>(region.starts[d][w]));
      }
    return added(name, "Paste", graph::Paste{region.extents, out_.rows++, fill},
                 {known, changed.patch, places_}, name);
  }

  void compute_full(const graph::Node& node) {
    std::vector<ValueId> inputs;
    for (const auto input : node.inputs) inputs.push_back(input ? full(input) : ValueId{});
    std::vector<std::string> names;
    for (const auto output : node.outputs) names.push_back(source_.value(output).name);
    const auto id = out_.graph.add_node(node.name, node.op_type, node.op, std::move(inputs), names);
    for (std::size_t o = 0; o < node.outputs.size(); ++o)
      full_[node.outputs[o]] = out_.graph.node(id).outputs[o];
  }

  /// The source's value at every position.
  ValueId full(ValueId id) {
    auto& made = full_[id];
    if (made) return made;
    const auto& value = source_.value(id);
    if (value.constant) return made = out_.graph.add_constant(value.name, *value.constant);
    const auto& axes = changed_.at(id).axes;
    Region region;
    for (std::size_t d = 0; d < axes.size(); ++d) {
      region.starts.emplace_back(axes[d].starts.size(), 0);
      region.extents.push_back(value.shape[d + 2]);
    }
    return made = laid_over(id, region, 0, value.name);
  }

  ValueId added(const std::string& name, const std::string& type, graph::Op op,
                std::vector<ValueId> inputs, const std::string& output) {
    const auto id = out_.graph.add_node(name, type, std::move(op), std::move(inputs), {output});
    return out_.graph.node(id).outputs[0];
  }

  const graph::Graph& source_;
  const IncrementalSpec& spec_;
  std::int64_t images_ = 1;
  IncrementalNetwork out_;
  ValueId places_;
  std::map<ValueId, Changed> changed_;
  std::map<ValueId, ValueId> full_, known_;
  std::map<std::tuple<ValueId, Region, float>, ValueId> regions_;
};

}  // namespace

std::optional<IncrementalNetwork> incremental(const graph::Graph& graph,
                                              const IncrementalSpec& spec) {
  return Maker(graph, spec).make();
}

}  // namespace fovea::passes
