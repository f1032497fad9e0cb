/* What a forward pass and its scores cost by the C interface: the median of many calls, in
 * microseconds. usage: call MODEL N C H W CALLS */
#include <fovea.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static int by_value(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

#define TRY(call) \
  if ((call) != FOVEA_OK) return fprintf(stderr, "%s\n", error.message), 1

int main(int argc, char** argv) {
  if (argc != 7) return fprintf(stderr, "usage: call MODEL N C H W CALLS\n"), 2;
  fovea_error error;
  fovea_error_init(&error, sizeof error);
  fovea_model* model = NULL;
  TRY(fovea_model_load(argv[1], NULL, &model, &error));
  int64_t shape[4];
  size_t size = 1;
  for (int i = 0; i < 4; ++i) size *= (size_t)(shape[i] = atoll(argv[2 + i]));
  fovea_value_info input;
  fovea_value_info_init(&input, sizeof input);
  TRY(fovea_model_input(model, 0, &input, &error));
  fovea_named_shape bound = {input.name, 4, {shape[0], shape[1], shape[2], shape[3]}};
  fovea_explainer_options options;
  fovea_explainer_options_init(&options, sizeof options);
  options.threads = 1;
  options.tuning = FOVEA_TUNING_OFF;
  options.input_shapes = &bound;
  options.input_shape_count = 1;
  fovea_explainer* explainer = NULL;
  TRY(fovea_explainer_create(model, &options, NULL, &explainer, &error));
  float* data = malloc(size * sizeof *data);
  for (size_t i = 0; i < size; ++i) data[i] = 0.25F;
  fovea_named_tensor feed = {NULL, {data, FOVEA_F32, 4, shape, NULL}};
  float scores[4096];
  const int calls = atoi(argv[6]);
  double* times = malloc((size_t)calls * sizeof *times);
  for (int i = 0; i < calls; ++i) {
    const double begun = now();
    fovea_run* run = NULL;
    fovea_array out = {scores, 4096, 0, 0, {0}};
    TRY(fovea_forward(explainer, &feed, 1, NULL, &run, &error));
    TRY(fovea_run_output(run, "", &out, &error));
    fovea_run_destroy(run);
    times[i] = now() - begun;
  }
  qsort(times, (size_t)calls, sizeof *times, by_value);
  printf("%.3f\n", times[calls / 2]);
  return 0;
}
