#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "fovea/model.hpp"
#include "graph/graph.hpp"
#include "onnx/unread.hpp"

/// ONNX files into graphs: the only home of the format.
namespace fovea::onnx {

/// What a model says about itself.
struct ImportedInfo {
  std::int64_t opset = 0;
  std::int64_t ir_version = 0;
  std::string producer;  ///< "name version", or empty
  std::map<std::string, std::string> metadata;
  std::vector<ValueInfo> inputs;   ///< without initializers, in file order
  std::vector<ValueInfo> outputs;  ///< in file order
  std::vector<NodeInfo> nodes;     ///< local functions inlined, in execution order
  /// The model's own, unless it came from memory, then those of external weights.
  std::vector<std::filesystem::path> files;
};

/// An output that the graph has not.
struct MissingOutput {
  std::size_t index = 0;       ///< of ImportedInfo::outputs
  bool may_be_scores = false;  ///< as far as its declaration says
  Error error;                 ///< why
};

struct Imported {
  graph::Graph graph;  ///< ordered; shapes of inputs only
  ImportedInfo info;
  Unread unread = {};
  std::vector<MissingOutput> missing_outputs = {};  ///< in file order
};

/// Reads `file` and its external weights, which lie in `options.external_data` (empty: the file's
/// own folder). Large weights stay in the files, which the graph's constants hold open. Throws
/// Error bad_model (missing, truncated, inconsistent), unsupported (every unsupported node, at
/// once) or out_of_memory, with the file in its context. A node, input or initializer that cannot
/// be read is no obstacle while there is an output that does not depend on it.
Imported import_file(const std::filesystem::path& file, const LoadOptions& options);

/// The same from memory, which is not needed after the call. An empty `external_data_dir` refuses
/// external weights with Error invalid_argument. `name_for_errors` stands for the file.
Imported import_bytes(std::span<const std::byte> bytes,
                      const std::filesystem::path& external_data_dir,
                      const std::string& name_for_errors);

/// One row of the operator registry.
struct OpSupport {
  std::string op;
  std::int64_t first_opset = 0;
  std::int64_t last_opset = 0;
  std::string note;  ///< forms that are refused, or what is peculiar; may be empty
};
/// The registry, ordered by operator and opset.
std::vector<OpSupport> supported_ops();

}  // namespace fovea::onnx
