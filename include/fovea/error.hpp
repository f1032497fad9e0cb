#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "fovea/export.hpp"

namespace fovea {

/// What kind of thing went wrong.
enum class ErrorCode {
  invalid_argument,   ///< the caller asked for something that does not exist or cannot be
  bad_model,          ///< the model file is missing, unreadable, malformed or inconsistent
  bad_input,          ///< an image or tensor is missing, unreadable or of the wrong shape
  unsupported,        ///< the model is valid but uses an operator or form fovea does not have
  cancelled,          ///< the caller's stop token was triggered
  deadline_exceeded,  ///< the caller's deadline passed
  out_of_memory,      ///< an allocation failed, or would exceed PoolOptions::memory_limit
  internal,           ///< a bug in fovea: please report it
};

/// Where it went wrong; empty fields are unknown.
struct ErrorContext {
  std::string file;  ///< path of the model, image or tensor
  std::string node;  ///< name of the graph node, layer or value
  std::string op;    ///< operator of that node
};

/// The one exception type that fovea throws. `what()` is one line: sentence, then the context.
class FOVEA_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string sentence, ErrorContext context = {});
  ~Error() override;
  Error(const Error&) = default;
  Error& operator=(const Error&) = default;

  ErrorCode code() const noexcept { return code_; }
  const std::string& sentence() const noexcept { return sentence_; }
  const ErrorContext& context() const noexcept { return context_; }

  /// The same error with the empty fields of its context filled in.
  Error with(ErrorContext context) const;

 private:
  ErrorCode code_;
  std::string sentence_;
  ErrorContext context_;
};

/// "bad_model" and so on.
FOVEA_API std::string_view to_string(ErrorCode code) noexcept;

}  // namespace fovea
