#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "request/names.hpp"
#include "request/package_recipe.hpp"
#include "request/recipe.hpp"
#include "request/text.hpp"

namespace fovea::request {
namespace {

constexpr int kLongestSide = 16384;

// Reads one object's members; every complaint names the key.
class Reader {
 public:
  Reader(const Json& object, const std::string& name) : object_(object), name_(name) {}

  [[noreturn]] void fail_unknown(const std::string& key,
                                 const std::vector<std::string>& known) const {
    fail("unknown key '" + key + "'" + did_you_mean(known, key) + " (known: " + joined(known) +
         ")");
  }

  void check_keys() const {
    static const std::vector<std::string> kKeys = {
        "order",         "scale",          "mean",       "std",    "geometry", "shorter_side",
        "resized_width", "resized_height", "odd_margin", "resize", "width",    "height"};
    for (const auto& [key, value] : object_.items())
      if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) fail_unknown(key, kKeys);
  }

  template <class T, class Names>
  void word(const char* key, const Names& names, T& out) const {
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
    throw Error(ErrorCode::invalid_argument,
                "preprocessing recipe" + (name_.empty() ? "" : " " + name_) + ": " + reason);
  }

 private:
  double finite(const char* key, const Json& value) const {
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      fail("'" + std::string(key) + "' must be made of finite numbers");
    return value.get<double>();
  }

  const Json& object_;
  const std::string& name_;
};

}  // namespace

Recipe read_recipe(const Json& object, const std::string& name) {
  const Reader reader(object, name);
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
  reader.side("resized_width", recipe.values.resized_width);
  reader.side("resized_height", recipe.values.resized_height);
  reader.word("odd_margin", kOddMargins, recipe.values.odd_margin);
  reader.word("resize", kResizes, recipe.values.resize);
  reader.side("width", recipe.width);
  reader.side("height", recipe.height);
  return recipe;
}

Json recipe_json(const Recipe& recipe) {
  // A member without its line here does not compile.
  const auto& [values, order_given, width, height] = recipe;
  const auto& [order, scale, mean, deviation, geometry, shorter_side, resize, resized_width,
               resized_height, odd_margin] = values;
  Json json;
  if (order_given) json["order"] = name_of(kOrders, order);
  json["scale"] = scale;
  json["mean"] = mean;
  json["std"] = deviation;
  json["geometry"] = name_of(kGeometries, geometry);
  json["shorter_side"] = shorter_side;
  if (resized_width != 0) json["resized_width"] = resized_width;
  if (resized_height != 0) json["resized_height"] = resized_height;
  if (odd_margin != Preprocess::OddMargin::even)
    json["odd_margin"] = name_of(kOddMargins, odd_margin);
  json["resize"] = name_of(kResizes, resize);
  if (width != 0) json["width"] = width;
  if (height != 0) json["height"] = height;
  return json;
}

}  // namespace fovea::request

namespace fovea {

Recipe recipe_from_json(std::string_view text, const std::string& name) {
  const auto object = request::Json::parse(text, nullptr, false);
  if (object.is_discarded())
    throw Error(
        ErrorCode::invalid_argument,
        "preprocessing recipe" + (name.empty() ? "" : " " + name) + ": this is not valid JSON");
  if (auto theirs = request::read_package_recipe(object, name)) return *theirs;
  return request::read_recipe(object, name);
}

std::string to_json(const Recipe& recipe) {
  return request::recipe_json(recipe).dump();
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

}  // namespace fovea
