#include "engine/tuning.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "engine/plan.hpp"
#include "graph/infer.hpp"

namespace fovea::engine_test {
namespace {

/// A 3x3 convolution of 16 to 32 channels, which several algorithms serve.
graph::Graph one_convolution() {
  graph::Graph graph;
  const auto x = graph.add_input("x", graph::DType::f32, {1, 16, 21, 19});
  std::vector<float> weights(32 * 16 * 9);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = std::sin(static_cast<float>(i)) * 0.1f;
  const auto w =
      graph.add_constant("w", graph::Constant::of_floats({32, 16, 3, 3}, std::move(weights)));
  graph::Conv conv;
  conv.window.pads_begin = conv.window.pads_end = {1, 1};
  const auto node = graph.add_node("conv", "Conv", conv, {x, w}, {"y"});
  graph.outputs = graph.node(node).outputs;
  graph::bind(graph, {}, 1);
  return graph;
}

std::vector<float> run(const graph::Graph& graph, Tuning tuning, engine::Choices* choices,
                       std::int64_t memory_limit = std::int64_t{1} << 30,
                       engine::TuningTime* time = nullptr) {
  engine::PlanSpec spec;
  spec.memory_limit = memory_limit;
  spec.fetches = graph.outputs;
  spec.tuning = tuning;
  spec.choices = choices;
  spec.tuning_time = time;
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(graph, spec, weights);
  auto workspace = plan->make_workspace();
  std::vector<float> x(16 * 21 * 19);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::cos(static_cast<float>(i));
  const std::span<const float> feed(x);
  plan->forward(workspace, std::span(&feed, 1), {});
  const auto view = plan->fetch(workspace, 0);
  return {view.data, view.data + 32 * 21 * 19};
}

std::string problem_in(const engine::Choices& choices) {
  const auto text = choices.text();
  const auto tab = text.find('\t');
  return text.substr(text.rfind('\n', tab) + 1, tab - text.rfind('\n', tab) - 1);
}

TEST(Choices, AreGivenBackByTheirText) {
  engine::Choices choices, copy;
  choices.keep("a problem", "a way");
  choices.keep("a problem", "another");
  choices.keep("b", "");
  const auto text = choices.text();
  ASSERT_TRUE(copy.add(std::as_bytes(std::span(text))));
  EXPECT_EQ(copy.find("a problem"), "a way");
  EXPECT_EQ(copy.find("b"), "");
  EXPECT_EQ(copy.find("c"), std::nullopt);
  EXPECT_EQ(copy.text(), text);
}

TEST(Choices, OfTheNearestNumberOfThreadsAreFound) {
  engine::Choices choices;
  choices.keep("conv a threads 2", "two");
  choices.keep("conv a threads 16", "sixteen");
  choices.keep("conv ab threads 1", "another's");
  const auto found = [&](const std::string& problem) {
    return choices.find_for_other_threads(problem).value_or("none");
  };
  EXPECT_EQ(found("conv a threads 1"), "two");
  EXPECT_EQ(found("conv a threads 12"), "sixteen");
  EXPECT_EQ(found("conv b threads 1"), "none");
  EXPECT_EQ(found("conv a"), "none");
}

TEST(Choices, OfOtherThreadsServeWhereNothingIsMeasured) {
  const auto graph = one_convolution();
  engine::Choices measured;
  run(graph, Tuning::quick, &measured);
  const auto problem = problem_in(measured);
  const auto chosen = *measured.find(problem);
  engine::Choices other;
  other.keep(problem.substr(0, problem.rfind(' ')) + " 1000", chosen);
  engine::PlanSpec spec;
  spec.fetches = graph.outputs;
  spec.tuning = Tuning::quick;
  spec.choices = &other;
  spec.measures = false;
  engine::WeightCache weights;
  const auto known = other.text();
  const auto steps = engine::Plan::build(graph, spec, weights)->steps();
  EXPECT_TRUE(std::any_of(steps.begin(), steps.end(), [&](const StepInfo& step) {
    return !step.implementation.empty() &&
           chosen.find('/' + step.implementation) != std::string::npos;
  })) << chosen;
  engine::Choices none;
  spec.choices = &none;
  engine::Plan::build(graph, spec, weights);
  EXPECT_EQ(other.text(), known);
  EXPECT_EQ(none.text(), engine::Choices().text());
}

TEST(Choices, NoChangedByteIsTaken) {
  engine::Choices choices;
  choices.keep("a problem", "a way");
  const auto text = choices.text();
  for (std::size_t at = 0; at < text.size(); ++at) {
    engine::Choices copy;
    EXPECT_FALSE(copy.add(std::as_bytes(std::span(text).first(at)))) << at;
    auto changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(copy.add(std::as_bytes(std::span(changed)))) << at;
  }
}

/// The text as format 1 had it, which was checked by FNV-1a.
std::string of_format_1(std::string text) {
  const auto title = text.find("cache 2\n");
  if (title == std::string::npos) return "";
  text[title + 6] = '1';
  text.resize(text.rfind("end "));
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash));
  return text + "end " + digits.data() + '\n';
}

TEST(Choices, OfAnOlderFormatAreIgnored) {
  engine::Choices choices, copy;
  choices.keep("a problem", "a way");
  const auto old = of_format_1(choices.text());
  ASSERT_NE(old.find("a problem\ta way\nend "), std::string::npos);
  EXPECT_FALSE(copy.add(std::as_bytes(std::span(old))));
  EXPECT_EQ(copy.find("a problem"), std::nullopt);
}

TEST(Choices, OneThatOneDnnDoesNotOfferIsTimedAgain) {
  const auto graph = one_convolution();
  engine::Choices found;
  const auto want = run(graph, Tuning::off, nullptr);
  run(graph, Tuning::quick, &found);
  engine::Choices wrong;
  wrong.keep(problem_in(found), "blocked/nonsense");
  const auto got = run(graph, Tuning::quick, &wrong);
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-4f);
}

TEST(Tuning, TimesNothingThatTheMemoryLimitHasNoRoomFor) {
  const auto graph = one_convolution();
  engine::Choices roomy, tight;
  const auto want = run(graph, Tuning::off, nullptr);
  run(graph, Tuning::quick, &roomy);
  EXPECT_NE(problem_in(roomy), "");
  // Enough for the plan, not for two of its convolutions and what clears the caches.
  const auto got = run(graph, Tuning::quick, &tight, 1 << 20);
  EXPECT_EQ(tight.find(problem_in(roomy)), std::nullopt);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-4f);
}

using engine::TuningTime;
using Milliseconds = std::chrono::milliseconds;

/// A clock that goes on by so much whenever somebody looks.
TuningTime::Now ticking(Milliseconds tick) {
  return [tick, now = TuningTime::Clock::time_point()]() mutable { return now += tick; };
}

TEST(Tuning, EndsWhereItsTimeDoes) {
  const auto graph = one_convolution();
  const auto want = run(graph, Tuning::off, nullptr);
  constexpr std::int64_t kRoom = std::int64_t{1} << 30;
  int kept = 0, given_up = 0;
  // From no time at all to more than all looks at the clock take.
  for (int bound = 0; bound < 2000; bound = bound * 2 + 1) {
    TuningTime time{Milliseconds(bound), ticking(Milliseconds(1))};
    engine::Choices choices;
    const auto got = run(graph, Tuning::quick, &choices, kRoom, &time);
    const bool keeps = choices.text().find('\t') != std::string::npos;
    EXPECT_EQ(keeps, time.given_up() == 0) << bound;
    (keeps ? kept : given_up) += 1;
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-4f) << bound;
  }
  EXPECT_GT(kept, 0);
  EXPECT_GT(given_up, 1);
}

TEST(Tuning, AStepTakesNoMoreThanAQuarterOfTheTime) {
  // Each look at the clock is worth a second: as if a single run took that long.
  TuningTime time{std::chrono::seconds(8), ticking(std::chrono::seconds(1))};
  engine::Choices choices;
  run(one_convolution(), Tuning::quick, &choices, std::int64_t{1} << 30, &time);
  EXPECT_EQ(time.given_up(), 1);
  EXPECT_FALSE(TuningTime::Stretch(time).over()) << "time is left for the next step";
}

TEST(Tuning, PartsOfItsTimeAddUp) {
  auto now = TuningTime::Clock::time_point();
  TuningTime whole{Milliseconds(1200), [&now] { return now; }};
  auto part = whole.part(0.25);
  {
    const TuningTime::Stretch stretch(part);
    now += Milliseconds(299);
    EXPECT_FALSE(stretch.over());
    now += Milliseconds(1);
    EXPECT_TRUE(stretch.over());
  }
  part.give_up_one();
  whole.add(part);
  EXPECT_EQ(whole.given_up(), 1);
  for (int i = 0; i < 3; ++i) {
    const TuningTime::Stretch stretch(whole);
    now += Milliseconds(299);
    EXPECT_FALSE(stretch.over());
  }
  const TuningTime::Stretch last(whole);
  now += Milliseconds(3);
  EXPECT_TRUE(last.over());
  const TuningTime left = whole.part(0.5);
  EXPECT_EQ(left.given_up(), 0);
}

}  // namespace
}  // namespace fovea::engine_test
