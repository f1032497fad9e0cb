#pragma once

#include "explain_arguments.hpp"

/// Several methods side by side.
namespace fovea::cli {

/// One labelled picture: the photo, then a map per method, in a row for each class and layer.
/// Throws as explain does; methods of "all" that the model cannot serve are left out with a
/// warning.
void explain_sheet(const ExplainArguments& arguments);

}  // namespace fovea::cli
