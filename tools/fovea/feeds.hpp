#pragma once

#include <optional>
#include <string>
#include <vector>

#include "recipe.hpp"
#include "session.hpp"

/// What feeds the model's inputs: tensors from files and at most one photo.
namespace fovea::cli {

/// Reads FILE or NAME=FILE for each into `session.tensors` and binds the inputs' extents to theirs.
/// Throws Error invalid_argument (unknown or repeated input) or bad_input (file, shape).
void read_tensors(Session& session, const std::vector<std::string>& inputs);

/// Decodes and preprocesses the photo for the one input that takes an image and has no tensor yet;
/// `in_full`, or as much of its resolution as the input shows.
/// Throws Error bad_model where no input does, invalid_argument where several do or where the
/// extents are open.
void read_photo(Session& session, const std::string& file, const Recipe& recipe, bool in_full);

/// Throws Error invalid_argument naming an input that has no tensor.
void require_all_inputs(const Session& session);

/// Where an image's extents are in a shape of rank 4.
struct ImageShape {
  Layout layout = Layout::nchw;
  std::int64_t channels = 0, height = 0, width = 0;
};

/// [n, c, h, w] or [n, h, w, c] with 1 or 3 channels; none for anything else.
std::optional<ImageShape> image_shape(const Shape& shape);

}  // namespace fovea::cli
