#include <gtest/gtest.h>

#include <cmath>

#include "fovea/task_target.hpp"

namespace fovea {
namespace {

Task policy() {
  auto out = *task_by_name("policy");
  out.names = {"left", "right", "jump"};
  out.outputs = {{OutputRole::logits, {"y"}}, {OutputRole::value, {"v"}}};
  return out;
}

const Outputs kOutputs{{"y", {{1, 3}, {1, 4, 1}}}, {"v", {{1, 1}, {0.5f}}}};

TEST(Choices, OfAPolicy) {
  const auto does = decode_actions(policy(), kOutputs);
  EXPECT_EQ(does.best, 1);
  EXPECT_EQ(does.actions[1].name, "right");
  EXPECT_EQ(does.actions[1].logit, 4);
  EXPECT_NEAR(does.actions[1].probability, std::exp(3.0) / (std::exp(3.0) + 2), 1e-12);
  EXPECT_EQ(does.advantage, 2);
  EXPECT_EQ(does.value, 0.5);
  auto without = policy();
  without.outputs.erase(OutputRole::value);
  EXPECT_FALSE(decode_actions(without, kOutputs).value);
  EXPECT_THROW(value_target(without, kOutputs), Error);
}

TEST(Choices, TheirTargetsAreSums) {
  const auto terms = [](const Target& target) { return target.as<Target::Sum>()->terms; };
  const auto advantage = terms(advantage_target(policy(), kOutputs, 1));
  ASSERT_EQ(advantage.size(), 3U);
  EXPECT_EQ(advantage[0].factor, -1.0 / 3);
  EXPECT_NEAR(advantage[1].factor, 2.0 / 3, 1e-15);
  const auto difference = terms(choice_difference_target(policy(), kOutputs, 1, 0));
  EXPECT_EQ(difference[0].factor, -1);
  EXPECT_EQ(difference[1].factor, 1);
  EXPECT_EQ(difference[2].factor, 0);
  EXPECT_EQ(terms(value_target(policy(), kOutputs))[0].value, "v");
  EXPECT_THROW(choice_target(policy(), kOutputs, 3), Error);
  EXPECT_EQ(values_in(advantage_target(policy(), kOutputs, 1)), std::vector<std::string>{"y"});
}

TEST(Choices, OfProbabilitiesTheirLogitsAreNotKnown) {
  auto task = *task_by_name("answer");
  task.outputs = {{OutputRole::scores, {"y"}}};
  const Outputs outputs{{"y", {{1, 3}, {0.25f, 0.125f, 0.625f}}}};
  const auto answers = decode_answers(task, outputs, 2);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].index, 2);
  EXPECT_EQ(answers[0].name, "2");
  EXPECT_EQ(answers[0].probability, 0.625);
  EXPECT_TRUE(std::isnan(answers[0].logit));
  EXPECT_EQ(answers[1].index, 0);
}

TEST(Words, AreCountedOrWrittenOut) {
  TaskInput bag{.role = InputRole::question};
  bag.words = {"", "what", "color", "is"};
  EXPECT_EQ(words_as_input(bag, "What is what?", {1, 4}).data, (std::vector<float>{0, 2, 0, 1}));
  bag.code = WordCode::ids;
  EXPECT_EQ(words_as_input(bag, "Is color", {1, 4}).data, (std::vector<float>{3, 2, 0, 0}));
  try {
    words_as_input(bag, "what colour", {1, 4});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no 'colour'; did you mean 'color'"),
              std::string::npos)
        << error.what();
  }
  EXPECT_THROW(words_as_input(bag, "is is is", {2}), Error);
  bag.code = WordCode::bag;
  EXPECT_THROW(words_as_input(bag, "is", {1, 5}), Error);
}

Task captions() {
  auto out = *task_by_name("caption");
  out.names = {"<pad>", "<s>", "</s>", "a", "dog"};
  out.outputs = {{OutputRole::scores, {"y"}}};
  return out;
}

Tensor rows(const std::vector<std::size_t>& likely) {
  Tensor out{{1, static_cast<std::int64_t>(likely.size()), 5}, {}};
  for (const auto w : likely)
    for (std::size_t i = 0; i < 5; ++i) out.data.push_back(i == w ? 2.f : 0.f);
  return out;
}

TEST(Captions, AreReadAsFarAsTheirEnd) {
  const Outputs outputs{{"y", rows({3, 4, 2, 3})}};
  const auto words = decode_words(captions(), outputs);
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[1].name, "dog");
  EXPECT_EQ(tokens_of(captions(), "A dog."), (std::vector<std::int64_t>{1, 3, 4, 2}));
  EXPECT_EQ(tokens_as_input(captions(), {1, 3, 4, 2}, {1, 4}).data,
            (std::vector<float>{1, 3, 4, 2}));
  EXPECT_EQ(tokens_as_input(captions(), {1, 3}, {1, 4}).data, (std::vector<float>{1, 3, 0, 0}));
  EXPECT_THROW(tokens_of(captions(), "a cat"), Error);
}

TEST(Captions, ACaptionIsTheSumOfItsWords) {
  const auto tensor = rows({3, 4, 2, 3});
  const Outputs outputs{{"y", tensor}};
  const ImageValue value{"y", {4, 5}, tensor.data};
  const auto run = [&](const Target& target, std::vector<float>& slopes) {
    slopes.assign(tensor.data.size(), 0.f);
    const std::span<float> span(slopes);
    return target.as<Target::Function>()->of({&value, 1}, {&span, 1});
  };
  std::vector<float> all;
  const double caption = run(caption_target(captions(), outputs, {1, 3, 4, 2}), all);
  double sum = 0;
  std::vector<float> added(all.size(), 0.f);
  std::int64_t step = 0;
  for (const std::int64_t word : {3, 4, 2}) {
    std::vector<float> slopes;
    sum += run(word_target(captions(), outputs, step++, word, true), slopes);
    for (std::size_t i = 0; i < added.size(); ++i) added[i] += slopes[i];
  }
  EXPECT_NEAR(caption, sum, 1e-12);
  EXPECT_NEAR(caption, 3 * (2 - std::log(std::exp(2.0) + 4)), 1e-12);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_NEAR(all[i], added[i], 1e-7);
}

/// Value and slopes of a function of "y" [3] and "v" [1].
double run(const Target& target, std::vector<float>& y, std::vector<float>& v) {
  const auto* function = target.as<Target::Function>();
  EXPECT_NE(function, nullptr);
  std::vector<ImageValue> values;
  std::vector<std::span<float>> gradients;
  y.assign(3, 0.f);
  v.assign(1, 0.f);
  for (const auto& name : function->values) {
    const auto& tensor = kOutputs.at(name);
    values.push_back({name, {static_cast<std::int64_t>(tensor.data.size())}, tensor.data});
    gradients.emplace_back(name == "y" ? y : v);
  }
  EXPECT_EQ(function->of(values, {}), function->of(values, gradients));
  return function->of(values, {});
}

TEST(Combined, SumsStayOne) {
  const auto target = combined({{1, choice_target(policy(), kOutputs, 1)},
                                {-2, value_target(policy(), kOutputs).counterfactual()}});
  const auto* sum = target.as<Target::Sum>();
  ASSERT_NE(sum, nullptr);
  ASSERT_EQ(sum->terms.size(), 2U);
  EXPECT_EQ(sum->terms[1].value, "v");
  EXPECT_EQ(sum->terms[1].factor, 2) << "minus minus";
}

TEST(Combined, OtherKindsAddUp) {
  const Target square{Target::Function{
      {"v", "y"}, [](std::span<const ImageValue> values, std::span<const std::span<float>> out) {
        const double v = values[0].data[0], y = values[1].data[2];
        if (!out.empty()) {
          out[0][0] = static_cast<float>(y);
          out[1][2] = static_cast<float>(v);
        }
        return v * y;
      }}};
  const auto target = combined({{3, Target::weighted({1, 0, 2}, "y")},
                                {-1, square},
                                {0.5, Target::element("y", {-1})},
                                {2, square.counterfactual()}});
  std::vector<float> y, v;
  // y is 1, 4, 1 and v is 0.5.
  EXPECT_EQ(run(target, y, v), 3 * 3 - 0.5 + 0.5 - 1);
  EXPECT_EQ(y, (std::vector<float>{3, 0, 6 - 0.5f + 0.5f - 1}));
  EXPECT_EQ(v, (std::vector<float>{-3}));
  EXPECT_EQ(values_in(target), (std::vector<std::string>{"y", "v"}));
}

TEST(Combined, WhatIsNoNumberOfValuesIsRefused) {
  EXPECT_THROW(combined({}), Error);
  EXPECT_THROW(combined({{1, Target::top1()}}), Error);
  EXPECT_THROW(combined({{std::nan(""), Target::element("y", {0})}}), Error);
}

}  // namespace
}  // namespace fovea
