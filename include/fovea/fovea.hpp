#pragma once

/// Where a CNN looked: load a Model, compile an Explainer, read the Explanation.
#include "fovea/attribution.hpp"
#include "fovea/compose.hpp"
#include "fovea/error.hpp"
#include "fovea/examples.hpp"
#include "fovea/explainer.hpp"
#include "fovea/explanation.hpp"
#include "fovea/localization.hpp"
#include "fovea/method.hpp"
#include "fovea/method_info.hpp"
#include "fovea/model.hpp"
#include "fovea/running.hpp"
#include "fovea/sentence.hpp"
#include "fovea/target.hpp"
#include "fovea/target_text.hpp"
#include "fovea/tensor.hpp"
#include "fovea/version.hpp"
