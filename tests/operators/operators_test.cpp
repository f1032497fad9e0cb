#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/plan.hpp"
#include "graph/infer.hpp"
#include "onnx/import_helpers.hpp"

/// What ONNX's evaluator has for every operator and element type (README.md in this folder), as
/// arithmetic on the input and as constants that are folded.
namespace fovea::test {
namespace {

using nlohmann::json;

constexpr double kExact = 1 << 24;  // of integers that a run holds as floats

const json& cases() {
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

Elem type_named(const std::string& name) {
  static const std::map<std::string, Elem> types{
      {"float32", kFloat}, {"float16", kFloat16}, {"float64", kDouble}, {"bool", kBool},
      {"int8", kInt8},     {"int16", kInt16},     {"int32", kInt32},    {"int64", kInt64},
      {"uint8", kUint8},   {"uint16", kUint16},   {"uint32", kUint32},  {"uint64", kUint64}};
  return types.at(name);
}

bool is_real(const std::string& type) {
  return type.starts_with("float");
}

double number(const json& value) {
  if (!value.is_string()) return value.is_boolean() ? value.get<bool>() : value.get<double>();
  const auto text = value.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  return (text[0] == '-' ? -1 : 1) * std::numeric_limits<double>::infinity();
}

std::int64_t integer(const json& value) {
  return value.is_boolean() ? value.get<bool>() : value.get<std::int64_t>();
}

/// Of a number that half floats have.
std::uint16_t half_of(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  const auto sign = (bits >> 16) & 0x8000u;
  if ((bits & 0x7fffffffu) == 0) return static_cast<std::uint16_t>(sign);
  return static_cast<std::uint16_t>(sign | (((bits >> 23) & 0xffu) - 112u) << 10 |
                                    ((bits >> 13) & 0x3ffu));
}

/// [type, shape, values] as a tensor.
TensorProto stored(const std::string& name, const json& data) {
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

AttributeProto attribute(const std::string& name, const json& value) {
  if (name == "to") return attr(name, type_named(value));
  if (name == "value") return attr(name, stored("", value));
  if (value.is_string()) return attr(name, value.get<std::string>().c_str());
  if (value.is_array()) return attr(name, value.get<Ints>());
  if (value.is_number_float()) return attr(name, value.get<float>());
  return attr(name, value.get<std::int64_t>());
}

std::string name_of(const json& one) {
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

Built build(const json& one, bool at_run_time) {
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
  out.model.add(one["op"], inputs, {"y"}, attributes);
  out.model.output("y");
  return out;
}

bool is_large(const json& data) {
  for (const auto& value : data[2])
    if (!is_real(data[0]) && std::abs(number(value)) >= kExact) return true;
  return false;
}

/// As arithmetic on the input it makes sense only where something is fed, and floats hold it.
bool runs(const json& one) {
  bool fed = false;
  for (const auto& operand : one["in"]) {
    if (operand.is_null()) continue;
    fed = fed || operand.size() <= 3;
    if (is_large(operand)) return false;
  }
  const auto op = one["op"].get<std::string>();
  return fed && op != "Shape" && op != "Size" && !is_large(one["out"]);
}

double tolerance(const json& one) {
  return one["out"][0] == "float16" ? 2e-3 : 1e-5;
}

void compare(const graph::Graph& graph, const std::vector<std::vector<float>>& feeds,
             const json& one) {
  const auto& want = one["out"];
  const auto id = graph.outputs[0];
  const auto& value = graph.value(id);
  ASSERT_EQ(value.shape, want[1].get<Shape>());
  const auto n = want[2].size();
  if (value.constant && value.constant->type != graph::DType::f32) {
    ASSERT_FALSE(is_real(want[0]));
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_EQ(value.constant->ints[i], integer(want[2][i])) << "element " << i;
    return;
  }
  std::vector<float> got(n);
  if (value.constant) {
    value.constant->read(0, got);
  } else {
    engine::PlanSpec spec;
    spec.fetches = {id};
    engine::WeightCache weights;
    const auto plan = engine::Plan::build(graph, spec, weights);
    auto workspace = plan->make_workspace();
    std::vector<std::span<const float>> spans(feeds.begin(), feeds.end());
    plan->forward(workspace, spans, {});
    const auto view = plan->fetch(workspace, 0);
    ASSERT_TRUE(view.block == 1 || view.shape.size() < 3);
    std::copy_n(view.data, n, got.begin());
  }
  ASSERT_EQ(value.type == graph::DType::f32, is_real(want[0]));
  for (std::size_t i = 0; i < n; ++i) {
    const double expected = number(want[2][i]), found = got[i];
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(found)) << "element " << i;
    } else if (is_real(want[0])) {
      const bool same = found == expected;
      ASSERT_TRUE(same || std::abs(found - expected) <= tolerance(one) * (1 + std::abs(expected)))
          << "element " << i << ": " << found << " for " << expected;
    } else {
      ASSERT_EQ(found, expected) << "element " << i;
      ASSERT_FALSE(found == 0 && std::signbit(found)) << "a negative zero at element " << i;
    }
  }
}

/// What is refused, by operator and a word for the type.
std::set<std::string> check(bool at_run_time) {
  std::set<std::string> refused;
  std::size_t computed = 0;
  for (const auto& one : cases()) {
    if (at_run_time && !runs(one)) continue;
    SCOPED_TRACE(name_of(one));
    const auto built = build(one, at_run_time);
    try {
      auto graph = import(built.model).graph;
      graph::bind(graph, {}, 1);
      if (!at_run_time) engine::fold_constants(graph);
      compare(graph, built.feeds, one);
      ++computed;
    } catch (const Error& error) {
      EXPECT_EQ(to_string(error.code()), to_string(ErrorCode::unsupported)) << error.what();
      const auto type = [&] {
        for (const auto& operand : one["in"])
          if (!operand.is_null()) return operand[0].get<std::string>();
        return std::string();
      }();
      const auto* kind = type == "bool" ? " bool" : is_real(type) ? " float" : " integer";
      refused.insert(one["op"].get<std::string>() + kind);
    }
    if (testing::Test::HasFatalFailure()) return {};
  }
  EXPECT_GT(computed, 600u);
  return refused;
}

const std::set<std::string> kRefused{
    "Einsum integer", "Gemm integer",     "MatMul integer",       "MaxPool integer",
    "PRelu integer",  "ReduceL2 integer", "ReduceLogSum integer", "ReduceLogSumExp integer"};

/// Of cases that were drawn anew, some of them.
void expect_refused(const std::set<std::string>& refused) {
  if (std::getenv("FOVEA_OPERATOR_CASES") == nullptr) {
    EXPECT_EQ(refused, kRefused);
    return;
  }
  for (const auto& one : refused) EXPECT_TRUE(kRefused.contains(one)) << one;
}

TEST(Operators, AtRunTime) {
  expect_refused(check(true));
}

TEST(Operators, OfConstants) {
  expect_refused(check(false));
}

}  // namespace
}  // namespace fovea::test
