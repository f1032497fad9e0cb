#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fovea/tensor.hpp"

/// NumPy's .npy files (format versions 1 to 3).
namespace fovea::cli {

/// Reads f16, f32, f64, bool and integers of 8 to 64 bits in either byte order, C or Fortran order,
/// as f32. The header is bounded and its shape is held against the file's size before anything is
/// allocated. Throws Error bad_input naming the file.
Tensor read_npy(const std::string& file);

/// The bytes of a .npy file: version 1.0, little-endian f32, C order.
std::vector<std::byte> npy_bytes(const Tensor& tensor);

}  // namespace fovea::cli
