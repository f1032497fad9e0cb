#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "demo/scene_input.hpp"
#include "fovea/fovea.hpp"

/// The pointing game on the demo's scenes, whose truth is known: does the map of a class have its
/// maximum on the object of that class, whichever of the objects in the scene it is?
namespace fovea {
namespace {

using namespace testing_support;

class Pointing : public testing::TestWithParam<std::string> {};

TEST_P(Pointing, NineOfTenMapsPointAtTheObjectExplained) {
  const std::string file =
      std::string(FOVEA_SOURCE_DIR) + "/tools/demo/models/" + GetParam() + ".onnx";
  const Explainer explainer(Model::load(file));
  // Two objects per scene, counted apart: an explanation must follow the class, not the brightest
  // thing.
  int hits[2] = {0, 0}, scenes = 0;
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + kScenes; ++seed) {
    const auto scene = demo::draw_scene(seed);
    ASSERT_GE(scene.objects.size(), 2u);
    fovea::Run run = explainer.forward(input_of(scene));
    ++scenes;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto why = run.explain(GradCam{}, Target::class_index(scene.objects[i].cls));
      ASSERT_EQ(why.map.shape, (Shape{scene.height, scene.width}));
      const auto best = std::max_element(why.map.data.begin(), why.map.data.end());
      const auto at = static_cast<int>(best - why.map.data.begin());
      if (*best > 0 && scene.objects[i].box.contains(at % scene.width, at / scene.width)) ++hits[i];
    }
  }
  for (const int i : {0, 1}) {
    std::printf("%s: object %d: the maximum lies in its box in %d of %d scenes (%.1f %%)\n",
                GetParam().c_str(), i + 1, hits[i], scenes, 100.0 * hits[i] / scenes);
    EXPECT_GE(hits[i], scenes * 9 / 10);
  }
}

INSTANTIATE_TEST_SUITE_P(Demo, Pointing, testing::Values("demo_gap", "demo_fc"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace fovea
