#include "fovea/model.hpp"

#include <new>
#include <utility>

#include "api/model_impl.hpp"

namespace fovea {
namespace {

template <class Import>
std::shared_ptr<const Model::Impl> imported(Import&& import) {
  auto impl = std::make_shared<Model::Impl>();
  try {
    impl->imported = import();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "not enough memory to load the model");
  }
  return impl;
}

}  // namespace

Model::Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Model Model::load(const std::filesystem::path& file, const LoadOptions& options) {
  return Model(imported([&] { return onnx::import_file(file, options); }));
}

Model Model::from_bytes(std::span<const std::byte> onnx, const LoadOptions& options) {
  return Model(imported([&] { return onnx::import_bytes(onnx, options.external_data, ""); }));
}

const std::vector<ValueInfo>& Model::inputs() const {
  return impl_->imported.info.inputs;
}
const std::vector<ValueInfo>& Model::outputs() const {
  return impl_->imported.info.outputs;
}
const std::vector<NodeInfo>& Model::nodes() const {
  return impl_->imported.info.nodes;
}
const std::map<std::string, std::string>& Model::metadata() const {
  return impl_->imported.info.metadata;
}
std::int64_t Model::opset() const {
  return impl_->imported.info.opset;
}
std::int64_t Model::ir_version() const {
  return impl_->imported.info.ir_version;
}
std::string Model::producer() const {
  return impl_->imported.info.producer;
}

const std::vector<std::filesystem::path>& Model::files() const {
  return impl_->imported.info.files;
}

std::string_view to_string(DataType type) noexcept {
  switch (type) {
    case DataType::f32:
      return "f32";
    case DataType::f16:
      return "f16";
    case DataType::bf16:
      return "bf16";
    case DataType::f64:
      return "f64";
    case DataType::i8:
      return "i8";
    case DataType::u8:
      return "u8";
    case DataType::i16:
      return "i16";
    case DataType::u16:
      return "u16";
    case DataType::i32:
      return "i32";
    case DataType::u32:
      return "u32";
    case DataType::i64:
      return "i64";
    case DataType::u64:
      return "u64";
    case DataType::boolean:
      return "boolean";
    case DataType::string:
      return "string";
    case DataType::other:
      return "other";
  }
  return "unknown";
}

}  // namespace fovea
