#include "c/tensors.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "fovea/model.hpp"

namespace fovea::c {
namespace {

constexpr std::array kTypes{DataType::f32,     DataType::f16,    DataType::bf16, DataType::f64,
                            DataType::i8,      DataType::u8,     DataType::i16,  DataType::u16,
                            DataType::i32,     DataType::u32,    DataType::i64,  DataType::u64,
                            DataType::boolean, DataType::string, DataType::other};
static_assert(kTypes.size() == FOVEA_OTHER + 1);
static_assert(static_cast<int>(DataType::other) == FOVEA_OTHER &&
              static_cast<int>(DataType::boolean) == FOVEA_BOOL &&
              static_cast<int>(DataType::u64) == FOVEA_U64);

std::string called(const std::string& name) {
  return name.empty() ? "the tensor" : "the tensor '" + name + "'";
}

[[noreturn]] void refuse_tensor(const std::string& sentence, const std::string& name) {
  throw Error(ErrorCode::bad_input, sentence, {.file = {}, .node = name, .op = {}});
}

void require_f32(fovea_dtype type, const std::string& name) {
  if (type < 0 || static_cast<std::size_t>(type) >= kTypes.size())
    refuse("the element type of " + called(name) + ", " + std::to_string(type) +
           ", is none of FOVEA_F32 to FOVEA_OTHER");
  if (type != FOVEA_F32)
    refuse_tensor(called(name) + " is of " +
                      std::string(to_string(kTypes[static_cast<std::size_t>(type)])) +
                      ", and only f32 is taken",
                  name);
}

/// Of a tensor of no elements every stride is right, and of an extent of 1.
void require_row_major(const Shape& shape, const std::int64_t* strides, const std::string& name) {
  if (strides == nullptr) return;
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected)
      refuse_tensor("the strides of " + called(name) +
                        " are not those of rows without gaps, the only form that is taken: copy it",
                    name);
    expected *= shape[i];
  }
}

/// How many numbers. Throws for extents that no tensor has.
std::size_t count_of(const Shape& shape, const std::string& name) {
  std::uint64_t out = 1;
  for (const auto extent : shape)
    if (extent < 0) refuse_tensor("an extent of " + called(name) + " is negative", name);
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  for (const auto extent : shape) {
    constexpr auto kMost =
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / sizeof(float);
    if (static_cast<std::uint64_t>(extent) > kMost / out)
      refuse_tensor(called(name) + " has more elements than there is memory", name);
    out *= static_cast<std::uint64_t>(extent);
  }
  return out;
}

}  // namespace

TensorView view_of(const fovea_tensor& tensor, const std::string& name) {
  require_f32(tensor.dtype, name);
  if (tensor.rank < 0 || tensor.rank > FOVEA_MAX_RANK)
    refuse_tensor(called(name) + " has " + std::to_string(tensor.rank) + " extents, and 0 to " +
                      std::to_string(FOVEA_MAX_RANK) + " are taken",
                  name);
  const auto extents =
      all_of(tensor.shape, static_cast<std::size_t>(tensor.rank), "a tensor's shape");
  Shape shape(extents.begin(), extents.end());
  const auto count = count_of(shape, name);
  if (count > 0) require_row_major(shape, tensor.strides, name);
  if (count > 0 && tensor.data == nullptr) refuse("the data of " + called(name) + " is NULL");
  if (reinterpret_cast<std::uintptr_t>(tensor.data) % alignof(float) != 0)
    refuse_tensor("the data of " + called(name) + " does not lie at a multiple of 4 bytes: copy it",
                  name);
  return {std::move(shape), {static_cast<const float*>(tensor.data), count}};
}

Feeds feeds_of(const fovea_named_tensor* tensors, std::size_t count, const char* list) {
  Feeds out;
  for (const auto& [name, tensor] : all_of(tensors, count, list)) {
    const std::string key = name == nullptr ? "" : name;
    if (!out.emplace(key, view_of(tensor, key)).second)
      refuse(called(key) + " is twice in " + list);
  }
  return out;
}

Shape shape_of(const fovea_named_shape& shape) {
  if (shape.rank < 0 || shape.rank > FOVEA_MAX_RANK)
    refuse("a shape has " + std::to_string(shape.rank) + " extents, and 0 to " +
           std::to_string(FOVEA_MAX_RANK) + " are taken");
  return {shape.shape, shape.shape + shape.rank};
}

fovea_status give(fovea_error* error, fovea_array* to, const Shape& shape,
                  std::span<const float> data) {
  required(to, "array");
  if (shape.size() > FOVEA_MAX_RANK)
    throw Error(ErrorCode::unsupported, "the result has " + std::to_string(shape.size()) +
                                            " extents, and fovea_array holds " +
                                            std::to_string(FOVEA_MAX_RANK));
  to->size = data.size();
  to->rank = static_cast<std::int32_t>(shape.size());
  std::copy(shape.begin(), shape.end(), to->shape);
  if (to->data == nullptr) return FOVEA_OK;
  if (to->capacity < data.size()) {
    tell(error, FOVEA_BUFFER_TOO_SMALL, "the buffer is smaller than the result");
    return FOVEA_BUFFER_TOO_SMALL;
  }
  std::copy(data.begin(), data.end(), to->data);
  return FOVEA_OK;
}

fovea_status give_bytes(fovea_error* error, void* buffer, std::size_t capacity, std::size_t* size,
                        std::string_view bytes) {
  required(size, "size") = bytes.size();
  if (buffer == nullptr) return FOVEA_OK;
  if (capacity < bytes.size()) {
    tell(error, FOVEA_BUFFER_TOO_SMALL, "the buffer is smaller than the result");
    return FOVEA_BUFFER_TOO_SMALL;
  }
  std::copy(bytes.begin(), bytes.end(), static_cast<char*>(buffer));
  return FOVEA_OK;
}

}  // namespace fovea::c
