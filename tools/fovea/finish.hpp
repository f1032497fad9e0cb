#pragma once

#include <cstdint>
#include <vector>

#include "explain_arguments.hpp"
#include "json_output.hpp"
#include "outputs.hpp"
#include "results.hpp"
#include "session.hpp"

namespace fovea::cli {

/// Throws Error invalid_argument for numbers out of range, by their options.
void check_drawing(const Request& request);

/// What goes into files, and what must stay as it is.
struct Files {
  const ExplainOutputs& names;
  const InputFiles& inputs;
  OutputFiles out = {};
};

/// What explanations come to at their final extents; pictures and tensors of them are added to
/// `files`, but for the page, the strip and the examples. `provenance` is null where none is
/// wanted. One map at a time: those of many classes over a large photo would not fit into memory
/// together.
Results finish(Session& session, const std::vector<Explanation>& explanations, std::int64_t images,
               std::int64_t targets, const Json& provenance, Files& files);

/// Does any of the files say what it was made from and with?
bool has_provenance(const ExplainOutputs& files);

}  // namespace fovea::cli
