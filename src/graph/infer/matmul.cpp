#include <cmath>

#include "graph/infer/context.hpp"

namespace fovea::graph::detail {

void infer_op(Gemm& op, InferContext& c) {
  for (std::size_t i = 0; i < 2; ++i) {
    c.require_real_or_constant(i);
    c.require(i, c.type(0));
    if (c.shape(i).size() != 2)
      bad_model("input " + std::to_string(i) + " has shape " + text(c.shape(i)) +
                " where a matrix is needed");
  }
  const auto& a = c.shape(0);
  const auto& b = c.shape(1);
  const auto inner_a = op.trans_a ? a[0] : a[1];
  const auto inner_b = op.trans_b ? b[1] : b[0];
  if (inner_a != inner_b)
    bad_model("the matrices " + text(a) + " and " + text(b) + " do not fit together");
  Shape out{op.trans_a ? a[1] : a[0], op.trans_b ? b[0] : b[1]};
  if (c.has_input(2)) {
    c.require(2, c.type(0));
    if (c.type(0) != DType::f32) c.require_real_or_constant(2);
    require_broadcasts_to(c.shape(2), out, "third input");
  }
  if (c.type(0) != DType::f32 &&
      (op.alpha != std::trunc(op.alpha) || op.beta != std::trunc(op.beta)))
    unsupported("Gemm of integers by a fraction");
  check_post_ops(op.post, out, c);
  c.set_output(c.type(0), std::move(out));
}

void infer_op(MatMul& op, InferContext& c) {
  for (std::size_t i = 0; i < 2; ++i) {
    c.require_real_or_constant(i);
    c.require(i, c.type(0));
    if (c.shape(i).empty()) bad_model("input " + std::to_string(i) + " is a scalar");
  }
  Shape a = c.shape(0);
  Shape b = c.shape(1);
  // A vector is a row on the left and a column on the right; its extent leaves the result again.
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  if (a.back() != b[b.size() - 2])
    bad_model("the shapes " + text(c.shape(0)) + " and " + text(c.shape(1)) +
              " do not fit together");
  Shape out = broadcast({a.begin(), a.end() - 2}, {b.begin(), b.end() - 2});
  if (!row) out.push_back(a[a.size() - 2]);
  if (!column) out.push_back(b.back());
  check_post_ops(op.post, out, c);
  c.set_output(c.type(0), std::move(out));
}

}  // namespace fovea::graph::detail
