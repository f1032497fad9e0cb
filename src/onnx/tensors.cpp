#include "onnx/tensors.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "base/checked.hpp"
#include "onnx/element_type.hpp"
#include "onnx/limits.hpp"
#include "onnx/stored_floats.hpp"
#include "onnx/text.hpp"
#include "onnx/to_floats.hpp"

namespace fovea::onnx {
namespace {

using format::TensorProto;

static_assert(std::endian::native == std::endian::little, "raw data is little-endian");

[[noreturn]] void refuse(std::string sentence) {
  throw Error(ErrorCode::bad_model, std::move(sentence));
}

// Which of a tensor's fields hold values.
enum class Field { none, raw, left_out, external, f32, i32, i64, f64, u64 };

Field typed_field(DataType type) {
  switch (type) {
    case DataType::f32:
      return Field::f32;
    case DataType::f64:
      return Field::f64;
    case DataType::i64:
      return Field::i64;
    case DataType::u32:
    case DataType::u64:
      return Field::u64;
    default:
      return Field::i32;
  }
}

std::int64_t typed_count(const TensorProto& tensor, Field field) {
  switch (field) {
    case Field::f32:
      return std::ssize(tensor.float_data());
    case Field::i32:
      return std::ssize(tensor.int32_data());
    case Field::i64:
      return std::ssize(tensor.int64_data());
    case Field::f64:
      return std::ssize(tensor.double_data());
    case Field::u64:
      return std::ssize(tensor.uint64_data());
    default:
      return 0;
  }
}

Field used_field(const TensorProto& tensor) {
  auto used = Field::none;
  const auto use = [&](Field field) {
    if (used != Field::none) refuse("a tensor has two kinds of data");
    used = field;
  };
  if (tensor.data_location() == 1)
    use(Field::external);
  else if (tensor.data_location() != 0)
    refuse("a tensor's data location is unknown");
  else if (tensor.external_data_size() > 0)
    refuse("a tensor names external data but says that it has none");
  if (!tensor.raw_data().empty()) use(Field::raw);
  if (tensor.has_left_out()) use(Field::left_out);
  for (const auto field : {Field::f32, Field::i32, Field::i64, Field::f64, Field::u64})
    if (typed_count(tensor, field) > 0) use(field);
  return used;
}

struct Layout {
  DataType type = DataType::f32;
  Shape shape;
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  Field field = Field::none;

  bool is_real() const { return graph_type(type) == graph::DType::f32; }
  /// Worth to be left where it is.
  bool may_wait() const { return is_real() && bytes >= kLargeBytes; }
};

Layout layout_of(const TensorProto& tensor, const std::vector<LeftOut>& left_out) {
  Layout out;
  out.type = data_type(tensor.data_type());
  out.shape.assign(tensor.dims().begin(), tensor.dims().end());
  for (const auto extent : out.shape)
    if (extent < 0) refuse("a tensor has a negative extent");
  out.count = base::element_count(out.shape);
  out.bytes = base::checked_mul(out.count, size_of(out.type));
  out.field = used_field(tensor);
  const auto expect = [&](std::int64_t have, std::int64_t want, const char* unit) {
    if (have != want)
      refuse("a tensor holds " + std::to_string(have) + " " + unit + ", its shape needs " +
             std::to_string(want));
  };
  const auto expect_field = [&](Field field) {
    if (field != typed_field(out.type))
      refuse("a tensor's values are stored in the field of another type");
  };
  switch (out.field) {
    case Field::none:
      if (out.count != 0) refuse("a tensor has no data");
      break;
    case Field::raw:
      expect(static_cast<std::int64_t>(tensor.raw_data().size()), out.bytes, "bytes");
      break;
    case Field::left_out: {
      const auto& data = left_out.at(tensor.left_out());
      if (data.typed) expect_field(Field::f32);
      expect(data.length, out.bytes, "bytes");
      break;
    }
    case Field::external:
      break;
    default:
      expect_field(out.field);
      expect(typed_count(tensor, out.field), out.count, "values");
  }
  return out;
}

template <class From, class Convert>
std::vector<std::int64_t> convert_bytes(std::span<const std::byte> bytes, Convert&& convert) {
  std::vector<std::int64_t> out(bytes.size() / sizeof(From));
  for (std::size_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    out[i] = convert(value);
  }
  return out;
}

std::vector<float> floats_of(DataType type, std::span<const std::byte> bytes) {
  std::vector<float> out(bytes.size() / static_cast<std::size_t>(size_of(type)));
  to_floats(type, bytes, out);
  return out;
}

std::int64_t from_unsigned(std::uint64_t value) {
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    throw Error(ErrorCode::unsupported, "an unsigned value does not fit into 63 bits");
  return static_cast<std::int64_t>(value);
}

std::vector<std::int64_t> ints_of(DataType type, std::span<const std::byte> bytes) {
  const auto widen = [](auto value) { return static_cast<std::int64_t>(value); };
  switch (type) {
    case DataType::boolean:
      return convert_bytes<std::uint8_t>(bytes,
                                         [](std::uint8_t v) { return std::int64_t{v != 0}; });
    case DataType::i8:
      return convert_bytes<std::int8_t>(bytes, widen);
    case DataType::u8:
      return convert_bytes<std::uint8_t>(bytes, widen);
    case DataType::i16:
      return convert_bytes<std::int16_t>(bytes, widen);
    case DataType::u16:
      return convert_bytes<std::uint16_t>(bytes, widen);
    case DataType::i32:
      return convert_bytes<std::int32_t>(bytes, widen);
    case DataType::u32:
      return convert_bytes<std::uint32_t>(bytes, widen);
    case DataType::u64:
      return convert_bytes<std::uint64_t>(bytes, from_unsigned);
    default:
      return convert_bytes<std::int64_t>(bytes, widen);
  }
}

// int32_data carries every type of 16 bits and less.
std::int64_t narrow(DataType type, std::int32_t value) {
  const auto within = [&](std::int64_t low, std::int64_t high) {
    if (value < low || value > high) refuse("a value does not fit its tensor's type");
    return std::int64_t{value};
  };
  switch (type) {
    case DataType::boolean:
      return std::int64_t{value != 0};
    case DataType::i8:
      return within(-128, 127);
    case DataType::u8:
      return within(0, 255);
    case DataType::i16:
      return within(-32768, 32767);
    case DataType::u16:
    case DataType::f16:
    case DataType::bf16:
      return within(0, 65535);
    default:
      return value;
  }
}

graph::Constant from_fields(const TensorProto& tensor, const Layout& layout) {
  const auto count = static_cast<std::size_t>(layout.count);
  if (graph_type(layout.type) == graph::DType::f32) {
    std::vector<float> out;
    out.reserve(count);
    if (layout.field == Field::f32)
      out.assign(tensor.float_data().begin(), tensor.float_data().end());
    for (const auto value : tensor.double_data()) out.push_back(static_cast<float>(value));
    for (const auto value : tensor.int32_data()) {
      const auto bits = static_cast<std::uint16_t>(narrow(layout.type, value));
      out.push_back(layout.type == DataType::f16 ? from_half(bits) : from_bfloat(bits));
    }
    return graph::Constant::of_floats(layout.shape, std::move(out));
  }
  std::vector<std::int64_t> out;
  out.reserve(count);
  for (const auto value : tensor.int32_data()) out.push_back(narrow(layout.type, value));
  for (const auto value : tensor.int64_data()) out.push_back(value);
  for (const auto value : tensor.uint64_data()) {
    if (layout.type == DataType::u32 && value > std::numeric_limits<std::uint32_t>::max())
      refuse("a value does not fit its tensor's type");
    out.push_back(from_unsigned(value));
  }
  return graph::Constant::of_ints(layout.shape, std::move(out), graph_type(layout.type));
}

template <class T>
bool is_aligned(std::span<const std::byte> bytes) {
  return reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) == 0;
}

graph::Constant from_bytes(const Layout& layout, std::span<const std::byte> bytes,
                           std::shared_ptr<const void> owner) {
  const auto count = static_cast<std::size_t>(layout.count);
  if (layout.type == DataType::f32 && is_aligned<float>(bytes)) {
    const std::span floats(reinterpret_cast<const float*>(bytes.data()), count);
    return graph::Constant::over(layout.shape, floats, std::move(owner));
  }
  if (layout.type == DataType::i64 && is_aligned<std::int64_t>(bytes)) {
    const std::span ints(reinterpret_cast<const std::int64_t*>(bytes.data()), count);
    return graph::Constant::over(layout.shape, ints, std::move(owner));
  }
  if (layout.is_real())
    return graph::Constant::of_floats(layout.shape, floats_of(layout.type, bytes));
  return graph::Constant::of_ints(layout.shape, ints_of(layout.type, bytes),
                                  graph_type(layout.type));
}

graph::Constant deferred(const Layout& layout, std::shared_ptr<const Source> source,
                         std::int64_t offset, ErrorContext where) {
  return graph::Constant::of_deferred(
      layout.shape, std::make_shared<const StoredFloats>(std::move(source), offset, layout.count,
                                                         layout.type, std::move(where)));
}

/// Data of the model's file; of bytes that somebody else holds, a copy.
graph::Constant from_storage(const Layout& layout, const Storage& storage, std::int64_t offset,
                             const std::string& name) {
  if (layout.may_wait() && storage.is_file)
    return deferred(layout, storage.source, offset, {storage.name, name, {}});
  auto copy = std::make_shared<base::AlignedBuffer>(static_cast<std::size_t>(layout.bytes));
  storage.source->read(offset, {copy->data(), copy->size()});
  const std::span<const std::byte> bytes(copy->data(), copy->size());
  // Half the memory, until they are wanted as f32.
  if (layout.may_wait() && layout.type != DataType::f32)
    return deferred(layout, std::make_shared<const HeldBytes>(bytes, std::move(copy)), 0, {});
  return from_bytes(layout, bytes, std::move(copy));
}

graph::Constant from_external(const Layout& layout, const ExternalData& external,
                              const ExternalRange& range, const std::string& name) {
  if (layout.may_wait())
    if (auto file = external.held_open(range.location))
      return deferred(layout, std::move(file), range.offset,
                      {external.path_of(range.location).string(), name, {}});
  auto found = external.find(range);
  return from_bytes(layout, found.bytes, std::move(found.owner));
}

}  // namespace

void Tensors::announce(const TensorProto& tensor) {
  try {
    const auto layout = layout_of(tensor, storage_.left_out);
    if (layout.field == Field::external)
      external_.announce(external_range(tensor, layout.bytes), layout.may_wait());
    const auto width = layout.is_real() ? 4 : 8;
    bytes_ = base::checked_add(bytes_, base::checked_mul(layout.count, width));
    if (bytes_ > kMaxWeightBytes) refuse("the model's weights are larger than 16 GiB");
  } catch (const Error& error) {
    throw error.with({{}, tensor.name(), {}});
  }
}

graph::Constant Tensors::take(TensorProto& tensor, const std::string& name) {
  try {
    const auto layout = layout_of(tensor, storage_.left_out);
    switch (layout.field) {
      case Field::raw: {
        const auto held = std::make_shared<const std::string>(tensor.take_raw_data());
        return from_bytes(layout, std::as_bytes(std::span(held->data(), held->size())), held);
      }
      case Field::left_out: {
        const auto known = taken_.find(tensor.left_out());
        if (known != taken_.end()) return known->second;
        const auto offset = storage_.left_out[tensor.left_out()].offset;
        return taken_[tensor.left_out()] = from_storage(layout, storage_, offset, name);
      }
      case Field::external:
        return from_external(layout, external_, external_range(tensor, layout.bytes), name);
      default:
        return from_fields(tensor, layout);
    }
  } catch (const Error& error) {
    throw error.with({{}, tensor.name(), {}});
  }
}

}  // namespace fovea::onnx
