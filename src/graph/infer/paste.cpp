#include "graph/infer/context.hpp"

namespace fovea::graph::detail {

void infer_op(Paste& op, InferContext& c) {
  c.require(0, DType::f32);
  c.require(1, DType::f32);
  c.require(2, DType::i64);
  const auto& clean = c.shape(0);
  const auto& patch = c.shape(1);
  const auto& places = c.shape(2);
  if (clean.size() < 3 || clean.size() > 5 || clean.size() != patch.size())
    bad_model("a map of shape " + text(clean) + " takes no patch of shape " + text(patch));
  if (clean[0] != 1 || clean[1] != patch[1])
    bad_model("the images or channels of " + text(clean) + " and " + text(patch) + " do not fit");
  const auto rank = static_cast<std::int64_t>(clean.size()) - 2;
  if (places.size() != 3 || places[0] != patch[0] || places[2] != 2 * rank)
    bad_model("the places have shape " + text(places));
  if (op.row < 0 || op.row >= places[1])
    bad_model("there is no row " + std::to_string(op.row) + " of places");
  if (static_cast<std::int64_t>(op.extents.size()) != rank)
    bad_model("the region has " + std::to_string(op.extents.size()) + " extents where " +
              std::to_string(rank) + " are needed");
  Shape out{patch[0], patch[1]};
  for (const auto extent : op.extents) {
    if (extent < 1) bad_model("an extent of the region is " + std::to_string(extent));
    out.push_back(extent);
  }
  c.set_output(DType::f32, std::move(out));
}

}  // namespace fovea::graph::detail
