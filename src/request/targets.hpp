#pragma once

#include <string>
#include <vector>

#include "fovea/session.hpp"

/// Which scores are explained.
namespace fovea::request {

/// Scores at positions are taken for scores where a region of them is asked for: of the only
/// output, where the request names none.
void choose_output(Session& session);

/// Labels become classes. Throws Error invalid_argument for an unknown label, and for targets whose
/// members do not go together.
void name_classes(Session& session);

/// With what a method explains of a class whose score nobody chose: the probability, where the
/// method is defined on it and classes have one.
RequestTarget for_method(RequestTarget target, const std::string& method,
                         const Explainer& explainer);

/// Throws Error invalid_argument for a class that the model does not have.
void check_targets(const std::vector<Target>& targets, std::int64_t classes);

/// In the library's terms; another image is run through the model. Throws Error invalid_argument
/// for a model whose scores allow no such target or a region that they do not see, bad_input for
/// the files.
std::vector<Target> resolved_targets(const std::vector<RequestTarget>& asked, Session& session,
                                     const Explainer& explainer);

}  // namespace fovea::request
