#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/export.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// Element types that appear in ONNX files; fovea computes in f32 or bf16 whatever is declared. The
/// last two are of outputs alone, which cannot be computed; `other`: complex numbers, sequences and
/// whatever else is no tensor of those before.
enum class DataType {
  f32,
  f16,
  bf16,
  f64,
  i8,
  u8,
  i16,
  u16,
  i32,
  u32,
  i64,
  u64,
  boolean,
  string,
  other
};

/// "f32" and so on.
FOVEA_API std::string_view to_string(DataType type) noexcept;

/// One declared input or output of a model.
struct ValueInfo {
  std::string name;
  DataType type = DataType::f32;
  Shape shape;                          ///< -1 where the file leaves an extent open
  std::vector<std::string> dimensions;  ///< the symbolic name per extent, "" where it is a number
  /// False: the file does not say how many extents there are; `shape` is empty. An input's shape
  /// then has to be given (CompileOptions::input_shapes).
  bool is_ranked = true;
  /// Of an output: the names of the classes that it scores, where the file's graph holds them.
  std::vector<std::string> labels = {};
  /// Of an output that cannot be computed: why. The others can.
  std::string refusal = {};
};

/// One node as imported, in execution order.
struct NodeInfo {
  std::string name;
  std::string op;  ///< ONNX operator type
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

struct LoadOptions {
  /// Folder that external weight files (`.onnx.data`) are looked up in; they may not lie outside
  /// it. Empty: the model file's folder for `load`, refused for `from_bytes`.
  std::filesystem::path external_data;
};

/// A trained network: graph and weights, as imported from ONNX (opsets 6 to 28, IR 3 to 14).
/// Immutable; copies share one instance; every member is safe to call from any thread.
class FOVEA_API Model {
 public:
  /// Reads a file. Throws Error bad_model (missing, truncated, inconsistent; names file and node)
  /// or unsupported (lists every unsupported node at once) where no output can be computed; where
  /// one can, the others say why they cannot (ValueInfo::refusal). Large weights are read when an
  /// explainer needs them: the model holds its files open, which may be removed or replaced
  /// meanwhile, but not overwritten in place (making an explainer then throws Error bad_model).
  /// Cost: a read of everything else.
  static Model load(const std::filesystem::path& file, const LoadOptions& options = {});

  /// The same from memory; the bytes are not needed after the call: the weights are copied.
  static Model from_bytes(std::span<const std::byte> onnx, const LoadOptions& options = {});

  /// Those without an initializer, in file order. One that fovea cannot take, and that only such
  /// outputs need as cannot be computed, is left out.
  const std::vector<ValueInfo>& inputs() const;
  const std::vector<ValueInfo>& outputs() const;               ///< in file order
  const std::vector<NodeInfo>& nodes() const;                  ///< in execution order
  const std::map<std::string, std::string>& metadata() const;  ///< the file's metadata_props
  std::int64_t opset() const;       ///< version of the default operator set
  std::int64_t ir_version() const;  ///< version of the ONNX container
  std::string producer() const;     ///< "pytorch 2.13.0", or empty
  /// Where its bytes came from: the file given to `load`, then those with external weights, each
  /// once, by path. As they were named then; nothing says that they are still there.
  const std::vector<std::filesystem::path>& files() const;

  struct FOVEA_LOCAL Impl;

 private:
  friend struct Access;
  FOVEA_LOCAL explicit Model(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fovea
