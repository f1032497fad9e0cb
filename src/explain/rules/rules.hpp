#pragma once

#include <string_view>

#include "engine/plan.hpp"
#include "fovea/methods/relevance.hpp"

/// Rules of layer-wise relevance propagation for linear layers, and which layers follow which.
namespace fovea::explain {

/// What the rules can be told: the options of fovea::Lrp.
struct RuleOptions {
  float epsilon = 1e-6f;
  float gamma = 0.25f;
  float low = -3;
  float high = 3;
};

/// One of Lrp::kRules.
engine::LinearRule rule_named(std::string_view name, const RuleOptions& options);

engine::Relevance composite_of(LrpComposite which, const RuleOptions& options);

}  // namespace fovea::explain
