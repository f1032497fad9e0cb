#pragma once

#include "explain_arguments.hpp"
#include "json_output.hpp"
#include "outputs.hpp"
#include "results.hpp"
#include "session.hpp"

/// --objects: the maps of all boxes as one picture.
namespace fovea::cli {

/// At each place the largest of the maps, each in its own colours' scale and, with --inside-boxes,
/// inside its box alone; outlines over it, classes and scores below. Where nothing was found, the
/// photo. Throws Error invalid_argument where a target is no box. Warnings that the drawing has are
/// the session's.
void add_objects(Session& session, const Results& results, const ExplainOutputs& names,
                 const Json& provenance, OutputFiles& files);

}  // namespace fovea::cli
