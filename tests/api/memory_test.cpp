#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "api/support.hpp"
#include "engine/counting_allocator.hpp"

/// PoolOptions::memory_limit: what lives at once beyond the weights is never more. Whether a
/// call fits is fovea's own account, said before it begins; what it then takes is counted by the
/// allocator.
namespace fovea::api_test {
namespace {

constexpr std::int64_t kRoomy = std::int64_t{4} << 30;

struct Case {
  Model model;
  Method method;
  ExplainerOptions options = {};
  ExplainOptions how = {};
  std::vector<Target> targets = {Target::top1()};
  bool every_class = false;  ///< Run::class_maps in place of targets
};

/// At 48 positions a side where the file leaves that open.
ExplainerOptions options_for(const Model& model) {
  ExplainerOptions out;
  out.compile.tuning = Tuning::off;
  out.pool.threads = 1;
  for (const auto& input : model.inputs()) {
    Shape shape = input.shape;
    for (std::size_t d = 1; d < shape.size(); ++d)
      if (shape[d] < 0) shape[d] = 48;
    out.compile.input_shapes[input.name] = shape;
  }
  return out;
}

/// The most that a run and its explanation held together; none where they were refused.
std::optional<std::int64_t> peak_of(const Case& one, std::int64_t limit) {
  auto options = one.options;
  const auto base = options_for(one.model);
  options.compile.input_shapes = base.compile.input_shapes;
  options.compile.tuning = base.compile.tuning;
  options.pool.threads = base.pool.threads;
  options.prepare.methods = {one.method};
  options.pool.memory_limit = limit;
  try {
    const Explainer explainer(one.model, options);
    const Tensor input = random_input(explainer, 1);
    const engine_test::PeakBytes bytes;
    fovea::Run run = explainer.forward(input);
    run.predictions();
    if (one.every_class) {
      const Tensor maps = run.class_maps(one.method, 0, one.how);
      return bytes.most();
    }
    const auto out = run.explain(one.method, one.targets, one.how);
    return bytes.most();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::out_of_memory) throw;
    return std::nullopt;
  }
}

void expect_held(const Case& one, const std::string& name) {
  peak_of(one, kRoomy);  // what OpenMP and oneDNN keep from the first call on
  const auto roomy = peak_of(one, kRoomy);
  ASSERT_TRUE(roomy) << name;
  for (const double share : {0.3, 0.6, 0.8, 0.9, 0.99, 1.05, 1.2, 1.5, 2.0}) {
    const auto limit = static_cast<std::int64_t>(share * static_cast<double>(*roomy));
    const auto peak = peak_of(one, limit);
    EXPECT_LE(peak.value_or(0), limit) << name;
  }
  // Of the call alone: what the explainer holds of a background it held before.
  if (one.method.name == "deeplift" || one.method.name == "deep-shap") return;
  // The account is not far above what is taken, but for a little that small networks show.
  EXPECT_TRUE(peak_of(one, 2 * *roomy + (1 << 20))) << name << " took " << *roomy;
}

/// With few samples: their number changes what is computed, hardly what is held.
Method cheap(const MethodInfo& info, const Shape& input) {
  Method out{info.name};
  for (const auto& option : info.options) {
    if (option.name == "samples" || option.name == "masks") out.options[option.name] = 40;
    if (option.name == "steps" || option.name == "evaluations") out.options[option.name] = 4;
    if (option.name == "channels") out.options[option.name] = 5;
    if (option.name == "cells") out.options[option.name] = 3;
  }
  for (const auto& given : info.given)
    if (given.required) {
      Shape shape = input;
      shape[0] = 3;
      out.given[given.name] = random_input(shape, 7);
    }
  return out;
}

/// Of the default layer, or an early one whose map is large.
std::string layer_of(const Explainer& explainer, bool early) {
  if (!early) return explainer.default_layer();
  constexpr std::int64_t kMax = 1100;  // positions: some methods are quadratic in them
  for (const auto& layer : explainer.layers())
    if (count(layer.grid) <= kMax) return layer.name;
  return explainer.default_layer();
}

TEST(MemoryLimit, IsNotOfTheEdgesThatAMappingLoses) {
  constexpr std::size_t kSize = 3 << 20, kEdge = 1 << 20;
  const engine_test::PeakBytes bytes;
  const auto map = [&] {
    auto* wide = static_cast<std::byte*>(mmap(nullptr, kSize + 2 * kEdge, PROT_READ | PROT_WRITE,
                                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(wide, kEdge);
    munmap(wide + kEdge + kSize, kEdge);
    return wide + kEdge;
  };
  auto* one = map();
  auto* other = map();
  EXPECT_EQ(bytes.most(), 2 * kSize);
  munmap(one, kSize);
  munmap(other, kSize);
  EXPECT_EQ(bytes.most(), 2 * kSize);
  EXPECT_EQ(bytes.live(), 0);
  munmap(map(), kSize);
  munmap(map(), kSize);
  EXPECT_EQ(bytes.most(), 2 * kSize);
}

TEST(MemoryLimit, HoldsForEveryMethod) {
  for (const auto& info : methods()) {
    bool served = false;
    for (const std::string network : {"vgg", "resnet", "vit"})
      for (const bool early : {false, true}) {
        Case one{Model::load(golden_model(network)), {}};
        const Explainer any(one.model, options_for(one.model));
        one.method = cheap(info, any.inputs()[0].shape);
        if (info.kind == MapKind::layer) one.options.prepare.layers = {layer_of(any, early)};
        try {
          peak_of(one, kRoomy);
        } catch (const Error& error) {
          continue;  // CAM at a layer that no head pools, LRP of an operator without a rule
        }
        served = true;
        expect_held(one, info.name + " of " + network + (early ? ", early" : ""));
      }
    EXPECT_TRUE(served) << info.name;
  }
}

TEST(MemoryLimit, HoldsForManyTargetsLayersAndSmoothing) {
  const Model model = Model::load(golden_model("vgg"));
  const Explainer any(model, options_for(model));
  std::vector<Target> many;
  for (int i = 0; i < 60; ++i) many.push_back(Target::ranked(i % 5));
  Case targets{model, LayerCam{}, {}, {}, many};
  expect_held(targets, "many targets");
  targets.options.prepare.targets_at_once = 16;
  expect_held(targets, "many targets at once");
  Case inputs{model, Saliency{}, {}, {}, many};
  expect_held(inputs, "many targets of the input");
  for (const std::string network : {"vgg", "resnet"}) {
    Case classes{Model::load(golden_model(network)), GradCam{}};
    classes.every_class = true;
    expect_held(classes, "every class of " + network);
  }
  Case smooth{model, GradCam{}};
  smooth.options.prepare.smoothing = smooth.how.smooth = true;
  expect_held(smooth, "smoothing");
  Case fused{model, GradCam{}};
  for (std::size_t i = 0; i < 3; ++i) fused.how.layers.push_back(any.layers()[i].name);
  fused.options.prepare.layers = fused.how.layers;
  expect_held(fused, "several layers");
}

TEST(MemoryLimit, HoldsForConcurrentRuns) {
  Case one{Model::load(golden_model("vgg")), SmoothGrad{.samples = 3}};
  const auto alone = peak_of(one, kRoomy);
  ASSERT_TRUE(alone);
  one.options.prepare.methods = {one.method};
  one.options.compile.tuning = Tuning::off;
  one.options.pool.threads = 1;
  one.options.pool.memory_limit = *alone * 5 / 2;
  const Explainer explainer(one.model, one.options);
  const Tensor input = random_input(explainer, 1);
  std::atomic<int> done = 0, refused = 0, other = 0;
  {
    const engine_test::PeakBytes bytes;
    std::vector<std::jthread> callers;
    for (int i = 0; i < 8; ++i)
      callers.emplace_back([&] {
        for (int k = 0; k < 4; ++k) {
          try {
            explainer.explain(input, one.method);
            ++done;
          } catch (const Error& error) {
            ++(error.code() == ErrorCode::out_of_memory ? refused : other);
          }
        }
      });
    callers.clear();
    constexpr std::int64_t kThreads = 8 << 16;  // what the threads themselves are made of
    EXPECT_LE(bytes.most(), one.options.pool.memory_limit + kThreads);
  }
  EXPECT_GT(done, 0);
  EXPECT_EQ(other, 0);
  EXPECT_NO_THROW(explainer.explain(input, one.method));
}

TEST(MemoryLimit, ARefusedCallSaysWhatItWantedAndLeavesTheExplainerAsItWas) {
  Case one{Model::load(golden_model("vgg")), GradCam{}};
  one.options = options_for(one.model);
  one.options.prepare.methods = {GradCam{}};
  one.options.pool.memory_limit = *peak_of(one, kRoomy) + (1 << 20);
  const Explainer explainer(one.model, one.options);
  const Tensor input = random_input(explainer, 1);
  const auto alone = explainer.explain(input);
  fovea::Run run = explainer.forward(input);
  const std::vector<Target> many(100000, Target::top1());
  for (int i = 0; i < 2; ++i) {
    try {
      run.explain(GradCam{}, many);
      FAIL() << "a hundred thousand maps fit into one's memory";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
      EXPECT_NE(std::string(error.what()).find("memory_limit"), std::string::npos) << error.what();
    }
    EXPECT_EQ(run.explain().map.data, alone.map.data);
  }
  // As many runs as fit, then one less.
  std::vector<fovea::Run> held;
  const auto fill = [&] {
    CallOptions call;
    call.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (int i = 0; i < 1000; ++i) held.push_back(explainer.forward(input, call));
  };
  EXPECT_EQ(code_of(fill), ErrorCode::out_of_memory);
  if (held.empty()) return;
  held.pop_back();
  EXPECT_NO_THROW(explainer.forward(input));
}

TEST(MemoryLimit, WorkspacesThatNobodyUsesMakeRoomForOthers) {
  const Model model = Model::load(golden_model("vgg"));
  const std::vector<Method> all = {SmoothGrad{.samples = 2}, Rise{.masks = 8, .cells = 3},
                                   GradCam{}};
  ExplainerOptions options;
  options.prepare.methods = all;
  options.compile.tuning = Tuning::off;
  options.prepare.smoothing = true;
  // The least that serves each of them alone.
  const auto serves = [&](std::int64_t limit, std::size_t rounds) {
    options.pool.memory_limit = limit;
    try {
      for (std::size_t first = 0; first < (rounds > 1 ? 1 : all.size()); ++first) {
        const Explainer explainer(model, options);
        const Tensor input = random_input(explainer, 1);
        for (std::size_t i = first; i < (rounds > 1 ? rounds * all.size() : first + 1); ++i)
          explainer.explain(input, all[i % all.size()], Target::top1(),
                            {.smooth = i % all.size() == 2});
      }
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
      return false;
    }
  };
  std::int64_t low = 0, high = kRoomy;
  while (high - low > high / 64) (serves((low + high) / 2, 1) ? high : low) = (low + high) / 2;
  EXPECT_TRUE(serves(high, 3)) << high;
}

}  // namespace
}  // namespace fovea::api_test
