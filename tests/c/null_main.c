/* The fixtures of the calls that null_calls.py writes for fovea.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef WITH_VISION
#include "fovea_vision.h"
#endif
#include "null_calls.h"

const char* model_file;
char* model_bytes;
size_t model_size;
char output_name[256];
fovea_model* model;
fovea_explainer* explainer;
fovea_run* run;
fovea_explanations* explanations;
fovea_named_tensor input;
const char* targets[1] = {"top:1"};
fovea_prediction prediction;
fovea_array array;
char buffer[1 << 20];
size_t size;
static float* numbers;
static int failures;
static int calls;

void expect(const char* what, fovea_status status, fovea_status expected) {
  ++calls;
  if (status == expected) return;
  fprintf(stderr, "%s: %s, and %s was expected\n", what, fovea_status_name(status),
          fovea_status_name(expected));
  ++failures;
}

static char* read_all(const char* file, size_t* length) {
  FILE* from = fopen(file, "rb");
  if (from == NULL) return NULL;
  fseek(from, 0, SEEK_END);
  const long end = ftell(from);
  rewind(from);
  char* bytes = malloc((size_t)end);
  *length = fread(bytes, 1, (size_t)end, from);
  fclose(from);
  return bytes;
}

#ifndef FOVEA_VISION_H
void reset(void) {
  memset(&array, 0, sizeof array);
}
#else
const char* photo_file;
char* photo_bytes;
size_t photo_size;
const char* labels_file;
const char* request;
static char request_text[2048];
fovea_photo* photo;
fovea_recipe* recipe;
fovea_answer* answer;
uint8_t pixels[3 << 20];
int64_t photo_shape[4] = {1, 3, 32, 40};
static float map_numbers[16] = {0, 0, 1, 1, 0, 0, 1, 0.5f};
static const int64_t map_shape[2] = {4, 4};
fovea_tensor map = {map_numbers, FOVEA_F32, 2, map_shape, NULL};
fovea_image image;
fovea_view view = {0, 0, 4, 4};
fovea_box box;
int64_t number;
int32_t whole;

void reset(void) {
  memset(&array, 0, sizeof array);
  const fovea_image four_by_four = {pixels, sizeof pixels, 48, 4, 4};
  const fovea_box inside = {1, 1, 2, 2};
  image = four_by_four;
  box = inside;
}

static void make_vision(char** files) {
  photo_file = files[0];
  photo_bytes = read_all(photo_file, &photo_size);
  labels_file = files[1];
  snprintf(request_text, sizeof request_text,
           "{\"model\": {\"file\": \"%s\"}, \"image\": {\"file\": \"%s\"}}", files[2], photo_file);
  request = request_text;
  expect("photo", fovea_photo_read(photo_file, &photo, NULL), FOVEA_OK);
  expect("recipe", fovea_recipe_create(NULL, model, &recipe, NULL, NULL), FOVEA_OK);
  expect("answer", fovea_answer_request(request, NULL, &answer, NULL), FOVEA_OK);
}

static void free_vision(void) {
  fovea_answer_destroy(answer);
  fovea_recipe_destroy(recipe);
  fovea_photo_destroy(photo);
  free(photo_bytes);
}
#endif

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  model_file = argv[1];
  model_bytes = read_all(model_file, &model_size);
  expect("load", fovea_model_load(model_file, NULL, &model, NULL), FOVEA_OK);
  fovea_value_info info;
  fovea_value_info_init(&info, sizeof info);
  expect("output", fovea_model_output(model, 0, &info, NULL), FOVEA_OK);
  snprintf(output_name, sizeof output_name, "%s", info.name);
  expect("create", fovea_explainer_create(model, NULL, NULL, &explainer, NULL), FOVEA_OK);
  expect("input", fovea_explainer_input(explainer, 0, &info, NULL), FOVEA_OK);
  size_t count = 1;
  for (int32_t i = 0; i < info.rank; ++i) count *= (size_t)info.shape[i];
  numbers = calloc(count, sizeof *numbers);
  for (size_t i = 0; i < count; ++i) numbers[i] = (float)(i % 17) / 8 - 1;
  input = (fovea_named_tensor){info.name, {numbers, FOVEA_F32, info.rank, info.shape, NULL}};
  expect("forward", fovea_forward(explainer, &input, 1, NULL, &run, NULL), FOVEA_OK);
  expect("explain", fovea_run_explain(run, NULL, NULL, 0, NULL, NULL, &explanations, NULL),
         FOVEA_OK);
#ifdef FOVEA_VISION_H
  if (argc != 5) return 2;
  make_vision(argv + 2);
#endif
  call_all();
#ifdef FOVEA_VISION_H
  free_vision();
#endif
  fovea_explanations_destroy(explanations);
  fovea_run_destroy(run);
  fovea_explainer_destroy(explainer);
  fovea_model_destroy(model);
  free(numbers);
  free(model_bytes);
  printf("%d calls, %d failures\n", calls, failures);
  return failures != 0;
}
