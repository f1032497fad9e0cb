#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <random>
#include <thread>

#include "api/support.hpp"

/// Explainers that are given up while they are made.
namespace fovea::api_test {
namespace {

using Clock = std::chrono::steady_clock;

/// Methods that between them need everything that is prepared: backward passes, several at once,
/// heads, windows, variants, images to compare with.
ExplainerOptions everything() {
  ExplainerOptions options;
  options.compile.input_shapes["input"] = {1, 3, 48, 48};
  options.prepare.methods = {GradCam{},  Occlusion{}, Rise{}, ReciproCam{},
                             DeepLift{}, FullGrad{},  Lrp{}};
  options.prepare.targets_at_once = 4;
  options.prepare.perturbation_batch = 3;
  options.prepare.smoothing = true;
  options.compile.tuning = Tuning::off;
  return options;
}

std::vector<float> maps_of(const Explainer& explainer, const std::vector<Method>& methods) {
  const Tensor input = random_input(explainer, 5);
  std::vector<float> out;
  for (const auto& method : methods) {
    const auto map = explainer.explain(input, method, Target::class_index(1)).feature_map;
    out.insert(out.end(), map.data.begin(), map.data.end());
  }
  return out;
}

/// Makes an explainer and stops after so long; none where it was made first.
std::optional<ErrorCode> given_up(const Model& model, const ExplainerOptions& options,
                                  std::chrono::nanoseconds after, bool by_deadline) {
  std::stop_source stop;
  CallOptions call;
  std::jthread stopper;
  if (by_deadline) {
    call.deadline = Clock::now() + after;
  } else {
    call.stop = stop.get_token();
    stopper = std::jthread([&, after] {
      std::this_thread::sleep_for(after);
      stop.request_stop();
    });
  }
  try {
    const Explainer made(model, options, call);
    return std::nullopt;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(Making, EndsAtAnyMomentAndLeavesTheModelAsItWas) {
  const auto options = everything();
  const auto expected =
      maps_of(Explainer(Model::load(golden_model("resnet")), options), options.prepare.methods);
  const auto model = Model::load(golden_model("resnet"));
  const auto start = Clock::now();
  { const Explainer whole(model, options); }
  const auto takes = std::chrono::duration<double>(Clock::now() - start);
  std::mt19937 random(3);
  std::uniform_real_distribution<double> moment(0, 1);
  // A busy machine may have taken long the first time: what was made in time asks for less of it.
  double share = 1;
  for (int ended = 0; ended < 20;) {
    const bool by_deadline = ended % 2 == 1;
    const auto after =
        std::chrono::duration_cast<std::chrono::nanoseconds>(share * takes * moment(random));
    const auto code = given_up(model, options, after, by_deadline);
    if (!code) {
      share *= 0.8;
      continue;
    }
    EXPECT_EQ(to_string(*code),
              to_string(by_deadline ? ErrorCode::deadline_exceeded : ErrorCode::cancelled));
    ++ended;
  }
  EXPECT_EQ(maps_of(Explainer(model, options), options.prepare.methods), expected);
}

TEST(Making, EndsWhileAlgorithmsAreTimed) {
  const auto model = Model::load(golden_model("vgg"));
  ExplainerOptions options;
  options.compile.tuning = Tuning::thorough;
  EXPECT_EQ(given_up(model, options, std::chrono::milliseconds(1), true),
            ErrorCode::deadline_exceeded);
  // What was found by then serves the next one, which finds the rest.
  options.compile.tuning = Tuning::quick;
  const Explainer tuned(model, options);
  options.compile.tuning = Tuning::off;
  const Explainer plain(Model::load(golden_model("vgg")), options);
  const auto got = maps_of(tuned, {GradCam{}}), expected = maps_of(plain, {GradCam{}});
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-4);
}

TEST(Making, DoesNotBeginWhereItIsTooLate) {
  const auto model = Model::load(golden_model("vgg"));
  std::stop_source stop;
  stop.request_stop();
  CallOptions stopped, past, later;
  stopped.stop = stop.get_token();
  past.deadline = Clock::now() - std::chrono::seconds(1);
  later.deadline = Clock::now() + std::chrono::hours(1);
  EXPECT_EQ(code_of([&] { Explainer(model, {}, stopped); }), ErrorCode::cancelled);
  EXPECT_EQ(code_of([&] { Explainer(model, {}, past); }), ErrorCode::deadline_exceeded);
  EXPECT_NO_THROW(Explainer(model, {}, later));
}

}  // namespace
}  // namespace fovea::api_test
