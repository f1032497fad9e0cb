#include <cstddef>
#include <span>
#include <string>

#include "vision_c/guard.hpp"
#include "vision_c/handles.hpp"
#include "vision_c/images.hpp"
#include "vision_c/structs.hpp"

extern "C" {

void fovea_overlay_options_init(fovea_overlay_options* options, size_t struct_size) {
  fovea::c::init(options, struct_size);
}

fovea_status fovea_photo_read(const char* file, fovea_photo** photo, fovea_error* error) {
  if (photo != nullptr) *photo = nullptr;
  return fovea::vision_c::guarded(error, [&] {
    auto& to = fovea::c::required(photo, "photo");
    to = new fovea_photo(fovea::read_image(&fovea::c::required(file, "file")));
    return FOVEA_OK;
  });
}

fovea_status fovea_photo_decode(const void* bytes, size_t size, const char* name,
                                fovea_photo** photo, fovea_error* error) {
  if (photo != nullptr) *photo = nullptr;
  return fovea::vision_c::guarded(error, [&] {
    auto& to = fovea::c::required(photo, "photo");
    if (bytes == nullptr) fovea::c::refuse("bytes is NULL");
    const std::span encoded(static_cast<const std::byte*>(bytes), size);
    to = new fovea_photo(fovea::decode_image(encoded, name == nullptr ? "" : name));
    return FOVEA_OK;
  });
}

fovea_status fovea_photo_from_rgb(const uint8_t* rgb, int32_t width, int32_t height,
                                  fovea_photo** photo, fovea_error* error) {
  if (photo != nullptr) *photo = nullptr;
  return fovea::vision_c::guarded(error, [&] {
    auto& to = fovea::c::required(photo, "photo");
    fovea::c::required(rgb, "rgb");
    fovea::vision_c::require_extents(width, height);
    const auto count = 3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    to = new fovea_photo(fovea::Image{width, height, {rgb, rgb + count}});
    return FOVEA_OK;
  });
}

void fovea_photo_destroy(fovea_photo* photo) {
  fovea::c::destroy(photo);
}

fovea_status fovea_photo_pixels(const fovea_photo* photo, fovea_image* image, fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    return fovea::vision_c::give(error, image, fovea::c::used(photo, "photo").image);
  });
}

}  // extern "C"
