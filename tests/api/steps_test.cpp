#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "api/support.hpp"

namespace fovea::api_test {
namespace {

std::int64_t flops(const std::vector<StepInfo>& steps, const std::string& op, bool backward) {
  std::int64_t out = 0;
  for (const auto& step : steps)
    if (step.op == op && step.backward == backward) out += step.flops;
  return out;
}

TEST(Steps, NameWhatRunsAndHowMuchItComputes) {
  // 3 x 32 x 32, 3x3 convolutions to 8, 12, 16 and 16 channels with a pool by 2 after the first,
  // the second and the last, fully connected to 20 and 6.
  const Explainer explainer(Model::load(golden_model("vgg")));
  const auto steps = explainer.steps();
  const std::int64_t images = explainer.inputs()[0].shape[0];
  const std::int64_t convolutions =
      images * 9 * (32 * 32 * 3 * 8 + 16 * 16 * 8 * 12 + 8 * 8 * (12 * 16 + 16 * 16));
  const std::int64_t head = images * (16 * 4 * 4 * 20 + 20 * 6);
  EXPECT_EQ(flops(steps, "Conv", false), 2 * convolutions);
  EXPECT_EQ(flops(steps, "Gemm", false), 2 * head);
  // The backward pass to the last feature map goes through the head alone, whose first layer's
  // weights are summed over the positions.
  EXPECT_EQ(flops(steps, "Gemm", true), 2 * images * (16 * 20 + 20 * 6));
  EXPECT_EQ(flops(steps, "Conv", true), 0);
  EXPECT_TRUE(std::is_partitioned(steps.begin(), steps.end(),
                                  [](const StepInfo& step) { return !step.backward; }));
  for (const auto& step : steps) {
    EXPECT_FALSE(step.op.empty());
    EXPECT_FALSE(step.implementation.empty()) << step.op;
    EXPECT_GT(step.bytes, 0) << step.op << ' ' << step.node;
    EXPECT_EQ(step.node.empty(), step.op == "fetch" || step.op == "gradient") << step.op;
  }
}

TEST(Steps, CountAGroupsOwnInputsOnly) {
  // 3 x 40 x 40: a 3x3 convolution to 8 channels with stride 2, inverted residuals 8 -> 8, 8 -> 12
  // with stride 2 and 12 -> 12, three times as wide inside, and a 1x1 convolution to 20.
  const Explainer explainer(Model::load(golden_model("mobilenet_v2")));
  const std::int64_t multiply_adds = 400 * 9 * 3 * 8 + 400 * (8 * 24 + 9 * 24 + 24 * 8) +
                                     (400 * 8 * 24 + 100 * 9 * 24 + 100 * 24 * 12) +
                                     100 * (12 * 36 + 9 * 36 + 36 * 12) + 100 * 12 * 20;
  const std::int64_t images = explainer.inputs()[0].shape[0];
  EXPECT_EQ(flops(explainer.steps(), "Conv", false), 2 * images * multiply_adds);
}

TEST(Steps, TimesOfTheStepsThatRanAreAdded) {
  const Explainer explainer(Model::load(golden_model("vgg")));
  const Tensor input = random_input(explainer, 1);
  const auto steps = explainer.steps();
  std::vector<double> ms(steps.size(), 0);
  CallOptions call;
  call.step_ms = ms;
  const auto start = std::chrono::steady_clock::now();
  fovea::Run run = explainer.forward(input, call);
  for (std::size_t i = 0; i < steps.size(); ++i)
    EXPECT_EQ(ms[i] > 0, !steps[i].backward) << steps[i].op << ' ' << i;
  run.explain(GradCam{}, Target::top1(), {}, call);
  const double wall =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  for (const double v : ms) EXPECT_GT(v, 0);
  EXPECT_LE(std::accumulate(ms.begin(), ms.end(), 0.), wall);
  const auto once = ms;
  explainer.explain(input, GradCam{}, Target::top1(), {}, call);
  for (std::size_t i = 0; i < steps.size(); ++i) EXPECT_GT(ms[i], once[i]);
}

TEST(Steps, AProfileOfAnotherLengthIsRefused) {
  const Explainer explainer(Model::load(golden_model("vgg")));
  const Tensor input = random_input(explainer, 1);
  std::vector<double> ms(explainer.steps().size() + 1, 0);
  CallOptions call;
  call.step_ms = ms;
  EXPECT_EQ(code_of([&] { explainer.forward(input, call); }), ErrorCode::invalid_argument);
  fovea::Run run = explainer.forward(input);
  EXPECT_EQ(code_of([&] { run.explain(GradCam{}, Target::top1(), {}, call); }),
            ErrorCode::invalid_argument);
  EXPECT_EQ(std::accumulate(ms.begin(), ms.end(), 0.), 0);
}

}  // namespace
}  // namespace fovea::api_test
