#pragma once

#include <string_view>

namespace fovea::onnx {

/// What a file that is no ONNX model seems to be, by its first bytes: "a PNG image".
std::string_view guess_format(std::string_view bytes);

}  // namespace fovea::onnx
