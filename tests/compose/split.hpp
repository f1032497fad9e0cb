#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "onnx/model_builder.hpp"

namespace fovea::compose_test {

inline fovea_onnx::ModelProto proto_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  fovea_onnx::ModelProto out;
  if (!out.ParseFromString(bytes)) throw std::runtime_error("no model: " + file.string());
  return out;
}

/// A file in two at a value: what makes it, and everything else, which has for inputs what it reads
/// of the first: `between`. Both have all initializers.
struct Halves {
  fovea_onnx::ModelProto first, second;
  std::map<std::string, std::string> between;
};

inline Halves split(const fovea_onnx::ModelProto& whole, const std::string& value) {
  std::set<std::string> needed{value}, made, read;
  const auto& nodes = whole.graph().node();
  std::set<int> in_first;
  for (int n = nodes.size() - 1; n >= 0; --n) {
    const auto& outputs = nodes[n].output();
    const auto& inputs = nodes[n].input();
    if (std::none_of(outputs.begin(), outputs.end(), [&](auto& o) { return needed.contains(o); })) {
      read.insert(inputs.begin(), inputs.end());
      continue;
    }
    in_first.insert(n);
    needed.insert(inputs.begin(), inputs.end());
    made.insert(outputs.begin(), outputs.end());
  }
  Halves out{whole, whole, {}};
  auto& a = *out.first.mutable_graph();
  auto& b = *out.second.mutable_graph();
  a.clear_node();
  a.clear_output();
  b.clear_node();
  b.clear_input();
  for (const auto& name : made) {
    if (!read.contains(name)) continue;
    out.between[name] = name;
    a.add_output()->set_name(name);
    auto& input = *b.add_input();
    input.set_name(name);
    input.mutable_type()->mutable_tensor_type()->set_elem_type(test::kFloat);
  }
  for (int n = 0; n < nodes.size(); ++n) *(in_first.contains(n) ? a : b).add_node() = nodes[n];
  return out;
}

}  // namespace fovea::compose_test
