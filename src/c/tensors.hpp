#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "c/guard.hpp"
#include "fovea.h"
#include "fovea/explainer.hpp"

/// Tensors between C and C++.
namespace fovea::c {

/// A C array of `count` things. Throws Error invalid_argument where it is NULL and not empty.
template <class T>
std::span<const T> all_of(const T* things, std::size_t count, const char* name) {
  if (count > 0 && things == nullptr)
    refuse(std::string(name) + " is NULL, and there are to be " + std::to_string(count));
  return {things, count};
}

/// Borrowed. Throws Error bad_input for what is not served: another element type, other strides,
/// too many extents, negative ones; invalid_argument for a type that does not exist and for NULL.
TensorView view_of(const fovea_tensor& tensor, const std::string& name);

/// By name; NULL is "". Throws Error invalid_argument for a name that is there twice.
Feeds feeds_of(const fovea_named_tensor* tensors, std::size_t count, const char* list);

/// An extents' array of a struct. Throws Error invalid_argument for an impossible rank.
Shape shape_of(const fovea_named_shape& shape);

/// Copies as much as fits; the status is FOVEA_OK or FOVEA_BUFFER_TOO_SMALL, which is told.
fovea_status give(fovea_error* error, fovea_array* to, const Shape& shape,
                  std::span<const float> data);
fovea_status give_bytes(fovea_error* error, void* buffer, std::size_t capacity, std::size_t* size,
                        std::string_view bytes);

}  // namespace fovea::c
