#pragma once

#include <map>
#include <optional>
#include <string>

#include "fovea/session.hpp"

/// What feeds the model's inputs: tensors from files and at most one photo.
namespace fovea::request {

/// Inputs whose values are given once. Throws Error invalid_argument for an input that does not
/// exist, and for another number of values than it has.
void fix_inputs(Session& session);

/// In place of floats.
bool takes_integers(DataType type);

/// Throws Error invalid_argument, listing the model's inputs.
const ValueInfo& find_input(const Model& model, const std::string& name);

/// The only input's name. Throws Error invalid_argument where there are several.
std::string only_input(const Model& model);

void check_shapes(const Model& model, const std::map<std::string, Shape>& shapes);

/// Reads the request's tensors into `session.tensors` and binds the inputs' extents to theirs.
/// Throws Error invalid_argument (unknown input) or bad_input (file, shape).
void read_tensors(Session& session);

/// Decodes and preprocesses the photo for the one input that takes an image and has no tensor yet;
/// `in_full`, or as much of its resolution as the input shows.
/// Without a recipe, the one that the input's type makes likely. Throws Error bad_model where no
/// input does, invalid_argument where several do, where the extents are open, or for an input of
/// integers that hold no pixels and no recipe.
void read_photo(Session& session, const std::string& file, const std::optional<Recipe>& recipe,
                RecipeSource source, bool in_full);

/// An explainer's image is the first that the model takes: images given as tensors in front of the
/// photo's input become values that are known.
void fix_other_images(Session& session);

/// Warns of a recipe whose numbers are of two scales, or no integers for an input of integers.
void warn_of_recipe(Session& session);

/// Throws Error invalid_argument naming an input that has no tensor.
void require_all_inputs(const Session& session);

}  // namespace fovea::request
