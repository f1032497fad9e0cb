#pragma once

#include <string>

#include "explain_arguments.hpp"

/// Options of fovea explain that its relatives have.
namespace fovea::cli {

/// What is explained and how; `of_method` is the help of --method.
void add_how_options(CLI::App& app, ExplainArguments& arguments, const std::string& of_method);
void add_normalize_option(CLI::App& app, ExplainArguments& arguments);
void add_drawing_options(CLI::App& app, ExplainArguments& arguments);
/// --words, --examples and --example-count.
void add_reason_options(CLI::App& app, ExplainArguments& arguments);

}  // namespace fovea::cli
