#pragma once

#include <string>

#include "fovea/session.hpp"
#include "json_output.hpp"

namespace fovea::cli {

/// The page of an answer, one method's or a sheet's. `rendering` is that of --rendering,
/// `provenance` null where none is wanted. Throws Error invalid_argument where there is no picture
/// to draw over (a signal).
std::string answer_html(Session& session, const Answer& answered, const std::string& rendering,
                        const Json& provenance);

}  // namespace fovea::cli
