#pragma once

#include <filesystem>

#include "onnx/importer.hpp"
#include "onnx_subset.pb.h"

namespace fovea::onnx {

/// A parsed model into a graph; takes the weights out of `model`. Throws as import_file, without
/// the file in the context.
Imported import_model(fovea_onnx::ModelProto& model,
                      const std::filesystem::path& external_data_dir);

}  // namespace fovea::onnx
