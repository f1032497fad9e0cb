#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "demo/scene_input.hpp"
#include "fovea/fovea.hpp"

/// Examples on the demo's scenes: asked about one of the objects in a scene, do the nearest
/// examples show an object of that class, whatever else is in the scene? Both networks have the
/// same feature extractor: they differ in how a class weighs it.
namespace fovea {
namespace {

using namespace testing_support;

constexpr std::uint64_t kFirstExample = kFirstSeed + kScenes;
constexpr int kExamples = 300, kQueries = 60, kNearest = 5;

bool holds(const demo::Scene& scene, int cls) {
  return std::any_of(scene.objects.begin(), scene.objects.end(),
                     [&](const demo::Object& object) { return object.cls == cls; });
}

/// How many of the nearest show the class that was asked about, and how many of the scene's other
/// classes they show.
struct Count {
  int own = 0, others = 0;
};

class SceneExamples : public testing::TestWithParam<std::string> {};

TEST_P(SceneExamples, FollowTheClassExplained) {
  const std::string file =
      std::string(FOVEA_SOURCE_DIR) + "/tools/demo/models/" + GetParam() + ".onnx";
  const Explainer explainer(Model::load(file));
  ExampleIndex index({GetParam(), explainer.default_layer(), ""},
                     explainer.forward(input_of(demo::draw_scene(1))).features().shape[1]);
  std::vector<demo::Scene> scenes;
  for (std::uint64_t i = 0; i < kExamples; ++i) {
    const auto scene = demo::draw_scene(kFirstExample + i);
    index.add(explainer.forward(input_of(scene)).features().data, std::to_string(i));
    scenes.push_back(scene);
  }
  int asked = 0, asked_others = 0;
  Count weighed, alone, all;
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + kQueries; ++seed) {
    const auto query = demo::draw_scene(seed);
    auto run = explainer.forward(input_of(query));
    for (const auto& object : query.objects) {
      const auto add = [&](Count& to, const demo::Scene& scene) {
        for (const auto& other : query.objects)
          (other.cls == object.cls ? to.own : to.others) += holds(scene, other.cls) ? 1 : 0;
      };
      const auto add_nearest = [&](Count& to, const Channels& channels) {
        for (const auto& example : index.nearest(channels, kNearest))
          add(to, scenes[static_cast<std::size_t>(example.index)]);
      };
      const auto channels = run.channels(Target::class_index(object.cls)).front();
      add_nearest(weighed, channels);
      add_nearest(alone, {channels.layer, channels.features,
                          std::vector<float>(channels.weights.size(), 1.F)});
      for (const auto& scene : scenes) add(all, scene);
      asked += kNearest;
      asked_others += kNearest * (static_cast<int>(query.objects.size()) - 1);
    }
  }
  const auto share = [](int found, int of) { return static_cast<double>(found) / of; };
  const auto tell = [&](const char* what, const Count& count, int times) {
    std::printf("%s, %s: %.1f %% show the class explained, %.1f %% each of the scene's others\n",
                GetParam().c_str(), what, 100 * share(count.own, asked * times),
                100 * share(count.others, asked_others * times));
  };
  tell("nearest to what the class weighs", weighed, 1);
  tell("nearest by features alone", alone, 1);
  tell("all examples", all, kExamples / kNearest);
  // Scenes that are alike in all their objects are near whatever is asked about, so features alone
  // come close: the bound is where another class's weights, or none, do not reach.
  EXPECT_GE(share(weighed.own, asked), 0.99);
  EXPECT_GT(weighed.own, alone.own);
  EXPECT_LT(weighed.others, alone.others);
}

INSTANTIATE_TEST_SUITE_P(Demo, SceneExamples, testing::Values("demo_gap", "demo_fc"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace fovea
