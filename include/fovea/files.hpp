#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/export.hpp"
#include "fovea/tensor.hpp"

/// The files that requests name. A regular file, or a pipe, whose writer is waited for.
namespace fovea {

/// The whole of a text file. Throws Error(code) naming the file when it is missing, unreadable,
/// a directory, a device or a socket, or larger than `limit` bytes.
FOVEA_API std::string read_text(const std::filesystem::path& file, ErrorCode code,
                                std::uintmax_t limit = 16 << 20);

/// NumPy's .npy files (format versions 1 to 3): reads f16, f32, f64, bool and integers of 8 to 64
/// bits in either byte order, C or Fortran order, as f32. The header is bounded and its shape is
/// held against the file's size before anything is allocated. Throws Error bad_input naming the
/// file.
FOVEA_API Tensor read_npy(const std::filesystem::path& file);

/// The bytes of a .npy file: version 1.0, little-endian f32, C order.
FOVEA_API std::vector<std::byte> npy_bytes(const Tensor& tensor);

}  // namespace fovea
