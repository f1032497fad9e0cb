#pragma once

// A type per method, so that a misspelt name or option does not compile: SmoothGrad{.samples = 50}.
// What each computes, its paper and its cost: `methods()`, docs/methods.md and the head of its file
// in src/explain. What its members mean and may be: its table, fields. Members given_...: tensors
// in place of what would be drawn at random or filled with one value, as Method::given.

#include "fovea/method_info.hpp"
#include "fovea/methods/cam.hpp"
#include "fovea/methods/fields.hpp"
#include "fovea/methods/gradients.hpp"
#include "fovea/methods/perturbation.hpp"
#include "fovea/methods/relevance.hpp"
