#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "graph/graph.hpp"
#include "onnx/attributes.hpp"
#include "onnx/element_type.hpp"
#include "onnx/flatten.hpp"
#include "onnx/names.hpp"
#include "onnx/tensors.hpp"

namespace fovea::onnx {

/// What the nodes of one import share.
struct ImportState {
  explicit ImportState(Storage storage) : tensors(std::move(storage)) {}

  graph::Graph graph;
  Tensors tensors;
  Names names;
  std::unordered_map<std::string, graph::ValueId> values;  ///< defined so far, by the file's name
  std::unordered_map<std::string, DataType> types;         ///< of the same
  std::unordered_set<std::string> read;                    ///< by a node or as a graph output
  /// Per node so far: do its results depend on what is in the graph's inputs, not on their extents
  /// alone?
  std::vector<bool> depends_on_inputs;
};

/// What a registry row sees of its node and what it may add to the graph: exactly one of `emit`,
/// `emit_all`, `define` and an `emit_output` per output, after any number of `step`s.
class NodeImport {
 public:
  NodeImport(ImportState& state, const FlatNode& node);

  Attributes attributes;

  std::int64_t opset() const { return flat_.opset; }
  const std::string& op() const { return proto_.op_type(); }

  /// Named inputs up to the last one that is there.
  int input_count() const { return static_cast<int>(inputs_.size()); }
  bool has_input(int i) const { return static_cast<bool>(input(i)); }
  /// None where it is absent.
  graph::ValueId input(int i) const;
  const std::vector<graph::ValueId>& inputs() const { return inputs_; }
  /// Of an input that is a constant already; null otherwise.
  const graph::Constant* constant_input(int i) const;
  /// Of an input that is neither a constant nor becomes one once the extents are known.
  bool is_computed(int i);

  /// The element type that the file has for an input; f32 where there is none.
  DataType type(int i) const;
  /// The element type of the outputs, where it is not input 0's.
  void set_result(DataType type) { result_ = type; }
  /// Once the row is done: the outputs have their types.
  void finish_types();

  /// An If whose branches are nodes, and what they give its inputs.
  bool has_branches() const { return flat_.has_branches; }
  /// A loop whose body is nodes, or the node that these begin with; null of any other.
  const format::GraphProto* body() const { return flat_.body; }
  bool begins_body() const { return flat_.begins_body; }
  /// The node that makes input i, as read so far; null where none does.
  const graph::Node* producer(int i) const;
  const graph::Graph& graph() const { return state_.graph; }
  int output_count() const { return proto_.output_size(); }
  bool output_named(int i) const { return i < output_count() && !proto_.output(i).empty(); }
  bool output_used(int i) const {
    return output_named(i) && state_.read.contains(proto_.output(i));
  }

  /// The operator: all inputs (or those given) to output 0.
  void emit(graph::Op op) { emit(std::move(op), inputs_); }
  void emit(graph::Op op, std::vector<graph::ValueId> inputs);
  /// The same, wrapped into what `type` holds, where that is an integer of 8 or 16 bits: the graph
  /// knows one type of integers.
  void emit_within(DataType type, graph::Op op, std::vector<graph::ValueId> inputs);
  /// To one of several outputs, each with a node and an element type of its own.
  graph::ValueId emit_output(int i, graph::Op op, std::vector<graph::ValueId> inputs,
                             DataType type);
  /// To every output.
  void emit_all(graph::Op op) { emit_all(std::move(op), inputs_, output_count()); }
  /// To `count` outputs, of which the file may name fewer.
  void emit_all(graph::Op op, std::vector<graph::ValueId> inputs, int count);
  /// The same of other inputs; each output with an element type of its own.
  void emit_all(graph::Op op, std::vector<graph::ValueId> inputs,
                const std::vector<DataType>& types);
  /// Output 0 is a constant.
  void define(graph::Constant constant);
  /// A node on the way, with a name of its own.
  graph::ValueId step(graph::Op op, std::vector<graph::ValueId> inputs);
  /// The same, with `count` results.
  std::vector<graph::ValueId> step_all(graph::Op op, std::vector<graph::ValueId> inputs, int count);
  graph::ValueId constant(graph::Constant constant);
  graph::ValueId floats(Shape shape, std::vector<float> data);
  graph::ValueId ints(std::vector<std::int64_t> data);
  graph::ValueId integer(std::int64_t value);

  /// The data of an attribute's tensor.
  graph::Constant take(format::TensorProto& tensor) { return state_.tensors.take(tensor, name_); }

  /// Throw Error: a form that fovea has not, a node that contradicts the format. `sentence`
  /// continues the operator's name: "with mode cubic".
  [[noreturn]] void unsupported(const std::string& sentence) const;
  [[noreturn]] void bad(const std::string& sentence) const;

 private:
  std::string output_name(int i);
  std::vector<std::string> output_names(int count);

  ImportState& state_;
  format::NodeProto& proto_;
  FlatNode flat_;
  std::string name_;
  std::vector<graph::ValueId> inputs_;
  std::optional<DataType> result_;
};

}  // namespace fovea::onnx
