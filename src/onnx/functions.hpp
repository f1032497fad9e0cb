#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <tuple>

#include "onnx/format.hpp"

namespace fovea::onnx {

/// The local functions of a model, which must outlive this.
class Functions {
 public:
  /// Throws Error bad_model where one is defined twice.
  explicit Functions(const format::ModelProto& model);

  /// What the node calls; null for an operator.
  const format::FunctionProto* called_by(const format::NodeProto& node) const;

 private:
  std::map<std::tuple<std::string, std::string, std::string>, const format::FunctionProto*>
      by_name_;
};

/// Bodies are copied at every call, and the names in them grow by that of the call.
inline constexpr std::size_t kMaxInlinedBytes = std::size_t{256} << 20;

/// Strings of a function's body that a call's name is put in front of.
std::size_t names_in(const format::FunctionProto& function);

/// Throws Error bad_model, naming a node of the main graph, where the model with its functions
/// inlined would be too large. Makes nothing, and takes time in proportion to the file, whatever
/// the functions call. Recursion is left to whoever inlines.
void check_inlined_size(const format::ModelProto& model, const Functions& functions);

/// The two refusals, wherever it is found that one is due.
[[noreturn]] void refuse_inlined_nodes(const format::NodeProto& node);
[[noreturn]] void refuse_inlined_bytes(const format::NodeProto& node);

}  // namespace fovea::onnx
