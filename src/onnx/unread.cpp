#include "onnx/unread.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

#include "onnx/limits.hpp"

namespace fovea::onnx {
namespace {

std::string listed(const std::vector<std::string>& missing) {
  std::string text = missing.size() == 1 ? "the model has a node that is not supported: "
                                         : "the model has " + std::to_string(missing.size()) +
                                               " nodes that are not supported: ";
  for (std::size_t i = 0; i < std::min(missing.size(), kMaxListed); ++i)
    text += (i == 0 ? "" : ", ") + missing[i];
  if (missing.size() > kMaxListed)
    text += " and " + std::to_string(missing.size() - kMaxListed) + " more";
  return text;
}

}  // namespace

void Unread::set_producers(const std::vector<NodeInfo>& all) {
  for (std::size_t n = 0; n < all.size(); ++n)
    for (const auto& name : all[n].outputs) producers_.emplace(name, n);
}

std::optional<Error> Unread::reason(const std::vector<NodeInfo>& all,
                                    std::span<const std::string> values) const {
  if (empty()) return std::nullopt;
  // Many outputs may be missing: each looks at no more than what it depends on.
  std::set<std::size_t> needed;
  std::unordered_set<std::string> seen;
  std::vector<std::string> open(values.begin(), values.end());
  const Error* value_error = nullptr;
  while (!open.empty()) {
    const auto name = std::move(open.back());
    open.pop_back();
    if (name.empty() || !seen.insert(name).second) continue;
    if (const auto found = values_.find(name); found != values_.end() && value_error == nullptr)
      value_error = &found->second;
    const auto made = producers_.find(name);
    if (made == producers_.end() || !needed.insert(made->second).second) continue;
    open.insert(open.end(), all[made->second].inputs.begin(), all[made->second].inputs.end());
  }
  std::vector<std::string> missing;
  for (const auto n : needed) {
    const auto found = nodes_.find(n);
    if (found == nodes_.end()) continue;
    if (found->second.error.code() != ErrorCode::unsupported) return found->second.error;
    missing.push_back(found->second.description);
  }
  std::map<std::string_view, std::string_view> lost;
  for (const auto& name : seen)
    if (const auto found = outputs_.find(name); found != outputs_.end())
      lost.emplace(found->first, found->second);
  for (const auto& [name, description] : lost) missing.emplace_back(description);
  if (!missing.empty()) return Error(ErrorCode::unsupported, listed(missing));
  if (value_error != nullptr) return *value_error;
  return std::nullopt;
}

}  // namespace fovea::onnx
