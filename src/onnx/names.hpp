#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace fovea::onnx {

/// The names that a model uses, so that those made at import are new.
class Names {
 public:
  void add(std::string_view name) { taken_.emplace(name); }

  /// `wanted`, or it with the first free number behind it; taken from then on.
  std::string fresh(const std::string& wanted) {
    if (taken_.insert(wanted).second) return wanted;
    for (auto& next = next_[wanted];; ++next) {
      auto name = wanted + "_" + std::to_string(next + 2);
      if (taken_.insert(name).second) return name;
    }
  }

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int> next_;
};

}  // namespace fovea::onnx
