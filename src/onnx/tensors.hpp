#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "graph/graph.hpp"
#include "onnx/external_data.hpp"
#include "onnx_subset.pb.h"

namespace fovea::onnx {

/// The tensors of one model: announce all, read_external, then take each.
class Tensors {
 public:
  explicit Tensors(std::filesystem::path external_data_dir)
      : external_(std::move(external_data_dir)) {}

  /// Checks shape, type and the amount of data without converting anything. Throws Error.
  void announce(const fovea_onnx::TensorProto& tensor);
  void read_external() { external_.read_all(); }

  /// The tensor as a constant. Its raw data moves out of the message: f32 and i64 are looked at in
  /// place, everything else is converted.
  graph::Constant take(fovea_onnx::TensorProto& tensor);

 private:
  ExternalData external_;
  std::int64_t bytes_ = 0;
};

}  // namespace fovea::onnx
