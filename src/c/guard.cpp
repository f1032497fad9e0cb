#include "c/guard.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>

#include "c/structs.hpp"

namespace fovea::c {
namespace {

/// Cut off between characters.
template <std::size_t Size>
void put(char (&to)[Size], std::string_view text) {
  auto length = text.size();
  if (length >= Size) {
    length = Size - 1;
    const auto continues = [&](std::size_t at) {
      return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    };
    constexpr std::size_t kLongest = 4;  // bytes of a character; what is longer is no UTF-8
    auto cut = length;
    while (cut > 0 && length - cut < kLongest && continues(cut)) --cut;
    if (!continues(cut)) length = cut;
  }
  std::copy_n(text.data(), length, to);
  to[length] = '\0';
}

fovea_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return FOVEA_INVALID_ARGUMENT;
    case ErrorCode::bad_model:
      return FOVEA_BAD_MODEL;
    case ErrorCode::bad_input:
      return FOVEA_BAD_INPUT;
    case ErrorCode::unsupported:
      return FOVEA_UNSUPPORTED;
    case ErrorCode::cancelled:
      return FOVEA_CANCELLED;
    case ErrorCode::deadline_exceeded:
      return FOVEA_DEADLINE_EXCEEDED;
    case ErrorCode::out_of_memory:
      return FOVEA_OUT_OF_MEMORY;
    case ErrorCode::internal:
      return FOVEA_INTERNAL;
  }
  return FOVEA_INTERNAL;
}

}  // namespace

void tell(fovea_error* error, fovea_status code, std::string_view sentence, std::string_view file,
          std::string_view node, std::string_view op) noexcept {
  if (error == nullptr) return;
  fovea_error value{};
  value.code = code;
  put(value.message, sentence);
  put(value.file, file);
  put(value.node, node);
  put(value.op, op);
  std::size_t size = 0;
  std::memcpy(&size, error, sizeof size);
  constexpr std::size_t kMost = 1 << 16;
  if (size > kMost) return;  // never filled by fovea_error_init: who knows how large it is
  value.struct_size = size;
  std::memcpy(error, &value, whole<fovea_error>(size));
}

fovea_status caught(fovea_error* error) noexcept {
  try {
    throw;
  } catch (const Error& thrown) {
    const auto code = status_of(thrown.code());
    const auto& context = thrown.context();
    tell(error, code, thrown.sentence(), context.file, context.node, context.op);
    return code;
  } catch (const std::bad_alloc&) {
    tell(error, FOVEA_OUT_OF_MEMORY, "not enough memory");
    return FOVEA_OUT_OF_MEMORY;
  } catch (const std::exception& thrown) {
    tell(error, FOVEA_INTERNAL, thrown.what());
    return FOVEA_INTERNAL;
  } catch (...) {
    tell(error, FOVEA_INTERNAL, "something that is no error was thrown");
    return FOVEA_INTERNAL;
  }
}

}  // namespace fovea::c
