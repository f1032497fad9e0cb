#include "exit_code.hpp"

namespace fovea::cli {

int exit_code(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument:
      return 2;
    case ErrorCode::bad_model:
      return 3;
    case ErrorCode::bad_input:
      return 4;
    case ErrorCode::unsupported:
      return 5;
    default:
      return 1;
  }
}

}  // namespace fovea::cli
