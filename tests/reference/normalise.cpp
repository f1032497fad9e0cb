#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "reference/parts.hpp"

namespace fovea::reference {
namespace {

/// Normalises the elements that share a key, then scales element i by parameter(i).
template <class Key, class Parameter>
Array normalise(const Arrays& in, double epsilon, Key&& key, Parameter&& parameter) {
  const Array& x = in[0];
  std::map<Index, std::vector<std::size_t>> groups;
  each(x.shape, [&](const Index& i) { groups[key(i)].push_back(x.offset(i)); });
  Array out(x.shape);
  for (const auto& [name, members] : groups) {
    double mean = 0, variance = 0;
    for (const auto m : members) mean += x.data[m] / static_cast<double>(members.size());
    for (const auto m : members)
      variance += (x.data[m] - mean) * (x.data[m] - mean) / static_cast<double>(members.size());
    for (const auto m : members) out.data[m] = (x.data[m] - mean) / std::sqrt(variance + epsilon);
  }
  each(x.shape, [&](const Index& i) {
    const auto p = parameter(i);
    out[i] = out[i] * in[1].data[p];
    if (in.size() > 2 && !in[2].data.empty()) out[i] += in[2].data[p];
  });
  return out;
}

}  // namespace

Array batch_norm(const graph::BatchNorm& op, const Arrays& in) {
  Array out(in[0].shape);
  each(out.shape, [&](const Index& i) {
    const auto c = static_cast<std::size_t>(i[1]);
    out[i] = (in[0][i] - in[3].data[c]) /
                 std::sqrt(in[4].data[c] + static_cast<double>(op.epsilon)) * in[1].data[c] +
             in[2].data[c];
  });
  return out;
}

Array layer_norm(const graph::LayerNorm& op, const Arrays& in) {
  const auto rank = static_cast<std::int64_t>(in[0].shape.size());
  const auto axis = op.axis < 0 ? op.axis + rank : op.axis;
  const Shape inner(in[0].shape.begin() + axis, in[0].shape.end());
  const Array place(inner);
  return normalise(
      in, op.epsilon, [&](const Index& i) { return Index(i.begin(), i.begin() + axis); },
      [&](const Index& i) { return place.offset(Index(i.begin() + axis, i.end())); });
}

Array instance_norm(const graph::InstanceNorm& op, const Arrays& in) {
  return normalise(
      in, op.epsilon,
      [](const Index& i) {
        return Index{i[0], i[1]};
      },
      [](const Index& i) { return static_cast<std::size_t>(i[1]); });
}

Array group_norm(const graph::GroupNorm& op, const Arrays& in) {
  const auto each_group = in[0].shape[1] / op.groups;
  const bool per_channel = in[1].shape[0] == in[0].shape[1];
  return normalise(
      in, op.epsilon,
      [&](const Index& i) {
        return Index{i[0], i[1] / each_group};
      },
      [&](const Index& i) {
        return static_cast<std::size_t>(per_channel ? i[1] : i[1] / each_group);
      });
}

Array lrn(const graph::Lrn& op, const Array& x) {
  Array out(x.shape);
  each(x.shape, [&](const Index& i) {
    double sum = 0;
    const auto before = (op.size - 1) / 2, after = op.size - 1 - before;
    for (auto c = i[1] - before; c <= i[1] + after; ++c) {
      if (c < 0 || c >= x.shape[1]) continue;
      Index at = i;
      at[1] = c;
      sum += x[at] * x[at];
    }
    out[i] = x[i] / std::pow(op.bias + op.alpha / static_cast<double>(op.size) * sum,
                             static_cast<double>(op.beta));
  });
  return out;
}

Array hardmax(const graph::Hardmax& op, const Array& x) {
  const auto axis = static_cast<std::size_t>(op.axis);
  Array out(x.shape);
  each(x.shape, [&](const Index& o) {
    // Of all that it is compared with, none is larger and none before it as large.
    bool best = true;
    each(x.shape, [&](const Index& other) {
      bool together = true;
      for (std::size_t d = 0; d < o.size(); ++d)
        together = together && (o[d] == other[d] || d == axis || (op.flatten && d > axis));
      if (together && (x[other] > x[o] || (x[other] == x[o] && other < o))) best = false;
    });
    out[o] = best ? 1 : 0;
  });
  return out;
}

Array softmax(const graph::Softmax& op, const Array& x) {
  const auto axis = static_cast<std::size_t>(op.axis);
  const auto key = [&](const Index& i) {
    Index out = i;
    out[axis] = 0;
    if (op.flatten) std::fill(out.begin() + op.axis, out.end(), 0);
    return out;
  };
  std::map<Index, double> sums;
  each(x.shape, [&](const Index& i) { sums[key(i)] += std::exp(x[i]); });
  Array out(x.shape);
  each(x.shape, [&](const Index& i) {
    out[i] = op.log ? x[i] - std::log(sums[key(i)]) : std::exp(x[i]) / sums[key(i)];
  });
  return out;
}

Array reduce(const graph::Reduce& op, const Array& x, const Shape& shape) {
  using K = graph::ReduceKind;
  std::map<Index, std::vector<double>> groups;
  each(x.shape, [&](const Index& i) {
    Index kept = i;
    for (const auto axis : *op.axes) kept[static_cast<std::size_t>(axis)] = 0;
    groups[kept].push_back(x[i]);
  });
  Array out(shape);
  std::size_t at = 0;
  for (const auto& [name, v] : groups) {  // ordered as the result is
    double sum = 0, squares = 0, absolute = 0, product = 1, exps = 0;
    for (const double e : v) {
      sum += e;
      squares += e * e;
      absolute += std::abs(e);
      product *= e;
      exps += std::exp(e);
    }
    const auto best = std::max_element(v.begin(), v.end());
    switch (op.kind) {
      case K::mean:
        out.data[at] = sum / static_cast<double>(v.size());
        break;
      case K::sum:
        out.data[at] = sum;
        break;
      case K::max:
        out.data[at] = *best;
        break;
      case K::min:
        out.data[at] = *std::min_element(v.begin(), v.end());
        break;
      case K::prod:
        out.data[at] = product;
        break;
      case K::l1:
        out.data[at] = absolute;
        break;
      case K::l2:
        out.data[at] = std::sqrt(squares);
        break;
      case K::sum_square:
        out.data[at] = squares;
        break;
      case K::log_sum_exp:
        out.data[at] = std::log(exps);
        break;
      case K::arg_max:
        out.data[at] = static_cast<double>(best - v.begin());
        break;
    }
    ++at;
  }
  return out;
}

}  // namespace fovea::reference
