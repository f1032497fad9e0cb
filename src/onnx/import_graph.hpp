#pragma once

#include "onnx/importer.hpp"
#include "onnx/tensors.hpp"
#include "onnx_subset.pb.h"

namespace fovea::onnx {

/// A parsed model into a graph; takes the weights out of `model` and `storage`. Throws as
/// import_file, without the file in the context.
Imported import_model(fovea_onnx::ModelProto& model, Storage storage);

}  // namespace fovea::onnx
