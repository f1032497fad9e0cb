#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "c/guard.hpp"
#include "c/handles.hpp"
#include "c/options.hpp"
#include "c/structs.hpp"
#include "c/tensors.hpp"

extern "C" {

fovea_status fovea_forward(const fovea_explainer* explainer, const fovea_named_tensor* inputs,
                           size_t input_count, const fovea_call_options* call, fovea_run** run,
                           fovea_error* error) {
  if (run != nullptr) *run = nullptr;
  return fovea::c::guarded(error, [&] {
    const auto& from = fovea::c::used(explainer, "explainer");
    auto& to = fovea::c::required(run, "run");
    const auto limits = fovea::c::call_options(call);
    const auto feeds = fovea::c::feeds_of(inputs, input_count, "inputs");
    auto made = std::make_unique<fovea_run>(from, from.explainer.forward(feeds, limits));
    made->log(made->run.warnings());
    to = made.release();
    return FOVEA_OK;
  });
}

void fovea_run_destroy(fovea_run* run) {
  fovea::c::destroy(run);
}

fovea_status fovea_run_predictions(fovea_run* run, int64_t image, fovea_prediction* predictions,
                                   size_t capacity, size_t* size, fovea_error* error) {
  return fovea::c::guarded(error, [&] {
    const fovea::c::RunInCall in_call(run);
    auto& count = fovea::c::required(size, "size");
    const auto& all = run->run.predictions(image);
    count = all.size();
    if (predictions == nullptr) return FOVEA_OK;
    for (std::size_t i = 0; i < all.size() && i < capacity; ++i)
      predictions[i] = {all[i].class_index, all[i].logit, all[i].probability};
    return FOVEA_OK;
  });
}

fovea_status fovea_run_output(const fovea_run* run, const char* name, fovea_array* array,
                              fovea_error* error) {
  return fovea::c::guarded(error, [&] {
    const fovea::c::RunInCall in_call(run);
    if (name == nullptr || *name == '\0') {
      const auto& scores = run->run.logits();
      return fovea::c::give(error, array, scores.shape, scores.data);
    }
    const auto value = run->run.output(name);
    return fovea::c::give(error, array, value.shape, value.data);
  });
}

size_t fovea_run_warning_count(const fovea_run* run) {
  return fovea::c::lives(run) ? run->run.warnings().size() : 0;
}

const char* fovea_run_warning(const fovea_run* run, size_t index) {
  if (index >= fovea_run_warning_count(run)) return nullptr;
  return run->run.warnings()[index].c_str();
}

fovea_status fovea_run_explain(fovea_run* run, const fovea_method* method,
                               const char* const* targets, size_t target_count,
                               const fovea_explain_options* options, const fovea_call_options* call,
                               fovea_explanations** explanations, fovea_error* error) {
  if (explanations != nullptr) *explanations = nullptr;
  return fovea::c::guarded(error, [&] {
    const fovea::c::RunInCall in_call(run);
    auto& to = fovea::c::required(explanations, "explanations");
    const auto limits = fovea::c::call_options(call);
    const auto how = fovea::c::read(options);
    const auto by = fovea::c::method_of(method);
    auto texts = fovea::c::texts_of(targets, target_count, "targets");
    if (texts.empty()) texts.emplace_back("top:1");
    const auto asked = fovea::c::targets_of(texts, run->explainer, by.name, how);
    auto made = std::make_unique<fovea_explanations>();
    made->all = run->run.explain(by, asked, fovea::c::explain_options(how), limits);
    for (std::size_t i = 0; i < made->all.size(); ++i) {
      made->targets.push_back(texts[i % texts.size()]);
      run->log(made->all[i].warnings);
    }
    to = made.release();
    return FOVEA_OK;
  });
}

}  // extern "C"
