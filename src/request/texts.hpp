#pragma once

#include "fovea/session.hpp"

/// Targets that are written as text.
namespace fovea::request {

/// Where there are texts: says in `session.options` which values they read and what they are, so
/// that the default layer suits them, and in its request which method, where nobody chose it.
/// Makes an explainer to find out about the values. Throws as Explainer, and Error invalid_argument
/// for texts that the values do not allow.
void prepare_texts(Session& session, const CallOptions& call);

/// The text's target, for an explainer that reads its values.
Target target_of_text(const RequestTarget& target, const Explainer& explainer);

}  // namespace fovea::request
