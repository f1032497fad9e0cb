// The layer for a target that is one place of its value.
#include "graph/query.hpp"
#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

struct Net : Builder {
  ValueId conv(const std::string& name, ValueId x, std::int64_t in, std::int64_t filters,
               std::int64_t kernel = 3, std::int64_t stride = 1) {
    const auto pad = kernel / 2;
    return op(name,
              Conv{.window = {.strides = {stride, stride},
                              .pads_begin = {pad, pad},
                              .pads_end = {pad, pad}}},
              {x, weights(name + "/w", {filters, in, kernel, kernel})});
  }
  ValueId larger(const std::string& name, ValueId x, float times) {
    return op(name, Resize{.scales = std::vector<float>{1, 1, times, times}}, {x});
  }
  std::string layer(ValueId of, const Shape& place) {
    output(of);
    const auto found = find_local_layer(bound(), of, place);
    return found.value ? value(found.value).name : "none: " + found.why;
  }
};

/// Two levels of cells, each with two towers whose results are joined per cell.
ValueId detector(Net& n) {
  const auto x = n.input("x", {1, 3, 16, 16});
  const auto fine = n.conv("fine", x, 3, 4, 3, 2);         // 8 x 8
  const auto coarse = n.conv("coarse", fine, 4, 4, 3, 2);  // 4 x 4
  std::vector<ValueId> rows;
  for (const auto& [level, from, cells] :
       {std::tuple("f", fine, 64), std::tuple("c", coarse, 16)}) {
    const std::string name = level;
    const auto stem = n.conv(name + "_stem", from, 4, 4, 1);
    const auto classes =
        n.conv(name + "_classes", n.conv(name + "_class_tower", stem, 4, 4), 4, 3, 1);
    const auto boxes = n.conv(name + "_boxes", n.conv(name + "_box_tower", stem, 4, 4), 4, 4, 1);
    const auto both = n.op(name + "_both", Concat{1}, {boxes, classes});
    const auto flat =
        n.op(name + "_flat", Reshape{}, {both, n.ints(name + "_shape", {1, 7, cells})});
    rows.push_back(flat);
  }
  const auto all = n.op("all", Concat{2}, rows);
  return n.op("rows", Transpose{{0, 2, 1}}, {all});
}

TEST(LocalLayer, IsWhatTheTowersOfTheRowsLevelRead) {
  Net fine, coarse;
  EXPECT_EQ(fine.layer(detector(fine), {0, 5, 5}), "f_stem");
  EXPECT_EQ(coarse.layer(detector(coarse), {0, 70, 5}), "c_stem");
}

/// A U: two steps down, two up, with what was there at the same height.
TEST(LocalLayer, IsTheBottleneckOfASegmenter) {
  Net n;
  const auto x = n.input("x", {1, 3, 16, 16});
  const auto a = n.conv("a", x, 3, 4);
  const auto b = n.conv("b", a, 4, 4, 3, 2);
  const auto c = n.conv("c1", b, 4, 4, 3, 2);
  const auto bottom = n.conv("c2", c, 4, 4);
  const auto up_b = n.op("join_b", Concat{1}, {n.larger("up_b", bottom, 2), b});
  const auto d = n.conv("d", up_b, 8, 4);
  const auto up_a = n.op("join_a", Concat{1}, {n.larger("up_a", d, 2), a});
  const auto scores = n.conv("scores", up_a, 8, 2, 1);
  EXPECT_EQ(n.layer(scores, {0, 1, 3, 3}), "c2");
}

/// What a large pool leaves is no map made coarser.
TEST(LocalLayer, IsNoBranchOfAPyramid) {
  Net n;
  const auto x = n.input("x", {1, 3, 32, 32});
  const auto map = n.conv("map", n.conv("half", x, 3, 4, 3, 2), 4, 4);  // 16 x 16
  const auto pooled =
      n.op("pooled",
           Pool{.kind = PoolKind::average, .window = {.kernel = {8, 8}, .strides = {8, 8}}}, {map});
  const auto branch = n.larger("wide", n.conv("branch", pooled, 4, 4), 8);
  const auto joined = n.conv("joined", n.op("join", Concat{1}, {map, branch}), 8, 4);
  const auto scores = n.larger("scores", n.conv("classes", joined, 4, 2, 1), 2);
  const auto layer = n.layer(scores, {0, 1, 20, 20});
  EXPECT_TRUE(layer == "joined" || layer == "classes") << layer;
}

/// A recogniser of lines: rows are pooled away before the steps.
TEST(LocalLayer, IsHigherThanOne) {
  Net n;
  const auto x = n.input("x", {1, 3, 8, 40});
  const auto map = n.conv("map", x, 3, 6, 3, 2);  // 4 x 20
  const auto line = n.op("line", Pool{.window = {.kernel = {4, 1}, .strides = {4, 1}}}, {map});
  const auto steps = n.op("steps", Reshape{}, {line, n.ints("shape", {1, 6, 20})});
  EXPECT_EQ(n.layer(n.op("scores", Transpose{{0, 2, 1}}, {steps}), {0, 7, 2}), "map");
}

TEST(LocalLayer, OfAVectorIsNone) {
  Net n;
  const auto x = n.input("x", {1, 3, 8, 8});
  const auto scores = n.op("scores", Reduce{.spatial = true}, {n.conv("map", x, 3, 4)});
  EXPECT_EQ(n.layer(scores, {0, 1, 0, 0}).substr(0, 4), "none");
}

}  // namespace
}  // namespace fovea::graph::test
