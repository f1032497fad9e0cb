#include "onnx/impostor.hpp"

#include <array>
#include <cstddef>

namespace fovea::onnx {
namespace {

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

}  // namespace

std::string_view guess_format(std::string_view bytes) {
  for (const auto& magic : kMagic)
    if (bytes.size() >= magic.offset && bytes.substr(magic.offset).starts_with(magic.bytes))
      return magic.meaning;
  for (const unsigned char c : bytes.substr(0, 512))
    if (c < 0x20 && c != '\n' && c != '\r' && c != '\t') return "not the ONNX format";
  return "text";
}

}  // namespace fovea::onnx
