#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "demo/paint.hpp"
#include "demo/random.hpp"
#include "demo/scene.hpp"

namespace fovea::demo {
namespace {

constexpr std::uint64_t kScenes = 200;

TEST(DemoScenes, HoldTwoOrThreeDifferentClasses) {
  std::set<std::size_t> counts;
  std::set<int> seen;
  for (std::uint64_t seed = 1; seed <= kScenes; ++seed) {
    const Scene scene = draw_scene(seed);
    ASSERT_EQ(scene.rgb.size(), 3u * kSceneWidth * kSceneHeight);
    ASSERT_EQ(scene.owner.size(), 1u * kSceneWidth * kSceneHeight);
    std::set<int> classes;
    for (const Object& object : scene.objects) {
      ASSERT_GE(object.cls, 0);
      ASSERT_LT(object.cls, static_cast<int>(class_names().size()));
      classes.insert(object.cls);
    }
    EXPECT_EQ(classes.size(), scene.objects.size()) << "a class twice, seed " << seed;
    counts.insert(scene.objects.size());
    seen.merge(classes);
  }
  EXPECT_EQ(counts, (std::set<std::size_t>{2, 3}));
  EXPECT_EQ(seen.size(), class_names().size()) << "a class is never drawn";
}

TEST(DemoScenes, BoxesAreTightAroundWhatTheOwnersSay) {
  for (std::uint64_t seed = 1; seed <= kScenes; ++seed) {
    const Scene scene = draw_scene(seed);
    for (int i = 0; i < static_cast<int>(scene.objects.size()); ++i) {
      Box tight{scene.width, scene.height, 0, 0};
      for (int y = 0; y < scene.height; ++y)
        for (int x = 0; x < scene.width; ++x)
          if (scene.shows(i, x, y))
            tight = {std::min(tight.x0, x), std::min(tight.y0, y), std::max(tight.x1, x + 1),
                     std::max(tight.y1, y + 1)};
      EXPECT_EQ(tight, scene.objects[static_cast<std::size_t>(i)].box) << "seed " << seed;
    }
    const int highest = *std::max_element(scene.owner.begin(), scene.owner.end());
    EXPECT_EQ(highest, static_cast<int>(scene.objects.size()));
  }
}

TEST(DemoScenes, ObjectsAreApartAndOfFairSize) {
  for (std::uint64_t seed = 1; seed <= kScenes; ++seed) {
    const Scene scene = draw_scene(seed);
    for (std::size_t i = 0; i < scene.objects.size(); ++i) {
      const Box a = scene.objects[i].box;
      EXPECT_GT(a.x0, 0) << "cut by the border, seed " << seed;
      EXPECT_GT(a.y0, 0);
      EXPECT_LT(a.x1, scene.width);
      EXPECT_LT(a.y1, scene.height);
      EXPECT_GE(std::min(a.x1 - a.x0, a.y1 - a.y0), 24);
      EXPECT_LE(std::max(a.x1 - a.x0, a.y1 - a.y0), 73);
      for (std::size_t j = 0; j < i; ++j) {
        const Box b = scene.objects[j].box;
        EXPECT_TRUE(a.x1 < b.x0 || b.x1 < a.x0 || a.y1 < b.y0 || b.y1 < a.y0)
            << "boxes touch, seed " << seed;
      }
    }
  }
}

TEST(DemoScenes, OwnedPixelsLookUnlikeTheirSurroundings) {
  // The picture and the truth must not be shifted against each other: the outline is dark, so the
  // owner's rim is darker than the rest of the object on average.
  for (std::uint64_t seed = 1; seed <= kScenes; ++seed) {
    const Scene scene = draw_scene(seed);
    for (int i = 0; i < static_cast<int>(scene.objects.size()); ++i) {
      long rim = 0, rim_pixels = 0, core = 0, core_pixels = 0;
      for (int y = 1; y + 1 < scene.height; ++y)
        for (int x = 1; x + 1 < scene.width; ++x) {
          if (!scene.shows(i, x, y)) continue;
          const auto at = static_cast<std::size_t>(3 * (y * scene.width + x));
          const int light = scene.rgb[at] + scene.rgb[at + 1] + scene.rgb[at + 2];
          const bool inner = scene.shows(i, x - 1, y) && scene.shows(i, x + 1, y) &&
                             scene.shows(i, x, y - 1) && scene.shows(i, x, y + 1);
          (inner ? core : rim) += light;
          ++(inner ? core_pixels : rim_pixels);
        }
      ASSERT_GT(core_pixels, 0);
      EXPECT_LT(rim / rim_pixels, core / core_pixels) << "seed " << seed << ", object " << i;
    }
  }
}

// Guards the promise that a seed is the same scene on every machine, compiler and setting: the
// models were trained on these scenes. A deliberate change of the scenes changes the numbers and
// asks for a new training.
TEST(DemoScenes, AreTheSameEverywhere) {
  EXPECT_EQ(checksum(draw_scene(1)), 17472310109784579274u);
  EXPECT_EQ(checksum(draw_scene(2)), 15892461053792807669u);
  EXPECT_EQ(checksum(draw_scene(200)), 6280225046801532163u);
  EXPECT_EQ(checksum(draw_scene(kFirstTrainingSeed)), 16614678194724859714u);
  EXPECT_EQ(checksum(draw_scene(~std::uint64_t{0})), 5529266151724313636u);
  std::uint64_t sixty = 0;
  for (std::uint64_t seed = 300; seed < 360; ++seed)
    sixty = sixty * 31 + checksum(draw_scene(seed));
  EXPECT_EQ(sixty, 10919333295016287343u);
}

TEST(DemoScenes, ChecksumSeesEveryPart) {
  const Scene scene = draw_scene(3);
  const auto changed = [&](auto change) {
    Scene other = scene;
    change(other);
    return checksum(other) != checksum(scene);
  };
  EXPECT_TRUE(changed([](Scene& s) { s.rgb.back() ^= 1; }));
  EXPECT_TRUE(changed([](Scene& s) { s.owner.front() ^= 1; }));
  EXPECT_TRUE(changed([](Scene& s) { s.objects.back().cls ^= 1; }));
  EXPECT_TRUE(changed([](Scene& s) { s.objects.back().box.y1 ^= 1; }));
}

TEST(DemoScenes, ShowsIsFalseOutside) {
  const Scene scene = draw_scene(1);
  EXPECT_FALSE(scene.shows(-1, -1, 0));
  EXPECT_FALSE(scene.shows(-1, scene.width, 0));
  EXPECT_FALSE(scene.shows(-1, 0, scene.height));
  EXPECT_TRUE(scene.shows(-1, 0, 0)) << "the background is owner 0";
}

TEST(DemoIntegers, SquareRootRoundsDown) {
  for (std::int64_t n = 0; n < 20000; ++n) {
    const std::int64_t root = isqrt(n);
    ASSERT_LE(root * root, n);
    ASSERT_GT((root + 1) * (root + 1), n);
  }
  EXPECT_EQ(isqrt(std::int64_t{3037000499} * 3037000499 / 4 - 1), 1518500249);
}

TEST(DemoIntegers, DirectionsHaveUnitLengthAndTurnSteadily) {
  for (int step = 0; step < kTurn; ++step) {
    const Direction d = direction(step), next = direction(step + 1);
    EXPECT_NEAR(isqrt(std::int64_t{d.cosine} * d.cosine + std::int64_t{d.sine} * d.sine), 1 << 14,
                2);
    const std::int64_t cross =
        std::int64_t{d.cosine} * next.sine - std::int64_t{d.sine} * next.cosine;
    EXPECT_NEAR(static_cast<double>(cross >> 14), 1606, 3) << "sin(2 pi / 64) * 2^14";
  }
}

TEST(DemoIntegers, DrawsReachBothEndsEvenly) {
  Random random(7);
  int counts[5] = {};
  for (int i = 0; i < 10000; ++i) {
    const int value = random.between(-2, 2);
    ASSERT_GE(value, -2);
    ASSERT_LE(value, 2);
    ++counts[value + 2];
  }
  for (const int count : counts) EXPECT_NEAR(count, 2000, 200);
}

}  // namespace
}  // namespace fovea::demo
