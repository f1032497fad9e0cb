#include <gtest/gtest.h>
#include <immintrin.h>
#include <omp.h>

#include <cmath>
#include <limits>

#include "api/support.hpp"

namespace fovea::api_test {
namespace {

Explainer small(const std::string& name = "vgg") {
  return Explainer(Model::load(golden_model(name)));
}

TEST(Limits, AStopTokenEndsACall) {
  const Explainer explainer = small();
  const Tensor input = random_input(explainer, 1);
  std::stop_source stop;
  CallOptions call;
  call.stop = stop.get_token();
  fovea::Run run = explainer.forward(input, call);
  stop.request_stop();
  EXPECT_EQ(code_of([&] { explainer.forward(input, call); }), ErrorCode::cancelled);
  EXPECT_EQ(code_of([&] { run.explain(GradCam{}, Target::top1(), {}, call); }),
            ErrorCode::cancelled);
  // What was cancelled left nothing broken behind.
  EXPECT_NO_THROW(run.explain());
}

TEST(Limits, ADeadlineEndsACall) {
  const Explainer explainer = small();
  const Tensor input = random_input(explainer, 1);
  CallOptions past;
  past.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(code_of([&] { explainer.forward(input, past); }), ErrorCode::deadline_exceeded);
  CallOptions future;
  future.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  EXPECT_NO_THROW(explainer.forward(input, future));
}

TEST(Limits, NoMoreWorkspacesThanAllowed) {
  ExplainerOptions options;
  options.max_workspaces = 1;
  const Explainer explainer(Model::load(golden_model("vgg")), options);
  const Tensor input = random_input(explainer, 1);
  CallOptions soon;
  {
    const fovea::Run held = explainer.forward(input);
    soon.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    EXPECT_EQ(code_of([&] { explainer.forward(input, soon); }), ErrorCode::deadline_exceeded);
  }
  EXPECT_NO_THROW(explainer.forward(input));
}

TEST(Limits, AMemoryLimitRefusesThePlan) {
  ExplainerOptions options;
  options.memory_limit = 1000;
  const Model model = Model::load(golden_model("vgg"));
  EXPECT_EQ(code_of([&] { const Explainer explainer(model, options); }), ErrorCode::out_of_memory);
}

TEST(Limits, TheHostsOpenMpSettingsAreGivenBack) {
  omp_set_num_threads(2);
  const unsigned csr = _mm_getcsr();
  ExplainerOptions options;
  options.threads = 3;
  const Explainer explainer(Model::load(golden_model("vgg")), options);
  explainer.explain(random_input(explainer, 1));
  EXPECT_EQ(omp_get_max_threads(), 2);
  constexpr unsigned kControl = ~0x3fu;  // the lower bits are sticky status flags
  EXPECT_EQ(_mm_getcsr() & kControl, csr & kControl);
  EXPECT_EQ(explainer.threads(), 3);
}

TEST(Limits, BadRequestsAreNamed) {
  const Model model = Model::load(golden_model("vgg"));
  const Explainer explainer(model);
  const Tensor input = random_input(explainer, 1);
  const fovea::Run run = explainer.forward(input);
  const auto invalid = ErrorCode::invalid_argument;
  EXPECT_EQ(code_of([&] { run.explain(Method{"magic"}); }), invalid);
  EXPECT_EQ(code_of([&] { run.explain(GradCam{}, Target::class_index(1000)); }), invalid);
  EXPECT_EQ(code_of([&] { run.explain(GradCam{}, Target::class_index(-1)); }), invalid);
  EXPECT_EQ(code_of([&] { run.explain(GradCam{}, Target::ranked(99)); }), invalid);
  EXPECT_EQ(code_of([&] { run.explain(Cam{}); }), invalid);
  EXPECT_EQ(code_of([&] { run.predictions(5); }), invalid);
  ExplainOptions elsewhere;
  elsewhere.layer = "no such layer";
  EXPECT_EQ(code_of([&] { run.explain(GradCam{}, Target::top1(), elsewhere); }), invalid);
  const auto with = [&](auto change) {
    ExplainerOptions options;
    change(options);
    return code_of([&] { const Explainer made(model, options); });
  };
  EXPECT_EQ(with([](auto& o) { o.layers = {"nowhere"}; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.output = "nowhere"; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.fetches = {"nowhere"}; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.batch = 0; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.threads = -1; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.methods = {Method{"magic"}}; }), invalid);
  Tensor wrong = input;
  wrong.shape.back() += 1;
  EXPECT_EQ(code_of([&] { explainer.forward(wrong); }), ErrorCode::bad_input);
  wrong = input;
  wrong.data.pop_back();
  EXPECT_EQ(code_of([&] { explainer.forward(wrong); }), ErrorCode::bad_input);
  EXPECT_EQ(code_of([&] { explainer.forward(Feeds{{"nowhere", input}}); }), invalid);
  EXPECT_EQ(code_of([&] { explainer.forward(Feeds{}); }), invalid);
}

TEST(Limits, NotANumberIsFlagged) {
  const Explainer explainer = small();
  Tensor input = random_input(explainer, 1);
  for (auto& v : input.data) v = std::numeric_limits<float>::quiet_NaN();
  const auto map = explainer.explain(input);
  ASSERT_FALSE(map.warnings.empty());
  EXPECT_NE(map.warnings[0].find("not finite"), std::string::npos) << map.warnings[0];
}

TEST(Limits, DenormalInputsGiveFiniteMaps) {
  const Explainer explainer = small();
  Tensor input = random_input(explainer, 1);
  for (auto& v : input.data) v = 1e-39f;
  for (const float v : explainer.explain(input).map.data) EXPECT_TRUE(std::isfinite(v));
}

}  // namespace
}  // namespace fovea::api_test
