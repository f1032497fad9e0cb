#include "onnx/attributes.hpp"

#include <array>
#include <cmath>
#include <vector>

#include "fovea/error.hpp"
#include "onnx/text.hpp"

namespace fovea::onnx {
namespace {

// The format's attribute type numbers.
enum Type { kFloat = 1, kInt = 2, kString = 3, kTensor = 4, kFloats = 6, kInts = 7, kStrings = 8 };

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
  throw Error(ErrorCode::bad_model, "the attribute " + quote(name) + " " + why);
}

std::string type_name(int type) {
  static constexpr std::array<std::string_view, 15> kNames{
      "nothing", "a float",         "an integer",     "a string", "a tensor",
      "a graph", "floats",          "integers",       "strings",  "tensors",
      "graphs",  "a sparse tensor", "sparse tensors", "a type",   "types"};
  if (type < 0 || static_cast<std::size_t>(type) >= kNames.size()) return "an unknown type";
  return std::string(kNames[static_cast<std::size_t>(type)]);
}

}  // namespace

Attributes::Attributes(format::NodeProto& node) {
  for (auto& attribute : *node.mutable_attribute()) {
    const auto& name = attribute.name();
    if (!attribute.ref_attr_name().empty())
      refuse(name, "refers to a function's attribute, outside a function");
    if (attribute.type() == 0) refuse(name, "has no type");
    if (!by_name_.emplace(name, Entry{&attribute, false}).second) refuse(name, "appears twice");
  }
}

Attributes::Proto* Attributes::find(std::string_view name, int type) {
  const auto it = by_name_.find(name);
  if (it == by_name_.end()) return nullptr;
  it->second.asked = true;
  const int have = it->second.proto->type();
  if (have != type)
    refuse(name, "holds " + type_name(have) + " where " + type_name(type) + " belongs");
  return it->second.proto;
}

std::int64_t Attributes::get_int(std::string_view name, std::int64_t otherwise) {
  const auto* found = find(name, kInt);
  return found ? found->i() : otherwise;
}

std::int64_t Attributes::require_int(std::string_view name) {
  const auto* found = find(name, kInt);
  if (!found) refuse(name, "is missing");
  return found->i();
}

bool Attributes::get_flag(std::string_view name, bool otherwise) {
  const auto value = get_int(name, otherwise ? 1 : 0);
  if (value != 0 && value != 1) refuse(name, "is neither 0 nor 1");
  return value == 1;
}

float Attributes::get_float(std::string_view name, float otherwise) {
  const auto* found = find(name, kFloat);
  const float value = found ? found->f() : otherwise;
  if (std::isnan(value)) refuse(name, "is not a number");
  return value;
}

float Attributes::get_epsilon(std::string_view name, float otherwise) {
  const float value = get_float(name, otherwise);
  if (!(value >= 0) || std::isinf(value)) refuse(name, "is negative or infinite");
  return value;
}

std::string Attributes::get_string(std::string_view name, std::string_view otherwise) {
  const auto* found = find(name, kString);
  return found ? found->s() : std::string(otherwise);
}

std::string Attributes::require_string(std::string_view name) {
  const auto* found = find(name, kString);
  if (!found) refuse(name, "is missing");
  return found->s();
}

std::optional<graph::Ints> Attributes::get_ints(std::string_view name) {
  const auto* found = find(name, kInts);
  if (!found) return std::nullopt;
  return graph::Ints(found->ints().begin(), found->ints().end());
}

graph::Ints Attributes::require_ints(std::string_view name) {
  auto found = get_ints(name);
  if (!found) refuse(name, "is missing");
  return std::move(*found);
}

std::optional<std::vector<float>> Attributes::get_floats(std::string_view name) {
  const auto* found = find(name, kFloats);
  if (!found) return std::nullopt;
  return std::vector<float>(found->floats().begin(), found->floats().end());
}

std::optional<std::vector<std::string>> Attributes::get_strings(std::string_view name) {
  const auto* found = find(name, kStrings);
  if (!found) return std::nullopt;
  return std::vector<std::string>(found->strings().begin(), found->strings().end());
}

format::TensorProto* Attributes::get_tensor(std::string_view name) {
  auto* found = find(name, kTensor);
  if (!found) return nullptr;
  if (!found->has_t()) refuse(name, "holds no tensor");
  return found->mutable_t();
}

void Attributes::ignore(std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (const auto it = by_name_.find(name); it != by_name_.end()) it->second.asked = true;
}

void Attributes::finish() const {
  for (const auto& [name, entry] : by_name_) {
    // The format reserves such names for what tools note for themselves.
    if (name.starts_with("__")) continue;
    if (!entry.asked) refuse(name, "does not belong to this operator");
  }
}

void Attributes::refuse_word(std::string_view name, const std::string& word) {
  refuse(name, "is " + quote(word) + ", which it may not be");
}

}  // namespace fovea::onnx
