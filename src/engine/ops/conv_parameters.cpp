#include "engine/ops/conv_parameters.hpp"

#include "engine/ops/elementwise.hpp"

namespace fovea::engine {

Operand bias_gradient(BackwardContext& c, const Operand& diff) {
  const Shape& shape = c.out_shape();
  Shape channels(shape.size() - 1, 1);
  channels[0] = shape[1];
  return reduce_to(c.b, diff, shape, channels).as(plain_desc({shape[1]}));
}

}  // namespace fovea::engine
