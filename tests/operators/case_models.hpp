#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "onnx/import_helpers.hpp"

/// The cases of cases.json and drawn.json (README.md in this folder) as models.
namespace fovea::test {

using nlohmann::json;

inline const json& cases() {
  static const json all = [] {
    auto out = json::array();
    std::vector<std::filesystem::path> files{"cases.json", "drawn.json"};
    // Others that drawn.py made: FOVEA_OPERATOR_CASES=/tmp/drawn.json
    if (const char* more = std::getenv("FOVEA_OPERATOR_CASES")) files = {more};
    for (const auto& name : files) {
      std::ifstream file(std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/operators" / name);
      for (auto& one : json::parse(file)) out.push_back(std::move(one));
    }
    return out;
  }();
  return all;
}

inline Elem type_named(const std::string& name) {
  static const std::map<std::string, Elem> types{
      {"float32", kFloat}, {"float16", kFloat16}, {"float64", kDouble}, {"bool", kBool},
      {"int8", kInt8},     {"int16", kInt16},     {"int32", kInt32},    {"int64", kInt64},
      {"uint8", kUint8},   {"uint16", kUint16},   {"uint32", kUint32},  {"uint64", kUint64}};
  return types.at(name);
}

inline bool is_real(const std::string& type) {
  return type.starts_with("float");
}

inline double number(const json& value) {
  if (!value.is_string()) return value.is_boolean() ? value.get<bool>() : value.get<double>();
  const auto text = value.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  return (text[0] == '-' ? -1 : 1) * std::numeric_limits<double>::infinity();
}

inline std::int64_t integer(const json& value) {
  return value.is_boolean() ? value.get<bool>() : value.get<std::int64_t>();
}

/// Of a number that half floats have.
inline std::uint16_t half_of(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  const auto sign = (bits >> 16) & 0x8000u;
  if ((bits & 0x7fffffffu) == 0) return static_cast<std::uint16_t>(sign);
  return static_cast<std::uint16_t>(sign | (((bits >> 23) & 0xffu) - 112u) << 10 |
                                    ((bits >> 13) & 0x3ffu));
}

/// [type, shape, values] as a tensor.
inline TensorProto stored(const std::string& name, const json& data) {
  const auto type = data[0].get<std::string>();
  const auto elem = type_named(type);
  const auto shape = data[1].get<Ints>();
  const auto all = [&]<class T>(auto convert) {
    std::vector<T> out;
    for (const auto& value : data[2]) out.push_back(static_cast<T>(convert(value)));
    return raw_tensor(name, shape, elem, out);
  };
  switch (elem) {
    case kFloat:
      return all.operator()<float>(number);
    case kDouble:
      return all.operator()<double>(number);
    case kFloat16:
      return all.operator()<std::uint16_t>([](const json& v) { return half_of(number(v)); });
    case kBool:
    case kUint8:
      return all.operator()<std::uint8_t>(integer);
    case kInt8:
      return all.operator()<std::int8_t>(integer);
    case kUint16:
      return all.operator()<std::uint16_t>(integer);
    case kInt16:
      return all.operator()<std::int16_t>(integer);
    case kUint32:
      return all.operator()<std::uint32_t>(integer);
    case kInt32:
      return all.operator()<std::int32_t>(integer);
    default:
      return all.operator()<std::int64_t>(integer);
  }
}

inline AttributeProto attribute(const std::string& name, const json& value) {
  if (name == "to") return attr(name, type_named(value));
  if (name == "value") return attr(name, stored("", value));
  if (value.is_string()) return attr(name, value.get<std::string>().c_str());
  if (value.is_array() && !value.empty()) {
    if (value[0].is_string()) return attr(name, value.get<Strings>());
    if (value[0].is_number_float()) return attr(name, value.get<Floats>());
  }
  if (value.is_array()) return attr(name, value.get<Ints>());
  if (value.is_number_float()) return attr(name, value.get<float>());
  return attr(name, value.get<std::int64_t>());
}

inline std::string name_of(const json& one) {
  std::string type;
  for (const auto& operand : one["in"])
    if (type.empty() && !operand.is_null()) type = operand[0];
  const auto label = one.value("label", "");
  return one["op"].get<std::string>() + " " + type + (label.empty() ? "" : " ") + label;
}

struct Built {
  ModelBuilder model;
  std::vector<std::vector<float>> feeds;
};

inline Built build(const json& one, bool at_run_time) {
  Built out{ModelBuilder(one.value("opset", 21), 10), {}};
  Strings inputs;
  for (const auto& operand : one["in"]) {
    if (operand.is_null()) {
      inputs.emplace_back();
      continue;
    }
    const std::string name = "x" + std::to_string(inputs.size());
    inputs.push_back(name);
    if (!at_run_time || operand.size() > 3) {
      out.model.initializer(stored(name, operand));
      continue;
    }
    out.model.input(name + "_fed", operand[1].get<Ints>());
    out.model.add("Cast", {name + "_fed"}, {name}, {attr("to", type_named(operand[0]))});
    std::vector<float> values;
    for (const auto& value : operand[2]) values.push_back(static_cast<float>(number(value)));
    out.feeds.push_back(std::move(values));
  }
  Attrs attributes;
  const auto given = one.value("attributes", json::object());
  for (const auto& [name, value] : given.items()) attributes.push_back(attribute(name, value));
  Strings results(one.value("result", std::size_t{0}));
  results.emplace_back("y");
  out.model.add(one["op"], inputs, results, attributes);
  out.model.output("y");
  return out;
}

}  // namespace fovea::test
