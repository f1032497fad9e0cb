#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "onnx/external_data.hpp"
#include "onnx/format.hpp"
#include "onnx/wire.hpp"

namespace fovea::onnx {

/// Where the data of a model's tensors is, besides its messages.
struct Storage {
  std::shared_ptr<const Source> source;  ///< of what was left out
  bool is_file = false;                  ///< and so may be read later
  std::vector<LeftOut> left_out;
  std::string name;  ///< of the source, for errors
  DataFolders external_data;
};

/// The tensors of one model: announce all, read_external, then take each.
class Tensors {
 public:
  explicit Tensors(Storage storage)
      : storage_(std::move(storage)), external_(storage_.external_data) {}

  /// Checks shape, type and the amount of data without converting anything. Throws Error.
  void announce(const format::TensorProto& tensor);
  void read_external() { external_.read_all(); }
  /// Of what was announced, each once, by path.
  std::vector<std::filesystem::path> external_files() const { return external_.paths(); }

  /// The tensor as a constant. Large floats in files stay there, deferred. Raw data moves out of
  /// the message: f32 and i64 are looked at in place, everything else is converted. `name` stands
  /// for the tensor in errors that come later.
  graph::Constant take(format::TensorProto& tensor, const std::string& name);

 private:
  Storage storage_;
  /// What was taken of the data that was left out, by its index: a function's constant is one
  /// tensor, however often it is called.
  std::map<std::uint32_t, graph::Constant> taken_;
  ExternalData external_;
  std::int64_t bytes_ = 0;
};

}  // namespace fovea::onnx
