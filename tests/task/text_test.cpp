#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <random>

#include "fovea/task_target.hpp"
#include "support/npy.hpp"
#include "task/ctc.hpp"

namespace fovea {
namespace {

std::vector<double> drawn_logs(std::int64_t steps, std::int64_t classes, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, 1.5);
  std::vector<double> out(static_cast<std::size_t>(steps * classes));
  for (std::int64_t t = 0; t < steps; ++t) {
    double sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) {
      auto& x = out[static_cast<std::size_t>(t * classes + c)];
      x = normal(random);
      sum += std::exp(x);
    }
    for (std::int64_t c = 0; c < classes; ++c)
      out[static_cast<std::size_t>(t * classes + c)] -= std::log(sum);
  }
  return out;
}

/// Adds up every path by itself.
double by_paths(const std::vector<double>& logs, std::int64_t steps, std::int64_t classes,
                const std::vector<std::int64_t>& labels, std::int64_t blank) {
  std::vector<std::int64_t> path(static_cast<std::size_t>(steps), 0);
  double out = 0;
  for (;;) {
    std::vector<std::int64_t> read;
    for (std::size_t t = 0; t < path.size(); ++t)
      if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) read.push_back(path[t]);
    if (read == labels) {
      double log = 0;
      for (std::size_t t = 0; t < path.size(); ++t)
        log += logs[t * static_cast<std::size_t>(classes) + static_cast<std::size_t>(path[t])];
      out += std::exp(log);
    }
    std::size_t t = 0;
    while (t < path.size() && ++path[t] == classes) path[t++] = 0;
    if (t == path.size()) return std::log(out);
  }
}

TEST(Ctc, IsTheSumOverAllPaths) {
  for (std::uint32_t seed = 0; seed < 6; ++seed) {
    const auto logs = drawn_logs(5, 4, seed);
    for (const std::vector<std::int64_t>& labels :
         {std::vector<std::int64_t>{}, {1}, {1, 2}, {2, 2}, {3, 1, 3}, {1, 1, 1}, {3, 2, 1, 2}})
      for (const std::int64_t blank : {0, 3}) {
        if (std::find(labels.begin(), labels.end(), blank) != labels.end()) continue;
        EXPECT_NEAR(task::ctc_log_probability(logs, 5, 4, labels, blank, {}),
                    by_paths(logs, 5, 4, labels, blank), 1e-10);
      }
  }
}

TEST(Ctc, SlopesAreThoseOfDifferences) {
  for (std::uint32_t seed = 0; seed < 6; ++seed) {
    auto logs = drawn_logs(7, 4, seed);
    const std::vector<std::int64_t> labels{2, 2, 1};
    std::vector<double> slopes(logs.size(), 0.0);
    task::ctc_log_probability(logs, 7, 4, labels, 0, slopes);
    for (std::size_t i = 0; i < logs.size(); ++i) {
      const double h = 1e-6, x = logs[i];
      logs[i] = x + h;
      const double up = task::ctc_log_probability(logs, 7, 4, labels, 0, {});
      logs[i] = x - h;
      const double down = task::ctc_log_probability(logs, 7, 4, labels, 0, {});
      logs[i] = x;
      EXPECT_NEAR(slopes[i], (up - down) / (2 * h), 1e-7);
    }
  }
}

TEST(Ctc, TooFewStepsHaveNoPath) {
  const auto logs = drawn_logs(2, 3, 1);
  std::vector<double> slopes(logs.size(), 0.0);
  EXPECT_EQ(task::ctc_log_probability(logs, 2, 3, std::vector<std::int64_t>{1, 1}, 0, slopes),
            -std::numeric_limits<double>::infinity());
  EXPECT_EQ(slopes, std::vector<double>(logs.size(), 0.0));
}

Task reader(std::int64_t blank = 0) {
  auto out = *task_by_name("ctc");
  out.names = {"a", "b", "é"};
  out.text.blank = blank;
  out.outputs[OutputRole::scores] = {"y"};
  return out;
}

/// One step per index, which is likely there.
Tensor steps(const std::vector<std::int64_t>& likely) {
  Tensor out{{1, static_cast<std::int64_t>(likely.size()), 4}, {}};
  for (const auto c : likely)
    for (std::int64_t i = 0; i < 4; ++i) out.data.push_back(i == c ? 3.f : -1.f);
  return out;
}

/// Value and slopes of a target that reads one value.
double run(const Target& target, const Tensor& tensor, std::vector<float>* slopes = nullptr) {
  const auto* function = target.as<Target::Function>();
  EXPECT_NE(function, nullptr);
  const ImageValue value{"y", {tensor.shape.begin() + 1, tensor.shape.end()}, tensor.data};
  if (slopes == nullptr) return function->of({&value, 1}, {});
  slopes->assign(tensor.data.size(), 0.f);
  const std::span<float> span(*slopes);
  return function->of({&value, 1}, {&span, 1});
}

TEST(Text, RepeatsAreOneAndBlanksNone) {
  const Outputs outputs{{"y", steps({0, 1, 1, 0, 1, 3, 2, 2, 0})}};
  const auto read = decode_text(reader(), outputs);
  EXPECT_EQ(read.text, "aaéb");
  ASSERT_EQ(read.characters.size(), 4U);
  EXPECT_EQ(read.characters[0].first, 1);
  EXPECT_EQ(read.characters[0].last, 2);
  EXPECT_EQ(read.characters[1].step, 4);
  const double p = std::exp(3.0) / (std::exp(3.0) + 3 * std::exp(-1.0));
  EXPECT_NEAR(read.characters[3].probability, p, 1e-7);
  EXPECT_NEAR(read.probability, std::pow(p, 9), 1e-6);
  const auto* sum = read.characters[2].target.as<Target::Sum>();
  ASSERT_NE(sum, nullptr);
  EXPECT_EQ(sum->terms[0].at, (Shape{5, 3}));
  EXPECT_EQ(decode_text(reader(), {{"y", steps({0, 0})}}).text, "");
}

TEST(Text, ABlankMayBeTheLastClass) {
  EXPECT_EQ(decode_text(reader(3), {{"y", steps({3, 0, 3, 2, 1})}}).text, "aéb");
}

TEST(Text, StepsMayComeFirst) {
  auto task = reader();
  task.text.steps_first = true;
  auto tensor = steps({1, 0, 2});
  tensor.shape = {3, 1, 4};
  EXPECT_EQ(decode_text(task, {{"y", tensor}}).text, "ab");
  EXPECT_THROW(decode_text(reader(), {{"y", tensor}}), Error);
}

TEST(Text, SlopesOfATargetAreThoseOfDifferences) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 1);
  Tensor tensor{{1, 6, 4}, std::vector<float>(24)};
  for (auto& v : tensor.data) v = normal(random);
  const Outputs outputs{{"y", tensor}};
  for (const auto& target : {text_target(reader(), outputs, "aéa"),
                             text_difference_target(reader(), outputs, "ab", "aab")}) {
    std::vector<float> slopes;
    run(target, tensor, &slopes);
    for (std::size_t i = 0; i < tensor.data.size(); ++i) {
      auto moved = tensor;
      const double h = 1e-2;
      moved.data[i] = tensor.data[i] + static_cast<float>(h);
      const double up = run(target, moved);
      moved.data[i] = tensor.data[i] - static_cast<float>(h);
      const double down = run(target, moved);
      EXPECT_NEAR(slopes[i], (up - down) / (2 * h), 2e-4);
    }
  }
  EXPECT_NEAR(run(text_difference_target(reader(), outputs, "ab", "b"), tensor),
              run(text_target(reader(), outputs, "ab"), tensor) -
                  run(text_target(reader(), outputs, "b"), tensor),
              1e-9);
}

/// A character that two columns stand for has the probability of both.
TEST(Text, ACharacterMayStandTwice) {
  std::mt19937 random(6);
  std::normal_distribution<float> normal(0, 1);
  Tensor tensor{{1, 5, 4}, std::vector<float>(20)};
  for (auto& v : tensor.data) v = normal(random);
  auto twice = reader();
  twice.names = {"a", "b", "b"};
  const auto target = text_target(twice, {{"y", tensor}}, "ab");
  // The same of one column that holds both.
  Tensor once{{1, 5, 3}, {}};
  for (std::size_t t = 0; t < 5; ++t) {
    const auto* row = &tensor.data[4 * t];
    once.data.insert(once.data.end(),
                     {row[0], row[1], std::log(std::exp(row[2]) + std::exp(row[3]))});
  }
  auto single = reader();
  single.names = {"a", "b"};
  EXPECT_NEAR(run(target, tensor), run(text_target(single, {{"y", once}}, "ab"), once), 1e-5);
  std::vector<float> slopes;
  run(target, tensor, &slopes);
  for (std::size_t i = 0; i < tensor.data.size(); ++i) {
    auto moved = tensor;
    moved.data[i] = tensor.data[i] + 1e-2F;
    const double up = run(target, moved);
    moved.data[i] = tensor.data[i] - 1e-2F;
    EXPECT_NEAR(slopes[i], (up - run(target, moved)) / 2e-2, 2e-4);
  }
}

/// make_decoder_goldens.py: torch.nn.functional.ctc_loss.
TEST(Text, ItsTargetIsPyTorchs) {
  const auto read = [](const std::string& name) {
    return testing_support::read_npy(std::filesystem::path(FOVEA_SOURCE_DIR) /
                                     ("tests/task/data/ctc." + name + ".npy"));
  };
  auto tensor = read("logits");
  tensor.shape.insert(tensor.shape.begin(), 1);
  auto task = reader();
  task.names = {"a", "b", "c", "d"};
  std::vector<float> slopes;
  EXPECT_NEAR(run(text_target(task, {{"y", tensor}}, "bbdac"), tensor, &slopes),
              read("score").data[0], 1e-5);
  const auto want = read("gradient").data;
  ASSERT_EQ(slopes.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(slopes[i], want[i], 1e-6);
}

TEST(Text, OfProbabilitiesTheSameNumberComesOut) {
  std::mt19937 random(9);
  std::normal_distribution<float> normal(0, 1);
  Tensor logits{{1, 5, 4}, std::vector<float>(20)}, probabilities = logits;
  for (std::size_t t = 0; t < 5; ++t) {
    float sum = 0;
    for (std::size_t c = 0; c < 4; ++c) {
      logits.data[4 * t + c] = normal(random);
      sum += std::exp(logits.data[4 * t + c]);
    }
    for (std::size_t c = 0; c < 4; ++c)
      probabilities.data[4 * t + c] = std::exp(logits.data[4 * t + c]) / sum;
  }
  const auto of_logits = text_target(reader(), {{"y", logits}}, "ba");
  const auto of_probabilities = text_target(reader(), {{"y", probabilities}}, "ba");
  EXPECT_NEAR(run(of_logits, logits), run(of_probabilities, probabilities), 1e-5);
  std::vector<float> slopes;
  run(of_probabilities, probabilities, &slopes);
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    auto moved = probabilities;
    moved.data[i] += 1e-3f;
    const double up = run(of_probabilities, moved);
    moved.data[i] -= 2e-3f;
    EXPECT_NEAR(slopes[i], (up - run(of_probabilities, moved)) / 2e-3,
                0.01 + 5e-3 * std::abs(slopes[i]));
  }
}

/// Decoders that forbid a character set its logit to minus infinity.
TEST(Text, WhatCannotBeHasNoSlope) {
  auto forbidden = steps({0, 1, 2, 0});
  const auto without = [&] {
    auto out = forbidden;
    for (std::size_t t = 0; t < 4; ++t) out.data[4 * t + 3] = -1e4F;
    return out;
  }();
  for (std::size_t t = 0; t < 4; ++t)
    forbidden.data[4 * t + 3] = -std::numeric_limits<float>::infinity();
  const auto target = text_target(reader(), {{"y", forbidden}}, "ab");
  std::vector<float> slopes, expected;
  EXPECT_EQ(run(target, forbidden, &slopes), run(target, without, &expected));
  EXPECT_EQ(slopes, expected);
  EXPECT_EQ(slopes[3], 0);
}

TEST(Text, WhatIsNoTextIsRefused) {
  const Outputs outputs{{"y", steps({0, 1})}};
  const auto message = [&](const std::string& text) {
    try {
      text_target(reader(), outputs, text);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message("aüb").find("'ü'"), std::string::npos) << message("aüb");
  EXPECT_NE(message("aa").find("3 steps"), std::string::npos) << message("aa");
  EXPECT_EQ(message("ab"), "");
}

}  // namespace
}  // namespace fovea
