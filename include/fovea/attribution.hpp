#pragma once

// Two families of methods, by the name that they had; fovea/method.hpp has all.

#include "fovea/methods/perturbation.hpp"
#include "fovea/methods/relevance.hpp"
