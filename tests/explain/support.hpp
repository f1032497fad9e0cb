#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <random>
#include <span>
#include <string>

#include "fovea/fovea.hpp"

namespace fovea::methods_test {

inline Model golden_model(const std::string& name) {
  return Model::load(std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/golden/data" / name /
                     "model.onnx");
}

inline Explainer explainer_for(const std::string& network, std::vector<Method> methods,
                               std::function<void(ExplainerOptions&)> change = {}) {
  ExplainerOptions options;
  options.prepare.methods = std::move(methods);
  options.compile.tuning = Tuning::off;
  const Model model = golden_model(network);
  for (const auto& input : model.inputs()) {
    Shape shape = input.shape;
    for (std::size_t d = 1; d < shape.size(); ++d)
      if (shape[d] < 0) shape[d] = 48;
    options.compile.input_shapes[input.name] = shape;
  }
  if (change) change(options);
  return Explainer(model, options);
}

/// Values like a normalised photo's, the same for a seed.
inline Tensor random_input(const Explainer& explainer, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Tensor out{explainer.inputs()[0].shape, {}};
  std::size_t count = 1;
  for (const auto extent : out.shape) count *= static_cast<std::size_t>(extent);
  for (std::size_t i = 0; i < count; ++i) out.data.push_back(normal(random));
  return out;
}

inline float largest(std::span<const float> v) {
  float out = 0;
  for (const float x : v) out = std::max(out, std::abs(x));
  return out;
}

/// The largest difference as a share of the largest magnitude of `want`.
inline float difference(std::span<const float> got, std::span<const float> want) {
  float out = got.size() == want.size() ? 0.f : INFINITY;
  for (std::size_t i = 0; i < std::min(got.size(), want.size()); ++i)
    out = std::max(out, std::abs(got[i] - want[i]));
  return out / largest(want);
}

/// The sentence of the error that the call throws, if it is Error invalid_argument.
inline std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code() == ErrorCode::invalid_argument ? error.what() : "another code";
  }
  return "nothing was thrown";
}

}  // namespace fovea::methods_test
