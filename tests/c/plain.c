/* A program in plain C, from a model's file to a map. It is linked with one library and run with
 * others that are newer, so that it must not be compiled again for them. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fovea.h"

static int failures = 0;

#define EXPECT(condition)                                     \
  do {                                                        \
    if (!(condition)) {                                       \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
      ++failures;                                             \
    }                                                         \
  } while (0)

static size_t warnings = 0;

static void count_warning(void* user, const char* message) {
  *(size_t*)user += strlen(message) > 0;
}

static fovea_explainer* make_explainer(const fovea_model* model, const void* plan_cache,
                                       size_t plan_cache_size, fovea_error* error) {
  fovea_method lrp, gradcam;
  fovea_method_init(&gradcam, sizeof gradcam);
  fovea_method_init(&lrp, sizeof lrp);
  lrp.name = "lrp";
  const fovea_method* methods[] = {&gradcam, &lrp};

  fovea_explainer_options options;
  fovea_explainer_options_init(&options, sizeof options);
  options.methods = methods;
  options.method_count = 2;
  options.threads = 1;
  options.plan_cache = plan_cache;
  options.plan_cache_size = plan_cache_size;
  options.log = count_warning;
  options.log_user = &warnings;
  fovea_explainer* explainer = NULL;
  EXPECT(fovea_explainer_create(model, &options, NULL, &explainer, error) == FOVEA_OK);
  return explainer;
}

static void cancel(const fovea_explainer* explainer, const fovea_named_tensor* input,
                   fovea_error* error) {
  atomic_int stop = 1;
  fovea_call_options call;
  fovea_call_options_init(&call, sizeof call);
  call.stop = (const int*)&stop;
  fovea_run* run = NULL;
  EXPECT(fovea_forward(explainer, input, 1, &call, &run, error) == FOVEA_CANCELLED);
  EXPECT(run == NULL && error->code == FOVEA_CANCELLED && error->message[0] != '\0');
  call.stop = NULL;
  call.timeout_ms = 1e-6;
  EXPECT(fovea_forward(explainer, input, 1, &call, &run, error) == FOVEA_DEADLINE_EXCEEDED);
}

static void explain(fovea_run* run, fovea_error* error) {
  fovea_method method;
  fovea_method_init(&method, sizeof method);
  const char* targets[] = {"top:1", "class:1-class:0"};
  fovea_explanations* why = NULL;
  EXPECT(fovea_run_explain(run, &method, targets, 2, NULL, NULL, &why, error) == FOVEA_OK);
  EXPECT(fovea_explanations_count(why) >= 2);
  fovea_run_destroy(run); /* the explanations stay */

  fovea_explanation_info info;
  fovea_explanation_info_init(&info, sizeof info);
  EXPECT(fovea_explanation_at(why, 1, &info, error) == FOVEA_OK);
  EXPECT(strcmp(info.target, "class:1-class:0") == 0 && info.class_index == -1);
  EXPECT(fovea_explanation_at(why, 0, &info, error) == FOVEA_OK);
  EXPECT(strcmp(info.method, "gradcam") == 0 && info.class_index >= 0 && isfinite(info.score));

  fovea_array map = {NULL, 0, 0, 0, {0}};
  EXPECT(fovea_explanation_array(why, 0, FOVEA_MAP, &map, error) == FOVEA_OK);
  EXPECT(map.rank == 2 && map.size == (size_t)(map.shape[0] * map.shape[1]) && map.size > 0);
  map.data = malloc(map.size * sizeof(float));
  map.capacity = map.size - 1;
  EXPECT(fovea_explanation_array(why, 0, FOVEA_MAP, &map, error) == FOVEA_BUFFER_TOO_SMALL);
  map.capacity = map.size;
  EXPECT(fovea_explanation_array(why, 0, FOVEA_MAP, &map, error) == FOVEA_OK);
  float most = 0;
  for (size_t i = 0; i < map.size; ++i) most = map.data[i] > most ? map.data[i] : most;
  EXPECT(most >= 0 && most <= 1);
  free(map.data);
  fovea_explanations_destroy(why);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  fovea_error error;
  fovea_error_init(&error, sizeof error);
  EXPECT(fovea_model_load("/no/such/model.onnx", NULL, &(fovea_model*){NULL}, &error) ==
         FOVEA_BAD_MODEL);
  EXPECT(error.code == FOVEA_BAD_MODEL && strcmp(error.file, "/no/such/model.onnx") == 0);

  fovea_model* model = NULL;
  if (fovea_model_load(argv[1], NULL, &model, &error) != FOVEA_OK) {
    fprintf(stderr, "%s: %s\n", fovea_status_name(error.code), error.message);
    return 1;
  }
  fovea_value_info input;
  fovea_value_info_init(&input, sizeof input);
  EXPECT(fovea_model_input_count(model) == 1 &&
         fovea_model_input(model, 0, &input, &error) == FOVEA_OK);
  EXPECT(input.rank == 4 && input.dtype == FOVEA_F32);

  fovea_explainer* first = make_explainer(model, NULL, 0, &error);
  size_t size = 0;
  EXPECT(fovea_explainer_plan_cache(first, NULL, 0, &size, &error) == FOVEA_OK && size > 0);
  char* cache = malloc(size);
  EXPECT(fovea_explainer_plan_cache(first, cache, size, &size, &error) == FOVEA_OK);
  fovea_explainer* explainer = make_explainer(model, cache, size, &error);
  free(cache);
  fovea_model_destroy(model); /* explainers stay */
  fovea_explainer_destroy(first);
  EXPECT(fovea_explainer_threads(explainer) == 1);
  EXPECT(fovea_explainer_input(explainer, 0, &input, &error) == FOVEA_OK);

  size_t count = 1;
  for (int32_t i = 0; i < input.rank; ++i) count *= (size_t)input.shape[i];
  float* numbers = malloc(count * sizeof *numbers);
  for (size_t i = 0; i < count; ++i) numbers[i] = (float)(i * 7919 % 1009) / 504.5f - 1;
  fovea_named_tensor tensor = {input.name, {numbers, FOVEA_F32, input.rank, input.shape, NULL}};
  cancel(explainer, &tensor, &error);
  fovea_run* run = NULL;
  EXPECT(fovea_forward(explainer, &tensor, 1, NULL, &run, &error) == FOVEA_OK);
  free(numbers); /* it was borrowed for the call */

  fovea_prediction best[3];
  EXPECT(fovea_run_predictions(run, 0, best, 3, &size, &error) == FOVEA_OK && size >= 1);
  EXPECT(best[0].probability >= 0 && best[0].probability <= 1);
  fovea_explainer_destroy(explainer); /* the run stays */
  explain(run, &error);
  printf("fovea %s abi %d, %d failures\n", fovea_version(), (int)fovea_abi_version(), failures);
  return failures != 0;
}
