#include <cmath>
#include <limits>
#include <string>

#include "c/guard.hpp"
#include "c/handles.hpp"
#include "c/infos.hpp"
#include "c/structs.hpp"
#include "c/tensors.hpp"

namespace {

const fovea::Tensor& array_of(const fovea::Explanation& why, int32_t which) {
  switch (which) {
    case FOVEA_MAP:
      return why.map;
    case FOVEA_FEATURE_MAP:
      return why.feature_map;
    case FOVEA_ATTRIBUTION:
      return why.attribution;
    default:
      break;
  }
  fovea::c::refuse("which is " + std::to_string(which) +
                   ", and there are FOVEA_MAP, FOVEA_FEATURE_MAP and FOVEA_ATTRIBUTION");
}

}  // namespace

extern "C" {

void fovea_explanations_destroy(fovea_explanations* explanations) {
  fovea::c::destroy(explanations);
}

size_t fovea_explanations_count(const fovea_explanations* explanations) {
  return fovea::c::lives(explanations) ? explanations->all.size() : 0;
}

fovea_status fovea_explanation_at(const fovea_explanations* explanations, size_t index,
                                  fovea_explanation_info* info, fovea_error* error) {
  return fovea::c::guarded(error, [&] {
    const auto& own = fovea::c::used(explanations, "explanations");
    const auto& why = fovea::c::at(own.all, index, "explanation");
    auto value = fovea::c::defaults<fovea_explanation_info>();
    value.method = why.method.c_str();
    value.layer = why.layer.c_str();
    value.target = own.targets[index].c_str();
    value.image = why.image;
    value.score = why.score;
    value.class_index = why.prediction ? why.prediction->class_index : -1;
    constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
    value.logit = why.prediction ? why.prediction->logit : kNone;
    value.probability = why.prediction ? why.prediction->probability : kNone;
    value.forward_ms = why.timings_ms.forward;
    value.backward_ms = why.timings_ms.backward;
    value.map_ms = why.timings_ms.map;
    value.threads = why.timings_ms.threads;
    value.warning_count = static_cast<int32_t>(why.warnings.size());
    fovea::c::write(fovea::c::required(info, "info"), value);
    return FOVEA_OK;
  });
}

fovea_status fovea_explanation_array(const fovea_explanations* explanations, size_t index,
                                     int32_t which, fovea_array* array, fovea_error* error) {
  return fovea::c::guarded(error, [&] {
    const auto& own = fovea::c::used(explanations, "explanations");
    const auto& tensor = array_of(fovea::c::at(own.all, index, "explanation"), which);
    return fovea::c::give(error, array, tensor.shape, tensor.data);
  });
}

const char* fovea_explanation_warning(const fovea_explanations* explanations, size_t index,
                                      size_t warning) {
  if (index >= fovea_explanations_count(explanations)) return nullptr;
  const auto& warnings = explanations->all[index].warnings;
  return warning < warnings.size() ? warnings[warning].c_str() : nullptr;
}

}  // extern "C"
