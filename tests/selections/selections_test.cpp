#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <random>
#include <set>
#include <thread>

#include "fovea/fovea.hpp"
#include "onnx/model_builder.hpp"

/// Rows that a model selects by its data: what they are, and that the map of a row is that of what
/// it was selected from, asked for without any selection.
namespace fovea::test {
namespace {

constexpr std::int64_t kSide = 8, kBoxes = kSide * kSide, kClasses = 2;

Tensor drawn(Shape shape, unsigned seed, float low = -1, float high = 1) {
  Tensor out{std::move(shape), {}};
  std::int64_t count = 1;
  for (const auto extent : out.shape) count *= extent;
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> number(low, high);
  for (std::int64_t i = 0; i < count; ++i) out.data.push_back(number(random));
  return out;
}

TensorView view(const Tensor& tensor) {
  return {tensor.shape, tensor.data};
}

Tensor image(unsigned seed) {
  return drawn({1, 3, kSide, kSide}, seed);
}

/// A box around each position, so that neighbours overlap.
Floats boxes() {
  Floats out;
  for (std::int64_t i = 0; i < kBoxes; ++i) {
    const auto y = static_cast<float>(i / kSide), x = static_cast<float>(i % kSide);
    out.insert(out.end(), {y - 1, x - 1, y + 1, x + 1});
  }
  return out;
}

/// A map, and of each of its positions two scores: "raw" [1, 2, 64], "flat" [128].
ModelBuilder scored() {
  ModelBuilder model(17);
  const auto w0 = drawn({4, 3, 3, 3}, 5), w1 = drawn({kClasses, 4, 1, 1}, 6);
  model.input("image", {1, 3, kSide, kSide})
      .initializer("w0", w0.shape, w0.data)
      .initializer("w1", w1.shape, w1.data)
      .initializer("rows", {3}, Ints{1, kClasses, kBoxes})
      .initializer("all", {1}, Ints{-1})
      .initializer("boxes", {1, kBoxes, 4}, boxes())
      .add("Conv", {"image", "w0"}, {"conv"}, {attr("pads", Ints{1, 1, 1, 1})}, "conv")
      .add("Sigmoid", {"conv"}, {"map"}, {}, "map")
      .add("Conv", {"map", "w1"}, {"score_map"}, {}, "head")
      .add("Reshape", {"score_map", "rows"}, {"raw"}, {}, "raw")
      .add("Reshape", {"raw", "all"}, {"flat"}, {}, "flat");
  return model;
}

/// "scores" of what non-maximum suppression leaves, whose coordinates are "picked".
ModelBuilder suppressed(float least) {
  auto model = scored();
  model.initializer("most", {1}, Ints{5})
      .initializer("overlap", {1}, Floats{0.3f})
      .initializer("least", {1}, Floats{least})
      .add("NonMaxSuppression", {"boxes", "raw", "most", "overlap", "least"}, {"picked"}, {}, "nms")
      .add("GatherND", {"raw", "picked"}, {"scores"}, {}, "scores")
      .output("scores", {-1})
      .output("picked", {-1, 3}, kInt64);
  return model;
}

/// "scores" of all above a threshold.
ModelBuilder above(float least) {
  auto model = scored();
  model.initializer("least", {}, Floats{least})
      .add("Greater", {"raw", "least"}, {"mask"}, {}, "mask")
      .add("NonZero", {"mask"}, {"places"}, {}, "places")
      .add("Transpose", {"places"}, {"picked"}, {}, "picked")
      .add("GatherND", {"raw", "picked"}, {"scores"}, {}, "scores")
      .output("scores", {-1})
      .output("picked", {-1, 3}, kInt64);
  return model;
}

/// The best of them, as many as are above a threshold.
ModelBuilder as_many(float least) {
  auto model = scored();
  model.initializer("least", {}, Floats{least})
      .add("Greater", {"flat", "least"}, {"mask"}, {}, "mask")
      .add("Cast", {"mask"}, {"ones"}, {attr("to", kInt64)}, "ones")
      .add("ReduceSum", {"ones"}, {"k"}, {attr("keepdims", 1)}, "k")
      .add("TopK", {"flat", "k"}, {"scores", "picked"}, {}, "best")
      .output("scores", {-1})
      .output("picked", {-1}, kInt64);
  return model;
}

/// Candidates of the first class above a threshold, then suppression among them.
ModelBuilder in_two_stages(float least) {
  auto model = scored();
  model.initializer("least", {}, Floats{least})
      .initializer("first", {}, Ints{0})
      .initializer("one", {1}, Ints{1})
      .initializer("two", {2}, Ints{0, 1})
      .initializer("most", {1}, Ints{20})
      .initializer("overlap", {1}, Floats{0.3f})
      .add("Gather", {"raw", "first"}, {"class_rows"}, {attr("axis", 1)}, "class_rows")
      .add("Reshape", {"class_rows", "all"}, {"own"}, {}, "own")
      .add("Greater", {"own", "least"}, {"mask"}, {}, "mask")
      .add("NonZero", {"mask"}, {"places"}, {}, "places")
      .add("Reshape", {"places", "all"}, {"candidates"}, {}, "candidates")
      .add("Gather", {"own", "candidates"}, {"candidate_scores"}, {}, "candidate_scores")
      .add("Gather", {"boxes", "candidates"}, {"candidate_boxes"}, {attr("axis", 1)}, "near")
      .add("Unsqueeze", {"candidate_scores", "two"}, {"candidate_rows"}, {}, "candidate_rows")
      .add("NonMaxSuppression", {"candidate_boxes", "candidate_rows", "most", "overlap"}, {"left"},
           {}, "nms")
      .add("Gather", {"left", "two_index"}, {"left_index"}, {attr("axis", 1)}, "left_index")
      .add("Gather", {"candidates", "left_index"}, {"picked"}, {}, "picked")
      .add("Gather", {"candidate_scores", "left_index"}, {"scores"}, {}, "scores")
      .initializer("two_index", {}, Ints{2})
      .output("scores", {-1})
      .output("picked", {-1}, kInt64);
  return model;
}

Model loaded(const ModelBuilder& model) {
  const auto bytes = model.serialize();
  return Model::from_bytes(std::as_bytes(std::span(bytes)));
}

ExplainerOptions options(std::vector<std::string> targets, std::vector<std::string> fetches = {}) {
  ExplainerOptions out;
  out.compile.tuning = Tuning::off;
  out.compile.fetches = std::move(fetches);
  out.prepare.layers = {"map"};
  out.prepare.target_values = std::move(targets);
  out.prepare.methods = {HiResCam{}, GradCam{}, Saliency{}};
  return out;
}

void expect_near(const Tensor& got, const Tensor& want, float tolerance = 1e-6f) {
  ASSERT_EQ(got.shape, want.shape);
  float most = 0;
  for (const float v : want.data) most = std::max(most, std::abs(v));
  ASSERT_GT(most, 0);
  for (std::size_t i = 0; i < want.data.size(); ++i)
    ASSERT_NEAR(got.data[i], want.data[i], tolerance * most) << "element " << i;
}

/// Each selected row's score and maps are those of the raw row that `place` says.
void check_rows(const ModelBuilder& built, std::size_t least_rows,
                const std::function<Shape(const Tensor& picked, std::size_t row)>& place) {
  const auto model = loaded(built);
  const Explainer selecting(model, options({"scores"}, {"scores", "picked"}));
  const Explainer raw(model, options({"raw"}, {"raw"}));
  std::set<std::size_t> counts;
  for (const unsigned seed : {1u, 2u, 3u, 1u}) {
    const auto x = image(seed);
    auto run = selecting.forward(view(x));
    auto own = raw.forward(view(x));
    const auto scores = run.output("scores"), picked = run.output("picked");
    ASSERT_GE(scores.data.size(), least_rows);
    counts.insert(scores.data.size());
    for (std::size_t row = 0; row < scores.data.size(); ++row) {
      const auto at = place(picked, row);
      const auto value = own.output("raw").data[static_cast<std::size_t>(at[0] * kBoxes + at[1])];
      EXPECT_EQ(scores.data[row], value);
      const auto target = Target::element("scores", {static_cast<std::int64_t>(row)});
      const auto same = Target::element("raw", at);
      for (const Method& method : {Method(HiResCam{}), Method(GradCam{}), Method(Saliency{})}) {
        const auto got = run.explain(method, target), want = own.explain(method, same);
        EXPECT_EQ(got.score, want.score);
        expect_near(got.map, want.map);
      }
    }
  }
  EXPECT_GT(counts.size(), 1u) << "images that select as many show less";
}

TEST(Selections, OfSuppression) {
  check_rows(suppressed(0.2f), 2, [](const Tensor& picked, std::size_t row) {
    return Shape{static_cast<std::int64_t>(picked.data[3 * row + 1]),
                 static_cast<std::int64_t>(picked.data[3 * row + 2])};
  });
}

TEST(Selections, OfWhatIsNotZero) {
  check_rows(above(0.5f), 2, [](const Tensor& picked, std::size_t row) {
    return Shape{static_cast<std::int64_t>(picked.data[3 * row + 1]),
                 static_cast<std::int64_t>(picked.data[3 * row + 2])};
  });
}

TEST(Selections, OfAComputedNumberOfTheBest) {
  check_rows(as_many(0.5f), 2, [](const Tensor& picked, std::size_t row) {
    const auto at = static_cast<std::int64_t>(picked.data[row]);
    return Shape{at / kBoxes, at % kBoxes};
  });
}

TEST(Selections, OneBehindTheOther) {
  check_rows(in_two_stages(0.2f), 1, [](const Tensor& picked, std::size_t row) {
    return Shape{0, static_cast<std::int64_t>(picked.data[row])};
  });
}

/// One row is a row like others, and no image: found is the threshold that leaves so many.
TEST(Selections, OfOneRow) {
  const auto x = image(4);
  const Explainer all(loaded(scored().output("raw", {1, kClasses, kBoxes})),
                      options({"raw"}, {"raw"}));
  auto raw = all.forward(view(x));
  auto ranked = raw.output("raw").data;
  std::sort(ranked.rbegin(), ranked.rend());
  for (const std::size_t count : {1u, 2u, 3u}) {
    const float least = (ranked[count - 1] + ranked[count]) / 2;
    for (const auto& built : {above(least), as_many(least)}) {
      auto model = built;
      // The same as [rows, 2]: the score, and what it is picked from.
      model.initializer("column", {1}, Ints{1})
          .add("Unsqueeze", {"scores", "column"}, {"score_column"}, {}, "column")
          .add("Concat", {"score_column", "score_column"}, {"table"}, {attr("axis", 1)}, "table")
          .output("table", {-1, 2});
      for (const std::vector<std::string>& read :
           {std::vector<std::string>{"scores"}, {"table"}, {"scores", "table"}}) {
        const Explainer explainer(loaded(model), options(read, {"scores"}));
        for (const auto& value : explainer.target_values()) {
          EXPECT_FALSE(value.of_images) << value.name;
          EXPECT_EQ(value.shape, value.name == "scores" ? (Shape{-1}) : (Shape{-1, 2}));
        }
        auto run = explainer.forward(view(x));
        ASSERT_EQ(run.output("scores").data.size(), count);
        const auto row = static_cast<std::int64_t>(count) - 1;
        for (const auto& name : read) {
          const auto text = name + "[" + std::to_string(row) + (name == "scores" ? "]" : ",1]");
          const auto target = target_of(parse_target(text), explainer.target_values());
          const auto why = run.explain(HiResCam{}, target);
          EXPECT_EQ(why.score, run.output("scores").data[static_cast<std::size_t>(row)]) << text;
        }
      }
    }
  }
  // By its node's name, too, and behind an extent that counts the images.
  auto bare = options({"near"});
  bare.prepare.layers.clear();
  bare.prepare.methods.clear();
  const Explainer near(loaded(in_two_stages(0.2f)), bare);
  EXPECT_TRUE(near.target_values()[0].of_images);
  EXPECT_EQ(near.target_values()[0].shape, (Shape{-1, 4}));
  const std::vector<TargetValue> open{{"table", {-1, 2}, false}};
  EXPECT_THROW(target_of(parse_target("mean(table[:,1])"), open), Error);
  EXPECT_EQ(target_of(parse_target("sum(table[7,:])"), open).as<Target::Sum>()->terms[1].at,
            (Shape{7, 1}));
}

TEST(Selections, OfNothingAreAResult) {
  for (const auto& built : {suppressed(1e3f), above(1e3f), as_many(1e3f), in_two_stages(1e3f)}) {
    const Explainer explainer(loaded(built), options({"scores"}, {"scores", "picked"}));
    const auto x = image(1);
    auto run = explainer.forward(view(x));
    EXPECT_EQ(run.output("scores").shape, (Shape{0}));
    EXPECT_EQ(run.output("picked").data.size(), 0u);
    EXPECT_EQ(run.logits().data.size(), 0u);
    EXPECT_TRUE(run.predictions(0).empty());
    ASSERT_FALSE(run.warnings().empty());
    try {
      run.explain(HiResCam{}, Target::element("scores", {0}));
      ADD_FAILURE() << "explained nothing";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_EQ(error.sentence(), "nothing was selected: there is no row to explain");
    }
  }
}

/// More extents than are kept, from several threads at once.
TEST(Selections, OfAnyThread) {
  const Explainer explainer(loaded(above(0.5f)), options({"scores"}, {"scores"}));
  constexpr unsigned kImages = 6;
  const auto asked = [&](unsigned seed) {
    const auto x = image(seed);
    auto run = explainer.forward(view(x));
    const auto why = run.explain(HiResCam{}, Target::element("scores", {0}));
    return std::pair(run.output("scores").data, why.map.data);
  };
  std::vector<std::pair<std::vector<float>, std::vector<float>>> alone;
  std::set<std::size_t> counts;
  for (unsigned seed = 0; seed < kImages; ++seed) {
    alone.push_back(asked(seed));
    counts.insert(alone.back().first.size());
  }
  EXPECT_GT(counts.size(), 2u);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 2 * kImages; ++i)
        if (const auto seed = (i * (t + 1) + t) % kImages; asked(seed) != alone[seed]) ++wrong;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Selections, LackARow) {
  const Explainer explainer(loaded(suppressed(0.2f)), options({"scores"}, {"scores"}));
  const auto x = image(1);
  auto run = explainer.forward(view(x));
  const auto count = static_cast<std::int64_t>(run.output("scores").data.size());
  EXPECT_THROW(run.explain(HiResCam{}, Target::element("scores", {count})), Error);
}

TEST(Selections, SayWhatIsKnownBefore) {
  const Explainer explainer(loaded(suppressed(0.2f)), options({"scores"}));
  EXPECT_EQ(explainer.inputs().size(), 1u);
  EXPECT_EQ(explainer.shapes().at("raw"), (Shape{1, kClasses, kBoxes}));
  EXPECT_FALSE(explainer.shapes().contains("scores"));
  EXPECT_EQ(explainer.prepared_layers(), (std::vector<std::string>{"map"}));
  EXPECT_TRUE(std::any_of(explainer.layers().begin(), explainer.layers().end(),
                          [](const LayerInfo& layer) { return layer.name == "map"; }));
  auto open = options({"scores"});
  open.prepare.layers.clear();
  const Explainer unnamed(loaded(suppressed(0.2f)), open);
  EXPECT_EQ(unnamed.default_layer(), "score_map");
  const auto x = image(1);
  EXPECT_GT(unnamed.forward(view(x)).explain(HiResCam{}, Target::element("scores", {0})).score, 0);
  auto unknown = options({"scores"});
  unknown.prepare.layers = {"no such layer"};
  EXPECT_THROW(Explainer(loaded(suppressed(0.2f)), unknown), Error);
}

/// Of two levels, whose rows are selected among, what both are made of is the default layer, and
/// what only indices read is none.
TEST(Selections, LieBehindALayerOfAllRows) {
  auto model = scored();
  const auto w = drawn({kClasses, 4, 3, 3}, 9);
  model.initializer("w2", w.shape, w.data)
      .initializer("least", {}, Floats{0.2f})
      .add("Conv", {"map", "w2"}, {"other_map"},
           {attr("pads", Ints{1, 1, 1, 1}), attr("strides", Ints{2, 2})}, "other")
      .add("Reshape", {"other_map", "all"}, {"other_flat"}, {}, "other_flat")
      .add("Concat", {"flat", "other_flat"}, {"both"}, {attr("axis", 0)}, "both")
      .add("Sigmoid", {"score_map"}, {"only_read"}, {}, "only_read")
      .add("Reshape", {"only_read", "all"}, {"only_flat"}, {}, "only_flat")
      .add("Greater", {"only_flat", "least"}, {"mask"}, {}, "mask")
      .add("NonZero", {"mask"}, {"places"}, {}, "places")
      .add("Reshape", {"places", "all"}, {"picked"}, {}, "picked")
      .add("Gather", {"both", "picked"}, {"scores"}, {}, "scores")
      .output("scores", {-1});
  auto open = options({"scores"});
  open.prepare.layers.clear();
  const Explainer explainer(loaded(model), open);
  EXPECT_EQ(explainer.default_layer(), "map");
  for (const auto& layer : explainer.layers()) EXPECT_NE(layer.name, "only_read");
}

/// What lies in front of the selections is an ordinary target.
TEST(Selections, AreNotRunWhereNobodyAsks) {
  const Explainer explainer(loaded(suppressed(1e3f)), options({"raw"}));
  EXPECT_FALSE(explainer.steps().empty());
  EXPECT_FALSE(explainer.shapes().contains("scores"));
}

/// Hidden parts of the image change what would be selected: asked about is the row that was.
TEST(Selections, HoldUnderPerturbation) {
  auto selecting = options({"scores"}, {"scores", "picked"}), raw = options({"raw"});
  selecting.prepare.methods = raw.prepare.methods = {Occlusion{.window = 2, .stride = 2}};
  const auto model = loaded(suppressed(0.2f));
  const Explainer one(model, selecting), other(model, raw);
  const auto x = image(2);
  auto run = one.forward(view(x));
  const auto picked = run.output("picked");
  const auto got = run.explain(selecting.prepare.methods[0], Target::element("scores", {1}));
  const auto want = other.forward(view(x)).explain(
      raw.prepare.methods[0], Target::element("raw", {static_cast<std::int64_t>(picked.data[4]),
                                                      static_cast<std::int64_t>(picked.data[5])}));
  expect_near(got.map, want.map, 1e-5f);
}

}  // namespace
}  // namespace fovea::test
