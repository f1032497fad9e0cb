#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>
#include <stdexcept>

#include "explain/support.hpp"

/// Targets made of named values of the network in place of its scores.
namespace fovea {
namespace {

using namespace methods_test;

void read(ExplainerOptions& options, std::vector<std::string> values) {
  options.compile.fetches = values;
  std::erase(options.compile.fetches, std::string());
  options.prepare.target_values = std::move(values);
}

/// Inner values that depend on the image, drawn.
std::vector<std::string> drawn_values(const std::string& network, std::size_t count,
                                      std::mt19937& random) {
  const auto plain = explainer_for(network, {Saliency{}});
  std::vector<std::string> all;
  for (const auto& layer : plain.layers())
    if (layer.name != plain.inputs()[0].name) all.push_back(layer.name);
  std::shuffle(all.begin(), all.end(), random);
  all.resize(std::min(count, all.size()));
  return all;
}

Shape drawn_element(const Explainer& explainer, const std::string& value, std::mt19937& random) {
  Shape at;
  const auto& shape = explainer.shapes().at(value);
  for (std::size_t d = 1; d < shape.size(); ++d)
    at.push_back(std::uniform_int_distribution<std::int64_t>(0, shape[d] - 1)(random));
  return at;
}

double element(const Tensor& value, const Shape& at) {
  std::int64_t place = 0;
  for (std::size_t d = 0; d < at.size(); ++d) place = place * value.shape[d + 1] + at[d];
  return value.data[static_cast<std::size_t>(place)];
}

class TargetValues : public testing::TestWithParam<std::string> {};

/// Its value is what fetches of the values say, and its slope along a direction what
/// two runs beside the image say.
TEST_P(TargetValues, ASumOfSeveralValuesHasItsValueAndItsSlope) {
  std::mt19937 random(7);
  const auto names = drawn_values(GetParam(), 2, random);
  const auto explainer = explainer_for(GetParam(), {Saliency{}}, [&](auto& options) {
    read(options, {"", names[0], names.back()});
  });
  std::vector<Target::Sum::Term> terms = {{"", {1}, 0.5}};
  for (const auto& name : std::set<std::string>(names.begin(), names.end()))
    terms.push_back({name, drawn_element(explainer, name, random), 2});
  // A single element can lie behind a ReLU that is shut.
  for (int k = 0; k < 40; ++k)
    terms.push_back({names[0], drawn_element(explainer, names[0], random), 0.25 * (k % 5 + 1)});
  const Tensor x = random_input(explainer);
  const auto number = [&](const Tensor& image) {
    const auto run = explainer.forward(image);
    double out = 0;
    for (const auto& term : terms)
      out += term.factor * (term.value.empty() ? static_cast<double>(run.logits().data[1])
                                               : element(run.output(term.value), term.at));
    return out;
  };
  auto run = explainer.forward(x);
  const auto why = run.explain(Saliency{}, Target::sum(terms));
  EXPECT_NEAR(why.score, number(x), 1e-4 * (1 + std::abs(number(x))));
  const auto& gradient = why.attribution.data;
  double length = 0;
  for (const double g : gradient) length += g * g;
  length = std::sqrt(length);
  ASSERT_GT(length, 0);
  // Along the gradient itself, short enough that few ReLUs open or shut.
  const double step = 2e-3;
  auto up = x, down = x;
  for (std::size_t i = 0; i < x.data.size(); ++i) {
    const auto by = static_cast<float>(step * gradient[i] / length);
    up.data[i] += by;
    down.data[i] -= by;
  }
  EXPECT_NEAR((number(up) - number(down)) / (2 * step) / length, 1, 0.03);
}

TEST_P(TargetValues, TheScoresAmongThemAreTheScores) {
  std::mt19937 random(3);
  const auto names = drawn_values(GetParam(), 1, random);
  const std::vector<Method> methods = {GradCam{}, Saliency{}, FinerCam{}};
  const auto plain = explainer_for(GetParam(), methods);
  const auto more = explainer_for(GetParam(), methods, [&](auto& options) {
    read(options, {names[0], ""});
    options.prepare.layers = plain.prepared_layers();
  });
  const Tensor x = random_input(plain);
  auto a = plain.forward(x), b = more.forward(x);
  ASSERT_EQ(a.predictions().size(), b.predictions().size());
  EXPECT_EQ(a.predictions()[0].class_index, b.predictions()[0].class_index);
  EXPECT_NEAR(a.predictions()[0].probability, b.predictions()[0].probability, 1e-5);
  EXPECT_GT(b.logits().shape[1], a.logits().shape[1]);
  for (const auto& method : methods)
    EXPECT_LE(difference(b.explain(method).feature_map.data, a.explain(method).feature_map.data),
              1e-4f)
        << method.name;
}

TEST_P(TargetValues, ImagesThatChangePlacesTakeTheirMapsAlong) {
  std::mt19937 random(11);
  const auto names = drawn_values(GetParam(), 1, random);
  const std::vector<Method> methods = {Saliency{}, GradCam{}};
  const auto explainer = explainer_for(GetParam(), methods, [&](auto& options) {
    read(options, {names[0], ""});
    if (golden_model(GetParam()).inputs()[0].shape[0] < 0)
      for (auto& [name, shape] : options.compile.input_shapes) shape[0] = 2;
  });
  const Tensor x = random_input(explainer);
  if (x.shape[0] < 2) GTEST_SKIP() << "the file fixes the batch at one image";
  Tensor swapped = x;
  const auto size = static_cast<std::ptrdiff_t>(x.data.size()) / x.shape[0];
  std::swap_ranges(swapped.data.begin(), swapped.data.begin() + size, swapped.data.begin() + size);
  const auto target = Target::element(names[0], drawn_element(explainer, names[0], random));
  auto a = explainer.forward(x), b = explainer.forward(swapped);
  for (const auto& method : methods) {
    const auto one = a.explain(method, {&target, 1}), other = b.explain(method, {&target, 1});
    EXPECT_NE(one[0].score, one[1].score);
    for (std::size_t n = 0; n < 2; ++n) {
      EXPECT_NEAR(one[n].score, other[1 - n].score, 1e-5 * (1 + std::abs(one[n].score)));
      if (largest(one[n].feature_map.data) > 0) {
        EXPECT_LE(difference(other[1 - n].feature_map.data, one[n].feature_map.data), 1e-4f)
            << method.name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, TargetValues,
                         testing::Values("vgg", "mobilenet_v2", "resnet", "densenet",
                                         "efficientnet", "inception", "squeezenet", "softmax_end",
                                         "convnext", "swin"),
                         [](const auto& one) { return one.param; });

std::string inner_of(const char* network) {
  return explainer_for(network, {Saliency{}}).default_layer();
}

TEST(TargetFunctions, AreWhatTheyCompute) {
  const auto inner = inner_of("resnet");
  const auto explainer = explainer_for(
      "resnet", {Saliency{}, Occlusion{.window = 24, .stride = 12}}, [&](auto& options) {
        read(options, {"", inner});
      });
  const Tensor x = random_input(explainer);
  auto run = explainer.forward(x);
  const Target by_code{Target::Function{
      {inner, ""}, [](std::span<const ImageValue> values, std::span<const std::span<float>> out) {
        if (!out.empty()) {
          out[0][3] = 2;
          out[1][1] = -1;
        }
        return 2.0 * values[0].data[3] - values[1].data[1];
      }}};
  const auto& shape = explainer.shapes().at(inner);
  const auto by_name = Target::sum({{inner, {0, 3 / shape[3], 3 % shape[3]}, 2}, {"", {1}, -1}});
  for (const Method& method : {Method(Saliency{}), Method(Occlusion{.window = 24, .stride = 12})}) {
    const auto a = run.explain(method, by_code), b = run.explain(method, by_name);
    EXPECT_EQ(a.score, b.score);
    EXPECT_EQ(a.feature_map.data, b.feature_map.data) << method.name;
    EXPECT_GT(largest(a.feature_map.data), 0);
  }
  const auto against = run.explain(Saliency{}, by_code.counterfactual());
  const auto plain = run.explain(Saliency{}, by_code);
  EXPECT_EQ(against.score, -plain.score);
  for (std::size_t i = 0; i < plain.attribution.data.size(); ++i)
    ASSERT_EQ(against.attribution.data[i], -plain.attribution.data[i]);
}

TEST(TargetFunctions, MayThrow) {
  const auto explainer = explainer_for("vgg", {GradCam{}});
  auto run = explainer.forward(random_input(explainer));
  const Target throws{Target::Function{
      {""}, [](auto, auto) -> double { throw std::domain_error("no such number"); }}};
  EXPECT_THROW(run.explain(GradCam{}, throws), std::domain_error);
  EXPECT_FALSE(run.explain(GradCam{}).feature_map.data.empty());
}

/// Whatever serves a model at all serves its inner values, or says why not.
TEST(TargetValue, AloneServesEveryMethod) {
  const auto inner = inner_of("mobilenet_v2");
  std::size_t served = 0;
  for (const auto& info : methods()) {
    Method method{info.name};
    try {
      const auto explainer =
          explainer_for("mobilenet_v2", {method}, [&](auto& options) { read(options, {inner}); });
      auto run = explainer.forward(random_input(explainer));
      EXPECT_TRUE(run.predictions().empty());
      const auto why = run.explain(method, Target::element(inner, {0, 0, 0}));
      EXPECT_FALSE(why.prediction);
      for (const float v : why.feature_map.data) ASSERT_TRUE(std::isfinite(v)) << info.name;
      ++served;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << info.name << ": " << error.what();
    }
  }
  EXPECT_GT(served, 20u);
}

TEST(TargetValue, WhatCannotBeReadIsRefused) {
  const auto inner = inner_of("vgg");
  const auto with = [&](std::vector<std::string> values) {
    return explainer_for("vgg", {GradCam{}},
                         [&](auto& options) { options.prepare.target_values = values; });
  };
  EXPECT_NE(refusal([&] { with({"no such value"}); }).find("no value of this name"),
            std::string::npos);
  const auto says = [&](const Explainer& explainer, const Target& target) {
    auto run = explainer.forward(random_input(explainer));
    return refusal([&] { run.explain(GradCam{}, target); });
  };
  const auto plain = with({}), alone = with({inner});
  EXPECT_NE(says(plain, Target::element(inner, {0, 0, 0})).find("was not prepared for targets"),
            std::string::npos);
  EXPECT_NE(says(alone, Target::top1()).find("the target is of the scores"), std::string::npos);
  EXPECT_NE(says(alone, Target::element(inner, {0, 0})).find("named by 3 numbers"),
            std::string::npos);
  EXPECT_NE(says(alone, Target::element(inner, {0, 0, 1 << 20})).find("out of range"),
            std::string::npos);
  EXPECT_NE(says(alone, Target::weighted({1, 2}, inner)).find("numbers per image"),
            std::string::npos);
  EXPECT_NE(says(plain, Target::sum({})).find("a sum of nothing"), std::string::npos);
  EXPECT_NE(says(plain, Target{Target::Function{}}).find("reads no value"), std::string::npos);
}

}  // namespace
}  // namespace fovea
