#include <algorithm>
#include <cmath>
#include <memory>

#include "fovea/error.hpp"
#include "fovea/task_target.hpp"

namespace fovea {
namespace {

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, sentence);
}

using Values = std::span<const ImageValue>;
using Gradients = std::span<const std::span<float>>;

/// A target as a function of its own values, whose derivatives it adds.
struct Part {
  double factor = 1;
  Target target;
  std::vector<std::size_t> values;  ///< which of all values its own are

  double number(Values all, Gradients gradients) const {
    if (const auto* sum = target.as<Target::Sum>()) return of_sum(*sum, all, gradients);
    if (const auto* weights = target.as<Target::Weights>())
      return of_weights(*weights, all, gradients);
    return of_function(*target.as<Target::Function>(), all, gradients);
  }

  double of_sum(const Target::Sum& sum, Values all, Gradients gradients) const {
    double out = 0;
    for (const auto& term : sum.terms) {
      const auto& value = *std::find_if(
          all.begin(), all.end(), [&](const ImageValue& one) { return one.name == term.value; });
      std::size_t at = 0;
      if (term.at.size() != value.shape.size())
        refuse("a part of the target names an element of '" + term.value + "' by " +
               std::to_string(term.at.size()) + " numbers, and it takes " +
               std::to_string(value.shape.size()));
      for (std::size_t d = 0; d < term.at.size(); ++d) {
        const auto extent = value.shape[d], i = term.at[d] < 0 ? term.at[d] + extent : term.at[d];
        if (i < 0 || i >= extent)
          refuse("a part of the target names an element of '" + term.value + "' out of range");
        at = at * static_cast<std::size_t>(extent) + static_cast<std::size_t>(i);
      }
      out += term.factor * value.data[at];
      if (!gradients.empty())
        gradients[static_cast<std::size_t>(&value - all.data())][at] +=
            static_cast<float>(factor * term.factor);
    }
    return out;
  }

  double of_weights(const Target::Weights& weights, Values all, Gradients gradients) const {
    const auto& value = all[values[0]];
    if (weights.factors.size() != value.data.size())
      refuse("a part of the target has " + std::to_string(weights.factors.size()) +
             " weights, and the value " + std::to_string(value.data.size()) + " numbers");
    double out = 0;
    for (std::size_t i = 0; i < value.data.size(); ++i) {
      out += static_cast<double>(weights.factors[i]) * value.data[i];
      if (!gradients.empty())
        gradients[values[0]][i] += static_cast<float>(factor * weights.factors[i]);
    }
    return out;
  }

  double of_function(const Target::Function& function, Values all, Gradients gradients) const {
    std::vector<ImageValue> own;
    for (const auto i : values) own.push_back(all[i]);
    if (gradients.empty()) return function.of(own, {});
    std::vector<std::vector<float>> slopes;
    std::vector<std::span<float>> spans;
    slopes.reserve(own.size());
    for (const auto& value : own) {
      slopes.emplace_back(value.data.size(), 0.f);
      spans.emplace_back(slopes.back());
    }
    const double out = function.of(own, spans);
    for (std::size_t v = 0; v < own.size(); ++v)
      for (std::size_t i = 0; i < slopes[v].size(); ++i)
        gradients[values[v]][i] += static_cast<float>(factor * slopes[v][i]);
    return out;
  }
};

bool is_sum(const std::pair<double, Target>& term) {
  return term.second.as<Target::Sum>() != nullptr;
}

}  // namespace

Target combined(const std::vector<std::pair<double, Target>>& terms) {
  if (terms.empty()) refuse("the target is a sum of nothing");
  for (const auto& [factor, target] : terms) {
    if (!std::isfinite(factor)) refuse("the target's factors are not all finite");
    const bool is_known = target.as<Target::Sum>() != nullptr ||
                          target.as<Target::Weights>() != nullptr ||
                          target.as<Target::Function>() != nullptr;
    if (!is_known || target.probability)
      refuse("a part of the target is no number made of named values");
  }
  const auto sign = [](const Target& target) { return target.negated ? -1.0 : 1.0; };
  if (std::all_of(terms.begin(), terms.end(), is_sum)) {
    std::vector<Target::Sum::Term> all;
    for (const auto& [factor, target] : terms)
      for (auto term : target.as<Target::Sum>()->terms) {
        term.factor *= factor * sign(target);
        all.push_back(std::move(term));
      }
    return Target::sum(std::move(all));
  }
  Target::Function out;
  const auto parts = std::make_shared<std::vector<Part>>();
  for (const auto& [factor, target] : terms) {
    Part part{factor * sign(target), target, {}};
    part.target.negated = false;
    for (const auto& name : values_in(target)) {
      auto found = std::find(out.values.begin(), out.values.end(), name);
      if (found == out.values.end()) found = out.values.insert(out.values.end(), name);
      part.values.push_back(static_cast<std::size_t>(found - out.values.begin()));
    }
    parts->push_back(std::move(part));
  }
  out.of = [parts](Values values, Gradients gradients) {
    double sum = 0;
    for (const auto& part : *parts) sum += part.factor * part.number(values, gradients);
    return sum;
  };
  return {std::move(out)};
}

}  // namespace fovea
