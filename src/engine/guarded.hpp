#pragma once

#include <dnnl.hpp>
#include <string>

#include "fovea/error.hpp"

namespace fovea::engine {

/// oneDNN reports by exceptions of its own; what it refuses is said with the place, which is only
/// asked for then.
template <class Work, class Where>
void guarded(ErrorCode refused, Where&& where, Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    throw error.with(where());
  } catch (const dnnl::error& error) {
    throw Error(error.status == dnnl_out_of_memory ? ErrorCode::out_of_memory : refused,
                std::string("oneDNN refused the operation: ") + error.what(), where());
  }
}

inline ErrorContext nowhere() {
  return {};
}

}  // namespace fovea::engine
