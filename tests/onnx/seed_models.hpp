#pragma once

#include "model_builder.hpp"

namespace fovea::test {

/// Convolution, batch norm, activation, pool and linear layer on an open batch.
inline ModelBuilder small_model() {
  ModelBuilder model(13);
  model.input("x", {-1, 2, 4, 4})
      .initializer("w", {2, 2, 1, 1}, Floats{1, 2, 3, 4})
      .initializer("scale", {2}, Floats{1, 1})
      .initializer("shift", {2}, Floats{0, 0})
      .initializer("mean", {2}, Floats{0, 0})
      .initializer("var", {2}, Floats{1, 1})
      .initializer("fc", {3, 2}, Floats{1, 0, 0, 1, 1, 1})
      .add("Conv", {"x", "w"}, {"conv"}, {attr("kernel_shape", Ints{1, 1})}, "conv1")
      .add("BatchNormalization", {"conv", "scale", "shift", "mean", "var"}, {"bn"}, {}, "bn1")
      .add("Relu", {"bn"}, {"relu"})
      .add("GlobalAveragePool", {"relu"}, {"gap"})
      .add("Flatten", {"gap"}, {"flat"})
      .add("Gemm", {"flat", "fc"}, {"y"}, {attr("transB", 1)}, "head")
      .output("y", {-1, 3});
  return model;
}

/// One Relu.
inline ModelBuilder tiny_model(std::int64_t opset = 13, std::int64_t ir = 8) {
  ModelBuilder model(opset, ir);
  model.input("x", {1, 2}).add("Relu", {"x"}, {"y"}, {}, "relu").output("y", {1, 2});
  return model;
}

/// One Identity of the initializer `extra`.
inline ModelBuilder of_tensor(const TensorProto& extra) {
  ModelBuilder model;
  model.initializer(extra).add("Identity", {extra.name()}, {"y"}).output("y");
  return model;
}

/// tiny_model with `extra` as an initializer that nobody reads.
inline ModelBuilder with_tensor(const TensorProto& extra) {
  auto model = tiny_model();
  model.initializer(extra);
  return model;
}

}  // namespace fovea::test
