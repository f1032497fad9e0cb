#include <gtest/gtest.h>
#include <immintrin.h>
#include <omp.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

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

TEST(Limits, AStopFlagEndsACall) {
  const Explainer explainer = small();
  const Tensor input = random_input(explainer, 1);
  std::atomic<int> flag = 0;
  CallOptions call;
  call.stop_flag = &flag;
  fovea::Run run = explainer.forward(input, call);
  EXPECT_NO_THROW(run.explain(GradCam{}, Target::top1(), {}, call));
  flag = 1;
  EXPECT_EQ(code_of([&] { explainer.forward(input, call); }), ErrorCode::cancelled);
  EXPECT_EQ(code_of([&] { run.explain(GradCam{}, Target::top1(), {}, call); }),
            ErrorCode::cancelled);
  EXPECT_EQ(code_of([&] { Explainer(Model::load(golden_model("vgg")), {}, call); }),
            ErrorCode::cancelled);
  flag = 0;
  EXPECT_NO_THROW(run.explain(GradCam{}, Target::top1(), {}, call));
}

TEST(Limits, AStopFlagEndsACallThatWaitsForAWorkspace) {
  ExplainerOptions options;
  options.pool.max_workspaces = 1;
  const Explainer explainer(Model::load(golden_model("vgg")), options);
  const Tensor input = random_input(explainer, 1);
  std::atomic<int> flag = 0;
  CallOptions call;
  call.stop_flag = &flag;
  const fovea::Run held = explainer.forward(input);
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    flag = 1;
  });
  EXPECT_EQ(code_of([&] { explainer.forward(input, call); }), ErrorCode::cancelled);
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
  options.pool.max_workspaces = 1;
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
  options.pool.memory_limit = 1000;
  const Model model = Model::load(golden_model("vgg"));
  EXPECT_EQ(code_of([&] { const Explainer explainer(model, options); }), ErrorCode::out_of_memory);
}

TEST(Limits, TheHostsOpenMpSettingsAreGivenBack) {
  omp_set_num_threads(2);
  const unsigned csr = _mm_getcsr();
  ExplainerOptions options;
  options.pool.threads = 3;
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
  fovea::Run run = explainer.forward(input);
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
  EXPECT_EQ(with([](auto& o) { o.prepare.layers = {"nowhere"}; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.compile.output = "nowhere"; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.compile.fetches = {"nowhere"}; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.compile.batch = 0; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.pool.threads = -1; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.pool.threads = 100000; }), invalid);
  EXPECT_EQ(with([](auto& o) { o.prepare.methods = {Method{"magic"}}; }), invalid);
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

constexpr float kDenormal = 1e-39f;
constexpr unsigned kFlushing = 0x8040;

/// MXCSR without its status flags, of each thread of a team.
std::vector<unsigned> controls(int threads) {
  std::vector<unsigned> out(static_cast<std::size_t>(threads));
#pragma omp parallel num_threads(threads)
  out[static_cast<std::size_t>(omp_get_thread_num())] = _mm_getcsr() & ~0x3fu;
  return out;
}

/// Every third value is a denormal, of either sign; and the same with zeros in their place.
std::pair<Tensor, Tensor> with_denormals(const Explainer& explainer) {
  Tensor input = random_input(explainer, 1), flushed = input;
  for (std::size_t i = 0; i < input.data.size(); i += 3) {
    input.data[i] = i % 2 == 0 ? kDenormal : -kDenormal;
    flushed.data[i] = 0;
  }
  return {input, flushed};
}

TEST(Limits, DenormalInputsAreZeros) {
  for (const std::string name : {"vgg", "squeezenet", "densenet", "efficientnet", "convnext"}) {
    const Explainer explainer = small(name);
    auto [input, flushed] = with_denormals(explainer);
    for (int all = 0; all < 2; ++all) {
      fovea::Run run = explainer.forward(input), zeros = explainer.forward(flushed);
      const auto got = run.explain(), want = zeros.explain();
      EXPECT_EQ(run.logits().data, zeros.logits().data) << name;
      EXPECT_EQ(got.feature_map.data, want.feature_map.data) << name;
      EXPECT_EQ(got.map.data, want.map.data) << name;
      for (const float v : run.logits().data) EXPECT_TRUE(std::isfinite(v)) << name;
      for (const float v : got.feature_map.data) EXPECT_TRUE(std::isfinite(v)) << name;
      for (const float v : got.map.data) EXPECT_TRUE(std::isfinite(v)) << name;
      for (auto& v : input.data) v = kDenormal;
      for (auto& v : flushed.data) v = 0;
    }
  }
}

TEST(Limits, DenormalsAreFlushedInEveryThread) {
  // A network whose feature map is its input. It is looked at as the convolution left it: a map
  // is summed up by a thread that may flush what another let through.
  const Model model =
      Model::load(std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/cli/fixtures/colours.onnx");
  for (const int threads : {1, 2, 3}) {
    ExplainerOptions options;
    options.pool.threads = threads;
    options.compile.fetches = {"features"};
    options.compile.input_shapes["data"] = {8, 3, 16, 16};
    const Explainer explainer(model, options);
    Tensor input = random_input(explainer, 1);
    for (auto& v : input.data) v = kDenormal;
    const Tensor features = explainer.forward(input).output("features");
    EXPECT_EQ(features.data, std::vector<float>(input.data.size(), 0.F)) << threads;
  }
}

TEST(Limits, TheCallersTreatmentOfDenormalsIsGivenBack) {
  constexpr int kThreads = 3;
  ExplainerOptions options;
  options.pool.threads = kThreads;
  const Explainer explainer(Model::load(golden_model("vgg")), options);
  Tensor input = random_input(explainer, 1);
  for (auto& v : input.data) v = kDenormal;
  const unsigned own = _mm_getcsr();
  for (const unsigned setting : {own & ~kFlushing, own | kFlushing, own | 0x8000u}) {
    _mm_setcsr(setting);
#pragma omp parallel num_threads(kThreads)
    _mm_setcsr(setting);
    const auto before = controls(kThreads);
    explainer.explain(input);
    EXPECT_EQ(controls(kThreads), before) << setting;
  }
  _mm_setcsr(own);
#pragma omp parallel num_threads(kThreads)
  _mm_setcsr(own);
}

}  // namespace
}  // namespace fovea::api_test
