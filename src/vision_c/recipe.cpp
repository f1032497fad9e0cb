#include <algorithm>
#include <string>
#include <utility>

#include "c/tensors.hpp"
#include "fovea/session.hpp"
#include "vision_c/guard.hpp"
#include "vision_c/handles.hpp"
#include "vision_c/images.hpp"

namespace {

using fovea::Recipe;

Recipe recipe_from_text(const std::string& text) {
  if (auto named = fovea::recipe_by_name(text)) return *std::move(named);
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || text[first] != '{')
    fovea::c::refuse("the recipe '" + text + "' is neither a name nor JSON" +
                     fovea::did_you_mean(fovea::recipe_names(), text));
  return fovea::recipe_from_json(text, "in the recipe");
}

/// Of the input that takes an image, where there is one.
Recipe assumed(const fovea::Model& model) {
  const auto& inputs = model.inputs();
  const auto image = std::find_if(inputs.begin(), inputs.end(), [](const auto& input) {
    return fovea::image_shape(input.shape).has_value();
  });
  if (image != inputs.end()) return fovea::assumed_recipe(*image);
  return inputs.empty() ? Recipe{} : fovea::assumed_recipe(inputs.front());
}

struct Found {
  Recipe recipe;
  int32_t source;
};

Found find(const char* text, const fovea_model* model) {
  if (text != nullptr) return {recipe_from_text(text), FOVEA_RECIPE_SAID};
  if (model == nullptr) return {Recipe{}, FOVEA_RECIPE_ASSUMED};
  const auto& own = fovea::c::used(model, "model").model;
  const auto& files = own.files();
  if (auto said = recipe_of(own, files.empty() ? "" : files.front().string()))
    return {*std::move(said), FOVEA_RECIPE_OF_MODEL};
  return {assumed(own), FOVEA_RECIPE_ASSUMED};
}

}  // namespace

extern "C" {

fovea_status fovea_recipe_create(const char* text, const fovea_model* model, fovea_recipe** recipe,
                                 int32_t* source, fovea_error* error) {
  if (recipe != nullptr) *recipe = nullptr;
  return fovea::vision_c::guarded(error, [&] {
    auto& to = fovea::c::required(recipe, "recipe");
    auto found = find(text, model);
    to = new fovea_recipe(std::move(found.recipe));
    if (source != nullptr) *source = found.source;
    return FOVEA_OK;
  });
}

void fovea_recipe_destroy(fovea_recipe* recipe) {
  fovea::c::destroy(recipe);
}

fovea_status fovea_recipe_extents(const fovea_recipe* recipe, int64_t* height, int64_t* width,
                                  fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    const auto& own = fovea::c::used(recipe, "recipe").recipe;
    auto& rows = fovea::c::required(height, "height");
    auto& columns = fovea::c::required(width, "width");
    rows = own.height;
    columns = own.width;
    return FOVEA_OK;
  });
}

const char* fovea_recipe_json(const fovea_recipe* recipe) {
  return fovea::c::lives(recipe) ? recipe->json.c_str() : nullptr;
}

fovea_status fovea_preprocess(const fovea_photo* photo, const fovea_recipe* recipe, int32_t rank,
                              const int64_t* shape, fovea_array* array, fovea_view* view,
                              fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    const auto& image = fovea::c::used(photo, "photo").image;
    const auto& said = fovea::c::used(recipe, "recipe").recipe;
    auto& to = fovea::c::required(array, "array");
    fovea::c::required(shape, "shape");
    if (rank != 3 && rank != 4) fovea::c::refuse("an input for a photo has 3 or 4 extents");
    const fovea::Shape extents(shape, shape + rank);
    const auto at = fovea::image_shape(extents);
    if (!at || (rank == 4 && extents.front() != 1))
      fovea::c::refuse(
          "an input for a photo is [1, c, h, w] or [1, h, w, c], c 1 or 3, or without the 1, c 3");
    fovea::vision_c::require_extents(at->width, at->height);
    const auto how = for_channels(said, at->channels);
    const auto seen = view_of(image.width, image.height, how, at->width, at->height);
    fovea_status status = FOVEA_OK;
    if (to.data == nullptr) {  // what it would be is known
      to.size = static_cast<std::size_t>(at->channels * at->height * at->width);
      to.rank = rank;
      std::copy(extents.begin(), extents.end(), to.shape);
    } else {
      const auto input = preprocess(image, how, at->channels, at->height, at->width, at->layout);
      status = fovea::c::give(error, array, extents, input.data);
    }
    if (view != nullptr) *view = {seen.x0, seen.y0, seen.x1, seen.y1};
    return status;
  });
}

}  // extern "C"
