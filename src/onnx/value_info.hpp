#pragma once

#include "fovea/model.hpp"
#include "onnx/format.hpp"

namespace fovea::onnx {

/// A declared input. Throws Error: bad_model for a missing type or an extent below -1, unsupported
/// for what is no dense tensor and for types that fovea does not compute with.
ValueInfo input_info(const format::ValueInfoProto& value);

/// A declared output; what it leaves out, and a type that fovea does not compute with, stays empty.
ValueInfo output_info(const format::ValueInfoProto& value);

/// May the output hold scores, as far as its declaration says?
bool may_be_scores(const format::ValueInfoProto& value);

}  // namespace fovea::onnx
