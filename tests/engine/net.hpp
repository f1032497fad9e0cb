#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan.hpp"
#include "graph/infer.hpp"

/// Small graphs written down in a line per node, with random weights.
namespace fovea::engine_test {

inline std::vector<float> random_floats(std::int64_t n, unsigned seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> out(static_cast<std::size_t>(n));
  for (auto& v : out) v = normal(random);
  return out;
}

inline std::int64_t count_of(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  return n;
}

/// The values of a view in the order of its shape, whatever blocks they lie in.
inline std::vector<float> row_major(const engine::ValueView& view) {
  const auto n = count_of(view.shape), each = n / view.shape[0];
  const auto channels = view.shape.size() > 1 ? view.shape[1] : 1, positions = each / channels;
  std::vector<float> out;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto c = i % each / positions, p = i % positions;
    out.push_back(view.data[i / each * view.image_stride +
                            (c / view.block * positions + p) * view.block + c % view.block]);
  }
  return out;
}

class Net {
 public:
  graph::Graph graph;

  graph::ValueId input(Shape shape) {
    return graph.add_input("x" + std::to_string(names_++), graph::DType::f32, std::move(shape));
  }
  graph::ValueId weight(const Shape& shape, float scale = 0.5f) {
    const auto seed = static_cast<unsigned>(names_++);
    return graph.add_constant(
        "w" + std::to_string(seed),
        graph::Constant::of_floats(shape, random_floats(count_of(shape), seed + 1, scale)));
  }
  graph::ValueId node(const std::string& type, graph::Op op, std::vector<graph::ValueId> inputs) {
    const auto name = "v" + std::to_string(names_++);
    const auto id = graph.add_node("n_" + name, type, std::move(op), std::move(inputs), {name});
    return graph.node(id).outputs[0];
  }

  graph::ValueId relu(graph::ValueId x) {
    return node("Relu", graph::Unary{graph::UnaryKind::relu}, {x});
  }
  graph::ValueId identity(graph::ValueId x) { return node("Dropout", graph::Unary{}, {x}); }
  graph::ValueId add(graph::ValueId a, graph::ValueId b) {
    return node("Add", graph::Binary{graph::BinaryKind::add}, {a, b});
  }
  /// `kernel`^rank, the channels kept unless `outputs` says otherwise.
  graph::ValueId conv(graph::ValueId x, std::int64_t inputs, std::int64_t outputs,
                      std::int64_t kernel, std::int64_t pad, std::size_t rank = 2) {
    graph::Conv op;
    op.window.pads_begin = op.window.pads_end = graph::Ints(rank, pad);
    Shape shape{outputs, inputs};
    shape.insert(shape.end(), rank, kernel);
    return node("Conv", op, {x, weight(shape, 0.3f), weight({outputs})});
  }
  graph::ValueId flatten(graph::ValueId x) { return reshape(x, {0, -1}); }
  graph::ValueId reshape(graph::ValueId x, graph::Ints spec) {
    graph::Reshape op;
    op.spec = std::move(spec);
    return node("Reshape", op, {x});
  }
  graph::ValueId transpose(graph::ValueId x, graph::Ints perm) {
    return node("Transpose", graph::Transpose{std::move(perm)}, {x});
  }
  /// PyTorch's linear layer: weights [outputs, inputs].
  graph::ValueId linear(graph::ValueId x, std::int64_t inputs, std::int64_t outputs,
                        float alpha = 1) {
    graph::Gemm op;
    op.trans_b = true;
    op.alpha = alpha;
    return node("Gemm", op, {x, weight({outputs, inputs}), weight({outputs})});
  }
  /// Keras's: weights [inputs, outputs], then a bias.
  graph::ValueId dense(graph::ValueId x, std::int64_t inputs, std::int64_t outputs) {
    return add(node("MatMul", graph::MatMul{}, {x, weight({inputs, outputs})}), weight({outputs}));
  }
  graph::ValueId mean(graph::ValueId x, graph::Ints axes, bool keep = true) {
    return reduce(graph::ReduceKind::mean, x, std::move(axes), keep);
  }
  graph::ValueId reduce(graph::ReduceKind kind, graph::ValueId x, graph::Ints axes,
                        bool keep = true) {
    graph::Reduce op;
    op.kind = kind;
    op.axes = std::move(axes);
    op.keep_dims = keep;
    return node("Reduce", op, {x});
  }

  /// Resolves every shape; `logits` is the only output.
  void finish(graph::ValueId logits) {
    graph.outputs = {logits};
    graph::bind(graph, {}, 1);
  }

 private:
  int names_ = 0;
};

}  // namespace fovea::engine_test
