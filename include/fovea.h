#ifndef FOVEA_H
#define FOVEA_H

/*
 * fovea in C: tensors in, maps out. Link libfovea_c (pkg-config fovea-c). Photos, recipes and
 * pictures: fovea_vision.h.
 *
 * The ABI is stable: a program that was linked with libfovea_c.so.0 runs with every later one.
 *
 * Functions return a status, FOVEA_OK or why not, and take a `fovea_error` last, which may be NULL:
 * the caller's own memory, so that it serves any thread and after memory has run out. Where a
 * function fails, what it should have filled is as it was (handles: NULL), and nothing is lost.
 * A pointer that may not be NULL and is, is FOVEA_INVALID_ARGUMENT. No exception and no C++ type
 * leaves the library; memory that it allocates stays behind a handle.
 *
 * Handles: a model, an explainer and explanations never change and serve any number of threads at
 * once; a run serves one call at a time, and a second one meanwhile is FOVEA_INVALID_ARGUMENT. Each
 * keeps alive what it was made from, so that they are destroyed in any order. A destroyed one may
 * not be used again; as long as its memory is nobody else's, a call that does so is told so. Texts
 * that a function hands out (`const char*`) are UTF-8, in a model's names as they lie in its file,
 * and live as long as the handle that they were asked of.
 *
 * Structs that begin with `struct_size` are filled by their _init function, which is told their
 * size
 * (`fovea_error_init(&error, sizeof error)`), and grow at their ends: what an older program does
 * not know has its default, and what a newer program sets that this library does not know is
 * FOVEA_INVALID_ARGUMENT, unless it is 0.
 *
 * Results: the caller says where they go and how much fits. Where the buffer is NULL, the size
 * alone is told; where it is too small, the size is told and the status is FOVEA_BUFFER_TOO_SMALL.
 *
 * After a fork the child may go on with what it makes anew, on one thread; runs of before the fork
 * are refused.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define FOVEA_C_API __attribute__((visibility("default")))
#else
#define FOVEA_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header. The library's: fovea_version, fovea_abi_version. */
#define FOVEA_VERSION_MAJOR 0
#define FOVEA_VERSION_MINOR 1
#define FOVEA_VERSION_PATCH 0
#define FOVEA_ABI_VERSION 0

#define FOVEA_MAX_RANK 8

typedef int32_t fovea_status;
enum {
  FOVEA_OK = 0,
  FOVEA_INVALID_ARGUMENT = 1,  /* asks for something that does not exist or cannot be */
  FOVEA_BAD_MODEL = 2,         /* missing, unreadable, malformed or inconsistent */
  FOVEA_BAD_INPUT = 3,         /* a tensor or a photo: missing, unreadable, of the wrong shape */
  FOVEA_UNSUPPORTED = 4,       /* valid, but with something fovea does not have */
  FOVEA_CANCELLED = 5,         /* the caller's stop flag was set */
  FOVEA_DEADLINE_EXCEEDED = 6, /* the caller's time was up */
  FOVEA_OUT_OF_MEMORY = 7,     /* an allocation failed or would exceed memory_limit */
  FOVEA_INTERNAL = 8,          /* a bug in fovea: please report it */
  FOVEA_BUFFER_TOO_SMALL = 9   /* the size that is needed was told */
};

typedef struct fovea_error {
  size_t struct_size;
  fovea_status code;
  char message[1024]; /* one sentence; cut off (between characters) where it is longer */
  char file[512];     /* path of the model, photo or tensor; empty where unknown */
  char node[256];     /* name of the graph's node, layer or value */
  char op[64];        /* operator of that node */
} fovea_error;

/* Element types. Served as input: f32; every other is refused by name. */
typedef int32_t fovea_dtype;
enum {
  FOVEA_F32 = 0,
  FOVEA_F16 = 1,
  FOVEA_BF16 = 2,
  FOVEA_F64 = 3,
  FOVEA_I8 = 4,
  FOVEA_U8 = 5,
  FOVEA_I16 = 6,
  FOVEA_U16 = 7,
  FOVEA_I32 = 8,
  FOVEA_U32 = 9,
  FOVEA_I64 = 10,
  FOVEA_U64 = 11,
  FOVEA_BOOL = 12,
  FOVEA_STRING = 13,
  FOVEA_OTHER = 14
};

/* Somebody else's tensor, borrowed for the call and only read. */
typedef struct fovea_tensor {
  const void* data;
  fovea_dtype dtype;
  int32_t rank;
  const int64_t* shape;
  const int64_t* strides; /* in elements; NULL: row-major without gaps, the only form served */
} fovea_tensor;

typedef struct fovea_named_tensor {
  const char* name; /* NULL or "": the only one */
  fovea_tensor tensor;
} fovea_named_tensor;

/* Where f32 numbers go: `data` and `capacity` (in numbers) are the caller's, the rest is filled. */
typedef struct fovea_array {
  float* data;
  size_t capacity;
  size_t size; /* of all extents, the product */
  int32_t rank;
  int64_t shape[FOVEA_MAX_RANK];
} fovea_array;

/* A method by its name (fovea_method_at lists them) and what it is told. */
typedef struct fovea_method {
  size_t struct_size;
  const char* name;
  const char* options;             /* "samples=50,seed=3"; NULL: the defaults */
  const char* layer_rules;         /* of LRP's: "conv1=zbox,fc=epsilon"; NULL: the method's own */
  const fovea_named_tensor* given; /* what would be drawn at random: noise, masks, backgrounds */
  size_t given_count;
} fovea_method;

typedef struct fovea_named_shape {
  const char* name;
  int32_t rank;
  int64_t shape[FOVEA_MAX_RANK];
} fovea_named_shape;

/* Limits of a call. */
typedef struct fovea_call_options {
  size_t struct_size;
  /* Looked at between the network's steps: FOVEA_CANCELLED once it is not 0. Written atomically, by
   * any thread or a signal handler: C11's atomic_int, C++'s std::atomic<int>. NULL: none. */
  const int* stop;
  double timeout_ms; /* from the call's beginning; 0: none */
  int32_t threads;   /* 0: the explainer's */
} fovea_call_options;

enum { FOVEA_PRECISION_F32 = 0, FOVEA_PRECISION_BF16 = 1, FOVEA_PRECISION_AUTOMATIC = 2 };
enum { FOVEA_TUNING_OFF = 0, FOVEA_TUNING_QUICK = 1, FOVEA_TUNING_THOROUGH = 2 };
enum { FOVEA_WAITING_ADAPTIVE = 0, FOVEA_WAITING_SLEEP = 1, FOVEA_WAITING_OPENMP = 2 };

/* Told what the library would warn of, a line each, on the thread of the call that finds it. */
typedef void (*fovea_log)(void* user, const char* message);

/* How a network is compiled, and for what. Arrays are of pointers or of structs that do not grow.
 */
typedef struct fovea_explainer_options {
  size_t struct_size;
  const fovea_method* const* methods; /* prepared for; none: gradcam */
  size_t method_count;
  const char* const* layers; /* by value or node name; none: the default layer */
  size_t layer_count;
  const char* const* targets; /* known already; what they read is prepared: see fovea_run_explain */
  size_t target_count;
  const char* const* fetches; /* further values to read from a run */
  size_t fetch_count;
  const fovea_named_shape* input_shapes; /* for what the file leaves open */
  size_t input_shape_count;
  const fovea_named_tensor* fixed_inputs; /* values that are the same in every run */
  size_t fixed_input_count;
  int64_t batch;
  int32_t threads;              /* 0: what the calling thread would use */
  int32_t precision;            /* FOVEA_PRECISION_... */
  int32_t precision_falls_back; /* f32 where the CPU cannot; 0: refused */
  int32_t tuning;               /* FOVEA_TUNING_... */
  double tuning_time_ms;        /* 0: 2000, of thorough as long as it takes */
  const void* plan_cache;       /* from fovea_explainer_plan_cache; NULL: none */
  size_t plan_cache_size;
  int32_t optimize;
  int32_t multi_label;
  const char* output;    /* that holds the scores; NULL: found out */
  int32_t waiting;       /* FOVEA_WAITING_... */
  int32_t fewer_threads; /* where others take cores away; 0 where results are compared to the bit */
  int32_t max_runs;      /* under way at once */
  int64_t memory_limit;  /* bytes */
  int32_t smoothing;     /* prepares for fovea_explain_options.smooth */
  int64_t perturbation_batch; /* 0: fovea's choice */
  int64_t token_grid[2];      /* rows and columns of a transformer's patches; 0: found out */
  int64_t prefix_tokens;      /* -1: found out */
  fovea_log log;              /* NULL: none; warnings are kept with their handles as well */
  void* log_user;
} fovea_explainer_options;

enum {
  FOVEA_NORMALIZE_METHOD = -1,
  FOVEA_NORMALIZE_MAX = 0,
  FOVEA_NORMALIZE_MINMAX = 1,
  FOVEA_NORMALIZE_NONE = 2
};
enum { FOVEA_FUSE_MEAN = 0, FOVEA_FUSE_MAX = 1, FOVEA_FUSE_PRODUCT = 2 };
/* By the method: the logit, or of methods that are defined on the probability, that. */
enum { FOVEA_SCORE_BY_METHOD = 0, FOVEA_SCORE_LOGIT = 1, FOVEA_SCORE_PROBABILITY = 2 };

typedef struct fovea_explain_options {
  size_t struct_size;
  const char* const* layers; /* of the prepared ones; several are fused; none: the first */
  size_t layer_count;
  int32_t fuse;      /* FOVEA_FUSE_... */
  int32_t normalize; /* FOVEA_NORMALIZE_...; _METHOD: as the method's maps want */
  int32_t smooth;    /* the mean over six runs */
  int32_t keep_sign; /* what speaks against the target stays, as negative values */
  int32_t score;     /* of a class: FOVEA_SCORE_... */
  int32_t negated;   /* what speaks against the target */
} fovea_explain_options;

typedef struct fovea_prediction {
  int64_t class_index;
  float logit;
  float probability; /* NaN where there is none */
} fovea_prediction;

typedef struct fovea_value_info {
  size_t struct_size;
  const char* name;
  fovea_dtype dtype;
  int32_t rank;                  /* -1: the file does not say */
  int64_t shape[FOVEA_MAX_RANK]; /* -1: the file leaves it open */
  const char* refusal;           /* of an output that cannot be computed: why; else NULL */
} fovea_value_info;

typedef struct fovea_layer_info {
  size_t struct_size;
  const char* name; /* the value's */
  const char* node;
  const char* op;
  int32_t rank;
  int64_t shape[FOVEA_MAX_RANK];
  int32_t is_default;
  int32_t is_prepared;
} fovea_layer_info;

typedef struct fovea_method_info {
  size_t struct_size;
  const char* name;
  const char* title;
  const char* paper;
  const char* use;
  const char* options; /* "samples=25 1..10000,seed=0 0..4294967295": default and range */
  int32_t is_expensive;
  int32_t is_of_input; /* its map lies on the input's pixels, not on a layer's grid */
} fovea_method_info;

typedef struct fovea_explanation_info {
  size_t struct_size;
  const char* method;
  const char* layer;
  const char* target; /* as it was asked for */
  int64_t image;
  double score;        /* the target's value */
  int64_t class_index; /* -1 where the target is of no class */
  float logit;
  float probability;
  double forward_ms;
  double backward_ms;
  double map_ms;
  int32_t threads;
  int32_t warning_count;
} fovea_explanation_info;

typedef struct fovea_model fovea_model;
typedef struct fovea_explainer fovea_explainer;
typedef struct fovea_run fovea_run;
typedef struct fovea_explanations fovea_explanations;

FOVEA_C_API const char* fovea_version(void); /* the library's, "0.1.0" */
FOVEA_C_API int32_t fovea_abi_version(void); /* its FOVEA_ABI_VERSION */
FOVEA_C_API const char* fovea_build_info(
    void); /* "onednn 3.1.1, avx512, gcc 12.2.0, bf16": a line */
FOVEA_C_API const char* fovea_status_name(fovea_status status); /* "bad_model" and so on */

FOVEA_C_API void fovea_error_init(fovea_error* error, size_t struct_size);
FOVEA_C_API void fovea_method_init(fovea_method* method, size_t struct_size);
FOVEA_C_API void fovea_call_options_init(fovea_call_options* options, size_t struct_size);
FOVEA_C_API void fovea_explainer_options_init(fovea_explainer_options* options, size_t struct_size);
FOVEA_C_API void fovea_explain_options_init(fovea_explain_options* options, size_t struct_size);
FOVEA_C_API void fovea_value_info_init(fovea_value_info* info, size_t struct_size);
FOVEA_C_API void fovea_layer_info_init(fovea_layer_info* info, size_t struct_size);
FOVEA_C_API void fovea_method_info_init(fovea_method_info* info, size_t struct_size);
FOVEA_C_API void fovea_explanation_info_init(fovea_explanation_info* info, size_t struct_size);

/* Methods, 0 <= index < fovea_method_count(). */
FOVEA_C_API size_t fovea_method_count(void);
FOVEA_C_API fovea_status fovea_method_at(size_t index, fovea_method_info* info, fovea_error* error);

/* Reads an ONNX file. `external_data`: the folder of its weights files; NULL: the file's own. Cost:
 * a read of the file but for large weights, which are read when an explainer is made. */
FOVEA_C_API fovea_status fovea_model_load(const char* file, const char* external_data,
                                          fovea_model** model, fovea_error* error);
/* The same from memory, which is not needed after the call. `external_data` NULL: refused where the
 * model has weights in files. */
FOVEA_C_API fovea_status fovea_model_from_bytes(const void* bytes, size_t size,
                                                const char* external_data, fovea_model** model,
                                                fovea_error* error);
FOVEA_C_API void fovea_model_destroy(fovea_model* model); /* NULL: nothing */
FOVEA_C_API size_t fovea_model_input_count(const fovea_model* model);
FOVEA_C_API fovea_status fovea_model_input(const fovea_model* model, size_t index,
                                           fovea_value_info* info, fovea_error* error);
FOVEA_C_API size_t fovea_model_output_count(const fovea_model* model);
FOVEA_C_API fovea_status fovea_model_output(const fovea_model* model, size_t index,
                                            fovea_value_info* info, fovea_error* error);
/* What the file says under a key; NULL where it says nothing. */
FOVEA_C_API const char* fovea_model_metadata(const fovea_model* model, const char* key);
/* Where its bytes came from: the file, unless it came from memory, then those of its weights, as
 * they were named then. */
FOVEA_C_API size_t fovea_model_file_count(const fovea_model* model);
FOVEA_C_API const char* fovea_model_file(const fovea_model* model, size_t index);

/* Compiles a model. Cost: packs weights and makes oneDNN's primitives, far more than a run.
 * `options` and `call` NULL: the defaults. */
FOVEA_C_API fovea_status fovea_explainer_create(const fovea_model* model,
                                                const fovea_explainer_options* options,
                                                const fovea_call_options* call,
                                                fovea_explainer** explainer, fovea_error* error);
FOVEA_C_API void fovea_explainer_destroy(fovea_explainer* explainer);
FOVEA_C_API size_t fovea_explainer_input_count(const fovea_explainer* explainer);
FOVEA_C_API fovea_status fovea_explainer_input(const fovea_explainer* explainer, size_t index,
                                               fovea_value_info* info, fovea_error* error);
FOVEA_C_API size_t fovea_explainer_layer_count(const fovea_explainer* explainer);
/* Every value one could explain, in the network's order. */
FOVEA_C_API fovea_status fovea_explainer_layer(const fovea_explainer* explainer, size_t index,
                                               fovea_layer_info* info, fovea_error* error);
FOVEA_C_API int32_t fovea_explainer_threads(const fovea_explainer* explainer);
FOVEA_C_API int32_t fovea_explainer_precision(const fovea_explainer* explainer);
/* What tuning found: bytes for fovea_explainer_options.plan_cache of the same model on this kind of
 * machine. `size` is filled. */
FOVEA_C_API fovea_status fovea_explainer_plan_cache(const fovea_explainer* explainer, void* buffer,
                                                    size_t capacity, size_t* size,
                                                    fovea_error* error);
FOVEA_C_API size_t fovea_explainer_warning_count(const fovea_explainer* explainer);
FOVEA_C_API const char* fovea_explainer_warning(const fovea_explainer* explainer, size_t index);

/* Runs the network forward. A run holds a workspace of the explainer until it is destroyed. */
FOVEA_C_API fovea_status fovea_forward(const fovea_explainer* explainer,
                                       const fovea_named_tensor* inputs, size_t input_count,
                                       const fovea_call_options* call, fovea_run** run,
                                       fovea_error* error);
FOVEA_C_API void fovea_run_destroy(fovea_run* run);
/* The best `capacity` classes of an image, best first. `size`: how many there are. Never
 * FOVEA_BUFFER_TOO_SMALL. */
FOVEA_C_API fovea_status fovea_run_predictions(fovea_run* run, int64_t image,
                                               fovea_prediction* predictions, size_t capacity,
                                               size_t* size, fovea_error* error);
/* An output or fetch by name; NULL or "": the raw scores. */
FOVEA_C_API fovea_status fovea_run_output(const fovea_run* run, const char* name,
                                          fovea_array* array, fovea_error* error);
FOVEA_C_API size_t fovea_run_warning_count(const fovea_run* run);
FOVEA_C_API const char* fovea_run_warning(const fovea_run* run, size_t index);

/* One explanation per image and target, image by image. `method` NULL: gradcam. Targets are texts:
 * "top:1" (the best class), "class:281", "class:281-class:282", "logits[0,5]-logits[0,3]",
 * "mean(seg[0,1,40:60,40:60])"; none (target_count 0): "top:1". */
FOVEA_C_API fovea_status fovea_run_explain(fovea_run* run, const fovea_method* method,
                                           const char* const* targets, size_t target_count,
                                           const fovea_explain_options* options,
                                           const fovea_call_options* call,
                                           fovea_explanations** explanations, fovea_error* error);
FOVEA_C_API void fovea_explanations_destroy(fovea_explanations* explanations);
FOVEA_C_API size_t fovea_explanations_count(const fovea_explanations* explanations);
FOVEA_C_API fovea_status fovea_explanation_at(const fovea_explanations* explanations, size_t index,
                                              fovea_explanation_info* info, fovea_error* error);
enum {
  FOVEA_MAP = 0,         /* normalised, at the input's extents */
  FOVEA_FEATURE_MAP = 1, /* as the paper has it, at the layer's */
  FOVEA_ATTRIBUTION = 2  /* of each number of the input; of size 0 where the method has none */
};
FOVEA_C_API fovea_status fovea_explanation_array(const fovea_explanations* explanations,
                                                 size_t index, int32_t which, fovea_array* array,
                                                 fovea_error* error);
FOVEA_C_API const char* fovea_explanation_warning(const fovea_explanations* explanations,
                                                  size_t index, size_t warning);

#ifdef __cplusplus
}
#endif

#endif
