// The pieces of `fovea bench`, apart from any clock.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <set>

#include "bench/busy.hpp"
#include "bench/compared.hpp"
#include "bench/inputs.hpp"
#include "bench/process.hpp"
#include "bench/report.hpp"
#include "bench/statistics.hpp"
#include "program.hpp"

namespace fovea::cli {
namespace {

using cli_test::fixture;

std::vector<double> shuffled(std::size_t n) {
  std::vector<double> out(n);
  std::iota(out.begin(), out.end(), 1);
  std::shuffle(out.begin(), out.end(), std::mt19937(1));
  return out;
}

TEST(BenchStatistics, APercentileIsATimeThatWasMeasured) {
  const auto s = statistics(shuffled(1000));
  EXPECT_EQ(s.runs, 1000U);
  EXPECT_EQ(s.min, 1);
  EXPECT_EQ(s.mean, 500.5);
  EXPECT_EQ(s.p50, 500);
  EXPECT_EQ(s.p90, 900);
  EXPECT_EQ(s.p95, 950);
  EXPECT_EQ(s.p99, 990);
  const auto odd = statistics({7, 5, 9});
  EXPECT_EQ(odd.p50, 7);
  EXPECT_EQ(odd.p90, 9);
  const auto one = statistics({4});
  EXPECT_EQ(one.min, 4);
  EXPECT_EQ(one.p95, 4);
  EXPECT_EQ(median({3, 1}), 1);
}

TEST(BenchStatistics, OneInAHundredNeedsAThousandRuns) {
  const auto few = statistics(shuffled(999));
  EXPECT_FALSE(few.p99);
  EXPECT_TRUE(to_json(few)["p99"].is_null());
  EXPECT_TRUE(statistics(shuffled(1000)).p99);
  EXPECT_EQ(to_json(statistics(shuffled(1000)))["p99"], 990);
}

TEST(BenchStatistics, DeviationAndMaximum) {
  const auto s = statistics({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_EQ(s.max, 9);
  EXPECT_NEAR(s.deviation, std::sqrt(32.0 / 7), 1e-12);
  EXPECT_EQ(statistics({4}).deviation, 0);
}

TEST(BenchStatistics, TheSpreadIsThatOfTheFifthsInTheirOrder) {
  const auto s = statistics({1, 3, 5, 9, 2, 4, 8, 8, 7, 1});
  EXPECT_EQ(s.spread.at("min").least, 1);
  EXPECT_EQ(s.spread.at("min").largest, 8);
  EXPECT_EQ(s.spread.at("mean").least, 2);
  EXPECT_EQ(s.spread.at("mean").largest, 8);
  EXPECT_EQ(s.spread.at("max").least, 3);
  EXPECT_EQ(s.spread.at("max").largest, 9);
  EXPECT_EQ(statistics({4, 6}).spread.at("p95").largest, 6);
  EXPECT_EQ(to_json(s)["spread"]["mean"], (std::vector<double>{2, 8}));
}

TEST(BenchStatistics, AMedianFarAboveTheLeastIsADisturbance) {
  std::vector<double> times(20, 2.0);
  EXPECT_FALSE(is_disturbed(statistics(times)));
  times[3] = 1;
  EXPECT_TRUE(is_disturbed(statistics(times)));
  times[3] = 1.9;
  EXPECT_FALSE(is_disturbed(statistics(times)));
  EXPECT_FALSE(is_disturbed(statistics({1, 2, 2}))) << "too few to say";
}

TEST(BenchReport, ADisturbanceIsToldUnlessItWasAskedFor) {
  Report report;
  report.predict = report.explain = statistics(std::vector<double>(20, 2.0));
  EXPECT_TRUE(disturbances(report).empty());
  report.explain.min = 0.5;
  ASSERT_EQ(disturbances(report).size(), 1U);
  EXPECT_NE(disturbances(report)[0].find("p50 of explain is 4.0 times its min"), std::string::npos);
  report.busy = 1;
  EXPECT_TRUE(disturbances(report).empty());
  report.busy = 0;
  report.rate = 10;
  EXPECT_TRUE(disturbances(report).empty());
}

TEST(BenchReport, StepsAddUpPerOperatorAndDirection) {
  Report report;
  for (const auto& [op, backward] : {std::pair("Conv", false), std::pair("Relu", false),
                                     std::pair("Conv", false), std::pair("Conv", true)}) {
    auto& step = report.steps.emplace_back();
    step.op = op;
    step.backward = backward;
  }
  report.profile = Profile{.steps = {1, 6, 3, 8}, .rest = 2};
  const auto rows = report_json(report)["operators"];
  ASSERT_EQ(rows.size(), 3U) << rows;
  EXPECT_EQ(rows[0],
            (Json{{"op", "Conv"}, {"backward", true}, {"steps", 1}, {"ms", 8.0}, {"share", 0.4}}));
  EXPECT_EQ(rows[1]["op"], "Relu");
  EXPECT_EQ(rows[2],
            (Json{{"op", "Conv"}, {"backward", false}, {"steps", 2}, {"ms", 4.0}, {"share", 0.2}}));
  EXPECT_NE(report_text(report).find("   4.0000   20.0 %      2  Conv\n"), std::string::npos)
      << report_text(report);
}

Json a_report(double p50) {
  Json out = {{"cpu", "c"}, {"threads", 2}, {"version", "1"}, {"create_ms", 30.0}};
  out["predict_ms"] = {{"p50", 1.0}};
  out["explain_ms"] = {{"p50", p50}, {"p99", nullptr}, {"spread", {{"p50", {p50 - 1, p50 + 1}}}}};
  return out;
}

TEST(BenchCompared, TellsRatiosAndWhatDiffers) {
  auto now = a_report(3);
  now["version"] = "2";
  const auto result = compared(a_report(2), now, "old.json");
  EXPECT_EQ(result["differs"], (Json{{"version", {"1", "2"}}}));
  ASSERT_EQ(result["figures"].size(), 3U) << result;
  EXPECT_EQ(result["figures"][0]["figure"], "create_ms");
  EXPECT_EQ(result["figures"][0]["ratio"], 1);
  EXPECT_TRUE(result["figures"][0]["now_spread"].is_null());
  const auto& explain = result["figures"][2];
  EXPECT_EQ(explain["figure"], "explain_ms.p50");
  EXPECT_EQ(explain["ratio"], 1.5);
  EXPECT_EQ(explain["before_spread"], (Json{1.0, 3.0}));
  const auto text = compared_text(result);
  for (const auto* part : {"compared with old.json; version was '1' and is '2'",
                           "2.000 (1.000-3.000)", "3.000 (2.000-4.000)", "   1.500\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

TEST(BenchCompared, RefusesByNameWhatIsNotTheSame) {
  const auto expect_refused = [](const Json& before, const Json& now, const std::string& why) {
    try {
      require_comparable(before, now, "old.json");
      ADD_FAILURE() << "taken: " << why;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    }
  };
  EXPECT_NO_THROW(require_comparable(a_report(1), a_report(2), "old.json"));
  auto other = a_report(2);
  other["cpu"] = "d";
  expect_refused(a_report(1), other, "'cpu' was 'c' and is 'd'");
  other = a_report(2);
  other["model_sha256"] = {"1"};
  expect_refused(a_report(1), other, "does not say 'model_sha256'");
  auto before = a_report(1);
  before["model_sha256"] = {"2"};
  expect_refused(before, other, "another model");
  EXPECT_NO_THROW(require_comparable(before, a_report(2), "old.json")) << "not known yet";
}

bool is_alive(pid_t process) {
  return ::kill(process, 0) == 0;
}

TEST(BenchBusy, ProcessesLiveAsLongAsTheObject) {
  std::vector<pid_t> processes;
  {
    const BusyProcesses busy(3);
    processes = busy.processes();
    ASSERT_EQ(processes.size(), 3U);
    for (const auto process : processes) EXPECT_TRUE(is_alive(process));
  }
  for (const auto process : processes) EXPECT_FALSE(is_alive(process));
  EXPECT_TRUE(BusyProcesses(0).processes().empty());
}

TEST(BenchBusy, ProcessesEndWithOneThatIsKilled) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // so that this one sees them end
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const auto parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    const BusyProcesses busy(1);
    const pid_t process = busy.processes().front();
    if (::write(ends[1], &process, sizeof process) != sizeof process) ::_exit(1);
    for (;;) ::pause();
  }
  pid_t process = 0;
  ASSERT_EQ(::read(ends[0], &process, sizeof process), static_cast<ssize_t>(sizeof process));
  ::kill(parent, SIGKILL);
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
  // Killed, or gone by itself where it had not begun to count. This hangs where it counts on.
  EXPECT_EQ(::waitpid(process, nullptr, 0), process);
  ::close(ends[0]);
  ::close(ends[1]);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(BenchInputs, PhotosFollowEachOther) {
  ExplainerOptions options;
  options.compile.input_shapes["data"] = {2, 3, 4, 5};
  const Explainer explainer(Model::load(fixture("open_extents")), options);
  std::vector<Tensor> photos;
  for (int i = 0; i < 3; ++i)
    photos.push_back({{1, 3, 4, 5}, std::vector<float>(60, static_cast<float>(i))});
  const Inputs inputs(explainer, photos);
  ASSERT_EQ(inputs.size(), 3U);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& view = inputs[i].at("data");
    EXPECT_EQ(view.shape, (Shape{2, 3, 4, 5}));
    EXPECT_EQ(view.data.front(), static_cast<float>(i % 3));
    EXPECT_EQ(view.data.back(), static_cast<float>((i + 1) % 3));
  }
}

TEST(BenchProcess, ReadsTheSystemsMemoryFields) {
  const std::string status =
      "Name:\tVmHWM\nVmPeak:\t  900 kB\nVmHWM:\t  125000 kB\nVmRSS:\t 10 kB\n";
  EXPECT_EQ(memory_field(status, "VmHWM"), 128.0);
  EXPECT_EQ(memory_field(status, "VmRSS"), 0.01024);
  EXPECT_FALSE(memory_field(status, "VmSwap"));
  EXPECT_FALSE(memory_field("a\nVmHWM:", "VmHWM"));
  EXPECT_FALSE(memory_field("a\nVmHWM: kB", "VmHWM"));
  ASSERT_TRUE(resident_memory() && peak_memory());
  EXPECT_GT(*resident_memory(), 0);
  EXPECT_LE(*resident_memory(), *peak_memory());
}

void expect_usable(const std::string& model, const Shape& shape) {
  ExplainerOptions options;
  if (model == "open_extents") options.compile.input_shapes["data"] = shape;
  const Explainer explainer(Model::load(fixture(model)), options);
  const Inputs inputs(explainer, 64, 1), same(explainer, 64, 1), other(explainer, 64, 2);
  ASSERT_EQ(inputs.size(), 64U);
  std::set<std::vector<float>> different;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& view = inputs[i].begin()->second;
    EXPECT_EQ(view.shape, shape);
    std::int64_t count = 1;
    for (const auto extent : shape) count *= extent;
    ASSERT_EQ(static_cast<std::int64_t>(view.data.size()), count);
    double sum = 0, squares = 0;
    for (const float v : view.data) {
      ASSERT_TRUE(std::isfinite(v));
      sum += v;
      squares += v * v;
    }
    const auto n = static_cast<double>(count);
    EXPECT_NEAR(sum / n, 0, 1e-4) << model;
    EXPECT_NEAR(squares / n, 1, 1e-3) << model;
    EXPECT_LT(std::count(view.data.begin(), view.data.end(), 0.F), 2);
    different.emplace(view.data.begin(), view.data.end());
    EXPECT_TRUE(std::ranges::equal(view.data, same[i].begin()->second.data));
    EXPECT_FALSE(std::ranges::equal(view.data, other[i].begin()->second.data));
  }
  EXPECT_EQ(different.size(), 64U) << model;
  EXPECT_EQ(inputs[64].begin()->second.data.data(), inputs[0].begin()->second.data.data());
  EXPECT_NO_THROW(explainer.forward(inputs[63]));
}

TEST(BenchInputs, AreDifferentAndLikeANormalisedPhoto) {
  expect_usable("open_extents", {1, 3, 50, 70});
  expect_usable("open_extents", {5, 3, 8, 9});
  expect_usable("nhwc", {1, 16, 16, 3});
  expect_usable("volume", {1, 3, 4, 6, 8});
  expect_usable("no_image", {1, 10});
}

TEST(BenchInputs, HaveStructureBeyondThePixel) {
  // Of white noise, neighbours know nothing; here about half of the variance is shared.
  ExplainerOptions options;
  options.compile.input_shapes["data"] = {1, 3, 128, 128};
  const Explainer explainer(Model::load(fixture("open_extents")), options);
  const Inputs inputs(explainer, 1, 1);
  const auto& data = inputs[0].begin()->second.data;
  double product = 0;
  for (std::size_t i = 1; i < data.size(); ++i) product += data[i] * data[i - 1];
  const double correlation = product / static_cast<double>(data.size());
  EXPECT_GT(correlation, 0.3);
  EXPECT_LT(correlation, 0.9);
}

}  // namespace
}  // namespace fovea::cli
