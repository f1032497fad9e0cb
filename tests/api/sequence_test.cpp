#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "api/support.hpp"
#include "onnx/model_builder.hpp"

/// Encoders that keep their tokens in front of their images, [tokens, images, channels], as
/// PyTorch's attention does: held to the same network with its images first.
namespace fovea::api_test {
namespace {

using test::attr;
using test::Floats;
using test::Ints;
using test::ModelBuilder;

constexpr std::int64_t kRows = 2, kColumns = 3, kTokens = kRows * kColumns, kWidth = 8, kHeads = 2;

class Encoder {
 public:
  Encoder(bool tokens_first, std::int64_t images) : first_(tokens_first) {
    weights("e", {kWidth, 3, 2, 2});
    m_.input("x", {images, 3, 2 * kRows, 2 * kColumns})
        .add("Conv", {"x", "e"}, {"conv"}, {attr("strides", Ints{2, 2})})
        .initializer("flat_shape", {3}, Ints{0, 0, -1})
        .add("Reshape", {"conv", "flat_shape"}, {"flat"})
        .add("Transpose", {"flat"}, {"patches"}, {attr("perm", by_order({2, 0, 1}, {0, 2, 1}))});
    weights("places", by_order({kTokens, 1, kWidth}, {1, kTokens, kWidth}));
    m_.add("Add", {"patches", "places"}, {"tokens"});
    m_.initializer("split", {by_order(3, 4)},
                   by_order({kTokens, -1, kWidth / kHeads}, {-1, kTokens, kHeads, kWidth / kHeads}))
        .initializer("joined", {3}, by_order({kTokens, -1, kWidth}, {-1, kTokens, kWidth}));
    block("a", "tokens", "a");
    block("b", "a", "b");
    norm("last", "b");
    m_.add("ReduceMean", {"last"}, {"read"},
           {attr("axes", Ints{by_order(0, 1)}), attr("keepdims", 0)});
    weights("head", {kWidth, 5});
    m_.add("Gemm", {"read", "head"}, {"scores"}).output("scores");
  }

  Model model() {
    const auto bytes = m_.serialize();
    return Model::from_bytes(std::as_bytes(std::span(bytes)));
  }

 private:
  template <class T>
  T by_order(T tokens_first, T images_first) const {
    return first_ ? tokens_first : images_first;
  }
  Ints by_order(Ints tokens_first, Ints images_first) const {
    return first_ ? tokens_first : images_first;
  }
  /// The same for a name, in whatever order its extents are.
  void weights(const std::string& name, const Ints& shape) {
    unsigned seed = 0;
    for (const char c : name) seed = 31 * seed + static_cast<unsigned char>(c);
    auto values = random_input(shape, seed).data;
    for (auto& v : values) v *= 0.4F;
    m_.initializer(name, shape, values);
  }
  void norm(const std::string& name, const std::string& x) {
    weights(name + "/g", {kWidth});
    weights(name + "/b", {kWidth});
    m_.add("LayerNormalization", {x, name + "/g", name + "/b"}, {name}, {attr("axis", -1)});
  }
  void dense(const std::string& name, const std::string& x, std::int64_t from, std::int64_t to) {
    weights(name + "/w", {from, to});
    m_.add("MatMul", {x, name + "/w"}, {name});
  }
  /// Queries, keys or values by head: [images and heads..., tokens, width].
  void heads(const std::string& name, const std::string& x) {
    dense(name, x, kWidth, kWidth);
    m_.add("Reshape", {name, "split"}, {name + "/split"})
        .add("Transpose", {name + "/split"}, {name + "/heads"},
             {attr("perm", by_order({1, 0, 2}, {0, 2, 1, 3}))});
  }
  void block(const std::string& name, const std::string& x, const std::string& out) {
    const auto n = [&](const char* part) { return name + "/" + part; };
    norm(n("norm1"), x);
    for (const auto* part : {"q", "k", "v"}) heads(n(part), n("norm1"));
    m_.add("Transpose", {n("k/heads")}, {n("kT")},
           {attr("perm", by_order({0, 2, 1}, {0, 1, 3, 2}))})
        .add("MatMul", {n("q/heads"), n("kT")}, {n("products")})
        .add("Softmax", {n("products")}, {n("soft")}, {attr("axis", -1)})
        .add("MatMul", {n("soft"), n("v/heads")}, {n("mixed")})
        .add("Transpose", {n("mixed")}, {n("back")},
             {attr("perm", by_order({1, 0, 2}, {0, 2, 1, 3}))})
        .add("Reshape", {n("back"), "joined"}, {n("whole")});
    dense(n("out"), n("whole"), kWidth, kWidth);
    m_.add("Add", {x, n("out")}, {n("add")});
    norm(n("norm2"), n("add"));
    dense(n("up"), n("norm2"), kWidth, 2 * kWidth);
    m_.add("Tanh", {n("up")}, {n("tanh")});
    dense(n("down"), n("tanh"), 2 * kWidth, kWidth);
    m_.add("Add", {n("add"), n("down")}, {out});
  }

  bool first_;
  ModelBuilder m_{17};
};

class TokensFirst : public testing::TestWithParam<std::int64_t> {};

ExplainerOptions untuned() {
  ExplainerOptions out;
  out.compile.tuning = Tuning::off;
  return out;
}

TEST_P(TokensFirst, TheLayersAndTheDefaultAreThoseOfImagesFirst) {
  const auto images = GetParam();
  const Explainer first(Encoder(true, images).model(), untuned()),
      other(Encoder(false, images).model(), untuned());
  EXPECT_EQ(first.default_layer(), "last");
  EXPECT_EQ(other.default_layer(), "last");
  int sequences = 0;
  for (const auto& layer : first.layers()) {
    const auto& all = other.layers();
    const auto same = std::find_if(all.begin(), all.end(),
                                   [&](const auto& one) { return one.name == layer.name; });
    ASSERT_NE(same, all.end()) << layer.name;
    EXPECT_EQ(layer.grid, same->grid) << layer.name;
    if (layer.shape.size() != 3 || layer.shape == same->shape) continue;
    EXPECT_EQ(layer.shape[0], kTokens);
    EXPECT_EQ(layer.grid, (Shape{kRows, kColumns}));
    ++sequences;
  }
  // Of each block two norms, two sums and what its products make.
  EXPECT_GE(sequences, 16);
}

TEST_P(TokensFirst, EveryMethodSeesTheSameMaps) {
  const auto images = GetParam();
  const Model first = Encoder(true, images).model(), other = Encoder(false, images).model();
  int compared = 0;
  for (const auto& info : methods()) {
    if (info.kind != MapKind::layer || info.name == "cam") continue;
    const bool exact = info.name == "gradcam" || info.name == "hirescam";
    const auto layers = exact ? std::vector<std::string>{"tokens", "a/norm2", "b", "last"}
                              : std::vector<std::string>{"b"};
    for (const auto& layer : layers)
      for (const bool optimize : {true, false}) {
        SCOPED_TRACE(info.name + " of " + layer + (optimize ? "" : ", plain plan"));
        auto options = untuned();
        options.compile.optimize = optimize;
        options.prepare.methods = {Method{info.name}};
        options.prepare.layers = {layer};
        const Explainer one(first, options), two(other, options);
        const Tensor input = random_input(one, 3);
        const Target targets[] = {Target::class_index(1), Target::class_index(4)};
        const ExplainOptions how{.keep_sign = true};
        auto run = one.forward(input), same = two.forward(input);
        for (const auto& target : targets) {
          const auto got = run.explain(Method{info.name}, std::span(&target, 1), how);
          const auto want = same.explain(Method{info.name}, std::span(&target, 1), how);
          ASSERT_EQ(got.size(), static_cast<std::size_t>(images));
          for (std::size_t n = 0; n < got.size(); ++n) {
            const auto& a = got[n].feature_map;
            const auto& b = want[n].feature_map;
            ASSERT_EQ(a.shape, (Shape{kRows, kColumns}));
            ASSERT_EQ(b.shape, a.shape);
            float largest = 0;
            for (const float v : b.data) largest = std::max(largest, std::abs(v));
            EXPECT_TRUE(largest > 0 || !exact);
            // What a norm reads is at right angles to its gradient: HiResCAM adds up what cancels,
            // and rounding is as large as its terms allow.
            if (info.name == "hirescam" && layer == "b") largest = std::max(largest, 0.02F);
            for (std::size_t i = 0; i < a.data.size(); ++i)
              ASSERT_NEAR(a.data[i], b.data[i], (exact ? 2e-6F : 2e-3F) * largest)
                  << n << ", " << i;
          }
          ++compared;
        }
      }
  }
  EXPECT_GE(compared, 100);
}

TEST_P(TokensFirst, SeveralTargetsHaveOneWalk) {
  const auto images = GetParam();
  auto options = untuned();
  options.prepare.layers = {"a"};
  options.prepare.methods = {HiResCam{}};
  const Explainer each(Encoder(true, images).model(), options);
  options.prepare.targets_at_once = 3 * images;
  const Explainer together(Encoder(true, images).model(), options);
  std::vector<Target> targets;
  for (int k = 0; k < 3; ++k)
    for (std::int64_t n = 0; n < images; ++n) targets.push_back(Target::class_index(k));
  const Tensor input = random_input(each, 5);
  const auto want = each.forward(input).explain(HiResCam{}, targets, {});
  const auto got = together.forward(input).explain(HiResCam{}, targets, {});
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    for (std::size_t p = 0; p < want[i].feature_map.data.size(); ++p)
      EXPECT_NEAR(got[i].feature_map.data[p], want[i].feature_map.data[p], 1e-5F);
}

INSTANTIATE_TEST_SUITE_P(Images, TokensFirst, testing::Values(1, 3));

TEST(TokensBeforeImages, WhereHeadsAndImagesShareAnAxisALayerIsRefusedByName) {
  auto options = untuned();
  options.prepare.layers = {"a/q/split"};
  try {
    const Explainer explainer(Encoder(true, 3).model(), options);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("a/q/split"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("number of images"), std::string::npos);
  }
}

}  // namespace
}  // namespace fovea::api_test
