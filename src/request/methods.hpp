#pragma once

#include "fovea/session.hpp"

namespace fovea::request {

/// The method with the tensors that it is given, which are read. Throws Error invalid_argument for
/// an option or a tensor that it does not have.
Method method_of(const RequestMethod& method);

/// With every option that the request leaves to its default.
RequestMethod with_defaults(RequestMethod method);

}  // namespace fovea::request
