// Targets as text: how they are read, what is refused, and what numbers they are.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/target_text.hpp"

namespace fovea {
namespace {

using Range = TargetText::Range;
using Term = TargetText::Term;
using Value = TargetText::Value;
using Word = TargetText::Word;

Value element(std::string name, std::vector<std::int64_t> at) {
  Value out{std::move(name), {}, Value::Of::element};
  for (const auto i : at) out.at.push_back({i, {}, false});
  return out;
}

const std::vector<TargetValue> kValues{{"logits", {6}, true},
                                       {"seg", {3, 4, 5}, true},
                                       {"rows", {40, 7}, true},
                                       {"steps", {9, 1, 8}, false}};

std::string refusal(const std::string& text) {
  try {
    static_cast<void>(target_of(parse_target(text), kValues));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << text;
    return error.sentence();
  }
  return "not refused";
}

TEST(TargetTexts, AreReadAsTheyAreWritten) {
  EXPECT_EQ(parse_target("logits[0,5]").terms, (std::vector<Term>{{1, element("logits", {0, 5})}}));
  EXPECT_EQ(parse_target(" logits[0, 5] - 0.5 * logits[0,-3] + a/b[1]").terms,
            (std::vector<Term>{{1, element("logits", {0, 5})},
                               {-0.5, element("logits", {0, -3})},
                               {1, element("a/b", {1})}}));
  EXPECT_EQ(parse_target("-\"a-b [c]\"[2]").terms,
            (std::vector<Term>{{-1, element("a-b [c]", {2})}}));
  EXPECT_EQ(parse_target("819[0,1]").terms, (std::vector<Term>{{1, element("819", {0, 1})}}));
  EXPECT_EQ(parse_target("mean(StatefulPartitionedCall:1[0,2:-1,:])").terms,
            (std::vector<Term>{{1, Value{"StatefulPartitionedCall:1",
                                         {{0, {}, false}, {2, -1, true}, {0, {}, true}},
                                         Value::Of::mean}}}));
  EXPECT_EQ(parse_target("action:right-action:left").terms,
            (std::vector<Term>{{1, Word{"action", "right", {}, false}},
                               {-1, Word{"action", "left", {}, false}}}));
  EXPECT_EQ(parse_target("pixel:160,12@dog-house").terms,
            (std::vector<Term>{{1, Word{"pixel", "160,12", "dog-house", false}}}));
  EXPECT_EQ(parse_target("label:great-grey owl").terms,
            (std::vector<Term>{{1, Word{"label", "great-grey owl", {}, false}}}));
  EXPECT_EQ(
      parse_target(R"(text:"O"-"0")").terms,
      (std::vector<Term>{{1, Word{"text", "O", {}, true}}, {-1, Word{"text", "0", {}, true}}}));
  EXPECT_EQ(parse_target("value").terms, (std::vector<Term>{{1, Word{"value", {}, {}, false}}}));
  EXPECT_EQ(parse_target("value[0,0]").terms, (std::vector<Term>{{1, element("value", {0, 0})}}));
  EXPECT_EQ(parse_target("class:5[0,1]").terms,
            (std::vector<Term>{{1, element("class:5", {0, 1})}}));
}

/// Drawn targets, written and read again, stay what they are.
TEST(TargetTexts, ComeBackFromTheirText) {
  std::mt19937 random(11);
  const auto one_of = [&](const auto& all) { return all[random() % all.size()]; };
  const std::vector<std::string> names{"logits",  "a b",  "x-y",         "\"q\"",
                                       "value",   "sum(", "7",           "a:b/c.d",
                                       "class:1", "[0]",  "back\\slash", "é"};
  const std::vector<std::string> words{"action", "box", "char", "answer", "text"};
  for (int i = 0; i < 5000; ++i) {
    TargetText target;
    const auto count = 1 + random() % 3;
    for (std::size_t t = 0; t < count; ++t) {
      Term term{std::vector<double>{1, -1, 0.5, -2.25, 1e-7}[random() % 5], {}};
      if (random() % 3 == 0) {
        Word word{one_of(words), {}, {}, false};
        if (random() % 4 != 0) word.argument = one_of(names);
        word.quoted = word.argument && random() % 2 == 0;
        if (word.argument && random() % 4 == 0) word.of_class = one_of(names);
        // Quotes are what the text needs; whether the caller had them is told of free ones alone.
        if (word.argument &&
            (word.argument->find_first_of("\"@+- [(\\") != std::string::npos || word.of_class))
          word.quoted = true;
        term.of = word;
      } else {
        Value value{one_of(names), {}, Value::Of(random() % 3)};
        const auto rank = 1 + random() % 3;
        for (std::size_t d = 0; d < rank; ++d) {
          Range range{static_cast<std::int64_t>(random() % 9) - 4, {}, random() % 2 == 0};
          if (range.is_range && random() % 2 == 0)
            range.end = static_cast<std::int64_t>(random() % 9) - 4;
          value.at.push_back(range);
        }
        term.of = value;
      }
      target.terms.push_back(term);
    }
    const auto text = to_text(target);
    const auto again = parse_target(text);
    EXPECT_EQ(to_text(again), text);
    EXPECT_EQ(again, target) << text;
    if (HasFailure()) break;
  }
}

TEST(TargetTexts, NoTextCrashesTheReader) {
  std::mt19937 random(5);
  const std::string letters = "ab[]()0123456789:,+-*@\"\\ .actionclasssum(mean(";
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto n = random() % 14; n > 0; --n) text += letters[random() % letters.size()];
    try {
      static_cast<void>(to_text(parse_target(text)));
      ++read;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    }
  }
  EXPECT_GT(read, 1000);
}

TEST(TargetTexts, AreNumbersOfTheirValues) {
  const auto one = target_of(parse_target("logits[0,5]-2*logits[-6]"), kValues);
  const auto* sum = one.as<Target::Sum>();
  ASSERT_NE(sum, nullptr);
  ASSERT_EQ(sum->terms.size(), 2U);
  EXPECT_EQ(sum->terms[0].at, Shape{5});
  EXPECT_EQ(sum->terms[1].at, Shape{0});
  EXPECT_EQ(sum->terms[1].factor, -2);

  // All of one value's: factors over all of it.
  const auto mean = target_of(parse_target("mean(seg[0,1,1:3,-2:])-seg[2,0,0]"), kValues);
  const auto* weights = mean.as<Target::Weights>();
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(weights->value, "seg");
  ASSERT_EQ(weights->factors.size(), 60U);
  for (std::size_t i = 0; i < 60; ++i) {
    const auto c = i / 20, y = i / 5 % 4, x = i % 5;
    const float expected = c == 1 && y >= 1 && y < 3 && x >= 3 ? 0.25F : i == 40 ? -1.F : 0.F;
    EXPECT_EQ(weights->factors[i], expected) << i;
  }
  // Without an extent of images the first index is a place like others.
  EXPECT_EQ(target_of(parse_target("steps[8,0,7]"), kValues).as<Target::Sum>()->terms[0].at,
            (Shape{8, 0, 7}));
  EXPECT_EQ(target_of(parse_target("sum(logits)+sum(rows[:,3])"), kValues)
                .as<Target::Sum>()
                ->terms.size(),
            46U);
}

TEST(TargetTexts, SayWhatIsWrong) {
  EXPECT_NE(refusal("logits[0,6]").find("index 6 is out of range"), std::string::npos);
  EXPECT_NE(refusal("logits[1,5]").find("counts the images"), std::string::npos);
  EXPECT_NE(refusal("seg[0,1,2]").find("these are 5 numbers") != std::string::npos ||
                refusal("seg[0,1]").find("2 indices are given") != std::string::npos,
            false);
  EXPECT_NE(refusal("logits[0,:]").find("these are 6 numbers"), std::string::npos);
  EXPECT_NE(refusal("logits[3:2]").find("out of range"), std::string::npos);
  EXPECT_NE(refusal("other[0]").find("does not read"), std::string::npos);
  EXPECT_NE(refusal("action:2").find("--task"), std::string::npos);
  for (const auto* text : {"", "-", "logits[", "logits[0,", "logits[0]x", "sum(logits", "\"a",
                           "box:", "logits[0]+", "logits[a]", "[0]"})
    EXPECT_THROW(static_cast<void>(parse_target(text)), Error) << text;
}

TEST(TargetTexts, APartOfPositionsIsLocal) {
  const auto local = [](const std::string& text) { return is_local(parse_target(text), kValues); };
  EXPECT_TRUE(local("seg[0,1,2,3]"));
  EXPECT_TRUE(local("rows[12,3]"));
  EXPECT_TRUE(local("rows[0,12,3]-rows[0,12,2]"));
  EXPECT_TRUE(local("mean(seg[1,0:1,:])") == false && local("mean(seg[1,0:1,0:2])"));
  EXPECT_FALSE(local("logits[3]"));
  EXPECT_FALSE(local("mean(seg[0,1,:,:])"));
  EXPECT_FALSE(local("sum(rows[:,3])"));
}

TEST(TargetText, ClassesNeedNoTask) {
  const auto of = [](const char* text) { return class_target(parse_target(text)); };
  EXPECT_EQ(of("class:3").value().as<Target::Class>()->index, 3);
  EXPECT_EQ(of("top:1").value().as<Target::Ranked>()->rank, 0);
  const auto difference = of("class:3-class:5").value();
  EXPECT_EQ(difference.as<Target::Difference>()->index, 3);
  EXPECT_EQ(difference.as<Target::Difference>()->minus, 5);
  for (const auto* other : {"label:cat", "box:0", "class:3+class:5", "class:3@cat", "2*class:3",
                            "logits[0,5]", "class:3-top:1", "-class:3"})
    EXPECT_FALSE(of(other).has_value()) << other;
  for (const auto* wrong : {"class:cat", "class:-1", "top:0", "class", "class:3-class:cat",
                            "class:99999999999999999999"})
    EXPECT_THROW(of(wrong), Error) << wrong;
}

}  // namespace
}  // namespace fovea
