#include <algorithm>
#include <string_view>
#include <utility>

#include "c/infos.hpp"
#include "c/tensors.hpp"
#include "fovea/drawing.hpp"
#include "vision_c/guard.hpp"
#include "vision_c/handles.hpp"
#include "vision_c/images.hpp"
#include "vision_c/structs.hpp"

namespace {

/// What a request would say of colours.
fovea::Request request_of(const fovea_overlay_options& given) {
  fovea::Request out;
  out.alpha = given.alpha;
  if (given.colormap != nullptr) out.colormap = fovea::vision_c::colormap_of(given.colormap);
  out.opacity_by_value = given.opacity_by_value != 0;
  return out;
}

fovea::Image drawn_by(const fovea_overlay_options& given, const fovea::Image& photo,
                      const fovea::Tensor& map, const fovea::View& view) {
  const auto request = request_of(given);
  if (given.heatmap_only != 0)
    return heatmap(map, view, photo.width, photo.height, request.colormap);
  fovea::OverlayOptions how;
  how.alpha = request.alpha;
  how.colormap = request.colormap;
  how.view = view;
  how.by_value = request.opacity_by_value;
  how.pale = given.pale != 0;
  return overlay(photo, map, how);
}

fovea::Image drawn_by(const fovea_overlay_options& given, const fovea::Image& photo,
                      const fovea::Explanation& why, const fovea::View& view) {
  const auto request = request_of(given);
  auto rendering = fovea::Rendering::automatic;
  if (given.colormap != nullptr)
    rendering = request.colormap == fovea::Colormap::red_blue ? fovea::Rendering::two_colours
                                                              : fovea::Rendering::heat;
  auto drawn = coloured(request, why, rendering);
  if (given.pale != 0) drawn.options.pale = true;
  if (given.heatmap_only != 0)
    return heatmap(drawn.values, view, photo.width, photo.height, drawn.options.colormap);
  return drawn_over(photo, drawn, view);
}

}  // namespace

extern "C" {

fovea_status fovea_map_on_photo(const fovea_tensor* map, const fovea_view* view, int32_t width,
                                int32_t height, fovea_array* array, fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    const auto values = fovea::vision_c::map_of(map);
    fovea::vision_c::require_extents(width, height);
    const auto seen = fovea::vision_c::view_or_all(view, width, height);
    const auto out = fovea::map_on_photo(values, seen, width, height);
    return fovea::c::give(error, array, out.shape, out.data);
  });
}

fovea_status fovea_overlay(const fovea_photo* photo, const fovea_tensor* map,
                           const fovea_view* view, const fovea_overlay_options* options,
                           fovea_image* image, fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    const auto& under = fovea::c::used(photo, "photo").image;
    const auto values = fovea::vision_c::map_of(map);
    const auto given = fovea::c::read(options);
    fovea::c::required(image, "image");
    const auto seen = fovea::vision_c::view_or_all(view, under.width, under.height);
    return fovea::vision_c::give(error, image, drawn_by(given, under, values, seen));
  });
}

fovea_status fovea_explanation_overlay(const fovea_explanations* explanations, size_t index,
                                       const fovea_photo* photo, const fovea_view* view,
                                       const fovea_overlay_options* options, fovea_image* image,
                                       fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    const auto& all = fovea::c::used(explanations, "explanations").all;
    const auto& why = fovea::c::at(all, index, "explanation");
    const auto& under = fovea::c::used(photo, "photo").image;
    const auto given = fovea::c::read(options);
    fovea::c::required(image, "image");
    const auto seen = fovea::vision_c::view_or_all(view, under.width, under.height);
    return fovea::vision_c::give(error, image, drawn_by(given, under, why, seen));
  });
}

fovea_status fovea_find_box(const fovea_tensor* map, float share, fovea_box* box, int32_t* found,
                            fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    const auto values = fovea::vision_c::map_of(map);
    auto& to = fovea::c::required(box, "box");
    auto& any = fovea::c::required(found, "found");
    const auto around = fovea::find_box(values, share);
    any = around.has_value();
    if (around) to = {around->x, around->y, around->width, around->height};
    return FOVEA_OK;
  });
}

fovea_status fovea_draw_box(fovea_image* image, const fovea_box* box, fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    auto picture = fovea::vision_c::image_of(image);
    const auto& from = fovea::c::required(box, "box");
    picture = draw_box(std::move(picture), fovea::Box{from.x, from.y, from.width, from.height});
    std::copy(picture.rgb.begin(), picture.rgb.end(), image->rgb);
    return FOVEA_OK;
  });
}

fovea_status fovea_encode(const fovea_image* image, const char* format, void* buffer,
                          size_t capacity, size_t* size, fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    const auto picture = fovea::vision_c::image_of(image);
    const auto bytes = encode_image(picture, &fovea::c::required(format, "format"));
    return fovea::c::give_bytes(
        error, buffer, capacity, size,
        std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  });
}

}  // extern "C"
