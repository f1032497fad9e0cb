#include "onnx/importer.hpp"

#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "onnx/file.hpp"
#include "onnx/format.hpp"
#include "onnx/import_graph.hpp"
#include "onnx/wire.hpp"

namespace fovea::onnx {
namespace {

// Every error leaves with the file's name, and no other exception leaves at all.
template <class Body>
Imported with_context(const std::string& file, Body&& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw error.with({file, {}, {}});
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "not enough memory for the model", {file, {}, {}});
  } catch (const std::length_error&) {
    throw Error(ErrorCode::out_of_memory, "not enough memory for the model", {file, {}, {}});
  }
}

Imported import(Storage storage) {
  auto skeleton = read_skeleton(*storage.source);
  auto model = format::parse(skeleton.messages);
  std::string().swap(skeleton.messages);
  storage.left_out = std::move(skeleton.left_out);
  return import_model(model, std::move(storage));
}

}  // namespace

Imported import_file(const std::filesystem::path& file, const LoadOptions& options) {
  return with_context(file.string(), [&] {
    auto out = import({.source = std::make_shared<const File>(File::open(file)),
                       .is_file = true,
                       .left_out = {},
                       .name = file.string(),
                       .external_data = options.external_data.empty()
                                            ? DataFolders::beside(file)
                                            : DataFolders::in(options.external_data)});
    out.info.files.insert(out.info.files.begin(), file);
    return out;
  });
}

Imported import_bytes(std::span<const std::byte> bytes,
                      const std::filesystem::path& external_data_dir,
                      const std::string& name_for_errors) {
  return with_context(name_for_errors, [&] {
    return import({.source = std::make_shared<const HeldBytes>(bytes),
                   .is_file = false,
                   .left_out = {},
                   .name = name_for_errors,
                   .external_data = DataFolders::in(external_data_dir)});
  });
}

}  // namespace fovea::onnx
