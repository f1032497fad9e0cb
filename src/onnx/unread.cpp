#include "onnx/unread.hpp"

#include <algorithm>
#include <unordered_map>
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

std::optional<Error> Unread::reason(const std::vector<NodeInfo>& all,
                                    std::span<const std::string> values) const {
  if (empty()) return std::nullopt;
  std::unordered_map<std::string, std::size_t> producers;
  for (std::size_t n = 0; n < all.size(); ++n)
    for (const auto& name : all[n].outputs) producers.emplace(name, n);
  std::vector<bool> needed(all.size(), false);
  std::unordered_set<std::string> seen;
  std::vector<std::string> open(values.begin(), values.end());
  const Error* value_error = nullptr;
  while (!open.empty()) {
    const auto name = std::move(open.back());
    open.pop_back();
    if (name.empty() || !seen.insert(name).second) continue;
    if (const auto found = values_.find(name); found != values_.end() && value_error == nullptr)
      value_error = &found->second;
    const auto made = producers.find(name);
    if (made == producers.end() || needed[made->second]) continue;
    needed[made->second] = true;
    open.insert(open.end(), all[made->second].inputs.begin(), all[made->second].inputs.end());
  }
  std::vector<std::string> missing;
  for (const auto& [n, node] : nodes_) {
    if (!needed[n]) continue;
    if (node.error.code() != ErrorCode::unsupported) return node.error;
    missing.push_back(node.description);
  }
  for (const auto& [name, description] : outputs_)
    if (seen.contains(name)) missing.push_back(description);
  if (!missing.empty()) return Error(ErrorCode::unsupported, listed(missing));
  if (value_error != nullptr) return *value_error;
  return std::nullopt;
}

}  // namespace fovea::onnx
