#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>

#include "api/support.hpp"
#include "onnx/model_builder.hpp"
#include "support/npy.hpp"

/// Which of a network's values are its logits, and what is told of them.
namespace fovea::api_test {
namespace {

std::string report(const char* name) {
  return std::string(FOVEA_SOURCE_DIR "/tests/api/data/softmax_then_cast/") + name;
}

TEST(Scores, BehindACastBehindASoftmaxAreLogits) {
  // expected.json: ONNX Runtime's, of the network in f32.
  constexpr std::array kLogits{0.73487353f, 0.94828296f, -1.20853305f, -0.91723824f, -1.39786947f};
  constexpr std::array kProbabilities{0.37157273f, 0.45996669f, 0.05321488f, 0.07120997f,
                                      0.04403574f};
  const Explainer explainer(Model::load(report("model.onnx")));
  auto run = explainer.forward(testing_support::read_npy(report("x.npy")));
  ASSERT_EQ(run.logits().data.size(), kLogits.size());
  for (const auto& one : run.predictions()) {
    const auto k = static_cast<std::size_t>(one.class_index);
    EXPECT_NEAR(one.logit, kLogits[k], 2e-3);  // the file's weights are f16
    EXPECT_NEAR(one.probability, kProbabilities[k], 5e-4);
  }
  EXPECT_TRUE(run.warnings().empty());
}

using test::attr;
using test::Floats;
using test::Ints;
using test::ModelBuilder;

constexpr std::int64_t kRows = 4, kColumns = 6;

/// "maps" [1, channels, 4, 6] of x, and "means" [1, channels].
ModelBuilder with_maps(std::int64_t channels) {
  auto weights = random_input({channels, 3, 1, 1}, 3).data;
  ModelBuilder out;
  out.input("x", {1, 3, kRows, kColumns})
      .initializer("w", {channels, 3, 1, 1}, weights)
      .add("Conv", {"x", "w"}, {"maps"})
      .add("GlobalAveragePool", {"maps"}, {"pooled"})
      .add("Flatten", {"pooled"}, {"means"});
  return out;
}

Explainer made(const ModelBuilder& builder, ExplainerOptions options = {}) {
  const auto bytes = builder.serialize();
  return Explainer(Model::from_bytes(std::as_bytes(std::span(bytes))), std::move(options));
}

std::string sentence_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.sentence();
  }
  return "nothing was refused";
}

TEST(Scores, OfAClassAtPositionsAreRefused) {
  auto model = with_maps(5);
  model.output("maps");
  ExplainerOptions options;
  options.prepare.methods = {GradCam{}};
  options.prepare.layers = {"maps"};
  options.compile.output = "maps";
  const auto explainer = made(model, options);
  const Tensor input = random_input(explainer, 1);
  auto run = explainer.forward(input);
  for (const auto& target : {Target::class_index(1), Target::class_index(1).of_probability(),
                             Target::difference(1, 2), Target::rest(0)}) {
    const auto said = sentence_of([&] { run.explain(GradCam{}, target); });
    EXPECT_NE(said.find("[5, 4, 6]"), std::string::npos) << said;
    EXPECT_NE(said.find("--region"), std::string::npos) << said;
    EXPECT_EQ(sentence_of([&] { run.channels(target, "maps"); }), said);
  }
  const std::vector<float> mask(kRows * kColumns, 1);
  EXPECT_TRUE(run.explain(GradCam{}, Target::region(1, 5, mask)).warnings.empty());
  // A place of the scores, which are the layer themselves.
  const auto place = run.explain(GradCam{}, Target::element("", {1, 0, 0}));
  ASSERT_EQ(place.warnings.size(), 1U);
  EXPECT_NE(place.warnings[0].find("one position of the layer alone"), std::string::npos)
      << place.warnings[0];
}

TEST(Scores, TheBestAtPositionsIsSaidToBeOneOfThem) {
  auto model = with_maps(5);
  model.output("maps");
  ExplainerOptions options;
  options.prepare.layers = {"maps"};
  options.compile.output = "maps";
  const auto explainer = made(model, options);
  const auto why = explainer.explain(random_input(explainer, 1));
  const auto scores = explainer.forward(random_input(explainer, 1)).logits().data;
  const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  const auto place = "[" + std::to_string(best / (kRows * kColumns)) + ", " +
                     std::to_string(best / kColumns % kRows) + ", " +
                     std::to_string(best % kColumns) + "]";
  EXPECT_FLOAT_EQ(static_cast<float>(why.score), scores[static_cast<std::size_t>(best)]);
  ASSERT_FALSE(why.warnings.empty());
  EXPECT_NE(why.warnings.front().find("the one at " + place), std::string::npos)
      << why.warnings.front();
}

TEST(Scores, AreNeverWhatTheImageDoesNotReach) {
  auto model = with_maps(5);
  model.initializer("version", {1, 2}, Floats{1, 7})
      .add("Identity", {"version"}, {"told"})
      .add("Shape", {"x"}, {"shape"})
      .add("Cast", {"shape"}, {"extents"}, {attr("to", test::kFloat)})
      .initializer("row", {2}, Ints{1, -1})
      .add("Reshape", {"extents", "row"}, {"extents_row"})
      .output("told")
      .output("extents_row")
      .output("means");
  const auto explainer = made(model);
  EXPECT_EQ(explainer.forward(random_input(explainer, 1)).predictions().size(), 5u);
}

TEST(Scores, OfOneValueHaveNoProbabilityWithoutASigmoid) {
  auto plain = with_maps(1);
  plain.output("means");
  const auto explainer = made(plain);
  EXPECT_FALSE(explainer.has_probabilities());
  auto run = explainer.forward(random_input(explainer, 1));
  ASSERT_EQ(run.predictions().size(), 1u);
  EXPECT_TRUE(std::isnan(run.predictions()[0].probability));
  const auto words = describe(explainer.explain(random_input(explainer, 1))).text;
  EXPECT_EQ(words.find("probability"), std::string::npos) << words;
  EXPECT_EQ(words.find("best of"), std::string::npos) << words;
  EXPECT_EQ(code_of([&] { run.explain(GradCam{}, Target::top1().of_probability()); }),
            ErrorCode::invalid_argument);

  auto binary = with_maps(1);
  binary.add("Sigmoid", {"means"}, {"p"}).output("p");
  const auto told = made(binary);
  EXPECT_TRUE(told.has_probabilities());
  const auto one = told.forward(random_input(told, 1)).predictions()[0];
  EXPECT_NEAR(one.probability, 1 / (1 + std::exp(-one.logit)), 1e-6);
}

TEST(Scores, ThatAreProbabilitiesWithoutLogitsAreTakenAsTheyAre) {
  auto model = with_maps(4);
  model.add("Softplus", {"means"}, {"positive"})
      .add("ReduceSum", {"positive"}, {"sum"}, {attr("keepdims", 1)})
      .add("Div", {"positive", "sum"}, {"shares"})
      .output("shares");
  ExplainerOptions options;
  options.prepare.methods = {Saliency{}};
  const auto explainer = made(model, options);
  auto run = explainer.forward(random_input(explainer, 1));
  const auto& scores = run.logits().data;
  EXPECT_NEAR(scores[0] + scores[1] + scores[2] + scores[3], 1, 1e-5);
  for (const auto& one : run.predictions()) EXPECT_EQ(one.probability, one.logit);
  ASSERT_EQ(run.warnings().size(), 1u);
  EXPECT_NE(run.warnings()[0].find("no logits were found"), std::string::npos);
  const auto logit = run.explain(Saliency{}),
             share = run.explain(Saliency{}, Target::top1().of_probability());
  EXPECT_EQ(logit.feature_map.data, share.feature_map.data);
  EXPECT_EQ(logit.score, share.score);
  const auto words = describe(logit).text;
  EXPECT_EQ(words.find("logit"), std::string::npos) << words;
}

TEST(Scores, ThatArePartOfAModelsProbabilitiesAreTakenAsTheyAre) {
  auto model = with_maps(4);
  model.add("Softmax", {"means"}, {"p"}, {attr("axis", 1)})
      .initializer("which", {2}, Ints{3, 1})
      .add("Gather", {"p", "which"}, {"picked"}, {attr("axis", 1)})
      .output("picked");
  ExplainerOptions options;
  options.compile.fetches = {"p"};
  const auto explainer = made(model, options);
  const auto input = random_input(explainer, 1);
  auto run = explainer.forward(input);
  const auto all = run.output("p").data;
  EXPECT_EQ(run.logits().data, (std::vector<float>{all[3], all[1]}));
  for (const auto& one : run.predictions()) EXPECT_EQ(one.probability, one.logit);
  ASSERT_EQ(run.warnings().size(), 1u);
  EXPECT_NE(run.warnings()[0].find("made of values of a softmax"), std::string::npos);
  // Told otherwise, too: what is no logit has no sigmoid.
  options.compile.multi_label = true;
  const auto told = made(model, options);
  EXPECT_EQ(told.forward(input).predictions()[0].probability, std::max(all[1], all[3]));
}

TEST(Scores, ThatAreMadeOfProbabilitiesAndAreNoneHaveNone) {
  auto model = with_maps(4);
  model.add("Softmax", {"means"}, {"p"}, {attr("axis", 1)})
      .initializer("ages", {4}, Floats{10, 20, 30, 40})
      .add("Mul", {"p", "ages"}, {"weighed"})
      .output("weighed");
  ExplainerOptions options;
  options.prepare.methods = {Saliency{}};
  const auto explainer = made(model, options);
  EXPECT_FALSE(explainer.has_probabilities());
  auto run = explainer.forward(random_input(explainer, 1));
  for (const auto& one : run.predictions()) EXPECT_TRUE(std::isnan(one.probability));
  ASSERT_EQ(run.warnings().size(), 1u);
  EXPECT_NE(run.warnings()[0].find("made of values of a softmax"), std::string::npos);
  EXPECT_NO_THROW(run.explain(Saliency{}));
  for (const auto& target : {Target::top1().of_probability(), Target::rest(0)})
    EXPECT_NE(sentence_of([&] { run.explain(Saliency{}, target); }).find("have no probabilities"),
              std::string::npos);
}

/// A class at each position, in one row: a softmax over all of it would be another's.
TEST(Scores, OfPositionsInOneRowHaveNoProbability) {
  auto model = with_maps(4);
  model.add("Softmax", {"maps"}, {"p"}, {attr("axis", 1)})
      .add("Transpose", {"p"}, {"turned"}, {attr("perm", Ints{0, 2, 3, 1})})
      .add("Flatten", {"turned"}, {"row"})
      .output("row");
  ExplainerOptions options;
  options.prepare.methods = {Saliency{}};
  const auto explainer = made(model, options);
  EXPECT_FALSE(explainer.has_probabilities());
  auto run = explainer.forward(random_input(explainer, 1));
  ASSERT_GT(run.predictions().size(), 4u);
  for (const auto& one : run.predictions()) EXPECT_TRUE(std::isnan(one.probability));
  ASSERT_EQ(run.warnings().size(), 1u);
  EXPECT_NE(run.warnings()[0].find("softmax over 4 classes, in one row"), std::string::npos);
}

TEST(Relevance, OfComputedWeightsIsRefusedAsSuch) {
  auto model = with_maps(4);
  model.add("Conv", {"maps", "pooled"}, {"matched"})
      .add("Flatten", {"matched"}, {"scores"})
      .output("scores");
  ExplainerOptions options;
  options.prepare.methods = {Lrp{}};
  const auto said = sentence_of([&] {
    const auto explainer = made(model, options);
    explainer.explain(random_input(explainer, 1), Lrp{});
  });
  EXPECT_NE(said.find("which the network computes from the image: weights, biases"),
            std::string::npos)
      << said;
}

TEST(Scores, AreInTheOutputsOrderBehindATransposition) {
  auto model = with_maps(5);
  model.add("Softmax", {"maps"}, {"p"}, {attr("axis", 1)})
      .add("Transpose", {"p"}, {"last"}, {attr("perm", Ints{0, 2, 3, 1})})
      .output("last");
  ExplainerOptions options;
  options.compile.output = "last";
  options.compile.fetches = {"maps"};
  const auto explainer = made(model, options);
  auto run = explainer.forward(random_input(explainer, 1));
  const auto maps = run.output("maps").data;
  constexpr std::size_t kPositions = kRows * kColumns, kClasses = 5;
  const auto& logits = run.logits().data;
  ASSERT_EQ(logits.size(), maps.size());
  for (std::size_t i = 0; i < maps.size(); ++i)
    EXPECT_EQ(logits[i], maps[i % kClasses * kPositions + i / kClasses]);
  EXPECT_TRUE(run.predictions().empty());
  EXPECT_FALSE(explainer.has_probabilities());
}

}  // namespace
}  // namespace fovea::api_test
