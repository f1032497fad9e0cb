#include "support/localization.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "demo/scene_input.hpp"
#include "fovea/fovea.hpp"

/// CAM's localisation on the demo's scenes, whose truth is known: the box that a map of a class
/// gives, beside the object of that class, whichever of the objects in the scene it is.
namespace fovea {
namespace {

using namespace testing_support;

class Localization : public testing::TestWithParam<std::string> {};

TEST_P(Localization, ThreeOfFiveBoxesOverlapTheObjectByHalf) {
  const Explainer explainer(
      Model::load(std::string(FOVEA_SOURCE_DIR) + "/tools/demo/models/" + GetParam() + ".onnx"));
  int boxed[2] = {0, 0}, scenes = 0;
  double sum = 0;
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + kScenes; ++seed) {
    const auto scene = demo::draw_scene(seed);
    auto run = explainer.forward(input_of(scene));
    ++scenes;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto& object = scene.objects[i];
      const auto why = run.explain(GradCam{}, Target::class_index(object.cls));
      const Box truth = box_of(object.box);
      const auto verdict = judge(why.map, {&truth, 1});
      boxed[i] += verdict.boxed();
      sum += verdict.overlap;
    }
  }
  for (const int i : {0, 1}) {
    std::printf(
        "%s: object %d: intersection over union of 0.5 or more in %d of %d scenes "
        "(%.1f %%)\n",
        GetParam().c_str(), i + 1, boxed[i], scenes, 100.0 * boxed[i] / scenes);
    EXPECT_GE(boxed[i], scenes * 6 / 10);
  }
  std::printf("%s: mean intersection over union %.2f\n", GetParam().c_str(), sum / (2 * scenes));
}

INSTANTIATE_TEST_SUITE_P(Demo, Localization, testing::Values("demo_gap", "demo_fc"),
                         [](const auto& one) { return one.param; });

TEST(Overlap, IsIntersectionOverUnion) {
  const Box box{10, 20, 4, 6};
  EXPECT_EQ(overlap(box, box), 1);
  EXPECT_EQ(overlap(box, {14, 20, 4, 6}), 0);  // side by side
  EXPECT_EQ(overlap(box, {0, 0, 3, 3}), 0);
  EXPECT_DOUBLE_EQ(overlap(box, {12, 20, 4, 6}), 12.0 / 36);
  EXPECT_DOUBLE_EQ(overlap(box, {11, 22, 2, 2}), 4.0 / 24);  // inside
  EXPECT_EQ(overlap({}, {}), 0);
}

TEST(Verdict, IsOfTheMaximumAndOfTheBox) {
  // A bright point in a corner, and a larger, darker thing.
  Tensor map{{4, 5}, std::vector<float>(20, 0.F)};
  map.data[0] = 1;
  for (const int at : {7, 8, 12, 13}) map.data[static_cast<std::size_t>(at)] = 0.5F;
  const Box corner{0, 0, 1, 1}, thing{2, 1, 2, 2};
  const auto judged = [&](std::vector<Box> truth) { return judge(map, truth); };
  EXPECT_TRUE(judged({corner}).points);
  EXPECT_FALSE(judged({corner}).boxed());
  EXPECT_FALSE(judged({thing}).points);
  EXPECT_EQ(judged({thing}).overlap, 1);
  EXPECT_TRUE(judged({corner, thing}).points && judged({corner, thing}).boxed());
  map.data.assign(20, 0.F);
  EXPECT_FALSE(judged({corner}).points || judged({corner}).boxed());
}

}  // namespace
}  // namespace fovea
