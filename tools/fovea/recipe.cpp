#include "recipe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "text.hpp"

namespace fovea::cli {
namespace {

template <class T>
struct Named {
  std::string_view name;
  T value;
};

constexpr std::array<Named<Preprocess::Order>, 3> kOrders = {{
    {"RGB", Preprocess::Order::rgb},
    {"BGR", Preprocess::Order::bgr},
    {"L", Preprocess::Order::luma},
}};
constexpr std::array<Named<Preprocess::Geometry>, 4> kGeometries = {{
    {"stretch", Preprocess::Geometry::stretch},
    {"center-square", Preprocess::Geometry::center_square},
    {"resize-crop", Preprocess::Geometry::resize_crop},
    {"letterbox", Preprocess::Geometry::letterbox},
}};
constexpr std::array<Named<Preprocess::Resize>, 4> kResizes = {{
    {"bilinear-antialias", Preprocess::Resize::bilinear_antialias},
    {"bilinear", Preprocess::Resize::bilinear},
    {"nearest", Preprocess::Resize::nearest},
    {"area", Preprocess::Resize::area},
}};
constexpr int kLongestSide = 16384;

using nlohmann::json;

// Reads one object's members; every complaint names the key.
class Reader {
 public:
  Reader(const json& object, ErrorCode code, const std::string& source)
      : object_(object), code_(code), source_(source) {}

  void check_keys() const {
    static const std::vector<std::string> kKeys = {
        "order", "scale", "mean", "std", "geometry", "shorter_side", "resize", "width", "height"};
    for (const auto& [key, value] : object_.items())
      if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end())
        fail("unknown key '" + key + "'" + did_you_mean(kKeys, key) + " (known: " + joined(kKeys) +
             ")");
  }

  template <class T, std::size_t N>
  void word(const char* key, const std::array<Named<T>, N>& names, T& out) const {
    if (!object_.contains(key)) return;
    std::string known;
    for (const auto& [name, value] : names) {
      if (object_[key].is_string() && object_[key].get_ref<const std::string&>() == name) {
        out = value;
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(name);
    }
    fail("'" + std::string(key) + "' must be one of " + known);
  }

  void number(const char* key, double& out) const {
    if (!object_.contains(key)) return;
    out = finite(key, object_[key]);
    if (out == 0) fail("'" + std::string(key) + "' must not be 0");
  }

  void per_channel(const char* key, bool zero_allowed, std::array<double, 3>& out) const {
    if (!object_.contains(key)) return;
    const auto& member = object_[key];
    if (member.is_array() && member.size() != 1 && member.size() != 3)
      fail("'" + std::string(key) + "' must have 1 or 3 numbers");
    for (std::size_t c = 0; c < 3; ++c) {
      out[c] = finite(key, member.is_array() ? member[member.size() == 3 ? c : 0] : member);
      if (out[c] == 0 && !zero_allowed) fail("'" + std::string(key) + "' must not be 0");
    }
  }

  void side(const char* key, int& out) const {
    if (!object_.contains(key)) return;
    const auto& member = object_[key];
    if (!member.is_number_integer() || member.get<std::int64_t>() < 0 ||
        member.get<std::int64_t>() > kLongestSide)
      fail("'" + std::string(key) + "' must be a whole number from 0 to 16384");
    out = member.get<int>();
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(code_, "preprocessing recipe" + source_ + ": " + reason);
  }

 private:
  double finite(const char* key, const json& value) const {
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      fail("'" + std::string(key) + "' must be made of finite numbers");
    return value.get<double>();
  }

  const json& object_;
  ErrorCode code_;
  const std::string& source_;
};

template <class T, std::size_t N>
std::string name_of(const std::array<Named<T>, N>& names, T value) {
  for (const auto& row : names)
    if (row.value == value) return std::string(row.name);
  return {};
}

}  // namespace

Recipe parse_recipe(const std::string& text, ErrorCode code, const std::string& source) {
  const auto place = source.empty() ? source : " " + source;
  json object;
  try {
    object = json::parse(text);
  } catch (const json::exception&) {
    throw Error(code, "preprocessing recipe" + place + ": this is not valid JSON");
  }
  const Reader reader(object, code, place);
  if (!object.is_object()) reader.fail("it must be a JSON object");
  reader.check_keys();
  Recipe recipe;
  recipe.values.mean = {0, 0, 0};
  recipe.values.std = {1, 1, 1};
  recipe.order_given = object.contains("order");
  reader.word("order", kOrders, recipe.values.order);
  reader.number("scale", recipe.values.scale);
  reader.per_channel("mean", true, recipe.values.mean);
  reader.per_channel("std", false, recipe.values.std);
  reader.word("geometry", kGeometries, recipe.values.geometry);
  reader.side("shorter_side", recipe.values.shorter_side);
  reader.word("resize", kResizes, recipe.values.resize);
  reader.side("width", recipe.width);
  reader.side("height", recipe.height);
  return recipe;
}

Recipe read_recipe(const std::string& text) {
  if (text == "imagenet") return {Preprocess::imagenet(), false};
  if (text == "inception") return {Preprocess::inception(), false};
  if (text == "caffe") return {Preprocess::caffe(), false};
  if (text == "raw") return {Preprocess::raw(), false};
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{')
    return parse_recipe(text, ErrorCode::invalid_argument, "");
  if (!text.ends_with(".json"))
    throw Error(ErrorCode::invalid_argument,
                "--preprocess '" + text +
                    "' is none of imagenet, inception, caffe, raw, a JSON object or a .json file");
  return parse_recipe(read_text(text, ErrorCode::invalid_argument, 1 << 20),
                      ErrorCode::invalid_argument, "'" + text + "'");
}

Preprocess for_channels(const Recipe& recipe, std::int64_t channels) {
  auto values = recipe.values;
  if (channels != 1) return values;
  values.order = Preprocess::Order::luma;
  if (recipe.order_given) return values;
  for (auto* colours : {&values.mean, &values.std})
    colours->fill(((*colours)[0] + (*colours)[1] + (*colours)[2]) / 3);
  return values;
}

nlohmann::ordered_json to_json(const Preprocess& recipe) {
  return {{"order", name_of(kOrders, recipe.order)},
          {"scale", recipe.scale},
          {"mean", recipe.mean},
          {"std", recipe.std},
          {"geometry", name_of(kGeometries, recipe.geometry)},
          {"shorter_side", recipe.shorter_side},
          {"resize", name_of(kResizes, recipe.resize)}};
}

}  // namespace fovea::cli
