#include "request/members.hpp"

#include <algorithm>
#include <cmath>

namespace fovea::request {
namespace {

[[noreturn]] void must_be(const std::string& what, const std::string& name,
                          const std::string& kind) {
  damaged(what, (name.empty() ? "it" : "'" + name + "'") + " must be " + kind);
}

}  // namespace

void damaged(const std::string& what, const std::string& reason) {
  throw Error(ErrorCode::invalid_argument, "the " + what + " is damaged: " + reason);
}

bool flag(const Json& value, const std::string& what, const std::string& name) {
  if (!value.is_boolean()) must_be(what, name, "true or false");
  return value.get<bool>();
}

double number(const Json& value, const std::string& what, const std::string& name) {
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    must_be(what, name, "a finite number");
  return value.get<double>();
}

std::string text(const Json& value, const std::string& what, const std::string& name) {
  if (!value.is_string()) must_be(what, name, "a text");
  return value.get<std::string>();
}

std::int64_t whole(const Json& value, const std::string& what, const std::string& name,
                   std::int64_t least) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<std::uint64_t>() > kMax) ||
      value.get<std::int64_t>() < least)
    must_be(what, name,
            least == std::numeric_limits<std::int64_t>::min()
                ? "a whole number"
                : "a whole number from " + std::to_string(least) + " up");
  return value.get<std::int64_t>();
}

Shape shape(const Json& value, const std::string& what, const std::string& name) {
  if (!value.is_array()) must_be(what, name, "a list of whole numbers");
  Shape out;
  for (const auto& extent : value) out.push_back(whole(extent, what, name, 1));
  return out;
}

RequestFile file(const Json& value, const std::string& what, const std::string& name) {
  Members members(value, what, name);
  RequestFile out;
  members.read_file(out);
  members.no_others();
  return out;
}

Members::Members(const Json& object, std::string what, const std::string& name)
    : object_(object), what_(std::move(what)), name_(name) {
  if (!object.is_object()) must_be(what_, name_, "an object");
}

const Json* Members::find(const char* name) {
  known_.emplace_back(name);
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

void Members::read(const char* name, bool& out) {
  if (const auto* value = find(name)) out = flag(*value, what_, name);
}
void Members::read(const char* name, double& out) {
  if (const auto* value = find(name)) out = number(*value, what_, name);
}
void Members::read(const char* name, std::string& out) {
  if (const auto* value = find(name)) out = text(*value, what_, name);
}
void Members::read(const char* name, Shape& out) {
  if (const auto* value = find(name)) out = shape(*value, what_, name);
}
void Members::read_file(RequestFile& out) {
  const auto* file = find("file");
  if (file == nullptr) must_be(what_, name_, "an object with a 'file'");
  out.file = text(*file, what_, "file");
  with("sha256", [&](const Json& digest, const auto& what, const auto& name) {
    out.sha256 = digest.is_null() ? std::string() : text(digest, what, name);
  });
}

void Members::skip(std::initializer_list<const char*> names) {
  for (const auto* name : names) known_.emplace_back(name);
}

bool Members::has_others() const {
  return std::any_of(object_.items().begin(), object_.items().end(), [&](const auto& item) {
    return std::find(known_.begin(), known_.end(), item.key()) == known_.end();
  });
}

void Members::no_others() const {
  for (const auto& [name, value] : object_.items())
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      throw Error(ErrorCode::invalid_argument, "the " + what_ + " has a member '" + name +
                                                   "' that this fovea does not know" +
                                                   did_you_mean(known_, name));
}

}  // namespace fovea::request
