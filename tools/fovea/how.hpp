#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "explain_arguments.hpp"
#include "fovea/fovea.hpp"
#include "fovea/image.hpp"

/// What the command line of `fovea explain` asks for, in the library's terms.
namespace fovea::cli {

/// The registry's row. Throws Error invalid_argument where there is none.
const MethodInfo& info_of(const std::string& name);

/// The methods' names; "all" is every one that is not dear.
std::vector<std::string> method_names(const ExplainArguments& arguments);

/// NAME=VALUE of --option into method_options. Throws Error invalid_argument for what is no number,
/// or an option that none of the methods has.
void parse_method_options(ExplainArguments& arguments);

/// A method with those of the options that it has, and the tensors that it was given.
Method method_for(const std::string& name, const ExplainArguments& arguments);

Normalize parse_normalize(const std::string& text);
std::string normalize_text(Normalize how);
Colormap parse_colormap(const std::string& text);
ExplainOptions explain_options(const ExplainArguments& arguments);

}  // namespace fovea::cli
