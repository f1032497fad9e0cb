#pragma once

#include <cstdint>

#include "fovea/model.hpp"
#include "graph/ops.hpp"

namespace fovea::onnx {

/// The format's element type number as ours. Throws Error: unsupported for one that fovea does not
/// compute with (strings, complex numbers, 8-bit floats, 4-bit integers ...), bad_model for no or
/// an unknown number.
DataType data_type(std::int64_t number);

/// What the graph computes such values in.
graph::DType graph_type(DataType type);

/// Bytes of one element as stored in a file.
std::int64_t size_of(DataType type);

}  // namespace fovea::onnx
