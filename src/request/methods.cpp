#include "request/methods.hpp"

#include <algorithm>

#include "fovea/asking.hpp"
#include "fovea/files.hpp"
#include "request/text.hpp"

namespace fovea::request {

Method method_of(const RequestMethod& method) {
  const auto& info = method_info(method.name);
  std::vector<std::string> options, tensors;
  for (const auto& option : info.options) options.push_back(option.name);
  for (const auto& tensor : info.given) tensors.push_back(tensor.name);
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const auto& [option, value] : method.options)
    if (!has(options, option))
      throw Error(ErrorCode::invalid_argument, "the method has no option '" + option + "'" +
                                                   did_you_mean(options, option) +
                                                   " ('fovea methods' lists them)");
  Method out{method.name, method.options, {}, method.layer_rules};
  for (const auto& [tensor, file] : method.given) {
    if (!has(tensors, tensor))
      throw Error(ErrorCode::invalid_argument,
                  info.title + " takes no tensor '" + tensor + "'" + did_you_mean(tensors, tensor));
    out.given[tensor] = read_npy(file.file);
  }
  return out;
}

RequestMethod with_defaults(RequestMethod method) {
  for (const auto& option : method_info(method.name).options)
    method.options.emplace(option.name, option.value);
  return method;
}

}  // namespace fovea::request

namespace fovea {

const MethodInfo& method_info(const std::string& name) {
  if (const auto* found = find_method(name)) return *found;
  std::vector<std::string> known;
  for (const auto& info : methods()) known.push_back(info.name);
  throw Error(ErrorCode::invalid_argument, "there is no method '" + name + "'" +
                                               did_you_mean(known, name) +
                                               " (known: " + request::joined(known) + ")");
}

}  // namespace fovea
