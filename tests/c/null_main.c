/* The fixtures of the calls that null_calls.py writes for fovea.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void reset(void) {
  memset(&array, 0, sizeof array);
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

int main(int argc, char** argv) {
  if (argc != 2) return 2;
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
  call_all();
  fovea_explanations_destroy(explanations);
  fovea_run_destroy(run);
  fovea_explainer_destroy(explainer);
  fovea_model_destroy(model);
  free(numbers);
  free(model_bytes);
  printf("%d calls, %d failures\n", calls, failures);
  return failures != 0;
}
