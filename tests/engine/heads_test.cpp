#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/parallel.hpp"
#include "engine/net.hpp"

/// The backward pass to a map's channel means, compared with the reference: the gradient at every
/// position, then its mean.
namespace fovea::engine_test {
namespace {

using engine::GradientReduce;
using graph::Ints;
using graph::Pool;
using graph::PoolKind;
using graph::ValueId;

/// A network from a feature map to its scores.
struct Head {
  std::string name;
  Shape map;  ///< without the images
  std::function<ValueId(Net&, ValueId map, std::int64_t images)> scores;
  std::vector<std::string> passed;  ///< operators that the shortest backward pass has no step for
  std::vector<std::string> with_steps;  ///< operators that it has one for
};

Pool pool(PoolKind kind, Ints kernel, Ints strides, Ints pads, bool count_include_pad = false,
          bool ceil_mode = false) {
  Pool op;
  op.kind = kind;
  op.window.kernel = std::move(kernel);
  op.window.strides = std::move(strides);
  op.window.pads_begin = op.window.pads_end = std::move(pads);
  op.count_include_pad = count_include_pad;
  op.ceil_mode = ceil_mode;
  return op;
}

/// pool -> flatten -> linear -> ReLU -> linear.
Head pooled(std::string name, Shape map, Pool op, std::int64_t positions, bool passes = true) {
  const auto width = map[0] * positions;
  const std::string type = op.kind == PoolKind::max ? "MaxPool" : "AveragePool";
  std::vector<std::string> passed = {"Reshape"}, with_steps = {"Gemm"};
  (passes ? passed : with_steps).push_back(type);
  return {std::move(name), std::move(map),
          [=](Net& net, ValueId x, std::int64_t) {
            const auto y = net.flatten(net.node(type, op, {x}));
            return net.linear(net.relu(net.linear(y, width, 23)), 23, 7);
          },
          passed, with_steps};
}

std::vector<Head> pooled_heads() {
  const auto max = PoolKind::max, average = PoolKind::average;
  return {
      pooled("max", {17, 6, 8}, pool(max, {2, 2}, {2, 2}, {0, 0}), 12),
      pooled("max_overlapping_padded", {16, 7, 6}, pool(max, {3, 3}, {2, 2}, {1, 1}), 12),
      pooled("max_ceil", {5, 7, 7}, pool(max, {2, 2}, {2, 2}, {0, 0}, false, true), 16),
      pooled("average", {16, 6, 6}, pool(average, {3, 3}, {3, 3}, {0, 0}), 4),
      pooled("average_of_everything", {16, 6, 6}, pool(average, {6, 6}, {1, 1}, {0, 0}), 1),
      pooled("average_padded_not_counted", {5, 6, 6}, pool(average, {3, 3}, {2, 2}, {1, 1}), 9),
      pooled("average_counting_no_padding", {16, 6, 6}, pool(average, {2, 2}, {2, 2}, {0, 0}, true),
             9),
      pooled("average_counting_padding", {5, 6, 6}, pool(average, {3, 3}, {2, 2}, {1, 1}, true), 9,
             false),
      pooled("average_ceil_counting", {5, 7, 7}, pool(average, {2, 2}, {2, 2}, {0, 0}, true, true),
             16),
      pooled("one_axis", {16, 12}, pool(max, {3}, {3}, {0}), 4),
      pooled("volume", {5, 4, 4, 6}, pool(average, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}), 12),
      pooled("volume_counting_padding", {5, 4, 4, 4},
             pool(average, {3, 3, 3}, {2, 2, 2}, {1, 0, 0}, true), 2, false),
  };
}

std::vector<Head> other_heads() {
  std::vector<Head> out;
  out.push_back(
      {"flatten",
       {16, 3, 5},
       [](Net& net, ValueId x, std::int64_t) { return net.linear(net.flatten(x), 240, 9, 0.5f); },
       {"Reshape"},
       {"Gemm"}});
  out.push_back({"dropouts_between",
                 {6, 3, 3},
                 [](Net& net, ValueId x, std::int64_t) {
                   const auto y = net.identity(net.flatten(net.identity(x)));
                   return net.linear(net.identity(net.relu(net.linear(y, 54, 20))), 20, 5);
                 },
                 {"Reshape", "Dropout"},
                 {"Gemm"}});
  out.push_back({"channels_last_flatten",
                 {6, 3, 5},
                 [](Net& net, ValueId x, std::int64_t) {
                   const auto y = net.flatten(net.transpose(x, {0, 2, 3, 1}));
                   return net.dense(net.relu(net.dense(y, 90, 300)), 300, 5);
                 },
                 {"Reshape", "Transpose"},
                 {"MatMul"}});
  out.push_back({"rows_of_one",
                 {6, 2, 2},
                 [](Net& net, ValueId x, std::int64_t) {
                   const auto y = net.reshape(x, {0, 1, -1});
                   return net.reshape(net.dense(y, 24, 5), {0, -1});
                 },
                 {},
                 {"MatMul"}});
  out.push_back({"weights_in_by_out",
                 {6, 2, 2},
                 [](Net& net, ValueId x, std::int64_t) {
                   return net.node("Gemm", graph::Gemm{},
                                   {net.flatten(x), net.weight({24, 11}), net.weight({11})});
                 },
                 {"Reshape"},
                 {"Gemm"}});
  out.push_back({"global_mean_then_two_layers",
                 {16, 4, 4},
                 [](Net& net, ValueId x, std::int64_t) {
                   const auto y = net.flatten(net.mean(x, {2, 3}));
                   return net.dense(net.relu(net.linear(y, 16, 20)), 20, 5);
                 },
                 {"Reduce", "Reshape"},
                 {"Gemm", "MatMul"}});
  out.push_back({"global_mean_without_extents",
                 {16, 4, 4},
                 [](Net& net, ValueId x, std::int64_t) {
                   return net.dense(net.mean(x, {2, 3}, false), 16, 5);
                 },
                 {"Reduce"},
                 {"MatMul"}});
  out.push_back({"global_max",
                 {16, 4, 4},
                 [](Net& net, ValueId x, std::int64_t) {
                   const auto y = net.reduce(graph::ReduceKind::max, x, {2, 3});
                   return net.linear(net.flatten(y), 16, 5);
                 },
                 {"Reduce", "Reshape"},
                 {"Gemm"}});
  out.push_back({"mean_of_rows",
                 {6, 4, 5},
                 [](Net& net, ValueId x, std::int64_t) {
                   return net.linear(net.flatten(net.mean(x, {2}, false)), 30, 5);
                 },
                 {"Reduce", "Reshape"},
                 {"Gemm"}});
  out.push_back({"sum_is_no_mean",
                 {6, 4, 5},
                 [](Net& net, ValueId x, std::int64_t) {
                   const auto y = net.reduce(graph::ReduceKind::sum, x, {2, 3}, false);
                   return net.linear(y, 6, 5);
                 },
                 {},
                 {"Reduce", "Gemm"}});
  out.push_back({"mean_over_channels",
                 {6, 4, 5},
                 [](Net& net, ValueId x, std::int64_t) {
                   return net.linear(net.flatten(net.mean(x, {1})), 20, 5);
                 },
                 {},
                 {"Reduce", "Gemm"}});
  out.push_back({"scores_are_means",
                 {16, 4, 4},
                 [](Net& net, ValueId x, std::int64_t) {
                   return net.flatten(net.mean(x, {2, 3}));
                 },
                 {"Reduce", "Reshape"},
                 {}});
  out.push_back({"relu_between",
                 {6, 4, 4},
                 [](Net& net, ValueId x, std::int64_t) {
                   return net.linear(net.flatten(net.relu(x)), 96, 5);
                 },
                 {},
                 {"Relu", "Gemm"}});
  out.push_back(
      {"relu_behind_the_pool",
       {6, 4, 4},
       [](Net& net, ValueId x, std::int64_t) {
         const auto y = net.node("MaxPool", pool(PoolKind::max, {2, 2}, {2, 2}, {0, 0}), {x});
         return net.linear(net.flatten(net.relu(y)), 24, 5);
       },
       {"MaxPool"},
       {"Relu", "Gemm"}});
  out.push_back(
      {"convolution_behind_the_pool",
       {16, 6, 6},
       [](Net& net, ValueId x, std::int64_t) {
         const auto y = net.node("MaxPool", pool(PoolKind::max, {2, 2}, {2, 2}, {0, 0}), {x});
         const auto z = net.relu(net.conv(y, 16, 16, 3, 1));
         return net.linear(net.mean(z, {2, 3}, false), 16, 5);
       },
       {"MaxPool"},
       {"Conv", "Gemm"}});
  out.push_back(
      {"two_ways",
       {6, 4, 4},
       [](Net& net, ValueId x, std::int64_t) {
         const auto y = net.node("MaxPool", pool(PoolKind::max, {2, 2}, {2, 2}, {0, 0}), {x});
         const auto a = net.linear(net.flatten(y), 24, 5);
         const auto b = net.dense(net.mean(x, {2, 3}, false), 6, 5);
         const auto z = net.relu(net.conv(y, 6, 5, 1, 0));
         return net.add(net.add(a, b), net.mean(z, {2, 3}, false));
       },
       {"MaxPool"},
       {"Gemm", "MatMul", "Conv"}});
  out.push_back({"one_way_of_two",
                 {6, 4, 4},
                 [](Net& net, ValueId x, std::int64_t) {
                   const auto y = net.add(x, net.conv(x, 6, 6, 3, 1));
                   return net.linear(net.flatten(y), 96, 5);
                 },
                 {},
                 {"Conv", "Gemm"}});
  out.push_back({"read_twice_by_one",
                 {6, 4, 4},
                 [](Net& net, ValueId x, std::int64_t) {
                   return net.linear(net.flatten(net.add(x, x)), 96, 5);
                 },
                 {},
                 {"Gemm"}});
  out.push_back({"channels_shuffled",
                 {6, 4, 4},
                 [](Net& net, ValueId x, std::int64_t) {
                   const auto y = net.reshape(x, {0, 2, 3, 4, 4});
                   return net.linear(net.flatten(net.transpose(y, {0, 2, 1, 3, 4})), 96, 5);
                 },
                 {},
                 {"Transpose", "Gemm"}});
  out.push_back({"positions_as_rows",
                 {6, 4, 4},
                 [](Net& net, ValueId x, std::int64_t) {
                   const auto y = net.reshape(net.transpose(x, {0, 2, 3, 1}), {0, 16, 6});
                   return net.mean(net.dense(y, 6, 5), {1}, false);
                 },
                 {},
                 {"MatMul", "Reduce"}});
  out.push_back({"weights_of_another_input",
                 {6, 2, 2},
                 [](Net& net, ValueId x, std::int64_t) {
                   return net.node("MatMul", graph::MatMul{}, {net.flatten(x), net.input({24, 5})});
                 },
                 {},
                 {"MatMul"}});
  return out;
}

const std::vector<Head>& heads() {
  static const std::vector<Head> all = [] {
    auto out = pooled_heads();
    const auto more = other_heads();
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }();
  return all;
}

struct Built {
  Net net;
  ValueId map, scores;
};

/// Behind a convolution and a ReLU, so that the map lies in oneDNN's layout.
Built build(const Head& head, std::int64_t images) {
  Built built;
  Shape shape = head.map;
  const auto channels = shape[0], rank = static_cast<std::int64_t>(shape.size()) - 1;
  shape[0] = 3;
  shape.insert(shape.begin(), images);
  const auto x = built.net.input(shape);
  built.map = built.net.relu(built.net.conv(x, 3, channels, 1, 0, static_cast<std::size_t>(rank)));
  built.scores = head.scores(built.net, built.map, images);
  built.net.finish(built.scores);
  return built;
}

std::shared_ptr<const engine::Plan> plan_of(const Built& built, GradientReduce reduce,
                                            bool optimize, Precision precision = Precision::f32) {
  engine::PlanSpec spec;
  spec.optimize = optimize;
  spec.precision = precision;
  spec.fetches = {built.scores};
  spec.maps = {built.map};
  spec.gradients = {{built.scores, built.map, reduce}};
  engine::WeightCache weights;
  return engine::Plan::build(built.net.graph, spec, weights);
}

/// Gradients from seeds that are zero but for a few scores of each image.
std::vector<float> run_backward(const engine::Plan& plan, const Built& built,
                                engine::ValueView* view) {
  auto workspace = plan.make_workspace();
  std::vector<std::vector<float>> data;
  for (const auto id : built.net.graph.inputs)
    data.push_back(random_floats(count_of(built.net.graph.value(id).shape), 77));
  const std::vector<std::span<const float>> feeds(data.begin(), data.end());
  plan.forward(workspace, feeds, {});
  const auto& scores = built.net.graph.value(built.scores).shape;
  auto seeds = random_floats(count_of(scores), 5);
  for (std::size_t i = 0; i < seeds.size(); ++i)
    if (i % 3 == 1) seeds[i] = 0;
  plan.backward(workspace, 0, seeds, {});
  const auto found = plan.gradient(workspace, 0);
  const auto floats = found.image_stride * found.shape[0];
  std::vector<float> out(found.data, found.data + floats);
  plan.backward(workspace, 0, seeds, {});
  EXPECT_TRUE(std::equal(out.begin(), out.end(), plan.gradient(workspace, 0).data));
  if (view != nullptr) *view = found;
  return out;
}

/// Channel means in double.
std::vector<double> means(const std::vector<float>& gradient, const engine::ValueView& view) {
  const auto channels = view.shape[1];
  const auto positions = count_of(view.shape) / view.shape[0] / channels;
  std::vector<double> out;
  for (std::int64_t n = 0; n < view.shape[0]; ++n)
    for (std::int64_t c = 0; c < channels; ++c) {
      double sum = 0;
      for (std::int64_t p = 0; p < positions; ++p)
        sum += gradient[static_cast<std::size_t>(n * view.image_stride +
                                                 (c / view.block * positions + p) * view.block +
                                                 c % view.block)];
      out.push_back(sum / static_cast<double>(positions));
    }
  return out;
}

std::vector<double> plain_means(const Built& built) {
  const auto plan = plan_of(built, GradientReduce::none, false);
  engine::ValueView view;
  const auto gradient = run_backward(*plan, built, &view);
  return means(gradient, view);
}

void expect_near(const std::vector<float>& got, const std::vector<double>& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  double largest = 0;
  for (const double v : want) largest = std::max(largest, std::abs(v));
  EXPECT_GT(largest, 0);
  for (std::size_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(got[i], want[i], tolerance * largest) << "element " << i;
}

class Heads : public testing::TestWithParam<std::size_t> {
 protected:
  const Head& head() const { return heads()[GetParam()]; }
};

TEST_P(Heads, MeansAreThoseOfThePlainWay) {
  for (const std::int64_t images : {1, 3, 6}) {
    const Built built = build(head(), images);
    const auto want = plain_means(built);
    for (const bool optimize : {true, false}) {
      const auto plan = plan_of(built, GradientReduce::spatial_mean, optimize);
      engine::ValueView view;
      const auto got = run_backward(*plan, built, &view);
      EXPECT_EQ(view.shape, (Shape{images, head().map[0]}));
      expect_near(got, want, 2e-6);
    }
  }
}

TEST_P(Heads, ThreadsChangeNothing) {
  const Built built = build(head(), 2);
  const auto plan = plan_of(built, GradientReduce::spatial_mean, true);
  const auto with = [&](int threads) {
    const base::ThreadScope scope(threads);
    return run_backward(*plan, built, nullptr);
  };
  // What oneDNN computes may be cut in other pieces.
  const auto one = with(1), three = with(3);
  double largest = 0;
  for (const float v : one) largest = std::max(largest, std::abs(static_cast<double>(v)));
  for (std::size_t i = 0; i < one.size(); ++i) ASSERT_NEAR(one[i], three[i], 2e-6 * largest);
}

TEST_P(Heads, TheShortestWayIsTaken) {
  const Built built = build(head(), 2);
  std::vector<std::string> steps;
  for (const auto& step : plan_of(built, GradientReduce::spatial_mean, true)->steps())
    if (step.backward) steps.push_back(step.op);
  const auto has = [&](const std::string& what) {
    return std::find(steps.begin(), steps.end(), what) != steps.end();
  };
  for (const auto& what : head().passed) EXPECT_FALSE(has(what)) << what;
  for (const auto& what : head().with_steps) EXPECT_TRUE(has(what)) << what;
}

TEST_P(Heads, InBf16TheMeansAreClose) {
  if (!engine::bf16_supported()) GTEST_SKIP() << "this CPU cannot compute in bf16";
  const Built built = build(head(), 2);
  const auto plan = plan_of(built, GradientReduce::spatial_mean, true, Precision::bf16);
  const auto plain = plan_of(built, GradientReduce::none, true, Precision::bf16);
  engine::ValueView view;
  const auto gradient = run_backward(*plain, built, &view);
  expect_near(run_backward(*plan, built, nullptr), means(gradient, view), 2e-2);
}

INSTANTIATE_TEST_SUITE_P(All, Heads, testing::Range<std::size_t>(0, heads().size()),
                         [](const auto& at) { return heads()[at.param].name; });

TEST(GradientMeans, NeedPositions) {
  Net net;
  const auto x = net.relu(net.input({5}));
  net.finish(net.relu(x));
  engine::PlanSpec spec;
  spec.fetches = net.graph.outputs;
  spec.gradients = {{net.graph.outputs[0], x, GradientReduce::spatial_mean}};
  engine::WeightCache weights;
  try {
    engine::Plan::build(net.graph, spec, weights);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

}  // namespace
}  // namespace fovea::engine_test
