#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "explain/support.hpp"

/// Options, given tensors, and what an explainer must be prepared for.
namespace fovea {
namespace {

using namespace methods_test;

TEST(MethodInfos, AreComplete) {
  for (const auto& info : methods()) {
    for (const auto* text : {&info.title, &info.paper, &info.needs, &info.cost, &info.use})
      EXPECT_FALSE(text->empty()) << info.name;
    for (const auto& option : info.options) {
      EXPECT_LE(option.min, option.value) << info.name;
      EXPECT_LE(option.value, option.max) << info.name;
      EXPECT_FALSE(option.help.empty()) << info.name;
    }
  }
}

TEST(MethodOptions, WrongOnesAreRefusedByName) {
  const auto make = [](const Method& method) {
    return refusal([&] { explainer_for("vgg", {method}); });
  };
  EXPECT_NE(make({"gradcam", {{"samples", 3}}}).find("no option 'samples'"), std::string::npos);
  EXPECT_NE(make({"smoothgrad", {{"sample", 3}}}).find("known are: samples"), std::string::npos);
  EXPECT_NE(make({"smoothgrad", {{"samples", 0}}}).find("between 1 and"), std::string::npos);
  EXPECT_NE(make({"smoothgrad", {{"samples", 2.5}}}).find("whole number"), std::string::npos);
  EXPECT_NE(make({"smoothgrad", {{"samples", NAN}}}).find("between"), std::string::npos);
  EXPECT_NE(make({"gradcam", {}, {{"noise", {}}}}).find("takes no tensor 'noise'"),
            std::string::npos);
  EXPECT_NE(make({"grad-cam"}).find("there is no method 'grad-cam'"), std::string::npos);
}

TEST(MethodOptions, AreCheckedAtTheCallToo) {
  const auto explainer = explainer_for("vgg", {SmoothGrad{}, RandomCam{}});
  auto run = explainer.forward(random_input(explainer));
  EXPECT_NE(refusal([&] {
              run.explain(Method{"smoothgrad", {{"seeds", 1}}});
            }).find("no option"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              run.explain(Method{"random-cam", {}, {{"weights", {{1, 2}, {1, 2}}}}});
            }).find("must have the extents"),
            std::string::npos);
  Tensor noise{explainer.inputs()[0].shape, {}};
  noise.shape.insert(noise.shape.begin(), 1);
  std::size_t elements = 1;
  for (const auto extent : noise.shape) elements *= static_cast<std::size_t>(extent);
  noise.data.assign(elements, std::numeric_limits<float>::quiet_NaN());
  try {
    run.explain(Method{"smoothgrad", {}, {{"noise", noise}}});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_NE(std::string(error.what()).find("'noise' holds values that are not finite"),
              std::string::npos)
        << error.what();
  }
  EXPECT_NE(refusal([&] {
              auto shape = explainer.inputs()[0].shape;
              shape.insert(shape.begin(), 1);
              std::size_t count = 1;
              for (const auto extent : shape) count *= static_cast<std::size_t>(extent);
              run.explain(Method{
                  "smoothgrad", {{"samples", 2}}, {{"noise", {shape, std::vector<float>(count)}}}});
            }).find("more samples"),
            std::string::npos);
}

TEST(Prepared, AMethodThatNeedsMoreIsRefusedByName) {
  const auto explainer = explainer_for("vgg", {GradCam{}});
  const Tensor input = random_input(explainer);
  auto run = explainer.forward(input);
  std::set<std::string> served;
  for (const auto& info : methods()) {
    if (info.name == "cam") continue;  // refused for its head
    if (std::any_of(info.given.begin(), info.given.end(),
                    [](const auto& tensor) { return tensor.required; }))
      continue;  // refused for what was not given
    const Method method{info.name};
    const auto sentence = refusal([&] { run.explain(method); });
    if (sentence != "nothing was thrown") {
      EXPECT_NE(sentence.find("was not prepared for " + info.title), std::string::npos) << sentence;
      continue;
    }
    served.insert(info.name);
    EXPECT_EQ(run.explain(method).feature_map.data,
              explainer_for("vgg", {method}).explain(input, method).feature_map.data)
        << info.name;
  }
  // They need nothing, or the same gradient.
  for (const std::string name :
       {"gradcam", "finercam", "activationmap", "random-cam", "fem", "eigencam", "kpca-cam"})
    EXPECT_TRUE(served.contains(name)) << name;
  for (const std::string name : {"layercam", "saliency", "reciprocam", "scorecam", "occlusion"})
    EXPECT_FALSE(served.contains(name)) << name;
  EXPECT_NE(refusal([&] { run.explain(Cam{}); }).find("pooling"), std::string::npos);
  EXPECT_NE(
      refusal([&] { run.explain(GradCam{}, Target::top1(), {.smooth = true}); }).find("smoothing"),
      std::string::npos);
}

TEST(Noise, IsRelativeWhereThatAloneIsNamed) {
  const auto with = [](std::map<std::string, double> options) {
    options["samples"] = 1;
    return Method{"smooth-gradcam++", std::move(options)};
  };
  const auto explainer = explainer_for("vgg", {with({})});
  const auto input = random_input(explainer);
  const auto map = [&](std::map<std::string, double> options) {
    return explainer.explain(input, with(std::move(options))).feature_map.data;
  };
  EXPECT_EQ(map({}), map({{"deviation", 0.3}}));
  EXPECT_EQ(map({{"noise", 0}}), map({{"noise", 0}, {"deviation", 0}}));
  EXPECT_NE(map({{"noise", 0}}), map({{"noise", 1}}));
  EXPECT_EQ(map({{"noise", 1}, {"deviation", 0.3}}), map({}));
}

TEST(Prepared, InputMethodsNeedNoLayer) {
  const auto explainer = explainer_for("vgg", {Saliency{}});
  const auto one = explainer.explain(random_input(explainer), Saliency{});
  EXPECT_EQ(one.layer, explainer.inputs()[0].name);
  EXPECT_EQ(one.map.shape,
            (Shape{explainer.inputs()[0].shape.begin() + 2, explainer.inputs()[0].shape.end()}));
  EXPECT_EQ(one.attribution.shape,
            (Shape{explainer.inputs()[0].shape.begin() + 1, explainer.inputs()[0].shape.end()}));
}

TEST(Random, TheSameSeedGivesTheSameMap) {
  const std::vector<Method> random = {RandomCam{}, SmoothGrad{.samples = 2},
                                      SmoothGradCamPlusPlus{.samples = 2},
                                      SsCam{.channels = 2, .samples = 2}};
  const auto explainer = explainer_for("vgg", random);
  const Tensor x = random_input(explainer);
  auto run = explainer.forward(x);
  for (auto method : random) {
    const auto one = run.explain(method), two = explainer.forward(x).explain(method);
    EXPECT_EQ(one.feature_map.data, two.feature_map.data) << method.name;
    method.options["seed"] = 7;
    EXPECT_NE(run.explain(method).feature_map.data, one.feature_map.data) << method.name;
  }
}

TEST(KeepSign, LeavesWhatSpeaksAgainst) {
  const auto explainer = explainer_for("vgg", {GradCam{}});
  auto run = explainer.forward(random_input(explainer));
  const auto target = Target::difference(0, 1);
  const auto plain = run.explain(GradCam{}, target);
  const auto whole = run.explain(GradCam{}, target, {.keep_sign = true});
  float low = 0, high = 0;
  for (std::size_t i = 0; i < plain.feature_map.data.size(); ++i) {
    EXPECT_EQ(plain.feature_map.data[i], std::max(whole.feature_map.data[i], 0.f));
    low = std::min(low, whole.map.data[i]);
  }
  for (const float v : whole.map.data) high = std::max(high, std::abs(v));
  EXPECT_LT(low, 0);
  EXPECT_LE(high, 1.f);
}

TEST(SeveralLayers, FuseByName) {
  const auto layers =
      std::vector<std::string>{"/features/features.5/module/module.1/Relu_output_0",
                               "/features/features.2/module/module.1/Relu_output_0"};
  const auto explainer = explainer_for(
      "vgg", {GradCam{}}, [&](ExplainerOptions& options) { options.prepare.layers = layers; });
  auto run = explainer.forward(random_input(explainer));
  Tensor maps[2];
  for (int i : {0, 1})
    maps[i] =
        run.explain(GradCam{}, Target::top1(), {.layer = layers[static_cast<std::size_t>(i)]}).map;
  for (const auto fuse : {Fuse::mean, Fuse::max, Fuse::product}) {
    const auto one = run.explain(GradCam{}, Target::top1(), {.layers = layers, .fuse = fuse});
    EXPECT_EQ(one.layers, layers);
    for (std::size_t p = 0; p < one.feature_map.data.size(); ++p) {
      const float a = maps[0].data[p], b = maps[1].data[p];
      const float want = fuse == Fuse::mean  ? (a + b) / 2
                         : fuse == Fuse::max ? std::max(a, b)
                                             : a * b;
      ASSERT_NEAR(one.feature_map.data[p], want, 1e-6f);
    }
  }
  EXPECT_NE(refusal([&] {
              run.explain(GradCam{}, Target::top1(), {.layers = {layers[0], "other"}});
            }).find("not prepared for this layer"),
            std::string::npos);
}

TEST(Stopping, AnyMethodEndsBetweenItsRuns) {
  const std::vector<Method> all = {ScoreCam{}, IntegratedGradients{}, SmoothGrad{}, AblationCam{}};
  const auto explainer = explainer_for("vgg", all);
  auto run = explainer.forward(random_input(explainer));
  std::stop_source source;
  source.request_stop();
  for (const auto& method : all) {
    try {
      run.explain(method, Target::top1(), {},
                  {.stop = source.get_token(), .deadline = {}, .step_ms = {}});
      ADD_FAILURE() << method.name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::cancelled) << method.name;
    }
  }
}

TEST(Progress, OfMethodsThatMaskWithChannels) {
  const ScoreCam method{.channels = 5};
  const auto explainer = explainer_for("vgg", {method});
  std::vector<double> told;
  CallOptions call;
  call.progress = [&](double done) { told.push_back(done); };
  explainer.explain(random_input(explainer), method, Target::top1(), {}, call);
  EXPECT_EQ(told, (std::vector<double>{0.2, 0.4, 0.6, 0.8, 1}));
}

}  // namespace
}  // namespace fovea
