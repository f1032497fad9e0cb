#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <tuple>

#include "fovea.h"
#include "fovea/error.hpp"

/// Structs that begin with their size and grow at their ends: an older or a newer program's.
namespace fovea::c {

/// The members of such a struct, in order, its name, and the values that its _init function fills
/// in. A member that is left out is never read: a test looks for holes.
template <class T>
struct Struct;

template <>
struct Struct<fovea_error> {
  using T = fovea_error;
  static constexpr const char* name = "fovea_error";
  static constexpr auto members =
      std::tuple(&T::struct_size, &T::code, &T::message, &T::file, &T::node, &T::op);
  static void fill(T& /*defaults*/) {}
};

template <>
struct Struct<fovea_method> {
  using T = fovea_method;
  static constexpr const char* name = "fovea_method";
  static constexpr auto members = std::tuple(&T::struct_size, &T::name, &T::options,
                                             &T::layer_rules, &T::given, &T::given_count);
  static void fill(T& defaults) { defaults.name = "gradcam"; }
};

template <>
struct Struct<fovea_call_options> {
  using T = fovea_call_options;
  static constexpr const char* name = "fovea_call_options";
  static constexpr auto members =
      std::tuple(&T::struct_size, &T::stop, &T::timeout_ms, &T::threads);
  static void fill(T& /*defaults*/) {}
};

template <>
struct Struct<fovea_explainer_options> {
  using T = fovea_explainer_options;
  static constexpr const char* name = "fovea_explainer_options";
  static constexpr auto members = std::tuple(
      &T::struct_size, &T::methods, &T::method_count, &T::layers, &T::layer_count, &T::targets,
      &T::target_count, &T::fetches, &T::fetch_count, &T::input_shapes, &T::input_shape_count,
      &T::fixed_inputs, &T::fixed_input_count, &T::batch, &T::threads, &T::precision,
      &T::precision_falls_back, &T::tuning, &T::tuning_time_ms, &T::plan_cache, &T::plan_cache_size,
      &T::optimize, &T::multi_label, &T::output, &T::waiting, &T::fewer_threads, &T::max_runs,
      &T::memory_limit, &T::smoothing, &T::perturbation_batch, &T::token_grid, &T::prefix_tokens,
      &T::log, &T::log_user);
  static void fill(T& defaults);
};

template <>
struct Struct<fovea_explain_options> {
  using T = fovea_explain_options;
  static constexpr const char* name = "fovea_explain_options";
  static constexpr auto members =
      std::tuple(&T::struct_size, &T::layers, &T::layer_count, &T::fuse, &T::normalize, &T::smooth,
                 &T::keep_sign, &T::score, &T::negated);
  static void fill(T& defaults) { defaults.normalize = FOVEA_NORMALIZE_METHOD; }
};

template <>
struct Struct<fovea_value_info> {
  using T = fovea_value_info;
  static constexpr const char* name = "fovea_value_info";
  static constexpr auto members =
      std::tuple(&T::struct_size, &T::name, &T::dtype, &T::rank, &T::shape, &T::refusal);
  static void fill(T& /*defaults*/) {}
};

template <>
struct Struct<fovea_layer_info> {
  using T = fovea_layer_info;
  static constexpr const char* name = "fovea_layer_info";
  static constexpr auto members = std::tuple(&T::struct_size, &T::name, &T::node, &T::op, &T::rank,
                                             &T::shape, &T::is_default, &T::is_prepared);
  static void fill(T& /*defaults*/) {}
};

template <>
struct Struct<fovea_method_info> {
  using T = fovea_method_info;
  static constexpr const char* name = "fovea_method_info";
  static constexpr auto members =
      std::tuple(&T::struct_size, &T::name, &T::title, &T::paper, &T::use, &T::options,
                 &T::is_expensive, &T::is_of_input);
  static void fill(T& /*defaults*/) {}
};

template <>
struct Struct<fovea_explanation_info> {
  using T = fovea_explanation_info;
  static constexpr const char* name = "fovea_explanation_info";
  static constexpr auto members =
      std::tuple(&T::struct_size, &T::method, &T::layer, &T::target, &T::image, &T::score,
                 &T::class_index, &T::logit, &T::probability, &T::forward_ms, &T::backward_ms,
                 &T::map_ms, &T::threads, &T::warning_count);
  static void fill(T& /*defaults*/) {}
};

template <class T>
T defaults() {
  T out{};
  Struct<T>::fill(out);
  out.struct_size = sizeof(T);
  return out;
}

/// The end of each member.
template <class T>
auto ends() {
  static const T object{};
  return std::apply(
      [](auto... member) {
        const auto end = [](const auto& field) {
          return static_cast<std::size_t>(reinterpret_cast<const char*>(&field + 1) -
                                          reinterpret_cast<const char*>(&object));
        };
        return std::array{end(object.*member)...};
      },
      Struct<T>::members);
}

/// How much of a struct of `size` bytes whole members of ours fill: nothing of a member is read or
/// written where a part of it would be.
template <class T>
std::size_t whole(std::size_t size) {
  std::size_t out = 0;
  for (const auto end : ends<T>())
    if (end <= size) out = end;
  return out;
}

/// Throws Error invalid_argument for what no _init function makes.
template <class T>
std::size_t size_of(const T& given) {
  constexpr std::size_t kMost = 1 << 16;
  std::size_t size = 0;
  std::memcpy(&size, &given, sizeof size);
  if (size < sizeof size || size > kMost)
    throw Error(ErrorCode::invalid_argument, std::string("struct_size of ") + Struct<T>::name +
                                                 " is " + std::to_string(size) + ": fill it with " +
                                                 Struct<T>::name + "_init");
  return size;
}

/// What the caller gave, with defaults for what it does not know; null: all of them.
template <class T>
T read(const T* given) {
  auto out = defaults<T>();
  if (given == nullptr) return out;
  const auto size = size_of(*given);
  std::memcpy(&out, given, whole<T>(size));
  out.struct_size = sizeof(T);
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t i = sizeof(T); i < size; ++i)
    if (bytes[i] != 0)
      throw Error(
          ErrorCode::invalid_argument,
          std::string(Struct<T>::name) +
              " sets something that this library does not know: it is older than the header");
  return out;
}

/// Into the caller's struct, as much as it knows.
template <class T>
void write(T& to, T value) {
  const auto size = size_of(to);
  value.struct_size = size;
  std::memcpy(&to, &value, whole<T>(size));
}

template <class T>
void init(T* to, std::size_t size) noexcept {
  if (to == nullptr || size < sizeof size) return;
  std::memset(static_cast<void*>(to), 0, size);
  auto value = defaults<T>();
  value.struct_size = size;
  std::memcpy(to, &value, whole<T>(size));
}

}  // namespace fovea::c
