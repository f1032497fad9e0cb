#include "onnx/importer.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <new>
#include <stdexcept>

#include "base/aligned.hpp"
#include "onnx/file.hpp"
#include "onnx/import_graph.hpp"
#include "onnx/limits.hpp"
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

fovea_onnx::ModelProto parse(std::span<const std::byte> bytes) {
  check_wire(bytes);
  fovea_onnx::ModelProto model;
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetRecursionLimit(kMaxDepth + 1);
  coded.SetTotalBytesLimit(static_cast<int>(kMaxModelBytes));
  if (!model.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
    throw Error(ErrorCode::bad_model, "the model is damaged: its fields cannot be read");
  return model;
}

fovea_onnx::ModelProto read(const std::filesystem::path& path) {
  const auto file = File::open(path);
  if (file.size() > kMaxModelBytes)
    throw Error(ErrorCode::bad_model, "the model is larger than 2 GiB");
  base::AlignedBuffer bytes(static_cast<std::size_t>(file.size()));
  file.read(0, {bytes.data(), bytes.size()});
  return parse({bytes.data(), bytes.size()});
}

}  // namespace

Imported import_file(const std::filesystem::path& file, const LoadOptions& options) {
  return with_context(file.string(), [&] {
    auto model = read(file);
    auto folder = options.external_data.empty() ? file.parent_path() : options.external_data;
    return import_model(model, folder.empty() ? "." : folder);
  });
}

Imported import_bytes(std::span<const std::byte> bytes,
                      const std::filesystem::path& external_data_dir,
                      const std::string& name_for_errors) {
  return with_context(name_for_errors, [&] {
    auto model = parse(bytes);
    return import_model(model, external_data_dir);
  });
}

}  // namespace fovea::onnx
