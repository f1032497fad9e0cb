#ifndef FOVEA_VISION_H
#define FOVEA_VISION_H

/*
 * fovea in C: photos in, pictures out. Link libfovea_vision_c (pkg-config fovea-vision-c). What
 * fovea.h says of errors, handles, structs, texts and results holds here too; a photo and a recipe
 * never change and serve any number of threads at once.
 */

#include "fovea.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 8-bit RGB, rows from the top, no padding. `rgb` and `capacity` (bytes) are the caller's, the rest
 * is filled. */
typedef struct fovea_image {
  uint8_t* rgb;
  size_t capacity;
  size_t size; /* 3 * width * height */
  int32_t width;
  int32_t height;
} fovea_image;

/* The part of the photo that the network's input shows, in the photo's pixels; beyond the photo
 * where a recipe adds borders. */
typedef struct fovea_view {
  double x0, y0, x1, y1;
} fovea_view;

typedef struct fovea_box {
  int64_t x, y, width, height;
} fovea_box;

typedef struct fovea_overlay_options {
  size_t struct_size;
  double alpha; /* weight of the colours, 0 to 1 */
  /* "jet", "turbo", "viridis", "inferno", "magma", "plasma", "cividis", "red-blue"; NULL: jet, of
   * an explanation of single pixels or with its sign red-blue. */
  const char* colormap;
  int32_t opacity_by_value;
  int32_t pale;         /* the photo in pale grey below */
  int32_t heatmap_only; /* the colours alone */
} fovea_overlay_options;

typedef struct fovea_photo fovea_photo;
typedef struct fovea_recipe fovea_recipe;
typedef struct fovea_answer fovea_answer;

FOVEA_C_API void fovea_overlay_options_init(fovea_overlay_options* options, size_t struct_size);

/* A photo's file decoded: JPEG, PNG, BMP, WebP, TIFF. `name` stands in errors; NULL: none. */
FOVEA_C_API fovea_status fovea_photo_read(const char* file, fovea_photo** photo,
                                          fovea_error* error);
FOVEA_C_API fovea_status fovea_photo_decode(const void* bytes, size_t size, const char* name,
                                            fovea_photo** photo, fovea_error* error);
/* Of pixels: 3 * width * height bytes, which are copied. */
FOVEA_C_API fovea_status fovea_photo_from_rgb(const uint8_t* rgb, int32_t width, int32_t height,
                                              fovea_photo** photo, fovea_error* error);
FOVEA_C_API void fovea_photo_destroy(fovea_photo* photo);
FOVEA_C_API fovea_status fovea_photo_pixels(const fovea_photo* photo, fovea_image* image,
                                            fovea_error* error);

/* How a photo becomes the input: a name ("imagenet", "torchvision:ResNet50_Weights.DEFAULT",
 * "keras:caffe") or JSON, as the program's --preprocess takes it; NULL: what the model's metadata
 * says, else what is assumed: ImageNet's, or for an input of integers the pixels as they are.
 * `model` may be NULL, and `source`, which is told which of these it was. */
enum { FOVEA_RECIPE_SAID = 0, FOVEA_RECIPE_OF_MODEL = 1, FOVEA_RECIPE_ASSUMED = 2 };
FOVEA_C_API fovea_status fovea_recipe_create(const char* text, const fovea_model* model,
                                             fovea_recipe** recipe, int32_t* source,
                                             fovea_error* error);
FOVEA_C_API void fovea_recipe_destroy(fovea_recipe* recipe);
/* The input's extents, for a model that leaves them open; 0 where the recipe does not say. */
FOVEA_C_API fovea_status fovea_recipe_extents(const fovea_recipe* recipe, int64_t* height,
                                              int64_t* width, fovea_error* error);
/* All of it, as fovea_recipe_create takes it. */
FOVEA_C_API const char* fovea_recipe_json(const fovea_recipe* recipe);

/* The photo as an input of these extents ([1, c, h, w], [1, h, w, c], or without the 1; c 1 or 3),
 * and the part of it that they show; `view` may be NULL. Every pixel plays its part, as with the
 * program's --exact-decode. */
FOVEA_C_API fovea_status fovea_preprocess(const fovea_photo* photo, const fovea_recipe* recipe,
                                          int32_t rank, const int64_t* shape, fovea_array* array,
                                          fovea_view* view, fovea_error* error);

/* A map [h, w] that covers `view` (NULL: all) over the photo's pixels. */
FOVEA_C_API fovea_status fovea_map_on_photo(const fovea_tensor* map, const fovea_view* view,
                                            int32_t width, int32_t height, fovea_array* array,
                                            fovea_error* error);
/* The photo with the map's colours over it: of a map [h, w] in 0 to 1 (red-blue: -1 to 1) that
 * covers `view`, NULL: all. `options` NULL: the defaults. */
FOVEA_C_API fovea_status fovea_overlay(const fovea_photo* photo, const fovea_tensor* map,
                                       const fovea_view* view, const fovea_overlay_options* options,
                                       fovea_image* image, fovea_error* error);
/* An explanation over the photo that it is of, at the photo's size, scaled and drawn as the program
 * does: what the network did not see is as it was, around a frame. `options` NULL: the defaults. */
FOVEA_C_API fovea_status fovea_explanation_overlay(const fovea_explanations* explanations,
                                                   size_t index, const fovea_photo* photo,
                                                   const fovea_view* view,
                                                   const fovea_overlay_options* options,
                                                   fovea_image* image, fovea_error* error);
/* The box around the largest part of a map [h, w] above `share` of its maximum; 0 in `found` where
 * there is none. */
FOVEA_C_API fovea_status fovea_find_box(const fovea_tensor* map, float share, fovea_box* box,
                                        int32_t* found, fovea_error* error);
/* An outline, drawn into the image itself. */
FOVEA_C_API fovea_status fovea_draw_box(fovea_image* image, const fovea_box* box,
                                        fovea_error* error);
/* An image as a file's bytes; `format` ".png", ".jpg", ".bmp", ".webp". `size` is filled. */
FOVEA_C_API fovea_status fovea_encode(const fovea_image* image, const char* format, void* buffer,
                                      size_t capacity, size_t* size, fovea_error* error);

/* Names of the classes: of a file with one per line, or NULL: what `model` brings. `size` is filled
 * with the bytes of all names, each ended by a zero byte; 0 where there are none. */
FOVEA_C_API fovea_status fovea_labels(const char* file, const fovea_model* model, char* buffer,
                                      size_t capacity, size_t* size, fovea_error* error);
/* The class whose name is `text`, or the only one that contains it. `names` are as fovea_labels
 * gives them. */
FOVEA_C_API fovea_status fovea_find_label(const char* names, size_t size, const char* text,
                                          int64_t* class_index, fovea_error* error);

/* A request in the program's own JSON ("provenance" of its results) from its files to its answer:
 * model, photo, recipe, labels, targets and tasks are the program's. A file with a digest
 * ("sha256") that holds something else now is refused as `fovea explain --replay` does:
 * FOVEA_BAD_MODEL, FOVEA_BAD_INPUT; of labels it is a warning. Cost: as a call of it. */
FOVEA_C_API fovea_status fovea_answer_request(const char* request_json,
                                              const fovea_call_options* call, fovea_answer** answer,
                                              fovea_error* error);
FOVEA_C_API void fovea_answer_destroy(fovea_answer* answer);
/* The answer's explanations; they live as long as the answer. */
FOVEA_C_API const fovea_explanations* fovea_answer_explanations(const fovea_answer* answer);
/* The request as it came out: files with their digests, extents, every option. Run again, it gives
 * the same, or is refused where a file has changed since. */
FOVEA_C_API const char* fovea_answer_request_json(const fovea_answer* answer);
FOVEA_C_API fovea_status fovea_answer_predictions(const fovea_answer* answer, int64_t image,
                                                  fovea_prediction* predictions, size_t capacity,
                                                  size_t* size, fovea_error* error);
/* NULL where the class has no name. */
FOVEA_C_API const char* fovea_answer_label(const fovea_answer* answer, int64_t class_index);
FOVEA_C_API size_t fovea_answer_warning_count(const fovea_answer* answer);
FOVEA_C_API const char* fovea_answer_warning(const fovea_answer* answer, size_t index);
/* An explanation over the answer's photo, at its size and in the request's colours. */
FOVEA_C_API fovea_status fovea_answer_overlay(const fovea_answer* answer, size_t index,
                                              fovea_image* image, fovea_error* error);

#ifdef __cplusplus
}
#endif

#endif
