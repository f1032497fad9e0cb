// Several targets' backward passes at once (PrepareOptions::targets_at_once).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support.hpp"

namespace fovea {
namespace {

using namespace api_test;

std::int64_t class_of(const Explanation& why) {
  return why.prediction ? why.prediction->class_index : -1;
}

ExplainerOptions options_for(const std::vector<Method>& methods, std::int64_t at_once,
                             std::int64_t batch) {
  ExplainerOptions out;
  out.prepare.methods = methods;
  out.compile.tuning = Tuning::off;
  out.compile.batch = batch;
  out.prepare.targets_at_once = at_once;
  return out;
}

/// Methods that read the gradient at every position, and others beside them.
const std::vector<Method> kMethods = {GradCam{}, HiResCam{}, GradCamPlusPlus{}, LayerCam{},
                                      GuidedGradCam{}};

class Together : public testing::TestWithParam<std::string> {};

TEST_P(Together, IsTheSameAsOneByOne) {
  const auto model = Model::load(GetParam() == "demo_fc" ? std::filesystem::path(FOVEA_SOURCE_DIR) /
                                                               "tools/demo/models/demo_fc.onnx"
                                                         : golden_model(GetParam()));
  // Seven targets: of four rows the last backward pass has some left over.
  std::vector<Target> targets = {Target::top1(),           Target::ranked(1),
                                 Target::class_index(2),   Target::class_index(0).counterfactual(),
                                 Target::difference(1, 0), Target::class_index(1).of_probability(),
                                 Target::class_index(1)};
  for (const std::int64_t batch : {1, 2})
    for (const std::int64_t at_once : {4, 5, 7, 8}) {
      SCOPED_TRACE(std::to_string(batch) + " images, " + std::to_string(at_once) + " at once");
      const Explainer single(model, options_for(kMethods, 1, batch));
      if (single.inputs()[0].shape[0] != batch) {
        ASSERT_NE(GetParam(), "demo_fc");
        continue;  // the file fixes it
      }
      const Explainer joined(model, options_for(kMethods, at_once, batch));
      const auto input = random_input(single, 7);
      auto one = single.forward(input), several = joined.forward(input);
      for (const auto& method : kMethods) {
        SCOPED_TRACE(method.name);
        const auto expected = one.explain(method, targets),
                   found = several.explain(method, targets);
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          expect_near(found[i].feature_map, expected[i].feature_map);
          EXPECT_EQ(class_of(found[i]), class_of(expected[i]));
          EXPECT_EQ(found[i].image, expected[i].image);
          EXPECT_EQ(found[i].score, expected[i].score);
        }
        // One target alone, and the next call after it.
        expect_near(several.explain(method, targets[4]).feature_map, expected[4].feature_map);
      }
      expect_near(several.class_maps(HiResCam{}, batch - 1), one.class_maps(HiResCam{}, batch - 1));
    }
}

INSTANTIATE_TEST_SUITE_P(Networks, Together,
                         testing::Values("demo_fc", "vgg", "vgg_adaptive", "lenet", "max_pooled",
                                         "pyramid", "vit_mean", "vit_registers", "swin", "volume"),
                         [](const auto& one) { return one.param; });

/// Which of a plan's backward steps took time.
std::vector<bool> ran_backward(const Explainer& explainer, const Method& method,
                               std::size_t targets) {
  const auto steps = explainer.steps();
  std::vector<double> spent(steps.size());
  auto run = explainer.forward(random_input(explainer, 3));
  CallOptions call;
  call.step_ms = spent;
  run.explain(method, std::vector<Target>(targets, Target::class_index(1)), {}, call);
  std::vector<bool> out(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) out[i] = steps[i].backward && spent[i] > 0;
  return out;
}

TEST(TargetsAtOnce, HaveAWalkOfTheirOwn) {
  const auto model = Model::load(golden_model("vgg"));
  for (const auto& method : {Method(HiResCam{}), Method(GradCam{}), Method(Saliency{})}) {
    SCOPED_TRACE(method.name);
    const Explainer single(model, options_for({method}, 1, 2)),
        joined(model, options_for({method}, 8, 2));
    const auto one = ran_backward(joined, method, 1), many = ran_backward(joined, method, 4);
    EXPECT_EQ(std::count(one.begin(), one.end(), true), std::count(many.begin(), many.end(), true));
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_FALSE(one[i] && many[i]) << i;
    const auto alone = ran_backward(single, method, 4);
    EXPECT_EQ(std::count(one.begin(), one.end(), true),
              std::count(alone.begin(), alone.end(), true));
  }
}

TEST(TargetsAtOnce, AreThoseThatAreKnown) {
  const auto model = Model::load(golden_model("vgg"));
  auto options = options_for({HiResCam{}}, 1, 1);
  options.prepare.targets_at_once.reset();
  const auto steps_for = [&](std::size_t targets) {
    options.prepare.targets.assign(targets, Target::class_index(1));
    return Explainer(model, options).steps().size();
  };
  const auto none = steps_for(0);
  EXPECT_EQ(steps_for(1), none);
  EXPECT_GT(steps_for(2), none);
  options.prepare.targets_at_once = 1;
  EXPECT_EQ(steps_for(2), none);
}

TEST(TargetsAtOnce, GiveWayWhereThereIsNoRoom) {
  const auto model = Model::load(golden_model("vgg"));
  auto options = options_for({HiResCam{}}, 1, 1);
  const Explainer single(model, options);
  // As little as an explanation of one takes, to some kilobytes.
  std::int64_t least = std::int64_t{1} << 30;
  for (auto step = least / 2; step >= 4096; step /= 2) {
    options.pool.memory_limit = least - step;
    try {
      const Explainer tight(model, options);
      tight.explain(random_input(tight, 3), HiResCam{}, Target::class_index(1));
      least -= step;
    } catch (const Error&) {
    }
  }
  options.pool.memory_limit = least;
  options.prepare.targets_at_once = 64;
  const Explainer tight(model, options);
  expect_near(
      tight.explain(random_input(tight, 3), HiResCam{}, Target::class_index(1)).feature_map,
      single.explain(random_input(single, 3), HiResCam{}, Target::class_index(1)).feature_map);
}

TEST(TargetsAtOnce, MustBeAtLeastOne) {
  EXPECT_EQ(code_of([] {
              const Explainer none(Model::load(golden_model("vgg")),
                                   options_for({GradCam{}}, 0, 1));
            }),
            ErrorCode::invalid_argument);
}

TEST(TargetsAtOnce, StopsWhenTold) {
  const Explainer joined(Model::load(golden_model("vgg")), options_for({HiResCam{}}, 4, 2));
  auto run = joined.forward(random_input(joined, 3));
  std::stop_source stop;
  stop.request_stop();
  CallOptions call;
  call.stop = stop.get_token();
  const std::vector<Target> targets(3, Target::class_index(1));
  EXPECT_EQ(code_of([&] { run.explain(HiResCam{}, targets, {}, call); }), ErrorCode::cancelled);
}

}  // namespace
}  // namespace fovea
