#include <cstddef>
#include <span>
#include <string>

#include "c/guard.hpp"
#include "c/handles.hpp"
#include "c/infos.hpp"
#include "c/tensors.hpp"

namespace {

fovea::LoadOptions load_options(const char* external_data) {
  fovea::LoadOptions out;
  if (external_data != nullptr) out.external_data = external_data;
  return out;
}

}  // namespace

extern "C" {

fovea_status fovea_model_load(const char* file, const char* external_data, fovea_model** model,
                              fovea_error* error) {
  if (model != nullptr) *model = nullptr;
  return fovea::c::guarded(error, [&] {
    auto& to = fovea::c::required(model, "model");
    const char* path = &fovea::c::required(file, "file");
    to = new fovea_model(fovea::Model::load(path, load_options(external_data)));
    return FOVEA_OK;
  });
}

fovea_status fovea_model_from_bytes(const void* bytes, size_t size, const char* external_data,
                                    fovea_model** model, fovea_error* error) {
  if (model != nullptr) *model = nullptr;
  return fovea::c::guarded(error, [&] {
    auto& to = fovea::c::required(model, "model");
    if (bytes == nullptr) fovea::c::refuse("bytes is NULL");
    const auto* first = static_cast<const std::byte*>(bytes);
    to = new fovea_model(fovea::Model::from_bytes({first, size}, load_options(external_data)));
    return FOVEA_OK;
  });
}

void fovea_model_destroy(fovea_model* model) {
  fovea::c::destroy(model);
}

size_t fovea_model_input_count(const fovea_model* model) {
  return fovea::c::lives(model) ? model->model.inputs().size() : 0;
}

fovea_status fovea_model_input(const fovea_model* model, size_t index, fovea_value_info* info,
                               fovea_error* error) {
  return fovea::c::guarded(error, [&] {
    const auto& inputs = fovea::c::used(model, "model").model.inputs();
    fovea::c::write_value(info, fovea::c::at(inputs, index, "input"));
    return FOVEA_OK;
  });
}

size_t fovea_model_output_count(const fovea_model* model) {
  return fovea::c::lives(model) ? model->model.outputs().size() : 0;
}

fovea_status fovea_model_output(const fovea_model* model, size_t index, fovea_value_info* info,
                                fovea_error* error) {
  return fovea::c::guarded(error, [&] {
    const auto& outputs = fovea::c::used(model, "model").model.outputs();
    fovea::c::write_value(info, fovea::c::at(outputs, index, "output"));
    return FOVEA_OK;
  });
}

const char* fovea_model_metadata(const fovea_model* model, const char* key) {
  if (!fovea::c::lives(model) || key == nullptr) return nullptr;
  try {
    const auto& all = model->model.metadata();
    const auto found = all.find(key);
    return found == all.end() ? nullptr : found->second.c_str();
  } catch (...) {
    return nullptr;
  }
}

size_t fovea_model_file_count(const fovea_model* model) {
  return fovea::c::lives(model) ? model->model.files().size() : 0;
}

const char* fovea_model_file(const fovea_model* model, size_t index) {
  if (index >= fovea_model_file_count(model)) return nullptr;
  return model->model.files()[index].c_str();
}

}  // extern "C"
