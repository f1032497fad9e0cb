#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onnx/source.hpp"

namespace fovea::onnx {

/// A tensor's data that stayed in the model's file.
struct LeftOut {
  std::int64_t offset = 0;
  std::int64_t length = 0;
  bool typed = false;  ///< of float_data, not of raw_data
};

/// A model without the data of its large tensors.
struct Skeleton {
  /// The messages of format.hpp with the fields that it names. Where a tensor's data is left
  /// out, the field left_out holds its index below.
  std::string messages;
  std::vector<LeftOut> left_out;
};

/// Walks the messages of an ONNX file, so that what is not a model, is cut short or asks for too
/// much is told apart and refused before memory is spent on it. Throws Error bad_model. Cost: reads
/// what it returns, not the large tensors.
///
/// protozero, which reads the skeleton, wants a message in memory as a whole. The file is neither
/// in memory nor mapped: it is seen through a window, and the weights never are. It also has one
/// error for bytes that end too early, whether the file is cut or two of its lengths disagree.
Skeleton read_skeleton(const Source& source);

}  // namespace fovea::onnx
