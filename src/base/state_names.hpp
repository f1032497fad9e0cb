#pragma once

#include <string>
#include <vector>

namespace fovea::base {

/// The usual names of the output that a state, an input of that name, is fed from.
inline std::vector<std::string> usual_state_outputs(const std::string& input) {
  std::vector<std::string> out;
  const auto replaced = [&](const char* from, const char* to) {
    const auto at = input.rfind(from);
    if (at == std::string::npos) return;
    auto name = input;
    out.push_back(name.replace(at, std::string(from).size(), to));
  };
  for (const char* suffix : {"_out", "_next", "_new", ".out", "N", "n", "_n"})
    out.push_back(input + suffix);
  for (const char* prefix : {"new_", "next_"}) out.push_back(prefix + input);
  replaced("_in", "_out");
  replaced(".in", ".out");
  replaced("past_", "present_");
  replaced("past", "present");
  replaced("0", "n");
  replaced("0", "N");
  replaced("0", "1");
  replaced("prev", "next");
  return out;
}

}  // namespace fovea::base
