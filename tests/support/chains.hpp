#pragma once

#include <functional>
#include <string>
#include <vector>

#include "onnx/model_builder.hpp"

/// Networks of tens of thousands of nodes, as ONNX files in memory. What is made of them must take
/// time in proportion to their nodes, whatever they look like.
namespace fovea::test {

struct Chain {
  std::string name;
  /// A network of about so many nodes, from the input "x" over the value "layer" to the scores.
  std::function<std::string(int nodes)> model;
};

namespace chains {

inline std::string numbered(const char* name, int i) {
  return name + std::to_string(i);
}

/// x [1, 8, 4, 4] -> "layer", of the same extents, with a few weights for what follows.
inline ModelBuilder start(std::int64_t channels = 8) {
  ModelBuilder model(17);
  const auto values = [](std::int64_t count, float scale) {
    Floats out;
    for (std::int64_t i = 0; i < count; ++i)
      out.push_back(scale * static_cast<float>((i * 7 + 3) % 11 - 5));
    return out;
  };
  const auto square = channels * channels;
  model.input("x", {1, channels, 4, 4})
      .initializer("w", {channels, channels, 1, 1}, values(square, 0.05F))
      .initializer("b", {channels}, values(channels, 0.01F))
      .initializer("one", {channels}, Floats(static_cast<std::size_t>(channels), 1.F))
      .initializer("half", {channels, 1, 1}, values(channels, 0.5F));
  return model.add("Conv", {"x", "w", "b"}, {"layer"});
}

/// From `last` [1, 8, 4, 4] to the scores, by weights that no pooling stands before: gradients at
/// the layer then take the whole way.
inline std::string finish(ModelBuilder& model, const std::string& last, std::int64_t count = 128) {
  Floats weights;
  for (std::int64_t i = 0; i < 3 * count; ++i)
    weights.push_back(0.01F * static_cast<float>((i * 5 + 1) % 13 - 6));
  return model.add("Flatten", {last}, {"flat"})
      .initializer("head", {3, count}, weights)
      .add("Gemm", {"flat", "head"}, {"scores"}, {attr("transB", 1)})
      .output("scores")
      .serialize();
}

/// `repeat(model, before, after, i)` adds the i-th group of `group` nodes.
template <class Repeat>
std::string repeated(int nodes, int group, const Repeat& repeat) {
  auto model = start();
  std::string last = "layer";
  for (int i = 0; i < nodes / group; ++i) {
    const auto next = numbered("v", i);
    repeat(model, last, next, i);
    last = next;
  }
  return finish(model, last);
}

inline std::string relus(int nodes) {
  return repeated(nodes, 2, [](ModelBuilder& m, const auto& from, const auto& to, int i) {
    m.add("Relu", {from}, {numbered("r", i)}).add("Add", {numbered("r", i), "half"}, {to});
  });
}

inline std::string convolutions(int nodes) {
  return repeated(nodes, 3, [](ModelBuilder& m, const auto& from, const auto& to, int i) {
    m.add("Conv", {from, "w", "b"}, {numbered("c", i)})
        .add("BatchNormalization", {numbered("c", i), "one", "b", "b", "one"}, {numbered("n", i)})
        .add("Relu", {numbered("n", i)}, {to});
  });
}

inline std::string residuals(int nodes) {
  return repeated(nodes, 3, [](ModelBuilder& m, const auto& from, const auto& to, int i) {
    m.add("Sigmoid", {from}, {numbered("r", i)})
        .add("Conv", {numbered("r", i), "w"}, {numbered("c", i)})
        .add("Add", {from, numbered("c", i)}, {to});
  });
}

inline std::string reshapes(int nodes) {
  return repeated(nodes, 2, [](ModelBuilder& m, const auto& from, const auto& to, int i) {
    if (i == 0)
      m.initializer("flat_shape", {3}, Ints{1, 8, 16}).initializer("shape", {4}, Ints{1, 8, 4, 4});
    m.add("Reshape", {from, "flat_shape"}, {numbered("f", i)})
        .add("Reshape", {numbered("f", i), "shape"}, {to});
  });
}

/// Each is made two.
inline std::string einsums(int nodes) {
  return repeated(nodes, 2, [](ModelBuilder& m, const auto& from, const auto& to, int) {
    m.add("Einsum", {from, "one", "one"}, {to}, {attr("equation", "nchw,c,c->nchw")});
  });
}

/// Exporters compute extents in the graph.
inline std::string shape_arithmetic(int nodes) {
  auto model = start();
  model.initializer("two", {1}, Ints{2}).initializer("zero", {1}, Ints{0});
  model.add("Shape", {"layer"}, {"s"});
  std::string last = "s";
  for (int i = 0; i < nodes / 2; ++i) {
    model.add("Mul", {last, "two"}, {numbered("m", i)})
        .add("Div", {numbered("m", i), "two"}, {numbered("d", i)});
    last = numbered("d", i);
  }
  model.add("Reshape", {"layer", last}, {"same"}).add("Relu", {"same"}, {"r"});
  return finish(model, "r");
}

/// One value that half of the nodes read.
inline std::string readers(int nodes) {
  return repeated(nodes, 2, [](ModelBuilder& m, const auto& from, const auto& to, int i) {
    m.add("Sigmoid", {"layer"}, {numbered("r", i)}).add("Add", {from, numbered("r", i)}, {to});
  });
}

/// One node that reads all the others.
inline std::string operands(int nodes) {
  auto model = start();
  Strings parts;
  for (int i = 0; i < nodes; ++i) {
    parts.push_back(numbered("r", i));
    model.add("Sigmoid", {"layer"}, {parts.back()});
  }
  model.add("Concat", parts, {"all"}, {attr("axis", 1)})
      .add("ReduceMax", {"all"}, {"most"}, {attr("axes", Ints{2, 3}), attr("keepdims", 1)});
  return finish(model, "most", std::int64_t{8} * nodes);
}

/// One node that makes what half of the others read.
inline std::string parts(int nodes) {
  const int count = nodes / 2;
  auto model = start();
  model.initializer("up", {count, 8, 1, 1}, Floats(static_cast<std::size_t>(count) * 8, 0.01F));
  model.add("Conv", {"layer", "up"}, {"wide"});
  Strings made, read;
  for (int i = 0; i < count; ++i) {
    made.push_back(numbered("p", i));
    read.push_back(numbered("r", i));
  }
  model.add("Split", {"wide"}, made, {attr("axis", 1)});
  for (int i = 0; i < count; ++i)
    model.add("Sigmoid", {made[static_cast<std::size_t>(i)]}, {read[static_cast<std::size_t>(i)]});
  model.add("Concat", read, {"all"}, {attr("axis", 1)})
      .add("ReduceMax", {"all"}, {"most"}, {attr("axes", Ints{2, 3}), attr("keepdims", 1)});
  return finish(model, "most", count);
}

/// Blocks of sixteen layers, each of which reads all those before it in its block.
inline std::string dense(int nodes) {
  constexpr int kLayers = 16;
  auto model = start();
  for (int i = 1; i <= kLayers; ++i)
    model.initializer(numbered("w", i), {8, 8 * i, 1, 1},
                      Floats(static_cast<std::size_t>(64 * i), 0.01F));
  std::string last = "layer";
  for (int block = 0; block < nodes / (3 * kLayers); ++block) {
    Strings read{last};
    for (int i = 1; i <= kLayers; ++i) {
      const auto at = std::to_string(block) + "_" + std::to_string(i);
      model.add("Concat", read, {"j" + at}, {attr("axis", 1)})
          .add("Conv", {"j" + at, numbered("w", i)}, {"c" + at})
          .add("Relu", {"c" + at}, {"d" + at});
      read.push_back("d" + at);
    }
    last = read.back();
  }
  return finish(model, last);
}

}  // namespace chains

inline std::vector<Chain> all_chains() {
  return {{"relus", chains::relus},         {"convolutions", chains::convolutions},
          {"residuals", chains::residuals}, {"reshapes", chains::reshapes},
          {"einsums", chains::einsums},     {"shape_arithmetic", chains::shape_arithmetic},
          {"readers", chains::readers},     {"operands", chains::operands},
          {"parts", chains::parts},         {"dense", chains::dense}};
}

}  // namespace fovea::test
