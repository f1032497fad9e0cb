#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "fovea/fovea.hpp"
#include "support/npy.hpp"

/// What the tests of goldens share: their files, and how maps are held against each other.
namespace fovea::golden {

inline const std::filesystem::path kFolder =
    std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/golden";

/// The networks of a folder, with their cases.
inline nlohmann::json manifest(const std::string& folder) {
  std::ifstream in(kFolder / folder / "manifest.json");
  return nlohmann::json::parse(in);
}

/// A tensor that a manifest names.
inline Tensor load(const std::string& folder, const nlohmann::json& file) {
  return testing_support::read_npy(kFolder / folder / file.get<std::string>());
}

inline Model model_of(const std::string& folder, const nlohmann::json& network) {
  return Model::load(kFolder / folder / network["model"].get<std::string>());
}

/// For one method on a network's input, as its file leaves it to be chosen.
inline ExplainerOptions options_for(const nlohmann::json& network, const Tensor& input,
                                    const Method& method, bool optimize) {
  ExplainerOptions options;
  options.compile.batch = input.shape[0];
  options.compile.input_shapes[network["input_name"].get<std::string>()] = input.shape;
  options.prepare.methods = {method};
  options.compile.optimize = optimize;
  options.compile.tuning = Tuning::off;
  return options;
}

inline std::span<const float> image_of(const Tensor& all, std::int64_t n) {
  const auto each = all.data.size() / static_cast<std::size_t>(all.shape[0]);
  return std::span(all.data).subspan(static_cast<std::size_t>(n) * each, each);
}

inline float largest(std::span<const float> v) {
  float out = 0;
  for (const float x : v) out = std::max(out, std::abs(x));
  return out;
}

/// How many values lie further than `allowed` from those wanted; NaN does.
inline std::size_t far_apart(std::span<const float> got, std::span<const float> want,
                             float allowed) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < want.size(); ++i) out += !(std::abs(got[i] - want[i]) <= allowed);
  return out;
}

inline double pearson(std::span<const float> a, std::span<const float> b) {
  double ma = 0, mb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ma += a[i];
    mb += b[i];
  }
  ma /= static_cast<double>(a.size());
  mb /= static_cast<double>(a.size());
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) * (a[i] - ma);
    bb += (b[i] - mb) * (b[i] - mb);
  }
  return ab / std::sqrt(aa * bb);
}

}  // namespace fovea::golden
