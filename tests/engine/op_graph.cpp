#include "engine/op_graph.hpp"

#include <algorithm>
#include <random>

#include "graph/infer.hpp"
#include "graph/infer/einsum.hpp"

namespace fovea::engine_test {

using graph::ValueId;
using reference::Array;

Array spread(const Operand& operand, unsigned seed) {
  Array out(operand.shape);
  if (!operand.integers.empty()) {
    std::copy(operand.integers.begin(), operand.integers.end(), out.data.begin());
    return out;
  }
  const auto n = static_cast<double>(out.data.size());
  for (std::size_t i = 0; i < out.data.size(); ++i)
    out.data[i] = operand.low + (static_cast<double>(i) + 0.53) * (operand.high - operand.low) / n;
  std::mt19937 random(seed);
  std::shuffle(out.data.begin(), out.data.end(), random);
  for (auto& v : out.data)
    v = operand.type == graph::DType::boolean ? v > 0.5 : static_cast<float>(v);
  return out;
}

std::vector<float> floats(const Array& a) {
  return {a.data.begin(), a.data.end()};
}

Bench build_bench(const Case& one, bool behind_conv) {
  Bench bench;
  std::vector<ValueId> inputs;
  unsigned seed = 1;
  for (const auto& operand : one.operands) {
    const std::string name = "x" + std::to_string(inputs.size());
    const Array values = spread(operand, seed++);
    switch (operand.role) {
      case Operand::Role::absent:
        inputs.push_back({});
        continue;
      case Operand::Role::integers:
        inputs.push_back(bench.graph.add_constant(
            name, graph::Constant::of_ints(operand.shape, operand.integers, operand.type)));
        break;
      case Operand::Role::weight:
        inputs.push_back(bench.graph.add_constant(
            name, graph::Constant::of_floats(operand.shape, floats(values))));
        break;
      case Operand::Role::data: {
        ValueId id = bench.graph.add_input(name, operand.type, operand.shape);
        bench.fed.push_back(id);
        bench.arrays[id.index] = values;
        if (behind_conv && operand.shape.size() == 4 && operand.type == graph::DType::f32) {
          // The identity, so that the operand keeps its values and their distances.
          const auto c = operand.shape[1];
          std::vector<float> eye(static_cast<std::size_t>(c * c), 0.f);
          for (std::int64_t i = 0; i < c; ++i) eye[static_cast<std::size_t>(i * c + i)] = 1.f;
          const auto w =
              bench.graph.add_constant(name + "_w", graph::Constant::of_floats({c, c, 1, 1}, eye));
          const auto node =
              bench.graph.add_node(name + "_conv", "Conv", graph::Conv{}, {id, w}, {name + "_c"});
          id = bench.graph.node(node).outputs[0];
          bench.arrays[id.index] = values;
        }
        inputs.push_back(id);
        continue;
      }
    }
    bench.arrays[inputs.back().index] = values;
  }
  std::vector<std::string> names;
  for (std::size_t o = 0; o < one.outputs; ++o) names.push_back("y" + std::to_string(o));
  const auto node = bench.graph.add_node("the_op", one.name, one.op, inputs, names);
  bench.graph.outputs = bench.graph.node(node).outputs;
  const auto* einsum = std::get_if<graph::Einsum>(&one.op);
  graph::bind(bench.graph, {}, 1);
  if (einsum != nullptr && inputs.size() > 2) {
    // Taken apart by now; the reference does it at once.
    std::vector<Shape> shapes;
    for (const auto id : inputs) shapes.push_back(bench.graph.value(id).shape);
    bench.op = graph::Einsum{graph::detail::resolve_einsum(einsum->equation, shapes).equation()};
    bench.arguments = inputs;
    bench.results = bench.graph.outputs;
    return bench;
  }
  bench.op = bench.graph.node(node).op;
  bench.arguments = bench.graph.node(node).inputs;
  bench.results = bench.graph.node(node).outputs;
  return bench;
}

std::vector<reference::Array> expected(const Bench& bench) {
  std::vector<reference::Array> in;
  for (const auto id : bench.arguments)
    in.push_back(id ? bench.arrays.at(id.index) : reference::Array());
  std::vector<Shape> shapes;
  for (const auto id : bench.results) shapes.push_back(bench.graph.value(id).shape);
  for (std::size_t i = 0; i < in.size(); ++i)
    if (!bench.arguments[i]) in[i].data.clear();
  return reference::evaluate(bench.op, in, shapes);
}

std::vector<float> plain(const engine::ValueView& view) {
  const auto n = reference::count(view.shape);
  std::vector<float> out(static_cast<std::size_t>(n));
  if (view.block == 1 || view.shape.size() < 3) {
    std::copy_n(view.data, n, out.begin());
    return out;
  }
  const auto channels = view.shape[1], positions = n / view.shape[0] / channels;
  for (std::int64_t i = 0; i < view.shape[0]; ++i)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t p = 0; p < positions; ++p)
        out[static_cast<std::size_t>((i * channels + c) * positions + p)] =
            view.data[i * view.image_stride + (c / view.block * positions + p) * view.block +
                      c % view.block];
  return out;
}

void forward(const engine::Plan& plan, engine::Workspace& workspace, const Bench& bench) {
  std::vector<std::vector<float>> data;
  std::vector<std::span<const float>> feeds;
  for (const auto id : bench.fed) data.push_back(floats(bench.arrays.at(id.index)));
  for (const auto& d : data) feeds.emplace_back(d);
  plan.forward(workspace, feeds, {});
}

}  // namespace fovea::engine_test
