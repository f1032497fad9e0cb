#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "fovea.h"
#include "fovea/error.hpp"

/// What stands between a C caller and C++: exceptions become statuses.
namespace fovea::c {

/// Fills the caller's error, where there is one, without allocating.
void tell(fovea_error* error, fovea_status code, std::string_view sentence,
          std::string_view file = {}, std::string_view node = {},
          std::string_view op = {}) noexcept;

/// The status of the exception that is being handled, which is told.
fovea_status caught(fovea_error* error) noexcept;

/// Runs the body of a function: its status, or that of what it throws.
template <class Work>
fovea_status guarded(fovea_error* error, Work&& work) noexcept {
  try {
    return std::forward<Work>(work)();
  } catch (...) {
    return caught(error);
  }
}

[[noreturn]] inline void refuse(const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, sentence);
}

template <class T>
T& required(T* pointer, const char* name) {
  if (pointer == nullptr) refuse(std::string(name) + " is NULL");
  return *pointer;
}

}  // namespace fovea::c
