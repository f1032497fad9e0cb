#include <cmath>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {

using graph::Cast;

/// Integers and booleans are held as floats in a run, exact up to 2^24.
void forward(const Cast& op, ForwardContext& c) {
  const auto from = c.in_type(0);
  if (op.to == graph::DType::f32 || op.to == from ||
      (op.to == graph::DType::i64 && from == graph::DType::boolean)) {
    c.out(0, c.in(0));
    return;
  }
  const bool to_boolean = op.to == graph::DType::boolean;
  const Operand dst = c.make_plain_out();
  const auto n = stored_elements(dst.desc);
  c.b.kernel(
      [n, to_boolean](Pointers p) {
        for (std::int64_t i = 0; i < n; ++i) {
          const float x = floats(p, 0)[i];
          // An integer has no negative zero.
          floats(p, 1)[i] = to_boolean ? static_cast<float>(x != 0) : std::trunc(x) + 0.f;
        }
      },
      {c.plain_in(0)}, {dst});
  c.out(0, dst);
}

void backward(const Cast&, BackwardContext& c) {
  c.send(0, c.grad());
}

}  // namespace fovea::engine
