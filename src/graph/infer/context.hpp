#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "graph/graph.hpp"

namespace fovea::graph::detail {

struct TypeAndShape {
  DType type = DType::f32;
  Shape shape;
};

/// Thrown where an operator must know a value that is no constant: binding may yet compute it.
struct NotConstant : Error {
  NotConstant(const Error& error, ValueId value) : Error(error), id(value) {}
  ValueId id;
};

/// One node while its outputs are inferred. Works on a copy of the node, so that `infer` can store
/// the result and `verify` can compare it. Every question about an input that the model fails to
/// answer throws an Error; the caller adds the node to its context.
class InferContext {
 public:
  InferContext(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  Node& node() { return node_; }
  std::size_t input_count() const { return node_.inputs.size(); }
  std::size_t output_count() const { return node_.outputs.size(); }
  bool has_input(std::size_t i) const;

  /// Throws bad_model where input i is absent.
  const Value& input(std::size_t i) const;
  const Shape& shape(std::size_t i) const { return input(i).shape; }
  DType type(std::size_t i) const { return input(i).type; }

  /// Throws bad_model unless input i is f32 (`i64`, `boolean`).
  void require(std::size_t i, DType type) const;
  /// Throws unsupported unless input i is f32: of operators that ONNX has for integers, too.
  void require_real(std::size_t i) const;
  /// The same where integers are computed of constants alone: throws NotConstant of others.
  void require_real_or_constant(std::size_t i) const;
  /// Throws bad_model unless input i has the shape.
  void require_shape(std::size_t i, const Shape& expected, std::string_view what) const;

  /// Input i, which the result's extents depend on: `what` names it. Throws NotConstant.
  const Constant& constant(std::size_t i, std::string_view what) const;
  /// The integers of input i, a scalar or a vector. Throws unsupported where they are not constant;
  /// `what` names the parameter: "shape".
  Ints constant_ints(std::size_t i, std::string_view what) const;
  /// The numbers of input i of either type.
  std::vector<float> constant_floats(std::size_t i, std::string_view what) const;

  /// True where input i is no constant, nor computed from constants alone.
  bool depends_on_feed(std::size_t i) const;

  /// Parameters that became fields of the op: only the first `count` inputs remain.
  void keep_inputs(std::size_t count);

  void set_output(std::size_t i, DType type, Shape shape);
  /// For all ops but Split: the one output.
  void set_output(DType type, Shape shape);

  const std::vector<TypeAndShape>& outputs() const { return outputs_; }

 private:
  const Graph& graph_;
  Node node_;
  std::vector<TypeAndShape> outputs_;
};

[[noreturn]] void bad_model(const std::string& sentence);
[[noreturn]] void unsupported(const std::string& sentence);

/// "[1, 3, 224, 224]"
using base::text;
std::string_view text(DType type);

/// `axis` in [-rank, rank) counted from the front. Throws bad_model.
std::int64_t front_axis(std::int64_t axis, std::size_t rank);
/// The same for several, sorted; throws bad_model also on repetition.
Ints front_axes(const Ints& axes, std::size_t rank);

/// numpy's broadcasting. Throws bad_model.
Shape broadcast(const Shape& a, const Shape& b);
/// Throws bad_model unless `from` broadcasts to exactly `to`.
void require_broadcasts_to(const Shape& from, const Shape& to, std::string_view what);

/// One overload per op: resolves its fields and sets the outputs.
#define FOVEA_OPERATOR(Op) \
  void infer_op(Op& op, InferContext& c);  // NOLINT(bugprone-macro-parentheses)
FOVEA_EACH_OPERATOR(FOVEA_OPERATOR)
#undef FOVEA_OPERATOR

/// What a fused op's post-ops read must have the shape of its result.
void check_post_ops(const PostOps& post, const Shape& result, const InferContext& c);

/// Infers one node, with the node in the context of what it throws.
InferContext infer_node(const Graph& graph, const Node& node);

}  // namespace fovea::graph::detail
