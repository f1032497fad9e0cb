#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "fovea/tensor.hpp"

/// reports/expected.json: what ONNX Runtime and autograd say of the models beside it.
namespace fovea::shapes_test {

inline std::string report_file(const std::string& name) {
  return FOVEA_SOURCE_DIR "/tests/shapes/reports/" + name;
}

inline const nlohmann::json& expected() {
  static const auto all = nlohmann::json::parse(std::ifstream(report_file("expected.json")));
  return all;
}

inline Tensor tensor_of(const nlohmann::json& packed) {
  return {packed.at("shape").get<Shape>(), packed.at("data").get<std::vector<float>>()};
}

/// A sentence where values are not those wanted, within f32's rounding of the largest.
inline std::string unlike(const std::vector<float>& got, const std::vector<float>& want,
                          const std::string& what) {
  if (got.size() != want.size())
    return what + ": " + std::to_string(got.size()) + " values, not " + std::to_string(want.size());
  float largest = 0;
  for (const float v : want) largest = std::max(largest, std::abs(v));
  for (std::size_t i = 0; i < want.size(); ++i)
    if (!(std::abs(got[i] - want[i]) <= 1e-4F * largest))
      return what + ": " + std::to_string(got[i]) + " at " + std::to_string(i) + ", not " +
             std::to_string(want[i]);
  return "";
}

}  // namespace fovea::shapes_test
