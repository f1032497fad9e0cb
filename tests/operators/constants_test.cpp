#include <gtest/gtest.h>

#include "operators/case_models.hpp"
#include "operators/run_graph.hpp"

/// What is computed of constants alone is never why a model is refused.
namespace fovea::test {
namespace {

/// The case, whose result then decides nothing of a shape that depends on it: as an extent it is
/// multiplied by 0.
ModelBuilder deciding_a_shape(const nlohmann::json& one) {
  auto model = build(one, false).model;
  model.input("image", {2, 3});
  model.initializer("flat", {1}, Ints{-1}).initializer("zero", {1}, Ints{0});
  model.initializer("three", {1}, Ints{3});
  model.add("Cast", {"y"}, {"flags"}, {attr("to", kBool)});
  model.add("Cast", {"flags"}, {"bits"}, {attr("to", kInt64)});
  model.add("Reshape", {"bits", "flat"}, {"row"});
  model.add("ReduceSum", {"row"}, {"sum"}, {attr("keepdims", 1)});
  model.add("Mul", {"sum", "zero"}, {"nothing"});
  model.add("Add", {"nothing", "three"}, {"extent"});
  model.add("Concat", {"extent", "flat"}, {"shape"}, {attr("axis", 0)});
  model.add("Reshape", {"image", "shape"}, {"turned"});
  model.output("turned");
  return model;
}

TEST(Constants, AnyOperatorOfThemMayDecideAShape) {
  int needed = 0, checked = 0;
  for (const auto& one : cases()) {
    const auto op = one["op"].get<std::string>();
    SCOPED_TRACE(name_of(one));
    auto graph = import(deciding_a_shape(one)).graph;
    auto plain = graph;
    try {
      graph::bind(plain, {}, 1);
    } catch (const Error& error) {
      // Binding alone knows some; what it says of the others is that they are not constant.
      EXPECT_EQ(to_string(error.code()), to_string(ErrorCode::unsupported)) << error.what();
      ++needed;
    }
    ASSERT_NO_THROW(graph::bind(graph, {}, 1, {}, engine::compute_node));
    EXPECT_EQ(graph.value(graph.find_value("turned")).shape, (Shape{3, 2}));
    ++checked;
  }
  EXPECT_GT(checked, 1500);
  EXPECT_GT(needed, 500);
}

/// Larger than what binding computes of itself.
TEST(Constants, AMaskOfAnySizeSaysWhichElementsAreTaken) {
  constexpr std::int64_t kCount = 300 * 300;
  ModelBuilder model(21, 10);
  model.input("x", {kCount});
  model.initializer("first", {}, Ints{0}).initializer("step", {}, Ints{1});
  model.initializer("count", {}, Ints{kCount}).initializer("seven", {}, Ints{7});
  model.initializer("flat", {1}, Ints{-1});
  model.add("Range", {"first", "count", "step"}, {"places"});
  model.add("Mod", {"places", "seven"}, {"rest"});
  model.add("Equal", {"rest", "first"}, {"mask"});
  model.add("NonZero", {"mask"}, {"found"});
  model.add("Reshape", {"found", "flat"}, {"taken"});
  model.add("Gather", {"x", "taken"}, {"y"});
  model.output("y");
  std::vector<float> x;
  for (std::int64_t i = 0; i < kCount; ++i) x.push_back(static_cast<float>(i % 1000));
  const auto got = first_output(import(model).graph, {x});
  ASSERT_EQ(got.size(), static_cast<std::size_t>((kCount + 6) / 7));
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], x[7 * i]) << i;
}

/// As ONNX's reference: zeros, and what is added to them.
TEST(Constants, AProductOverNothingIsZero) {
  for (const bool computed : {false, true}) {
    ModelBuilder model(21, 10);
    model.input("x", {2, 3});
    model.initializer("none", {1}, Ints{3}).initializer("one", {1}, Ints{1});
    model.initializer("bias", {4}, Floats{1, 2, 3, 4});
    model.initializer("nothing", {0, 4}, Floats{});
    model.add("Slice", {"x", "none", "none", "one"}, {"empty"});  // [2, 0]
    if (computed) {
      model.initializer("rows", {1}, Ints{0});
      model.add("Slice", {"x", "none", "none", "rows"}, {"no_rows"});  // [0, 3]
      model.initializer("wide", {3, 4}, Floats(12, 1));
      model.add("MatMul", {"no_rows", "wide"}, {"right"});  // [0, 4]
    } else {
      model.add("Identity", {"nothing"}, {"right"});
    }
    model.add("MatMul", {"empty", "right"}, {"zeros"});
    model.add("Gemm", {"empty", "right", "bias"}, {"biased"}, {attr("beta", 2.F)});
    model.add("Concat", {"zeros", "biased"}, {"y"}, {attr("axis", 1)});
    model.output("y");
    EXPECT_EQ(first_output(import(model).graph, {{1, 2, 3, 4, 5, 6}}),
              (std::vector<float>{0, 0, 0, 0, 2, 4, 6, 8, 0, 0, 0, 0, 2, 4, 6, 8}));
  }
}

constexpr std::int64_t kCount = 17'000'000;  // beyond 2^24

/// Floats are kept; a run would need as much memory.
TEST(Constants, LargeFloatsAreComputedOnce) {
  ModelBuilder model(21, 10);
  model.input("x", {1});
  model.initializer("start", {}, Floats{1}).initializer("step", {}, Floats{0.5});
  model.initializer("limit", {}, Floats{1 + 0.5f * kCount});
  model.initializer("count", {1}, Ints{kCount});
  model.add("Range", {"start", "limit", "step"}, {"places"});
  model.add("ConstantOfShape", {"count"}, {"twos"}, {attr("value", tensor("", {1}, Floats{2}))});
  model.add("Add", {"places", "twos"}, {"both"});
  model.add("Mul", {"both", "x"}, {"scaled"});
  model.initializer("some", {3}, Ints{0, 5, -1});
  model.add("Gather", {"scaled", "some"}, {"y"});
  model.output("y");
  auto graph = import(model).graph;
  graph::bind(graph, {}, 1);
  engine::fold_constants(graph);
  EXPECT_TRUE(graph.value(graph.find_value("both")).constant.has_value());
  EXPECT_FALSE(graph.value(graph.find_value("twos")).constant.has_value()) << "nobody reads it";
  const auto got = first_output(import(model).graph, {{2}});
  const float last = static_cast<float>(1 + 0.5 * (kCount - 1));
  EXPECT_EQ(got, (std::vector<float>{6, 11, 2 * (last + 2)}));
}

/// What is too large to be kept is made by the run.
TEST(Constants, LargeIntegersAreMadeByTheRun) {
  ModelBuilder model(21, 10);
  model.input("x", {1});
  model.initializer("count", {1}, Ints{kCount});
  auto two = test::tensor("", {1}, Ints{2});
  model.add("ConstantOfShape", {"count"}, {"twos"}, {attr("value", two)});
  model.add("Cast", {"x"}, {"n"}, {attr("to", kInt64)});
  model.add("Mul", {"twos", "n"}, {"scaled"});
  model.initializer("some", {3}, Ints{0, 5, -1});
  model.add("Gather", {"scaled", "some"}, {"picked"});
  model.add("Cast", {"picked"}, {"y"}, {attr("to", kFloat)});
  model.output("y");
  auto graph = import(model).graph;
  graph::bind(graph, {}, 1);
  engine::fold_constants(graph);
  EXPECT_FALSE(graph.value(graph.find_value("twos")).constant.has_value());
  EXPECT_EQ(first_output(import(model).graph, {{3}}), (std::vector<float>{6, 6, 6}));
}

TEST(Constants, AShapeThatThePictureDecidesIsRefused) {
  ModelBuilder model(21, 10);
  model.input("x", {2});
  model.add("Cast", {"x"}, {"shape"}, {attr("to", kInt64)});
  model.add("Reshape", {"x", "shape"}, {"y"});
  model.output("y");
  auto graph = import(model).graph;
  try {
    graph::bind(graph, {}, 1, {}, engine::compute_node);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(std::string(error.what()).find("is not constant"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace fovea::test
