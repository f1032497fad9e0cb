#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "graph/ops.hpp"
#include "onnx/format.hpp"

namespace fovea::onnx {

/// The attributes of one node: the only place that reads them. Every getter checks the attribute's
/// type and remembers its name; `finish` then refuses what nobody asked for, so that a misspelled
/// or unknown attribute is never passed over. All throw Error bad_model.
class Attributes {
 public:
  /// Refuses repeated names, missing types and references outside a function.
  explicit Attributes(format::NodeProto& node);

  bool has(std::string_view name) const { return by_name_.contains(name); }

  std::int64_t get_int(std::string_view name, std::int64_t otherwise);
  std::int64_t require_int(std::string_view name);
  /// 0 or 1.
  bool get_flag(std::string_view name, bool otherwise);
  /// Not NaN.
  float get_float(std::string_view name, float otherwise);
  /// Finite and not negative.
  float get_epsilon(std::string_view name, float otherwise);
  std::string get_string(std::string_view name, std::string_view otherwise);
  std::string require_string(std::string_view name);
  /// One of a list of words, as the value beside it.
  template <class T>
  T get_choice(std::string_view name, std::string_view otherwise,
               std::initializer_list<std::pair<std::string_view, T>> choices) {
    const auto word = get_string(name, otherwise);
    for (const auto& [text, value] : choices)
      if (text == word) return value;
    refuse_word(name, word);
  }

  std::optional<graph::Ints> get_ints(std::string_view name);
  graph::Ints require_ints(std::string_view name);
  std::optional<std::vector<float>> get_floats(std::string_view name);
  std::optional<std::vector<std::string>> get_strings(std::string_view name);
  /// Null where there is none.
  format::TensorProto* get_tensor(std::string_view name);

  /// Known names without a meaning for inference.
  void ignore(std::initializer_list<std::string_view> names);
  void finish() const;

 private:
  using Proto = format::AttributeProto;
  Proto* find(std::string_view name, int type);
  [[noreturn]] static void refuse_word(std::string_view name, const std::string& word);

  struct Entry {
    Proto* proto = nullptr;
    bool asked = false;
  };
  std::map<std::string, Entry, std::less<>> by_name_;
};

}  // namespace fovea::onnx
