#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "request/names.hpp"

/// Reading a JSON object member by member, so that whatever is wrong is named.
namespace fovea::request {

using Json = nlohmann::ordered_json;

/// "the request is damaged: 'alpha' must be ...".
[[noreturn]] void damaged(const std::string& what, const std::string& reason);

bool flag(const Json& value, const std::string& what, const std::string& name);
double number(const Json& value, const std::string& what, const std::string& name);
std::string text(const Json& value, const std::string& what, const std::string& name);
std::int64_t whole(const Json& value, const std::string& what, const std::string& name,
                   std::int64_t least = std::numeric_limits<std::int64_t>::min());
Shape shape(const Json& value, const std::string& what, const std::string& name);
RequestFile file(const Json& value, const std::string& what, const std::string& name);

/// The word's value. Throws as `damaged`, or where the word is none of the names.
template <class Names>
auto word(const Json& value, const Names& names, const std::string& what, const std::string& name) {
  const auto given = text(value, what, name);
  for (const auto& row : names)
    if (row.name == given) return row.value;
  throw Error(ErrorCode::invalid_argument, "the " + what + " has '" + given + "' for " + name +
                                               ", which this fovea does not know");
}

/// An object, of which every member is asked for or refused.
class Members {
 public:
  /// `what` is what messages call the whole, `name` the member that the object is.
  Members(const Json& object, std::string what, const std::string& name);

  /// Null where it is left out.
  const Json* find(const char* name);
  const std::string& what() const { return what_; }

  /// `read(value, what, name)` for a member that is there.
  template <class Read>
  void with(const char* name, Read&& read) {
    if (const auto* value = find(name)) std::forward<Read>(read)(*value, what_, std::string(name));
  }
  /// The same for one that may be null.
  template <class Read>
  void unless_null(const char* name, Read&& read) {
    const auto* value = find(name);
    if (value != nullptr && !value->is_null())
      std::forward<Read>(read)(*value, what_, std::string(name));
  }
  void read(const char* name, bool& out);
  void read(const char* name, double& out);
  void read(const char* name, std::string& out);
  void read(const char* name, Shape& out);
  /// Its own "file", which must be there, and "sha256".
  void read_file(RequestFile& out);
  template <class T, class Names>
  void read(const char* name, const Names& names, T& out) {
    if (const auto* value = find(name)) out = word(*value, names, what_, name);
  }
  /// Names that mean nothing here, and are known all the same.
  void skip(std::initializer_list<const char*> names);
  /// True where there is a member that nobody asked for; `no_others` throws Error invalid_argument.
  bool has_others() const;
  void no_others() const;

 private:
  const Json& object_;
  std::string what_, name_;
  std::vector<std::string> known_;
};

}  // namespace fovea::request
