#include "onnx/wire.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "fovea/error.hpp"
#include "onnx/limits.hpp"

namespace fovea::onnx {
namespace {

enum class Kind {
  opaque,
  model,
  graph,
  function,
  node,
  attribute,
  tensor,
  value_info,
  type,
  tensor_type,
  shape,
  dimension,
  pair,
  opset
};

// What a length-delimited field of a message holds, as in onnx_subset.proto.
Kind child_of(Kind parent, std::uint64_t field) {
  switch (parent) {
    case Kind::model:
      if (field == 7) return Kind::graph;
      if (field == 8) return Kind::opset;
      if (field == 14) return Kind::pair;
      if (field == 25) return Kind::function;
      break;
    case Kind::graph:
      if (field == 1) return Kind::node;
      if (field == 5) return Kind::tensor;
      if (field == 11 || field == 12) return Kind::value_info;
      break;
    case Kind::function:
      if (field == 7) return Kind::node;
      if (field == 9) return Kind::opset;
      if (field == 11) return Kind::attribute;
      break;
    case Kind::node:
      if (field == 5) return Kind::attribute;
      break;
    case Kind::attribute:
      if (field == 5) return Kind::tensor;
      break;
    case Kind::tensor:
      if (field == 13) return Kind::pair;
      break;
    case Kind::value_info:
      if (field == 2) return Kind::type;
      break;
    case Kind::type:
      if (field == 1) return Kind::tensor_type;
      break;
    case Kind::tensor_type:
      if (field == 2) return Kind::shape;
      break;
    case Kind::shape:
      if (field == 1) return Kind::dimension;
      break;
    default:
      break;
  }
  return Kind::opaque;
}

// Subgraphs are not read, yet their nesting is bounded: whoever reads the file next may recurse.
bool may_nest(Kind parent, std::uint64_t field) {
  return parent == Kind::attribute && (field == 6 || field == 11);
}

enum class Wire : unsigned { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

enum class Fault { malformed, truncated };

class Scanner {
 public:
  explicit Scanner(std::span<const std::byte> bytes) : bytes_(bytes) {}

  void scan() { message(Kind::model, bytes_.size(), 1); }
  bool looks_like_a_model() const { return known_fields_ > 0; }

 private:
  // Throws Fault where the bytes end, so that the caller can tell a cut from an impostor.
  std::uint64_t varint(std::size_t end) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (at_ >= end) throw end == bytes_.size() ? Fault::truncated : Fault::malformed;
      const auto byte = std::to_integer<std::uint64_t>(bytes_[at_++]);
      if (shift == 63 && byte > 1) throw Fault::malformed;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw Fault::malformed;
  }

  void skip(std::uint64_t count, std::size_t end) {
    if (count > end - at_) throw count > bytes_.size() - at_ ? Fault::truncated : Fault::malformed;
    at_ += static_cast<std::size_t>(count);
  }

  void message(Kind kind, std::size_t end, int depth) {
    if (depth > kMaxDepth)
      refuse("the model's messages are nested deeper than " + std::to_string(kMaxDepth));
    while (at_ < end) {
      const auto tag = varint(end);
      const auto field = tag >> 3;
      if (field == 0 || field >= (1U << 29)) throw Fault::malformed;
      switch (static_cast<Wire>(tag & 7)) {
        case Wire::varint:
          varint(end);
          if (kind == Kind::model && field == 1) ++known_fields_;
          break;
        case Wire::fixed64:
          skip(8, end);
          break;
        case Wire::fixed32:
          skip(4, end);
          break;
        case Wire::bytes:
          length_delimited(kind, field, end, depth);
          break;
        default:  // groups and the two numbers without a meaning
          throw Fault::malformed;
      }
    }
  }

  void length_delimited(Kind kind, std::uint64_t field, std::size_t end, int depth) {
    const auto length = varint(end);
    const auto begin = at_;
    auto child = child_of(kind, field);
    if (may_nest(kind, field)) child = Kind::graph;
    if (kind == Kind::model && child != Kind::opaque) ++known_fields_;
    // A length that reaches past its parent but not past the file is a contradiction.
    skip(length, end);
    count(kind, field, child);
    if (child == Kind::opaque) return;
    const auto child_end = at_;
    at_ = begin;
    message(child, child_end, depth + 1);
  }

  void count(Kind parent, std::uint64_t field, Kind child) {
    if (++fields_ > kMaxFields)
      refuse("the model has more than " + std::to_string(kMaxFields) + " parts");
    if (child == Kind::node && ++nodes_ > kMaxNodes)
      refuse("the model has more than " + std::to_string(kMaxNodes) + " nodes");
    if (child == Kind::function && ++functions_ > kMaxFunctions)
      refuse("the model has more than " + std::to_string(kMaxFunctions) + " local functions");
    if (parent == Kind::graph && field == 5 && ++initializers_ > kMaxInitializers)
      refuse("the model has more than " + std::to_string(kMaxInitializers) + " initializers");
  }

  [[noreturn]] static void refuse(std::string sentence) {
    throw Error(ErrorCode::bad_model, std::move(sentence));
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::size_t known_fields_ = 0;
  std::size_t fields_ = 0;
  std::size_t nodes_ = 0;
  std::size_t functions_ = 0;
  std::size_t initializers_ = 0;
};

struct Magic {
  std::string_view bytes;
  std::size_t offset;
  std::string_view meaning;
};
using namespace std::string_view_literals;
constexpr std::array kMagic{
    Magic{"version https://git-lfs"sv, 0, "a Git LFS pointer: the file itself was not fetched"},
    Magic{"\x1f\x8b"sv, 0, "gzip data"},
    Magic{"PK\x03\x04"sv, 0, "a zip archive, as PyTorch's own format is"},
    Magic{"\x89HDF"sv, 0, "HDF5 data, as Keras writes"},
    Magic{"TFL3"sv, 4, "a TensorFlow Lite model"},
    Magic{"ORTM"sv, 4, "a model in ONNX Runtime's own format"},
    Magic{"\x89PNG"sv, 0, "a PNG image"},
    Magic{"\xff\xd8\xff"sv, 0, "a JPEG image"},
    Magic{"%PDF"sv, 0, "a PDF document"},
};

std::string_view guess(std::string_view bytes) {
  for (const auto& magic : kMagic)
    if (bytes.size() >= magic.offset && bytes.substr(magic.offset).starts_with(magic.bytes))
      return magic.meaning;
  for (const unsigned char c : bytes.substr(0, 512))
    if (c < 0x20 && c != '\n' && c != '\r' && c != '\t') return "not the ONNX format";
  return "text";
}

[[noreturn]] void refuse_impostor(std::string_view bytes) {
  throw Error(ErrorCode::bad_model, "not an ONNX model (" + std::string(guess(bytes)) + ")");
}

}  // namespace

void check_wire(std::span<const std::byte> bytes) {
  if (bytes.empty()) throw Error(ErrorCode::bad_model, "not an ONNX model (the file is empty)");
  if (bytes.size() > static_cast<std::size_t>(kMaxModelBytes))
    throw Error(ErrorCode::bad_model, "the model is larger than 2 GiB");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Scanner scanner(bytes);
  try {
    scanner.scan();
  } catch (const Fault fault) {
    if (!scanner.looks_like_a_model()) refuse_impostor(text);
    throw Error(ErrorCode::bad_model, fault == Fault::truncated
                                          ? "the model is truncated: its last part is missing"
                                          : "the model is damaged: its fields contradict "
                                            "each other");
  }
  if (!scanner.looks_like_a_model()) refuse_impostor(text);
}

}  // namespace fovea::onnx
