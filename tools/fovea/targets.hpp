#pragma once

#include <string>
#include <vector>

#include "explain_arguments.hpp"
#include "fovea/fovea.hpp"
#include "labels.hpp"
#include "session.hpp"

/// Which scores are explained.
namespace fovea::cli {

/// Scores at positions are taken for scores where a region of them is asked for: of the only
/// output, where --output-name names none.
void choose_output(const ExplainArguments& arguments, Session& session);

/// The classes or ranks that the command line names; of --similar-to one that stands for it.
/// Throws Error invalid_argument where the options do not go together.
std::vector<Target> choose_targets(const ExplainArguments& arguments, const Labels& labels);

/// What a method explains of a class whose score nobody chose: the probability, where the method is
/// defined on it.
Target target_for(const Target& target, const ExplainArguments& arguments, const Method& method);

/// Throws Error invalid_argument for a class that the model does not have.
void check_targets(const std::vector<Target>& targets, std::int64_t classes);

/// The same targets over the region, or as similarity with the other image, which is run through
/// the model; as they are where neither was asked for. Throws Error invalid_argument for a model
/// whose scores allow no such target or a region that they do not see, bad_input for the files.
std::vector<Target> resolved_targets(const ExplainArguments& arguments, Session& session,
                                     const Explainer& explainer, const std::vector<Target>& chosen);

/// True where a region is given by a file.
bool is_region_file(const std::string& region);

/// X,Y,W,H. Throws Error invalid_argument for anything else.
Box parse_region(const std::string& text);

/// Every file that `explain` reads, so that no output overwrites one.
std::vector<std::string> files_read(const ExplainArguments& arguments);

}  // namespace fovea::cli
