#include <string>

#include "c/guard.hpp"
#include "c/structs.hpp"
#include "fovea/version.hpp"

namespace {

std::string build_line() {
  const auto info = fovea::build_info();
  return "onednn " + info.onednn + ", " + info.simd + ", " + info.compiler +
         (info.bf16 ? ", bf16" : "");
}

}  // namespace

extern "C" {

const char* fovea_version(void) {
  return FOVEA_VERSION;
}

int32_t fovea_abi_version(void) {
  return FOVEA_ABI_VERSION;
}

const char* fovea_build_info(void) {
  try {
    static const auto line = build_line();
    return line.c_str();
  } catch (...) {
    return "";
  }
}

const char* fovea_status_name(fovea_status status) {
  switch (status) {
    case FOVEA_OK:
      return "ok";
    case FOVEA_INVALID_ARGUMENT:
      return "invalid_argument";
    case FOVEA_BAD_MODEL:
      return "bad_model";
    case FOVEA_BAD_INPUT:
      return "bad_input";
    case FOVEA_UNSUPPORTED:
      return "unsupported";
    case FOVEA_CANCELLED:
      return "cancelled";
    case FOVEA_DEADLINE_EXCEEDED:
      return "deadline_exceeded";
    case FOVEA_OUT_OF_MEMORY:
      return "out_of_memory";
    case FOVEA_INTERNAL:
      return "internal";
    case FOVEA_BUFFER_TOO_SMALL:
      return "buffer_too_small";
  }
  return "unknown";
}

void fovea_error_init(fovea_error* error, size_t struct_size) {
  fovea::c::init(error, struct_size);
}

void fovea_method_init(fovea_method* method, size_t struct_size) {
  fovea::c::init(method, struct_size);
}

void fovea_call_options_init(fovea_call_options* options, size_t struct_size) {
  fovea::c::init(options, struct_size);
}

void fovea_explainer_options_init(fovea_explainer_options* options, size_t struct_size) {
  fovea::c::init(options, struct_size);
}

void fovea_explain_options_init(fovea_explain_options* options, size_t struct_size) {
  fovea::c::init(options, struct_size);
}

void fovea_value_info_init(fovea_value_info* info, size_t struct_size) {
  fovea::c::init(info, struct_size);
}

void fovea_layer_info_init(fovea_layer_info* info, size_t struct_size) {
  fovea::c::init(info, struct_size);
}

void fovea_method_info_init(fovea_method_info* info, size_t struct_size) {
  fovea::c::init(info, struct_size);
}

void fovea_explanation_info_init(fovea_explanation_info* info, size_t struct_size) {
  fovea::c::init(info, struct_size);
}

}  // extern "C"
