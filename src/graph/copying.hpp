#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.hpp"

namespace fovea::graph {

/// Copies values and nodes of a graph into another, as often as wanted: a value of the one stands
/// for whatever was copied or put in its place last. Constants share their data.
class Copying {
 public:
  using Rename = std::function<std::string(const std::string&)>;

  Copying(const Graph& from, Graph& to) : from_(from), to_(to), now_(from.values().size()) {}

  /// None where nothing was copied.
  ValueId find(ValueId id) const { return now_[static_cast<std::size_t>(id.index)]; }
  ValueId now(ValueId id) const {
    if (!find(id))
      throw Error(ErrorCode::internal, "a value is read that was not copied",
                  {{}, from_.value(id).name, {}});
    return find(id);
  }
  std::vector<ValueId> now(std::span<const ValueId> ids) const {
    std::vector<ValueId> out;
    for (const auto id : ids) out.push_back(id ? now(id) : id);
    return out;
  }
  void set(ValueId id, ValueId stands_for) {
    now_[static_cast<std::size_t>(id.index)] = stands_for;
  }

  /// A name that neither graph has: `wanted`, or like it.
  std::string fresh(std::string wanted) const {
    for (;; wanted += '_') {
      auto out = to_.unique_name(wanted);
      if (!from_.find_value(out)) return out;
    }
  }

  void copy_constants(const Rename& rename) {
    for (std::size_t v = 0; v < now_.size(); ++v) {
      const auto& value = from_.values()[v];
      if (value.constant) now_[v] = to_.add_constant(rename(value.name), *value.constant);
    }
  }
  void copy_input(ValueId id, std::string name) {
    const auto& value = from_.value(id);
    set(id, to_.add_input(std::move(name), value.type, value.shape));
  }
  /// What it reads must have been copied.
  void copy_node(const Node& node, std::string name, const Rename& rename) {
    std::vector<std::string> names;
    for (const auto output : node.outputs) names.push_back(rename(from_.value(output).name));
    const auto id = to_.add_node(std::move(name), node.op_type, node.op, now(node.inputs), names);
    for (std::size_t i = 0; i < names.size(); ++i) set(node.outputs[i], to_.node(id).outputs[i]);
  }

 private:
  const Graph& from_;
  Graph& to_;
  std::vector<ValueId> now_;  ///< per value of `from_`
};

inline std::string as_it_is(const std::string& name) {
  return name;
}

}  // namespace fovea::graph
