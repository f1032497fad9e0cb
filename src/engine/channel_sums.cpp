#include "engine/channel_sums.hpp"

#include <algorithm>
#include <string>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"
#include "engine/ops/op.hpp"

namespace fovea::engine {

using Axis = SumLayout::Axis;
using Role = SumLayout::Role;

SumLayout SumLayout::of_map(const Shape& shape) {
  SumLayout layout;
  for (std::size_t i = 0; i < shape.size(); ++i)
    layout.axes.push_back({i == 0   ? Role::image
                           : i == 1 ? Role::channel
                                    : Role::position,
                           shape[i]});
  return layout;
}

bool SumLayout::is_map(const Shape& shape) const {
  if (shape.size() < 2) return false;
  const auto extents = per_extent(shape);
  if (!extents) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    for (const auto& axis : (*extents)[i])
      if (axis.role != (i == 0 ? Role::image : i == 1 ? Role::channel : Role::position))
        return false;
  return true;
}

std::optional<std::vector<std::vector<Axis>>> SumLayout::per_extent(const Shape& shape) const {
  std::vector<std::vector<Axis>> out(shape.size());
  auto next = axes.begin();
  const auto skip_ones = [&] {
    while (next != axes.end() && next->extent == 1) ++next;
  };
  for (std::size_t i = 0; i < shape.size(); ++i) {
    std::int64_t held = 1;
    while (held < shape[i]) {
      skip_ones();
      if (next == axes.end()) return std::nullopt;
      held *= next->extent;
      out[i].push_back(*next++);
    }
    if (held != shape[i]) return std::nullopt;
  }
  skip_ones();
  if (next != axes.end()) return std::nullopt;
  return out;
}

std::optional<std::vector<Axis>> summed_columns(const SumLayout& layout, const Shape& x_shape) {
  const auto extents = layout.per_extent(x_shape);
  if (!extents || extents->empty()) return std::nullopt;
  for (std::size_t i = 0; i < extents->size(); ++i) {
    const bool last = i + 1 == extents->size();
    for (const auto& axis : (*extents)[i])
      if ((axis.role == Role::image) == last) return std::nullopt;
  }
  return extents->back();
}

ChannelSumsPass plain_sums(graph::ValueId wrt) {
  return {{}, {}, {wrt}};
}

namespace {

class Climb {
 public:
  Climb(const graph::Graph& graph, const std::vector<std::vector<graph::NodeId>>& uses,
        graph::ValueId of, const std::vector<bool>& path)
      : graph_(graph), uses_(uses), of_(of), path_(path) {}

  /// How the sums of v's gradient are found; none where they cannot be.
  std::optional<ChannelSumsPass> sums_of(graph::ValueId v, SumLayout layout) {
    visits_.push_back({v, std::move(layout)});
    for (std::size_t i = 0; i < visits_.size(); ++i) go_on(i);
    // From the last value to the first: a value whose sums cannot be found spoils those below.
    for (std::size_t i = visits_.size(); i-- > 1;)
      if (!is_found(visits_[i])) visits_[visits_[i].below].is_through = false;
    if (!is_found(visits_[0])) return std::nullopt;
    return collected();
  }

 private:
  /// A value whose sums are asked for.
  struct Visit {
    graph::ValueId value;
    SumLayout layout;
    std::size_t below = 0;  ///< the visit that asked
    int by = -1;            ///< the node that passes its sums to that
    std::vector<std::size_t> above = {};
    std::vector<int> ends = {};  ///< nodes that make a part of the sums
    bool is_through = true;      ///< its readers tell its sums; else only its own gradient can
  };

  bool on_path(graph::ValueId v) const { return v && path_[static_cast<std::size_t>(v.index)]; }

  bool passes_gradient(graph::NodeId id) const {
    const auto& outputs = graph_.node(id).outputs;
    return std::any_of(outputs.begin(), outputs.end(), [&](auto v) { return on_path(v); });
  }

  bool is_found(const Visit& visit) const {
    return visit.is_through || visit.layout.is_map(graph_.value(visit.value).shape);
  }

  /// Asks the readers of the visit's value.
  void go_on(std::size_t i) {
    const auto v = visits_[i].value;
    bool all = v != of_;
    for (const auto reader : uses_[static_cast<std::size_t>(v.index)]) {
      if (!all) break;
      if (passes_gradient(reader)) all = through(reader, i);
    }
    visits_[i].is_through = all;
  }

  bool through(graph::NodeId id, std::size_t i) {
    const auto& node = graph_.node(id);
    if (node.outputs.size() != 1 || node.inputs[0] != visits_[i].value) return false;
    for (std::size_t k = 1; k < node.inputs.size(); ++k)
      if (on_path(node.inputs[k])) return false;
    const SumQuery query{graph_, node, visits_[i].layout};
    auto offer = sum_offer(query);
    switch (offer.kind) {
      case SumOffer::Kind::passes:
        visits_[i].above.push_back(visits_.size());
        visits_.push_back({node.outputs[0], std::move(offer.out), i, id.index});
        return true;
      case SumOffer::Kind::ends:
        visits_[i].ends.push_back(id.index);
        return true;
      default:
        return false;
    }
  }

  ChannelSumsPass collected() const {
    ChannelSumsPass sums;
    std::vector<std::size_t> open{0};
    while (!open.empty()) {
      const auto& visit = visits_[open.back()];
      open.pop_back();
      if (visit.by >= 0) sums.passed.insert(visit.by);
      if (!visit.is_through) {
        sums.maps.push_back(visit.value);
        continue;
      }
      for (const auto id : visit.ends) sums.ends[id] = visit.layout;
      open.insert(open.end(), visit.above.rbegin(), visit.above.rend());
    }
    return sums;
  }

  const graph::Graph& graph_;
  const std::vector<std::vector<graph::NodeId>>& uses_;
  graph::ValueId of_;
  const std::vector<bool>& path_;
  std::vector<Visit> visits_;  ///< each behind the one that asked
};

std::int64_t product(const std::vector<Axis>& axes, Role role) {
  std::int64_t n = 1;
  for (const auto& axis : axes)
    if (axis.role == role) n *= axis.extent;
  return n;
}

}  // namespace

ChannelSumsPass plan_sums(const graph::Graph& graph,
                          const std::vector<std::vector<graph::NodeId>>& uses, graph::ValueId wrt,
                          graph::ValueId of, const std::vector<bool>& path) {
  const Shape& shape = graph.value(wrt).shape;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return plain_sums(wrt);
  auto sums = Climb(graph, uses, of, path).sums_of(wrt, SumLayout::of_map(shape));
  return sums ? std::move(*sums) : plain_sums(wrt);
}

Operand sum_positions(Builder& b, const Operand& gradient, const Shape& shape, float scale) {
  Operand src = b.f32(gradient);
  auto view = map_view(src.desc);
  if (!view) {
    src = b.plain(src);
    view.emplace();
    view->layout = {shape[1], 1, 1};
    for (std::size_t i = 2; i < shape.size(); ++i) view->layout.positions *= shape[i];
    view->images = shape[0];
    view->image_stride = shape[1] * view->layout.positions;
  }
  const Operand dst = b.make(plain_desc({shape[0], shape[1]}));
  if (view->layout.positions == 0) {
    b.kernel([n = shape[0] * shape[1]](Pointers p) { std::fill_n(floats(p, 0), n, 0.f); }, {},
             {dst});
    return dst;
  }
  b.kernel(
      [v = *view, factor = scale * static_cast<float>(view->layout.positions)](Pointers p) {
        over_channels(v, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
          float* y = floats(p, 1) + n * v.layout.channels;
          simd::kernels().channel_mean(floats(p, 0) + n * v.image_stride, v.layout, begin, end, y);
          for (auto c = begin; c < end; ++c) y[c] *= factor;
        });
      },
      {src}, {dst});
  return dst;
}

Operand mean_on_grid(Builder& b, const Operand& src, const Shape& shape, const graph::Grid& grid) {
  const auto images = shape[0], channels = shape.back();
  const simd::MapLayout layout{channels, base::element_count(grid.extents), channels};
  const auto stride = images == 0 ? 0 : base::element_count(shape) / images;
  const Operand dst = b.make(plain_desc({images, channels}));
  b.kernel(
      [=, before = grid.prefix * channels](Pointers p) {
        base::parallel_for(images, 1, [=](std::int64_t begin, std::int64_t end) {
          for (auto n = begin; n < end; ++n)
            simd::kernels().channel_mean(floats(p, 0) + n * stride + before, layout, 0, channels,
                                         floats(p, 1) + n * channels);
        });
      },
      {src}, {dst});
  return dst;
}

namespace {

/// Positions that lie next to each other at the end of the summed axis.
std::int64_t run_of(const std::vector<Axis>& columns) {
  std::int64_t run = 1;
  for (std::size_t i = columns.size(); i-- > 0 && columns[i].role == Role::position;)
    run *= columns[i].extent;
  return run;
}

/// Which channel each run of the summed axis belongs to.
std::vector<std::int32_t> channels_of(std::vector<Axis> columns) {
  while (!columns.empty() && columns.back().role == Role::position) columns.pop_back();
  std::vector<std::int32_t> out(1, 0);
  for (const auto& axis : columns) {
    std::vector<std::int32_t> finer;
    finer.reserve(out.size() * static_cast<std::size_t>(axis.extent));
    const auto extent = static_cast<std::int32_t>(axis.extent);
    for (const auto channel : out)
      for (std::int32_t i = 0; i < extent; ++i)
        finer.push_back(axis.role == Role::channel ? channel * extent + i : channel);
    out = std::move(finer);
  }
  return out;
}

/// "c512 p49": the order of the axes, neighbouring positions taken as one.
std::string name_of(const std::vector<Axis>& columns) {
  std::string name;
  std::int64_t positions = 1;
  const auto flush = [&] {
    if (positions != 1) name += " p" + std::to_string(positions);
    positions = 1;
  };
  for (const auto& axis : columns) {
    if (axis.role == Role::position) {
      positions *= axis.extent;
      continue;
    }
    flush();
    name += " c" + std::to_string(axis.extent);
  }
  flush();
  return name;
}

double sum_of_run(const float* w, std::int64_t n) {
  double a = 0, b = 0, c = 0, d = 0;
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    a += w[i];
    b += w[i + 1];
    c += w[i + 2];
    d += w[i + 3];
  }
  for (; i < n; ++i) a += w[i];
  return (a + b) + (c + d);
}

/// Outputs whose sums are held in double at a time, where the outputs are the weights' last axis.
constexpr std::int64_t kOutputs = 256;

}  // namespace

Operand channel_summed_weights(Builder& b, graph::ValueId weights, const std::vector<Axis>& columns,
                               bool outputs_first, std::span<const float> transposed) {
  const auto channels = product(columns, Role::channel);
  const auto width = channels * product(columns, Role::position);
  const Shape& shape = b.graph().value(weights).shape;
  const auto outputs = shape[outputs_first ? 0 : 1];
  outputs_first = outputs_first && transposed.empty();
  const auto sum = [&](std::span<const float> source) {
    const float* w = source.data();
    std::vector<float> sums(static_cast<std::size_t>(outputs * channels));
    float* dst = sums.data();
    const auto channel = channels_of(columns);
    const auto run = run_of(columns);
    const auto units = outputs_first ? outputs : (outputs + kOutputs - 1) / kOutputs;
    base::parallel_for(units, 1, [&](std::int64_t begin, std::int64_t end) {
      if (outputs_first) {
        std::vector<double> row(static_cast<std::size_t>(channels));
        for (auto o = begin; o < end; ++o) {
          std::fill(row.begin(), row.end(), 0.0);
          const float* from = w + o * width;
          for (std::size_t i = 0; i < channel.size(); ++i, from += run)
            row[static_cast<std::size_t>(channel[i])] += sum_of_run(from, run);
          for (std::int64_t c = 0; c < channels; ++c)
            dst[o * channels + c] = static_cast<float>(row[static_cast<std::size_t>(c)]);
        }
        return;
      }
      std::vector<double> block(static_cast<std::size_t>(channels * kOutputs));
      for (auto unit = begin; unit < end; ++unit) {
        const auto first = unit * kOutputs, count = std::min(kOutputs, outputs - first);
        std::fill(block.begin(), block.end(), 0.0);
        for (std::int64_t k = 0; k < width; ++k) {
          double* to = block.data() + channel[static_cast<std::size_t>(k / run)] * kOutputs;
          const float* from = w + k * outputs + first;
          for (std::int64_t o = 0; o < count; ++o) to[o] += from[o];
        }
        for (std::int64_t o = 0; o < count; ++o)
          for (std::int64_t c = 0; c < channels; ++c)
            dst[(first + o) * channels + c] =
                static_cast<float>(block[static_cast<std::size_t>(c * kOutputs + o)]);
      }
    });
    return sums;
  };
  const Desc desc = plain_desc({outputs, channels});
  return b.derived_weight(weights, desc, desc,
                          "channel sums" + name_of(columns) + (outputs_first ? " first" : " last"),
                          sum, transposed);
}

}  // namespace fovea::engine
