#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.hpp"
#include "fovea/attribution.hpp"

/// Rules of layer-wise relevance propagation for linear layers, and which layers follow which.
namespace fovea::explain {

/// What the rules can be told: the options of fovea::Lrp.
struct RuleOptions {
  float epsilon = 1e-6f;
  float gamma = 0.25f;
  float low = -3;
  float high = 3;
};

/// The names that a layer's rule may have.
const std::vector<std::string>& rule_names();

/// One of rule_names().
engine::LinearRule rule_named(std::string_view name, const RuleOptions& options);

/// Names of the composites, in the order of LrpComposite.
const std::vector<std::string>& composite_names();

engine::Relevance composite_of(LrpComposite which, const RuleOptions& options);

}  // namespace fovea::explain
