#pragma once

#include <string>

#include "graph/infer.hpp"
#include "import_helpers.hpp"

namespace fovea::test {

/// A node that reads f32 inputs i0, i1 ... ("" for one that is absent), with one used output.
inline onnx::Imported import_node(std::int64_t opset, const std::string& op, const Strings& inputs,
                                  const Attrs& attributes = {}, int outputs = 1) {
  ModelBuilder model(opset);
  for (const auto& input : inputs)
    if (!input.empty()) model.input(input, {1, 4, 8, 8});
  Strings out;
  for (int i = 0; i < outputs; ++i) out.push_back("y" + std::to_string(i));
  return import(model.add(op, inputs, out, attributes, "n").output("y0"));
}
template <class Op>
Op op_of(std::int64_t opset, const std::string& op, int inputs, const Attrs& attributes = {},
         int outputs = 1) {
  Strings names;
  for (int i = 0; i < inputs; ++i) names.push_back("i" + std::to_string(i));
  return only_op<Op>(import_node(opset, op, names, attributes, outputs));
}
/// The names of the values that the last node reads; "-" for none.
inline Strings reads(const onnx::Imported& model) {
  Strings out;
  for (const auto id : model.graph.nodes().back().inputs)
    out.push_back(id ? model.graph.value(id).name : "-");
  return out;
}
/// The extents of output 0 for these extents of the inputs a and b.
inline Shape bound_shape(std::int64_t opset, const std::string& op, const Ints& a, const Ints& b,
                         const Attrs& attributes) {
  ModelBuilder model(opset);
  model.input("a", a).input("b", b).add(op, {"a", "b"}, {"y"}, attributes).output("y");
  auto got = import(model);
  graph::bind(got.graph, {}, 1);
  return got.graph.value(got.graph.outputs[0]).shape;
}

}  // namespace fovea::test
