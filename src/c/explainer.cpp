#include <algorithm>
#include <string>
#include <utility>

#include "c/guard.hpp"
#include "c/handles.hpp"
#include "c/infos.hpp"
#include "c/options.hpp"
#include "c/structs.hpp"
#include "c/tensors.hpp"

extern "C" {

fovea_status fovea_explainer_create(const fovea_model* model,
                                    const fovea_explainer_options* options,
                                    const fovea_call_options* call, fovea_explainer** explainer,
                                    fovea_error* error) {
  if (explainer != nullptr) *explainer = nullptr;
  return fovea::c::guarded(error, [&] {
    const auto& from = fovea::c::used(model, "model").model;
    auto& to = fovea::c::required(explainer, "explainer");
    const auto limits = fovea::c::call_options(call);
    const auto given = fovea::c::read(options);
    auto own = fovea::c::explainer_options(given);
    fovea::c::prepare_targets(
        from, own, fovea::c::texts_of(given.targets, given.target_count, "targets"), limits);
    auto made = std::make_unique<fovea_explainer>(fovea::Explainer(from, std::move(own), limits),
                                                  fovea::c::Log{given.log, given.log_user});
    made->log(made->explainer.warnings());
    to = made.release();
    return FOVEA_OK;
  });
}

void fovea_explainer_destroy(fovea_explainer* explainer) {
  fovea::c::destroy(explainer);
}

size_t fovea_explainer_input_count(const fovea_explainer* explainer) {
  return fovea::c::lives(explainer) ? explainer->explainer.inputs().size() : 0;
}

fovea_status fovea_explainer_input(const fovea_explainer* explainer, size_t index,
                                   fovea_value_info* info, fovea_error* error) {
  return fovea::c::guarded(error, [&] {
    const auto& inputs = fovea::c::used(explainer, "explainer").explainer.inputs();
    fovea::c::write_value(info, fovea::c::at(inputs, index, "input"));
    return FOVEA_OK;
  });
}

size_t fovea_explainer_layer_count(const fovea_explainer* explainer) {
  return fovea::c::lives(explainer) ? explainer->explainer.layers().size() : 0;
}

fovea_status fovea_explainer_layer(const fovea_explainer* explainer, size_t index,
                                   fovea_layer_info* info, fovea_error* error) {
  return fovea::c::guarded(error, [&] {
    const auto& own = fovea::c::used(explainer, "explainer").explainer;
    const auto& layer = fovea::c::at(own.layers(), index, "layer");
    const auto prepared = own.prepared_layers();
    auto value = fovea::c::defaults<fovea_layer_info>();
    value.name = layer.name.c_str();
    value.node = layer.node.c_str();
    value.op = layer.op.c_str();
    fovea::c::put_shape(value, layer.shape);
    value.is_default = layer.is_default;
    value.is_prepared = std::find(prepared.begin(), prepared.end(), layer.name) != prepared.end();
    fovea::c::write(fovea::c::required(info, "info"), value);
    return FOVEA_OK;
  });
}

int32_t fovea_explainer_threads(const fovea_explainer* explainer) {
  return fovea::c::lives(explainer) ? explainer->explainer.threads() : 0;
}

int32_t fovea_explainer_precision(const fovea_explainer* explainer) {
  const bool is_bf16 =
      fovea::c::lives(explainer) && explainer->explainer.precision() == fovea::Precision::bf16;
  return is_bf16 ? FOVEA_PRECISION_BF16 : FOVEA_PRECISION_F32;
}

fovea_status fovea_explainer_plan_cache(const fovea_explainer* explainer, void* buffer,
                                        size_t capacity, size_t* size, fovea_error* error) {
  return fovea::c::guarded(error, [&] {
    const auto text = fovea::c::used(explainer, "explainer").explainer.plan_cache();
    return fovea::c::give_bytes(error, buffer, capacity, size, text);
  });
}

size_t fovea_explainer_warning_count(const fovea_explainer* explainer) {
  return fovea::c::lives(explainer) ? explainer->explainer.warnings().size() : 0;
}

const char* fovea_explainer_warning(const fovea_explainer* explainer, size_t index) {
  if (index >= fovea_explainer_warning_count(explainer)) return nullptr;
  return explainer->explainer.warnings()[index].c_str();
}

}  // extern "C"
