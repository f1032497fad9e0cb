#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fovea.h"
#include "fovea/tensor.hpp"

/// The C interface in C++'s clothes, for tests alone.
namespace fovea::c_test {

inline std::string golden_model(const std::string& name) {
  return std::string(FOVEA_SOURCE_DIR) + "/tests/golden/data/" + name + "/model.onnx";
}

/// A struct as its _init function fills it.
template <class T>
T made(void (*init)(T*, size_t)) {
  T out;
  init(&out, sizeof out);
  return out;
}

struct CError : fovea_error {
  CError() : fovea_error() { fovea_error_init(this, sizeof(fovea_error)); }
};

/// A handle and what destroys it.
template <class T, void (*kDestroy)(T*)>
class Handle {
 public:
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { kDestroy(it); }
  operator T*() const { return it; }  // NOLINT: handed to C
  /// For a new one: what it held is destroyed.
  T** out() {
    kDestroy(take());
    return &it;
  }
  T* take() { return std::exchange(it, nullptr); }

 private:
  T* it = nullptr;
};
using CModel = Handle<fovea_model, fovea_model_destroy>;
using CExplainer = Handle<fovea_explainer, fovea_explainer_destroy>;
using CRun = Handle<fovea_run, fovea_run_destroy>;
using CExplanations = Handle<fovea_explanations, fovea_explanations_destroy>;

inline fovea_tensor borrowed(const Tensor& tensor) {
  return {tensor.data.data(), FOVEA_F32, static_cast<int32_t>(tensor.shape.size()),
          tensor.shape.data(), nullptr};
}

/// What a function gives that is asked for its size first: fovea_status ask(fovea_array*).
template <class Ask>
Tensor taken(Ask&& ask) {
  fovea_array array{};
  EXPECT_EQ(ask(&array), FOVEA_OK);
  Tensor out{{array.shape, array.shape + array.rank}, std::vector<float>(array.size)};
  array.data = out.data.data();
  array.capacity = out.data.size();
  EXPECT_EQ(ask(&array), FOVEA_OK);
  return out;
}

inline Tensor array_of(const fovea_explanations* all, size_t index, int32_t which) {
  return taken([&](fovea_array* array) {
    return fovea_explanation_array(all, index, which, array, nullptr);
  });
}

/// A network, an input for it, and an explainer on as many threads.
struct Network {
  explicit Network(const std::string& file, int threads = 1,
                   const std::vector<std::pair<const char*, const char*>>& methods = {
                       {"gradcam", nullptr}}) {
    CError error;
    EXPECT_EQ(fovea_model_load(file.c_str(), nullptr, model.out(), &error), FOVEA_OK)
        << error.message;
    bind();
    std::vector<fovea_method> all;
    for (const auto& [name, how] : methods) {
      all.push_back(made(fovea_method_init));
      all.back().name = name;
      all.back().options = how;
    }
    std::vector<const fovea_method*> pointers;
    for (const auto& one : all) pointers.push_back(&one);
    auto options = made(fovea_explainer_options_init);
    options.methods = pointers.data();
    options.method_count = pointers.size();
    options.threads = threads;
    options.fewer_threads = 0;
    options.tuning = FOVEA_TUNING_OFF;
    options.input_shapes = &shape;
    options.input_shape_count = 1;
    EXPECT_EQ(fovea_explainer_create(model, &options, nullptr, explainer.out(), &error), FOVEA_OK)
        << error.message;
    input.shape.assign(shape.shape, shape.shape + shape.rank);
    std::size_t count = 1;
    for (const auto extent : input.shape) count *= static_cast<std::size_t>(extent);
    for (std::size_t i = 0; i < count; ++i)
      input.data.push_back(static_cast<float>(i * 7919 % 1009) / 504.5F - 1);
  }

  fovea_status forward(fovea_run** run, fovea_error* error = nullptr,
                       const fovea_call_options* call = nullptr) const {
    const fovea_named_tensor feed{nullptr, borrowed(input)};
    return fovea_forward(explainer, &feed, 1, call, run, error);
  }

  CModel model;
  fovea_named_shape shape{};  ///< of the input, as it was bound
  CExplainer explainer;
  Tensor input;

 private:
  void bind() {
    auto info = made(fovea_value_info_init);
    EXPECT_EQ(fovea_model_input(model, 0, &info, nullptr), FOVEA_OK);
    shape.name = info.name;
    shape.rank = info.rank;
    for (int i = 0; i < info.rank; ++i)
      shape.shape[i] = info.shape[i] >= 0 ? info.shape[i] : i == 0 ? 1 : 48;
  }
};

}  // namespace fovea::c_test
