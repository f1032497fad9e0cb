#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "model_builder.hpp"
#include "onnx/importer.hpp"

namespace fovea::test {

inline onnx::Imported import(const std::string& bytes,
                             const std::filesystem::path& external_data_dir = {}) {
  return onnx::import_bytes(as_bytes(bytes), external_data_dir, "model.onnx");
}
inline onnx::Imported import(const ModelBuilder& model,
                             const std::filesystem::path& external_data_dir = {}) {
  return import(model.serialize(), external_data_dir);
}

/// The error that importing throws; none (and a failure) where it succeeds.
template <class Source>
std::optional<Error> import_error(const Source& source,
                                  const std::filesystem::path& external_data_dir = {}) {
  try {
    import(source, external_data_dir);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "the import succeeded";
  return std::nullopt;
}

/// Expects an error of this code whose message contains `part`.
template <class Source>
void expect_error(const Source& source, ErrorCode code, const std::string& part,
                  const std::filesystem::path& external_data_dir = {}) {
  const auto error = import_error(source, external_data_dir);
  if (!error) return;
  EXPECT_EQ(to_string(error->code()), to_string(code)) << error->what();
  EXPECT_NE(std::string(error->what()).find(part), std::string::npos)
      << "'" << part << "' is not in: " << error->what();
  EXPECT_EQ(std::string(error->what()).find('\n'), std::string::npos) << error->what();
}

/// The only node, as the operator asked for.
template <class Op>
const Op& only_op(const onnx::Imported& model) {
  EXPECT_EQ(model.graph.nodes().size(), 1U);
  return std::get<Op>(model.graph.nodes().at(0).op);
}

}  // namespace fovea::test
