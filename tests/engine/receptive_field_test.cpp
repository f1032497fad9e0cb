#include "graph/query/receptive_field.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "engine/op_graph.hpp"
#include "graph/ops.hpp"

/// What an operator says that an element of its result depends on, against what changing a slice of
/// its operands changes.
namespace fovea::engine_test {
namespace {

using reference::Array;

Shape place_of(const Shape& shape, std::size_t element) {
  Shape out(shape.size());
  auto rest = static_cast<std::int64_t>(element);
  for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) out[d] = rest % shape[d];
  return out;
}

/// Some two dozen of them, the first and the last with them.
std::vector<std::size_t> sampled(const std::set<std::size_t>& all) {
  std::vector<std::size_t> out(all.begin(), all.end());
  const std::size_t step = 1 + out.size() / 24;
  for (std::size_t k = 0; k * step < out.size(); ++k) out[k] = out[k * step];
  if (out.empty()) return out;
  out.resize((out.size() - 1) / step + 1);
  out.push_back(*all.rbegin());
  return out;
}

/// Elements of each result that change with the slice `index` of the argument's axis.
std::vector<std::set<std::size_t>> changed(Bench& bench, graph::ValueId argument, std::size_t axis,
                                           std::int64_t index, const std::vector<Array>& before) {
  std::vector<std::set<std::size_t>> out(before.size());
  // Maxima and minima only change when something goes above or below them.
  const std::vector<std::pair<double, double>> scale_and_offset{{-0.7, 0.3}, {1, 5}, {1, -5}};
  for (const auto& [scale, offset] : scale_and_offset) {
    auto& array = bench.arrays.at(argument.index);
    const auto kept = array;
    for (std::size_t e = 0; e < array.data.size(); ++e)
      if (place_of(array.shape, e)[axis] == index) array.data[e] = scale * array.data[e] + offset;
    const auto after = expected(bench);
    array = kept;
    for (std::size_t r = 0; r < before.size(); ++r)
      for (std::size_t e = 0; e < before[r].data.size(); ++e)
        if (before[r].data[e] != after[r].data[e]) out[r].insert(e);
  }
  return out;
}

TEST(ReceptiveField, HoldsWhateverAnOperatorsResultDependsOn) {
  std::set<std::string> narrower, all;
  for (const auto& one : cases()) {
    auto bench = build_bench(one, false);
    const auto& node = bench.graph.node(bench.graph.value(bench.results[0]).producer);
    const auto before = expected(bench);
    all.insert(std::string(graph::name_of(node.op)));
    for (std::size_t i = 0; i < bench.arguments.size(); ++i) {
      const auto argument = bench.arguments[i];
      if (!argument || bench.graph.value(argument).type != graph::DType::f32) continue;
      const auto& shape = bench.graph.value(argument).shape;
      for (std::size_t axis = 0; axis < shape.size(); ++axis)
        for (const auto index : std::set{std::int64_t{0}, shape[axis] / 3, shape[axis] - 1}) {
          const auto now = changed(bench, argument, axis, index, before);
          for (std::size_t r = 0; r < now.size(); ++r)
            for (const auto e : sampled(now[r])) {
              const auto part = graph::part_read(bench.graph, node, i, r,
                                                 graph::element(place_of(before[r].shape, e)));
              ASSERT_TRUE(part) << one.name << " input " << i << " element " << e;
              ASSERT_EQ(part->size(), shape.size()) << one.name;
              ASSERT_TRUE((*part)[axis].begin <= index && index < (*part)[axis].end)
                  << one.name << " input " << i << " axis " << axis << ": element " << e
                  << " of result " << r << " depends on " << index << ", not in ["
                  << (*part)[axis].begin << ", " << (*part)[axis].end << ")";
            }
        }
      for (std::size_t r = 0; r < before.size(); ++r)
        if (const auto e = before[r].data.size() / 2;
            e > 0 &&
            graph::part_read(bench.graph, node, i, r,
                             graph::element(place_of(before[r].shape, e))) != graph::whole(shape))
          narrower.insert(std::string(graph::name_of(node.op)));
    }
  }
  // It would hold of whoever says "all of it".
  EXPECT_GT(2 * narrower.size(), all.size()) << testing::PrintToString(narrower);
}

}  // namespace
}  // namespace fovea::engine_test
