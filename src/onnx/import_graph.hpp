#pragma once

#include "onnx/format.hpp"
#include "onnx/importer.hpp"
#include "onnx/tensors.hpp"

namespace fovea::onnx {

/// A parsed model into a graph; takes the weights out of `model` and `storage`. Throws as
/// import_file, without the file in the context.
Imported import_model(format::ModelProto& model, Storage storage);

}  // namespace fovea::onnx
