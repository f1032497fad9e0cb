#include "graph/query.hpp"
#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

/// What is cut out of a map shows where in its region a position is, not where in the picture.
TEST(DefaultLayer, IsNoRegions) {
  for (const std::int64_t count : {1, 2}) {
    Builder b;
    auto v = b.op("conv", Conv{}, {b.input("x", {1, 3, 8, 8}), b.weights("w", {3, 3, 1, 1})});
    v = b.unary("relu", UnaryKind::relu, v);
    std::vector<float> corners;
    for (std::int64_t i = 0; i < count; ++i) corners.insert(corners.end(), {1, 1, 6, 6});
    v = b.op("regions", RoiAlign{.rows = 4, .columns = 4},
             {v, b.floats("corners", {count, 4}, corners),
              b.ints("images", Ints(static_cast<std::size_t>(count)))});
    v = b.op("conv_2", Conv{}, {v, b.weights("w_2", {4, 3, 1, 1})});
    v = b.unary("relu_2", UnaryKind::relu, v);
    v = b.op("pool", Reduce{.spatial = true}, {v});
    v = b.op("flat", Reshape{ReshapeKind::flatten, {}, false}, {v});
    v = b.op("fc", Gemm{}, {v, b.weights("fc_w", {4, 5})});
    b.output(v);
    const auto found = find_default_layer(b.bound(), v);
    ASSERT_TRUE(found.value) << found.why;
    EXPECT_EQ(b.value(found.value).name, "relu");
  }
}

}  // namespace
}  // namespace fovea::graph::test
