#pragma once

#include <string>
#include <string_view>

namespace fovea::onnx {

/// A name from a file as it may stand in a message: in single quotes, on one line, at most 80
/// bytes of it.
std::string quote(std::string_view name);

/// Free text from a file, fit to be shown: what is not UTF-8 and control characters other than line
/// breaks and tabs become question marks.
std::string printable(std::string_view text);

/// Throws Error bad_model for a name that is longer than kMaxNameBytes, not UTF-8, or holds control
/// characters; `what` names the kind of thing ("a node").
void check_name(std::string_view name, std::string_view what);

}  // namespace fovea::onnx
