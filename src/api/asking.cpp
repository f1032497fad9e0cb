#include "fovea/asking.hpp"

#include <algorithm>

namespace fovea {

ExplainerOptions bare_options(ExplainerOptions options) {
  options.prepare.methods.clear();
  options.prepare.layers.clear();
  options.compile.tuning = Tuning::off;
  options.compile.precision = Precision::f32;  // `automatic` would be timed
  return options;
}

const MethodInfo* find_method(const std::string& name) {
  static const auto all = methods();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& info) { return info.name == name; });
  return found == all.end() ? nullptr : &*found;
}

bool explains_probability(const std::string& method, const Explainer& explainer) {
  const auto* info = find_method(method);
  return info != nullptr && info->of_probability && explainer.has_probabilities();
}

}  // namespace fovea
