#include "graph/interpret.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

namespace fovea::graph::test {
namespace {

using Index = std::vector<std::int64_t>;

std::size_t count(const Shape& shape) {
  std::size_t n = 1;
  for (const auto extent : shape) n *= static_cast<std::size_t>(extent);
  return n;
}

/// Calls visit(index) for every index of the shape, in row-major order.
void each(const Shape& shape, const std::function<void(const Index&)>& visit) {
  Index at(shape.size(), 0);
  for (std::size_t n = count(shape); n > 0; --n) {
    visit(at);
    for (auto d = shape.size(); d-- > 0;) {
      if (++at[d] < shape[d]) break;
      at[d] = 0;
    }
  }
}

std::size_t offset(const Shape& shape, const Index& at) {
  std::size_t out = 0;
  for (std::size_t d = 0; d < shape.size(); ++d)
    out = out * static_cast<std::size_t>(shape[d]) + static_cast<std::size_t>(at[d]);
  return out;
}

struct Tensor64 {
  Shape shape;
  Doubles data;
  double at(const Index& i) const { return data[offset(shape, i)]; }
  /// As numpy broadcasts it to an index of a tensor of higher or equal rank.
  double broadcast_at(const Index& i) const {
    Index own(i.end() - static_cast<std::ptrdiff_t>(shape.size()), i.end());
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (shape[d] == 1) own[d] = 0;
    return at(own);
  }
};

double unary(const Unary& op, double x) {
  switch (op.kind) {
    case UnaryKind::identity:
      return x;
    case UnaryKind::relu:
      return std::max(x, 0.0);
    case UnaryKind::leaky_relu:
      return x < 0 ? op.alpha * x : x;
    case UnaryKind::clip:
      return std::min(std::max(x, static_cast<double>(op.alpha)), static_cast<double>(op.beta));
    case UnaryKind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case UnaryKind::hard_sigmoid:
      return std::clamp<double>(op.alpha * x + op.beta, 0, 1);
    case UnaryKind::hard_swish:
      return x * std::clamp<double>(x / 6 + 0.5, 0, 1);
    case UnaryKind::tanh:
      return std::tanh(x);
    case UnaryKind::softplus:
      return std::log1p(std::exp(x));
    case UnaryKind::mish:
      return x * std::tanh(std::log1p(std::exp(x)));
    case UnaryKind::silu:
      return x / (1 + std::exp(-op.alpha * x));
    case UnaryKind::erf:
      return std::erf(x);
    case UnaryKind::gelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case UnaryKind::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case UnaryKind::sqrt:
      return std::sqrt(x);
    default:
      throw std::runtime_error("interpret: " + std::string(name_of(op.kind)));
  }
}

double binary(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::add:
      return a + b;
    case BinaryKind::sub:
      return a - b;
    case BinaryKind::mul:
      return a * b;
    case BinaryKind::div:
      return a / b;
    case BinaryKind::pow:
      return std::pow(a, b);
    default:
      throw std::runtime_error("interpret: " + std::string(name_of(kind)));
  }
}

class Run {
 public:
  Run(const Graph& graph, const Node& node, const std::map<ValueId, Doubles>& values,
      std::size_t which = 0)
      : graph_(graph),
        node_(node),
        values_(values),
        which_(which),
        out_{graph.value(node.outputs[which]).shape, {}} {
    out_.data.assign(count(out_.shape), 0.0);
  }

  Doubles result() {
    std::visit([&](const auto& op) { run(op); }, node_.op);
    return std::move(out_.data);
  }

 private:
  Tensor64 in(std::size_t i) const {
    return {graph_.value(node_.inputs[i]).shape, values_.at(node_.inputs[i])};
  }
  bool has(std::size_t i) const { return i < node_.inputs.size() && node_.inputs[i]; }
  void fill(const std::function<double(const Index&)>& f) {
    each(out_.shape, [&](const Index& i) { out_.data[offset(out_.shape, i)] = f(i); });
  }

  template <class Other>
  void run(const Other& op) {
    throw std::runtime_error("interpret: " + std::string(name_of(Op(op))));
  }

  void run(const Unary& op) {
    const auto x = in(0);
    fill([&](const Index& i) { return unary(op, x.at(i)); });
  }
  void run(const Binary& op) {
    const auto a = in(0), b = in(1);
    fill([&](const Index& i) { return binary(op.kind, a.broadcast_at(i), b.broadcast_at(i)); });
  }

  void apply(const PostOps& post) {
    for (const auto& step : post)
      if (step.kind == PostOp::Kind::add_input) {
        const auto z = in(static_cast<std::size_t>(step.input));
        for (std::size_t i = 0; i < out_.data.size(); ++i) out_.data[i] += z.data[i];
      } else {
        for (auto& v : out_.data) v = unary(step.unary, v);
      }
  }

  /// Calls visit(input index, output index, weight position) for every tap inside the input.
  static void taps(const Window& w, const Shape& x, const Shape& y,
                   const std::function<void(const Index&, const Index&, const Index&)>& visit) {
    const Shape in_space(x.begin() + 2, x.end()), out_space(y.begin() + 2, y.end());
    each(out_space, [&](const Index& o) {
      each(w.kernel, [&](const Index& k) {
        Index i(o.size());
        for (std::size_t d = 0; d < o.size(); ++d) {
          i[d] = o[d] * w.strides[d] - w.pads_begin[d] + k[d] * w.dilations[d];
          if (i[d] < 0 || i[d] >= in_space[d]) return;
        }
        visit(i, o, k);
      });
    });
  }

  static Index join(std::int64_t a, std::int64_t b, const Index& rest) {
    Index out{a, b};
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
  }

  void add_bias(std::size_t i) {
    if (!has(i)) return;
    const auto b = in(i);
    fill([&](const Index& at) {
      return out_.data[offset(out_.shape, at)] + b.data[static_cast<std::size_t>(at[1])];
    });
  }

  void run(const Conv& op) {
    const auto x = in(0), w = in(1);
    const auto per_group = x.shape[1] / op.group;
    taps(op.window, x.shape, out_.shape, [&](const Index& i, const Index& o, const Index& k) {
      for (std::int64_t n = 0; n < x.shape[0]; ++n)
        for (std::int64_t m = 0; m < w.shape[0]; ++m) {
          const auto first = m / (w.shape[0] / op.group) * per_group;
          for (std::int64_t c = 0; c < per_group; ++c)
            out_.data[offset(out_.shape, join(n, m, o))] +=
                x.at(join(n, first + c, i)) * w.at(join(m, c, k));
        }
    });
    add_bias(2);
    apply(op.post);
  }

  void run(const ConvTranspose& op) {
    const auto x = in(0), w = in(1);
    const auto in_group = x.shape[1] / op.group;
    // The same taps with input and output exchanged.
    taps(op.window, out_.shape, x.shape, [&](const Index& o, const Index& i, const Index& k) {
      for (std::int64_t n = 0; n < x.shape[0]; ++n)
        for (std::int64_t c = 0; c < x.shape[1]; ++c)
          for (std::int64_t m = 0; m < w.shape[1]; ++m)
            out_.data[offset(out_.shape, join(n, c / in_group * w.shape[1] + m, o))] +=
                x.at(join(n, c, i)) * w.at(join(c, m, k));
    });
    add_bias(2);
  }

  void run(const Pool& op) {
    const auto x = in(0);
    if (op.kind != PoolKind::average) throw std::runtime_error("interpret: MaxPool");
    Doubles taken(out_.data.size(), 0.0);
    taps(op.window, x.shape, out_.shape, [&](const Index& i, const Index& o, const Index&) {
      for (std::int64_t n = 0; n < x.shape[0]; ++n)
        for (std::int64_t c = 0; c < x.shape[1]; ++c) {
          const auto at = offset(out_.shape, join(n, c, o));
          out_.data[at] += x.at(join(n, c, i));
          taken[at] += 1;
        }
    });
    for (std::size_t i = 0; i < taken.size(); ++i) out_.data[i] /= taken[i];
  }

  void run(const Gemm& op) {
    const auto a = in(0), b = in(1);
    const auto inner = a.shape[op.trans_a ? 0 : 1];
    fill([&](const Index& i) {
      double sum = 0;
      for (std::int64_t k = 0; k < inner; ++k)
        sum += a.at(op.trans_a ? Index{k, i[0]} : Index{i[0], k}) *
               b.at(op.trans_b ? Index{i[1], k} : Index{k, i[1]});
      return op.alpha * sum + (has(2) ? op.beta * in(2).broadcast_at(i) : 0);
    });
    apply(op.post);
  }

  void run(const MatMul& op) {
    const auto a = in(0), b = in(1);
    if (a.shape.size() < 2 || b.shape.size() < 2) throw std::runtime_error("interpret: vectors");
    fill([&](const Index& i) {
      double sum = 0;
      auto left = i, right = i;
      for (std::int64_t k = 0; k < a.shape.back(); ++k) {
        left.back() = k;
        right[right.size() - 2] = k;
        sum += a.broadcast_at(left) * b.broadcast_at(right);
      }
      return sum;
    });
    apply(op.post);
  }

  void run(const BatchNorm& op) {
    const auto x = in(0), scale = in(1), bias = in(2), mean = in(3), variance = in(4);
    fill([&](const Index& i) {
      const auto c = static_cast<std::size_t>(i[1]);
      return (x.at(i) - mean.data[c]) / std::sqrt(variance.data[c] + op.epsilon) * scale.data[c] +
             bias.data[c];
    });
    apply(op.post);
  }

  void run(const LayerNorm& op) {
    const auto x = in(0), scale = in(1);
    const auto inner = scale.data.size();
    for (std::size_t row = 0; row < x.data.size() / inner; ++row) {
      double mean = 0, variance = 0;
      for (std::size_t k = 0; k < inner; ++k) mean += x.data[row * inner + k];
      mean /= static_cast<double>(inner);
      for (std::size_t k = 0; k < inner; ++k)
        variance += std::pow(x.data[row * inner + k] - mean, 2);
      variance /= static_cast<double>(inner);
      for (std::size_t k = 0; k < inner; ++k)
        out_.data[row * inner + k] =
            (x.data[row * inner + k] - mean) / std::sqrt(variance + op.epsilon) * scale.data[k] +
            (has(2) ? in(2).data[k] : 0);
    }
  }

  void run(const Reduce& op) {
    if (op.kind != ReduceKind::mean && op.kind != ReduceKind::sum)
      throw std::runtime_error("interpret: " + std::string(name_of(op.kind)));
    const auto x = in(0);
    double positions = 1;
    for (const auto axis : *op.axes)
      positions *= static_cast<double>(x.shape[static_cast<std::size_t>(axis)]);
    each(x.shape, [&](const Index& i) {
      Index kept;
      for (std::size_t d = 0; d < i.size(); ++d) {
        const bool reduced = std::find(op.axes->begin(), op.axes->end(),
                                       static_cast<std::int64_t>(d)) != op.axes->end();
        if (!reduced)
          kept.push_back(i[d]);
        else if (op.keep_dims)
          kept.push_back(0);
      }
      out_.data[offset(out_.shape, kept)] +=
          x.at(i) / (op.kind == ReduceKind::mean ? positions : 1);
    });
  }

  void run(const Reshape&) { out_.data = in(0).data; }
  void run(const Cast&) { out_.data = in(0).data; }  // between floats: others hold no doubles

  void run(const Transpose& op) {
    const auto x = in(0);
    fill([&](const Index& i) {
      Index from(i.size());
      for (std::size_t d = 0; d < i.size(); ++d) from[static_cast<std::size_t>(op.perm[d])] = i[d];
      return x.at(from);
    });
  }

  void run(const Slice& op) {
    const auto x = in(0);
    fill([&](const Index& i) {
      auto from = i;
      for (std::size_t k = 0; k < op.axes->size(); ++k) {
        const auto d = static_cast<std::size_t>((*op.axes)[k]);
        from[d] = (*op.starts)[k] + i[d] * (*op.steps)[k];
      }
      return x.at(from);
    });
  }

  /// By one row of constant indices.
  void run(const Gather& op) {
    const auto x = in(0);
    const auto d = static_cast<std::size_t>(op.axis);
    const auto picked = graph_.value(node_.inputs[1]).constant->ints;
    fill([&](const Index& i) {
      auto from = i;
      from[d] = picked[static_cast<std::size_t>(i[d])];
      if (from[d] < 0) from[d] += x.shape[d];
      return x.at(from);
    });
  }

  void run(const Concat& op) {
    const auto d = static_cast<std::size_t>(op.axis);
    fill([&](const Index& i) {
      auto from = i;
      std::size_t k = 0;
      for (; from[d] >= in(k).shape[d]; ++k) from[d] -= in(k).shape[d];
      return in(k).at(from);
    });
  }

  void run(const Split& op) {
    const auto x = in(0);
    const auto d = static_cast<std::size_t>(op.axis);
    std::int64_t begin = 0;
    for (std::size_t k = 0; k < which_; ++k) begin += (*op.sizes)[k];
    fill([&](const Index& i) {
      auto from = i;
      from[d] += begin;
      return x.at(from);
    });
  }

  void run(const Pad& op) {
    const auto x = in(0);
    fill([&](const Index& i) {
      auto from = i;
      for (std::size_t d = 0; d < i.size(); ++d) {
        from[d] -= (*op.pads)[d];
        if (from[d] < 0 || from[d] >= x.shape[d]) return static_cast<double>(*op.value);
      }
      return x.at(from);
    });
  }

  const Graph& graph_;
  const Node& node_;
  const std::map<ValueId, Doubles>& values_;
  std::size_t which_;  ///< of the node's outputs
  Tensor64 out_;
};

}  // namespace

std::map<ValueId, Doubles> interpret(const Graph& graph, const std::map<ValueId, Doubles>& feeds) {
  auto values = feeds;
  for (std::size_t v = 0; v < graph.values().size(); ++v) {
    const ValueId id{static_cast<std::int32_t>(v)};
    const auto& constant = graph.value(id).constant;
    if (!constant || constant->type != DType::f32) continue;
    const auto floats = constant->floats();
    values[id].assign(floats.begin(), floats.end());
  }
  for (const auto& node : graph.nodes())
    if (!graph.value(node.outputs[0]).constant)
      for (std::size_t k = 0; k < node.outputs.size(); ++k)
        values[node.outputs[k]] = Run(graph, node, values, k).result();
  return values;
}

}  // namespace fovea::graph::test
