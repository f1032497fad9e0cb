#pragma once

#include <optional>
#include <vector>

#include "graph/graph.hpp"

/// The arithmetic on shapes that exporters write into the graph, computed at binding: exact for
/// integers. Large float subgraphs are not computed here; the engine runs them once.
namespace fovea::graph::detail {

/// Results above this are left to the engine, except those that copy nothing or only transpose.
inline constexpr std::int64_t kMaxEvaluated = 65'536;

/// The same of what an operator must know before anything runs: the coordinates of a mask's
/// elements.
inline constexpr std::int64_t kMaxNeeded = std::int64_t{1} << 24;

/// What evaluation may still allocate, in elements: a small file must not grow without bound.
class EvaluationBudget {
 public:
  /// In proportion to the constants of the file.
  explicit EvaluationBudget(const Graph& graph);
  explicit EvaluationBudget(std::int64_t elements) : left_(elements) {}
  bool take(std::int64_t elements);

 private:
  std::int64_t left_;
};

/// The constants of the node's outputs; none where an input is not constant or the op is not one of
/// shape arithmetic. The node must be inferred. Throws Error bad_model (a division by zero, an
/// overflow, an index out of range), without the node's context.
std::optional<std::vector<Constant>> evaluate(const Graph& graph, const Node& node,
                                              EvaluationBudget& budget,
                                              std::int64_t most = kMaxEvaluated);

/// Row-major elements of a tensor of extents `shape`, element (i, j, ...) being at
/// offset + i strides[0] + j strides[1] ... of the source.
struct StridedView {
  Shape shape;
  Shape strides;
  std::int64_t offset = 0;
};

/// Strides of a dense tensor.
Shape dense_strides(const Shape& shape);
/// Of an index that may count from the end. Throws Error bad_model where it is out of range.
std::int64_t checked_index(std::int64_t index, std::int64_t extent);
/// A dense tensor of shape `from` as numpy broadcasts it to `to`.
StridedView broadcast_view(const Shape& from, const Shape& to);

/// Calls visit(source index) for every element in order.
template <class Visit>
void for_each(const StridedView& strided, Visit visit) {
  for (const auto extent : strided.shape)
    if (extent == 0) return;
  Shape at(strided.shape.size(), 0);
  auto index = strided.offset;
  for (;;) {
    visit(index);
    auto d = strided.shape.size();
    for (; d > 0; --d) {
      const auto i = d - 1;
      index += strided.strides[i];
      if (++at[i] < strided.shape[i]) break;
      index -= strided.strides[i] * strided.shape[i];
      at[i] = 0;
    }
    if (d == 0) return;
  }
}

/// The constant that the view reads from `source`, with extents `shape`.
Constant read(const Constant& source, const StridedView& strided, Shape shape);

using Inputs = std::vector<const Constant*>;
/// One overload per operator whose row says that it is folded; none for what they leave to the
/// engine. `in` holds the node's inputs (null: absent).
#define FOVEA_OPERATOR(Op) \
  std::optional<Constant> evaluate_op(const Op& op, const Inputs& in, const Shape& shape);
FOVEA_EACH_OPERATOR(FOVEA_OPERATOR)
#undef FOVEA_OPERATOR
std::vector<Constant> evaluate_split(const Split& op, const Constant& in);
Constant evaluate_cast(const Constant& in, DType to);

/// The same elements with other extents: nothing is copied.
Constant view(const Constant& source, const Shape& shape);

/// Exact integer arithmetic; each throws bad_model where the result does not fit.
std::int64_t exact_add(std::int64_t a, std::int64_t b);
std::int64_t exact_mul(std::int64_t a, std::int64_t b);
/// Truncates.
std::int64_t exact_div(std::int64_t a, std::int64_t b);
/// A float as an integer; the fraction is cut off.
std::int64_t integer_of(double v);

}  // namespace fovea::graph::detail
