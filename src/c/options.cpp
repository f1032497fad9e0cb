#include "c/options.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>

#include "c/guard.hpp"
#include "c/structs.hpp"
#include "c/tensors.hpp"

namespace fovea::c {
namespace {

static_assert(sizeof(std::atomic<int>) == sizeof(int) && std::atomic<int>::is_always_lock_free);

[[noreturn]] void refuse_choice(const char* member, std::int64_t value, std::size_t count) {
  refuse(std::string(member) + " is " + std::to_string(value) + ", and 0 to " +
         std::to_string(count - 1) + " exist");
}

template <class T, std::size_t Count>
T choice(std::int32_t value, const T (&values)[Count], const char* member) {
  if (value < 0 || static_cast<std::size_t>(value) >= Count) refuse_choice(member, value, Count);
  return values[value];
}

/// Milliseconds that a clock can count to; 0: none.
std::chrono::nanoseconds duration_of(double ms, const char* member) {
  if (!(ms >= 0)) refuse(std::string(member) + " is no time: " + std::to_string(ms));
  constexpr double kMost = 1e12;  // 30 years
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double, std::milli>(std::min(ms, kMost)));
}

Tensor tensor_of(const TensorView& view) {
  return {view.shape, {view.data.begin(), view.data.end()}};
}

}  // namespace

CallOptions call_options(const fovea_call_options* call) {
  CallOptions out;
  const auto given = read(call);
  // An int that is only accessed atomically, as C's atomic_int is.
  out.stop_flag = reinterpret_cast<const std::atomic<int>*>(given.stop);
  if (const auto limit = duration_of(given.timeout_ms, "timeout_ms"); given.timeout_ms != 0)
    out.deadline = std::chrono::steady_clock::now() + limit;
  out.threads = given.threads;
  return out;
}

std::vector<std::string> texts_of(const char* const* texts, std::size_t count, const char* name) {
  std::vector<std::string> out;
  for (const char* text : all_of(texts, count, name)) {
    if (text == nullptr) refuse("one of " + std::string(name) + " is NULL");
    out.emplace_back(text);
  }
  return out;
}

ExplainerOptions explainer_options(const fovea_explainer_options& options) {
  ExplainerOptions out;
  auto& compile = out.compile;
  for (const auto& named :
       all_of(options.input_shapes, options.input_shape_count, "input_shapes")) {
    const std::string name = &required(named.name, "the name of one of input_shapes");
    if (!compile.input_shapes.emplace(name, shape_of(named)).second)
      refuse("'" + name + "' is twice in input_shapes");
  }
  for (const auto& [name, view] :
       feeds_of(options.fixed_inputs, options.fixed_input_count, "fixed_inputs"))
    compile.fixed_inputs.emplace(name, tensor_of(view));
  compile.batch = options.batch;
  compile.precision = choice(options.precision,
                             {Precision::f32, Precision::bf16, Precision::automatic}, "precision");
  compile.allow_precision_fallback = options.precision_falls_back != 0;
  compile.tuning = choice(options.tuning, {Tuning::off, Tuning::quick, Tuning::thorough}, "tuning");
  if (const auto time = duration_of(options.tuning_time_ms, "tuning_time_ms"); time.count() > 0)
    compile.tuning_time = std::chrono::ceil<std::chrono::milliseconds>(time);
  const auto plan_cache =
      all_of(static_cast<const char*>(options.plan_cache), options.plan_cache_size, "plan_cache");
  compile.plan_cache.assign(plan_cache.begin(), plan_cache.end());
  compile.optimize = options.optimize != 0;
  compile.output = options.output == nullptr ? "" : options.output;
  compile.multi_label = options.multi_label != 0;
  compile.fetches = texts_of(options.fetches, options.fetch_count, "fetches");

  auto& prepare = out.prepare;
  if (options.method_count > 0) prepare.methods.clear();
  for (const auto* method : all_of(options.methods, options.method_count, "methods"))
    prepare.methods.push_back(method_of(&required(method, "one of methods")));
  prepare.layers = texts_of(options.layers, options.layer_count, "layers");
  if (options.token_grid[0] != 0 || options.token_grid[1] != 0)
    prepare.token_grid = {options.token_grid[0], options.token_grid[1]};
  if (options.prefix_tokens != -1) prepare.prefix_tokens = options.prefix_tokens;
  prepare.smoothing = options.smoothing != 0;
  prepare.perturbation_batch = options.perturbation_batch;

  out.pool.threads = options.threads;
  out.pool.waiting =
      choice(options.waiting, {Waiting::adaptive, Waiting::sleep, Waiting::openmp}, "waiting");
  out.pool.fewer_threads = options.fewer_threads != 0;
  out.pool.max_workspaces = options.max_runs;
  out.pool.memory_limit = options.memory_limit;
  return out;
}

ExplainOptions explain_options(const fovea_explain_options& options) {
  ExplainOptions out;
  auto layers = texts_of(options.layers, options.layer_count, "layers");
  if (layers.size() == 1)
    out.layer = std::move(layers.front());
  else
    out.layers = std::move(layers);
  out.fuse = choice(options.fuse, {Fuse::mean, Fuse::max, Fuse::product}, "fuse");
  if (options.normalize != FOVEA_NORMALIZE_METHOD)
    out.normalize = choice(options.normalize, {Normalize::max, Normalize::minmax, Normalize::none},
                           "normalize");
  out.smooth = options.smooth != 0;
  out.keep_sign = options.keep_sign != 0;
  return out;
}

}  // namespace fovea::c
