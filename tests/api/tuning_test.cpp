#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "api/support.hpp"

namespace fovea::api_test {
namespace {

ExplainerOptions tuned(Tuning tuning) {
  ExplainerOptions out;
  out.compile.tuning = tuning;
  out.compile.tuning_time = std::chrono::hours(1);  // other work on the machine must not end it
  return out;
}

std::vector<std::string> implementations(const Explainer& explainer) {
  std::vector<std::string> out;
  for (const auto& step : explainer.steps()) out.push_back(step.op + ' ' + step.implementation);
  return out;
}

bool has_winograd(const Explainer& explainer) {
  const auto names = implementations(explainer);
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.find("wino") != std::string::npos;
  });
}

/// Predictions of a tuned explainer, and what the direct algorithms say.
void expect_same_scores(const Explainer& a, const Explainer& b) {
  const auto input = random_input(a, 5);
  const auto x = a.forward(input), y = b.forward(input);
  const auto [low, high] = std::minmax_element(y.logits().data.begin(), y.logits().data.end());
  for (std::size_t i = 0; i < x.logits().data.size(); ++i)
    EXPECT_NEAR(x.logits().data[i], y.logits().data[i], 1e-4f * (*high - *low));
}

/// Every choice replaced, under the old checksum.
std::string with_choice(const std::string& cache, const std::string& choice) {
  std::string out;
  for (std::size_t at = 0; at < cache.size();) {
    const auto end = cache.find('\n', at);
    const auto line = cache.substr(at, end - at);
    const auto tab = line.find('\t');
    out += tab == std::string::npos ? line : line.substr(0, tab + 1) + choice;
    out += '\n';
    at = end + 1;
  }
  return out;
}

TEST(Tuning, WhatWasFoundIsTakenFromTheCache) {
  const auto file = golden_model("vgg");
  const Explainer first(Model::load(file), tuned(Tuning::quick));
  const auto cache = first.plan_cache();
  ASSERT_NE(cache.find('\t'), std::string::npos) << cache;
  auto options = tuned(Tuning::quick);
  options.compile.plan_cache = cache;
  const Explainer second(Model::load(file), options);
  EXPECT_EQ(implementations(first), implementations(second));
  EXPECT_EQ(second.plan_cache(), cache);
}

TEST(Tuning, ExplainersOfOneModelShareIt) {
  const auto model = Model::load(golden_model("vgg"));
  const Explainer first(model, tuned(Tuning::quick));
  const auto cache = first.plan_cache();
  const Explainer second(model, tuned(Tuning::thorough));
  EXPECT_EQ(second.plan_cache(), cache);
  EXPECT_EQ(implementations(first), implementations(second));
}

TEST(Tuning, OffTimesNothing) {
  const Explainer plain(Model::load(golden_model("vgg")), tuned(Tuning::off));
  EXPECT_EQ(plain.plan_cache().find('\t'), std::string::npos);
  EXPECT_FALSE(has_winograd(plain));
}

TEST(Tuning, ADamagedOrForeignCacheIsIgnored) {
  const auto file = golden_model("vgg");
  const Explainer plain(Model::load(file), tuned(Tuning::off));
  const auto cache = Explainer(Model::load(file), tuned(Tuning::quick)).plan_cache();
  auto other_cpu = cache;
  other_cpu.insert(other_cpu.find("cpu ") + 4, "Another ");
  for (const auto& text :
       {std::string(), std::string("not a cache\n"), cache.substr(0, cache.size() / 2),
        cache.substr(0, cache.size() - 1), cache + "more\n", with_choice(cache, "blocked/none"),
        other_cpu, std::string("\0\xff\n\t\n", 5)}) {
    auto options = tuned(Tuning::off);
    options.compile.plan_cache = text;
    const Explainer explainer(Model::load(file), options);
    EXPECT_EQ(explainer.plan_cache().find('\t'), std::string::npos) << text;
    expect_same_scores(explainer, plain);
  }
}

TEST(Tuning, WinogradIsUsedWhereOneDnnHasIt) {
  if (build_info().onednn.starts_with("3"))
    GTEST_SKIP() << "oneDNN 3 has no f32 Winograd convolution";
  const Explainer plain(Model::load(golden_model("vgg")), tuned(Tuning::off));
  const Explainer winograd(Model::load(golden_model("vgg")), tuned(Tuning::winograd));
  if (!has_winograd(winograd)) GTEST_SKIP() << "no f32 Winograd for this CPU: it needs AVX-512";
  expect_same_scores(winograd, plain);
}

TEST(Tuning, WithoutTimeNothingIsKeptAndAWarningSaysSo) {
  const auto file = golden_model("vgg");
  const auto model = Model::load(file);
  const Explainer plain(Model::load(file), tuned(Tuning::off));
  const auto nothing = plain.plan_cache();
  auto options = tuned(Tuning::quick);
  options.compile.tuning_time = std::chrono::milliseconds(0);
  const Explainer in_no_time(model, options);
  EXPECT_EQ(in_no_time.plan_cache(), nothing);
  EXPECT_EQ(implementations(in_no_time), implementations(plain));
  expect_same_scores(in_no_time, plain);
  ASSERT_EQ(in_no_time.warnings().size(), 1U);
  EXPECT_NE(in_no_time.warnings()[0].find("after its 0 ms"), std::string::npos)
      << in_no_time.warnings()[0];
  // The next explainer of the model, which has the time, finds all of it.
  const Explainer later(model, tuned(Tuning::quick));
  EXPECT_TRUE(later.warnings().empty());
  options.compile.plan_cache = later.plan_cache();
  EXPECT_NE(options.compile.plan_cache, nothing);
  // What is known takes no time.
  const Explainer known(Model::load(file), options);
  EXPECT_TRUE(known.warnings().empty());
  EXPECT_EQ(implementations(known), implementations(later));
}

TEST(Tuning, ThoroughHasNoBoundUnlessToldOfOne) {
  auto options = tuned(Tuning::thorough);
  options.compile.tuning_time.reset();
  EXPECT_TRUE(Explainer(Model::load(golden_model("vgg")), options).warnings().empty());
  options.compile.tuning_time = std::chrono::milliseconds(0);
  EXPECT_FALSE(Explainer(Model::load(golden_model("vgg")), options).warnings().empty());
  options.compile.tuning_time = std::chrono::milliseconds::max();
  EXPECT_TRUE(Explainer(Model::load(golden_model("vgg")), options).warnings().empty());
  options.compile.tuning_time = std::chrono::milliseconds(-1);
  EXPECT_EQ(code_of([&] { Explainer(Model::load(golden_model("vgg")), options); }),
            ErrorCode::invalid_argument);
}

TEST(Tuning, WithoutTimeTheAutomaticPrecisionIsNotKept) {
  if (!build_info().bf16) GTEST_SKIP() << "this CPU has no bf16 to choose";
  auto options = tuned(Tuning::quick);
  options.compile.precision = Precision::automatic;
  options.compile.tuning_time = std::chrono::milliseconds(0);
  const Explainer explainer(Model::load(golden_model("vgg")), options);
  const bool amx = build_info().onednn_isa.find("amx") != std::string::npos;
  EXPECT_EQ(explainer.precision(), amx ? Precision::bf16 : Precision::f32);
  EXPECT_EQ(explainer.plan_cache().find("precision "), std::string::npos);
  EXPECT_FALSE(explainer.warnings().empty());
}

TEST(Tuning, AutomaticPrecisionIsOneOfTheTwoAndRemembered) {
  auto options = tuned(Tuning::quick);
  options.compile.precision = Precision::automatic;
  const auto file = golden_model("vgg");
  const Explainer first(Model::load(file), options);
  EXPECT_NE(first.precision(), Precision::automatic);
  if (!build_info().bf16) {
    EXPECT_EQ(first.precision(), Precision::f32);
    return;
  }
  options.compile.plan_cache = first.plan_cache();
  EXPECT_NE(options.compile.plan_cache.find("precision "), std::string::npos);
  const Explainer second(Model::load(file), options);
  EXPECT_EQ(second.precision(), first.precision());
  EXPECT_EQ(second.plan_cache(), options.compile.plan_cache);
}

TEST(Tuning, AutomaticPrecisionWithoutTimingNeedsMatrixInstructions) {
  auto options = tuned(Tuning::off);
  options.compile.precision = Precision::automatic;
  const Explainer explainer(Model::load(golden_model("vgg")), options);
  const bool amx = build_info().onednn_isa.find("amx") != std::string::npos;
  EXPECT_EQ(explainer.precision(), amx ? Precision::bf16 : Precision::f32);
}

}  // namespace
}  // namespace fovea::api_test
