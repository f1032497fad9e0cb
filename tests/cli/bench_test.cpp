// What `fovea bench` tells: its fields and how they hang together. How fast anything is, no test
// says.
#include <algorithm>

#include "colours.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

class Bench : public testing::Test {
 protected:
  Outcome run(const std::string& model, Words extra) const {
    extra.insert(extra.begin(), {"bench", "--model", fixture(model)});
    return scratch_.fovea(extra);
  }

  Scratch scratch_;
};

void expect_ordered(const json& times, bool with_p99) {
  double last = 0;
  for (const auto* key : {"min", "p50", "p90", "p95", "p99"}) {
    ASSERT_TRUE(times.contains(key)) << times;
    if (std::string(key) == "p99" && !with_p99) continue;
    EXPECT_GE(times[key].get<double>(), last) << key << " of " << times;
    last = times[key];
  }
  EXPECT_EQ(times["p99"].is_null(), !with_p99) << times;
  EXPECT_GE(times["mean"], times["min"]);
  EXPECT_LE(times["mean"].get<double>(), last * 1000);
  EXPECT_GT(times["min"].get<double>(), 0);
}

TEST_F(Bench, JsonHasEveryFigure) {
  const auto result = json_of(run("colours", {"--runs", "12", "--threads", "1", "--json"}));
  for (const auto* key : {"load_ms", "create_ms", "create_cached_ms", "first_ms", "ratio",
                          "images_per_s", "predict_images_per_s", "peak_mb", "added_mb"})
    EXPECT_GT(result[key].get<double>(), 0) << key;
  EXPECT_LT(result["added_mb"], result["peak_mb"]);
  EXPECT_EQ(result["runs"], 12);
  expect_ordered(result["predict_ms"], false);
  expect_ordered(result["explain_ms"], false);
  constexpr double kRounding = 5e-5;  // of times, which are microseconds here
  const double predict = result["predict_ms"]["p50"], explain = result["explain_ms"]["p50"];
  const double ratio = result["ratio"], mean = result["explain_ms"]["mean"];
  EXPECT_NEAR(ratio, explain / predict, ratio * (0.01 + kRounding / predict + kRounding / explain));
  const double per_s = result["images_per_s"];
  EXPECT_NEAR(per_s, 1000 / mean, per_s * (0.01 + kRounding / mean));
  EXPECT_EQ(result["model"], fixture("colours"));
  EXPECT_EQ(result["inputs"]["data"], (Shape{1, 3, 16, 16}));
  EXPECT_EQ(result["batch"], 1);
  EXPECT_EQ(result["method"], "gradcam");
  EXPECT_EQ(result["layer"], "features");
  EXPECT_EQ(result["precision"], "f32");
  EXPECT_EQ(result["threads"], 1);
  EXPECT_TRUE(result["workers"].is_null());
  EXPECT_EQ(result["plan_cache_given"], false);
  for (const auto* key : {"isa", "onednn", "version", "wait_policy", "spin_count"})
    EXPECT_FALSE(result[key].get<std::string>().empty()) << key;
  EXPECT_FALSE(result.contains("steps"));
}

TEST_F(Bench, StepsShareTheWholeAmongThem) {
  const auto result =
      json_of(run("colours", {"--runs", "1000", "--layers", "--layer", "mixed", "--json"}));
  expect_ordered(result["predict_ms"], true);
  expect_ordered(result["explain_ms"], true);
  double ms = result["rest_ms"],
         share = result["rest_ms"].get<double>() / result["total_ms"].get<double>();
  bool convolution = false, back = false;
  for (const auto& step : result["steps"]) {
    ms += step["ms"].get<double>();
    share += step["share"].get<double>();
    EXPECT_FALSE(step["implementation"].get<std::string>().empty());
    EXPECT_GT(step["bytes"], 0);
    EXPECT_GT(step["gbytes_per_s"].get<double>(), 0) << step;
    EXPECT_EQ(step["gflops_per_s"].is_null(), step["flops"] == 0) << step;
    if (step["layer"] == "mix" && step["op"] == "Conv") {
      convolution = true;
      EXPECT_EQ(step["flops"], 2 * 3 * 3 * 16 * 16);
    }
    back = back || step["backward"].get<bool>();
  }
  EXPECT_TRUE(convolution) << result["steps"];
  EXPECT_TRUE(back) << result["steps"];
  EXPECT_NEAR(ms, result["total_ms"], 1e-3 * static_cast<double>(result["steps"].size()));
  EXPECT_NEAR(share, 1, 0.02);
}

TEST_F(Bench, APersonReadsTheTables) {
  const auto outcome = run("colours", {"--seconds", "0.01", "--layers"});
  expect_done(outcome);
  EXPECT_EQ(outcome.err, "") << "no progress in a pipe";
  for (const auto* text :
       {"features by gradcam", "1 x 3 x 16 x 16", "OMP_WAIT_POLICY", "load  ", "create  ",
        "first  ", "MB of it added", "\npredict  ", "\nexplain  ", "explain to predict", "images/s",
        "step by step", "Conv", "  mix\n", "GF/s", "GB/s", "total"})
    EXPECT_NE(outcome.out.find(text), std::string::npos) << text << " in\n" << outcome.out;
}

TEST_F(Bench, WorkersShareOneModel) {
  const auto result = json_of(run("colours", {"--workers", "3", "--runs", "7", "--json"}));
  EXPECT_EQ(result["workers"], 3);
  EXPECT_EQ(result["threads"], 1);
  EXPECT_EQ(result["runs"], 21);
  expect_ordered(result["predict_ms"], false);
  expect_ordered(result["explain_ms"], false);
  EXPECT_GT(result["images_per_s"].get<double>(), 0);
  const auto text = run("colours", {"--workers", "2", "--seconds", "0.1"});
  expect_done(text);
  EXPECT_NE(text.out.find("2 workers of one thread each"), std::string::npos) << text.out;
}

TEST_F(Bench, ABatchIsOneRun) {
  const auto result = json_of(run("colours", {"--batch", "3", "--runs", "10", "--json"}));
  EXPECT_EQ(result["batch"], 3);
  EXPECT_EQ(result["inputs"]["data"], (Shape{3, 3, 16, 16}));
  EXPECT_NEAR(result["images_per_s"].get<double>(),
              3000 / result["explain_ms"]["mean"].get<double>(),
              0.02 * result["images_per_s"].get<double>());
}

TEST_F(Bench, EveryShapeOfInputCanBeMade) {
  const auto two = json_of(run("two_inputs", {"--runs", "1", "--json", "--output-name", "scores"}));
  EXPECT_EQ(two["inputs"].size(), 2U);
  EXPECT_EQ(json_of(run("volume", {"--runs", "1", "--json"}))["layer"], "features");
  expect_done(run("open_extents", {"--input-shape", "data=2,3,20,30", "--method", "cam", "--runs",
                                   "1", "--json", "out.json"}));
  const auto written = json::parse(read_file(scratch_ / "out.json"));
  EXPECT_EQ(written["batch"], 2);
  EXPECT_EQ(written["method"], "cam");
}

TEST_F(Bench, APlanCacheIsMadeAndTaken) {
  const Words words = {"--runs", "1", "--plan-cache", "plan.txt", "--json"};
  EXPECT_EQ(json_of(run("colours", words))["plan_cache_given"], false);
  const auto made = read_file(scratch_ / "plan.txt");
  EXPECT_FALSE(made.empty());
  EXPECT_EQ(json_of(run("colours", words))["plan_cache_given"], true);
  EXPECT_EQ(read_file(scratch_ / "plan.txt"), made);
  const auto off = json_of(run("colours", {"--runs", "1", "--tune", "off", "--json"}));
  EXPECT_TRUE(off["create_cached_ms"].is_null());
}

TEST_F(Bench, TheWaitingPolicyIsTold) {
  const auto outcome =
      run_command({"env", "OMP_WAIT_POLICY=PASSIVE", "GOMP_SPINCOUNT=1234", "fovea", "bench",
                   "--model", fixture("colours"), "--runs", "1", "--json"},
                  scratch_.path());
  const auto result = json_of(outcome);
  EXPECT_EQ(result["wait_policy"], "PASSIVE");
  EXPECT_EQ(result["spin_count"], "1234");
}

TEST_F(Bench, ATerminalSeesProgressThatGoesAway) {
  const auto outcome = run_command_on_terminal(
      {"fovea", "bench", "--model", fixture("colours"), "--runs", "1", "--json"}, scratch_.path());
  expect_done(outcome);
  EXPECT_NE(outcome.err.find("warming up"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), std::string::npos) << outcome.err;
  ASSERT_FALSE(outcome.err.empty());
  EXPECT_EQ(outcome.err.back(), '\r');
  EXPECT_EQ(json::parse(outcome.out)["runs"], 1);
}

}  // namespace
}  // namespace fovea::cli_test
