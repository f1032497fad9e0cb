/* What the calls that null_calls.py writes are made with. */
#ifndef FOVEA_TESTS_NULL_CALLS_H
#define FOVEA_TESTS_NULL_CALLS_H

#include "fovea.h"

#ifdef __cplusplus
extern "C" {
#endif

void call_all(void);
void reset(void);
void expect(const char* what, fovea_status status, fovea_status expected);

extern const char* model_file;
extern char* model_bytes;
extern size_t model_size;
extern char output_name[256];
extern fovea_model* model;
extern fovea_explainer* explainer;
extern fovea_run* run;
extern fovea_explanations* explanations;
extern fovea_named_tensor input;
extern const char* targets[1];
extern fovea_prediction prediction;
extern fovea_array array;
extern char buffer[1 << 20];
extern size_t size;

#ifdef FOVEA_VISION_H
extern const char* photo_file;
extern char* photo_bytes;
extern size_t photo_size;
extern const char* labels_file;
extern const char* request;
extern fovea_photo* photo;
extern fovea_recipe* recipe;
extern fovea_answer* answer;
extern uint8_t pixels[3 << 20];
extern int64_t photo_shape[4];
extern fovea_tensor map;
extern fovea_image image;
extern fovea_view view;
extern fovea_box box;
extern int64_t number;
extern int32_t whole;
#endif

#ifdef __cplusplus
}
#endif

#endif
