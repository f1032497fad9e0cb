#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <type_traits>

#include "fovea/error.hpp"
#include "fovea/method_info.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

// A method's type has a `name` and, where it can be told anything, a table of its members:
// `fields(row)` is row(...) of its rows. All else is derived from the two: the conversion to
// Method, the way back, and the method's row of the registry (MethodInfo). A default is a member's
// initializer. Table and conversion are templates, so that a source file compiles those of the
// methods that it uses, not those of all.

/// A number: whole where the member is; a switch, or one of `choices` by its place.
template <class M, class T>
struct OptionField {
  T M::*member;
  const char* name;
  double min, max;
  const char* help;
  std::span<const char* const> choices = {};
  /// Where the option is not named, it is the rows of the first of these tensors that is given.
  std::array<const char*, 2> rows_of = {};
  /// Where that option is named and this one is not, this one is 0.
  const char* gives_way_to = nullptr;
};

/// A tensor; empty: not given.
template <class M>
struct TensorField {
  Tensor M::*member;
  const char* name;
  const char* shape;
  const char* help;
  bool required = false;
};

/// Rules by layer, of these names.
template <class M>
struct RulesField {
  std::map<std::string, std::string> M::*member;
  std::span<const char* const> names;
};

/// The rows of a table.
namespace fields {

template <class M, class T>
constexpr OptionField<M, T> option(T M::*member, const char* name, double min, double max,
                                   const char* help) {
  return {member, name, min, max, help};
}

template <class M>
constexpr OptionField<M, bool> flag(bool M::*member, const char* name, const char* help) {
  return {member, name, 0, 1, help};
}

template <class M, class T>
constexpr OptionField<M, T> choice(T M::*member, const char* name,
                                   std::span<const char* const> choices, const char* help) {
  return {member, name, 0, static_cast<double>(choices.size()) - 1, help, choices};
}

/// An option that counts the rows of a tensor.
template <class M>
constexpr OptionField<M, std::int64_t> count(std::int64_t M::*member, const char* name, double max,
                                             const char* help, const char* tensor,
                                             const char* or_else = nullptr) {
  return {member, name, 1, max, help, {}, {tensor, or_else}};
}

template <class M>
constexpr TensorField<M> tensor(Tensor M::*member, const char* name, const char* shape,
                                const char* help) {
  return {member, name, shape, help};
}

template <class M>
constexpr OptionField<M, std::int64_t> seed() {
  return option(&M::seed, "seed", 0, 4294967295.0,
                "of the random numbers; the same seed gives the same map");
}

// How tables are read; for the functions below and the registry.

/// visit(row) for each row of the table.
template <class M, class Visit>
void for_each(Visit visit) {
  const auto visit_each = [&](const auto&... field) { (visit(field), ...); };
  if constexpr (requires { M::fields(visit_each); }) M::fields(visit_each);
}

inline bool is_given(const Tensor& tensor) {
  return !tensor.shape.empty() || !tensor.data.empty();
}

template <class M, class T>
double number(const M& method, const OptionField<M, T>& field) {
  return static_cast<double>(method.*field.member);
}

template <class M, class T>
void write(const M& method, const OptionField<M, T>& field, Method& out) {
  out.options[field.name] = number(method, field);
}
template <class M>
void write(const M& method, const TensorField<M>& field, Method& out) {
  if (is_given(method.*field.member)) out.given[field.name] = method.*field.member;
}
template <class M>
void write(const M& method, const RulesField<M>& field, Method& out) {
  out.layer_rules = method.*field.member;
}

template <class T>
T number_as(double value) {
  if constexpr (std::is_same_v<T, bool>)
    return value != 0;
  else if constexpr (std::is_enum_v<T>)
    return static_cast<T>(static_cast<std::int64_t>(value));
  else
    return static_cast<T>(value);
}

template <class M, class T>
void read(const Method& from, const OptionField<M, T>& field, M& method) {
  if (const auto named = from.options.find(field.name); named != from.options.end()) {
    method.*field.member = number_as<T>(named->second);
    return;
  }
  if (field.gives_way_to != nullptr && from.options.contains(field.gives_way_to))
    method.*field.member = T{};
  for (const char* name : field.rows_of) {
    if (name == nullptr) continue;
    const auto tensor = from.given.find(name);
    if (tensor == from.given.end() || tensor->second.shape.empty()) continue;
    method.*field.member = number_as<T>(static_cast<double>(tensor->second.shape[0]));
    return;
  }
}
template <class M>
void read(const Method& from, const TensorField<M>& field, M& method) {
  if (const auto tensor = from.given.find(field.name); tensor != from.given.end())
    method.*field.member = tensor->second;
}
template <class M>
void read(const Method& from, const RulesField<M>& field, M& method) {
  method.*field.member = from.layer_rules;
}

}  // namespace fields

template <MethodType M>
Method::Method(const M& method) : name(M::name) {
  fields::for_each<M>([&](const auto& field) { fields::write(method, field, *this); });
}

/// A Method as its type: method_as<SmoothGrad>(method). Throws Error invalid_argument where it is
/// another method, or one that its use would refuse (`check_method`).
template <MethodType M>
M method_as(const Method& method) {
  if (method.name != M::name)
    throw Error(ErrorCode::invalid_argument,
                "the method is '" + method.name + "', not '" + M::name + "'");
  check_method(method);
  M out;
  fields::for_each<M>([&](const auto& field) { fields::read(method, field, out); });
  return out;
}

}  // namespace fovea
