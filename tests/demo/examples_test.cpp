#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "demo/scene_input.hpp"
#include "fovea/fovea.hpp"

/// Examples on the demo's scenes: asked about one of the objects in a scene, do the nearest
/// examples show an object of that class, whatever else is in the scene?
namespace fovea {
namespace {

using namespace testing_support;

constexpr std::uint64_t kFirstExample = kFirstSeed + kScenes;
constexpr int kExamples = 300, kQueries = 60, kNearest = 5;

bool holds(const demo::Scene& scene, int cls) {
  return std::any_of(scene.objects.begin(), scene.objects.end(),
                     [&](const demo::Object& object) { return object.cls == cls; });
}

class SceneExamples : public testing::TestWithParam<std::string> {};

TEST_P(SceneExamples, MostShowTheClassExplained) {
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
  int asked = 0, right = 0, by_chance = 0, unweighed = 0;
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + kQueries; ++seed) {
    const auto scene = demo::draw_scene(seed);
    const auto run = explainer.forward(input_of(scene));
    for (const auto& object : scene.objects) {
      const auto channels = run.channels(Target::class_index(object.cls)).front();
      const Channels plain{channels.layer, channels.features,
                           std::vector<float>(channels.weights.size(), 1.F)};
      asked += kNearest;
      for (const auto& example : index.nearest(channels, kNearest))
        right += holds(scenes[static_cast<std::size_t>(example.index)], object.cls) ? 1 : 0;
      for (const auto& example : index.nearest(plain, kNearest))
        unweighed += holds(scenes[static_cast<std::size_t>(example.index)], object.cls) ? 1 : 0;
      for (const auto& other : scenes) by_chance += holds(other, object.cls) ? 1 : 0;
    }
  }
  const double share = static_cast<double>(right) / asked;
  const double features_alone = static_cast<double>(unweighed) / asked;
  const double chance = static_cast<double>(by_chance) * kNearest / kExamples / asked;
  std::printf(
      "%s: %.1f %% of the nearest examples show the class explained, %.1f %% of those by features "
      "alone, %.1f %% of all examples\n",
      GetParam().c_str(), 100 * share, 100 * features_alone, 100 * chance);
  EXPECT_GE(share, 0.8);
  EXPECT_GT(share, features_alone);
  EXPECT_LT(chance, 0.5);
}

INSTANTIATE_TEST_SUITE_P(Demo, SceneExamples, testing::Values("demo_gap", "demo_fc"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace fovea
