#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/tensor.hpp"
#include "graph/constant.hpp"
#include "graph/op.hpp"

/// The IR: values, nodes in execution order, names of the user's file. No oneDNN, no ONNX.
namespace fovea::graph {

/// A strong index; -1 is "none" (an optional input that is absent).
template <class Tag>
struct Id {
  std::int32_t index = -1;
  friend auto operator<=>(const Id&, const Id&) = default;
  explicit operator bool() const { return index >= 0; }
};
using ValueId = Id<struct ValueTag>;
using NodeId = Id<struct NodeTag>;

struct Value {
  std::string name = {};
  DType type = DType::f32;
  Shape shape = {};  ///< concrete once inferred; in a graph as imported, inputs may hold -1
  std::optional<Constant> constant = {};
  NodeId producer = {};  ///< none for inputs, constants and what no node makes any more
};

struct Node {
  std::string name;     ///< never empty: made from the first output where the file has none
  std::string op_type;  ///< the file's operator, for messages
  Op op;
  std::vector<ValueId> inputs;  ///< trailing absent inputs are trimmed
  std::vector<ValueId> outputs;
};

/// More values than this are refused: ids are 32-bit.
inline constexpr std::int32_t kMaxValues = 1 << 24;

class Graph {
 public:
  std::vector<ValueId> inputs;   ///< without initializers, in file order
  std::vector<ValueId> outputs;  ///< in file order

  /// The three below throw Error bad_model where a value of that name exists already.
  ValueId add_input(std::string name, DType type, Shape shape);
  ValueId add_constant(std::string name, Constant constant);
  /// Appends a node (its inputs must exist) and creates its outputs, named `output_names`.
  NodeId add_node(std::string name, std::string op_type, Op op, std::vector<ValueId> node_inputs,
                  const std::vector<std::string>& output_names);

  const std::vector<Value>& values() const { return values_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const Value& value(ValueId id) const { return values_[static_cast<std::size_t>(id.index)]; }
  Value& value(ValueId id) { return values_[static_cast<std::size_t>(id.index)]; }
  const Node& node(NodeId id) const { return nodes_[static_cast<std::size_t>(id.index)]; }
  Node& node(NodeId id) { return nodes_[static_cast<std::size_t>(id.index)]; }

  /// By name; none where there is no such value. Values are never renamed.
  ValueId find_value(std::string_view name) const;

  /// `wanted`, or `wanted` followed by a number that makes it new: the first, where those before it
  /// are all taken.
  std::string unique_name(std::string_view wanted) const;

  /// For each value, the nodes that read it, in order (a node that reads it twice stands twice).
  std::vector<std::vector<NodeId>> uses() const;

  /// Replaces `old_value` by `new_value` in every node input and graph output.
  void replace_uses(ValueId old_value, ValueId new_value);

  /// Drops the nodes for which `dead` holds, keeps the others' order, renumbers producers.
  void erase_nodes(const std::vector<bool>& dead);

  /// Orders the nodes so that each comes after what it reads; stable. Throws Error bad_model on a
  /// cycle.
  void sort();

 private:
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };

  ValueId add_value(Value value);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, ValueId, NameHash, std::equal_to<>> by_name_;
};

/// Error context of a node.
ErrorContext where(const Node& node);

}  // namespace fovea::graph
