// What `fovea bench` tells: its fields and how they hang together. How fast anything is, no test
// says.
#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "colours.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

class Bench : public testing::Test {
 protected:
  Outcome run(const std::string& model, Words extra) const {
    // What else the machine does must not end the tuning.
    extra.insert(extra.begin(), {"bench", "--model", fixture(model), "--tuning-time", "1000"});
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
  EXPECT_GE(times["max"].get<double>(), last) << times;
  EXPECT_GE(times["deviation"].get<double>(), 0);
  EXPECT_LE(times["deviation"], times["max"]);
  for (const auto* key : {"min", "mean", "p50", "p90", "p95", "max", "deviation"}) {
    const auto& spread = times["spread"][key];
    ASSERT_EQ(spread.size(), 2U) << key << " of " << times;
    EXPECT_LE(spread[0], spread[1]);
  }
  EXPECT_EQ(times["spread"]["min"][0], times["min"]);
  EXPECT_EQ(times["spread"]["max"][1], times["max"]);
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
  EXPECT_EQ(result["busy"], 0);
  EXPECT_TRUE(result["rate"].is_null() && result["images"].is_null());
  EXPECT_EQ(result["tune"], "quick");
  EXPECT_EQ(result["optimize"], true);
  ASSERT_EQ(result["model_sha256"].size(), 1U);
  EXPECT_EQ(result["model_sha256"][0].get<std::string>().size(), 64U);
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
  std::map<std::pair<std::string, bool>, std::vector<double>> by_operator;
  for (const auto& step : result["steps"])
    by_operator[{step["op"], step["backward"]}].push_back(step["ms"]);
  EXPECT_EQ(result["operators"].size(), by_operator.size());
  for (const auto& of : result["operators"]) {
    const auto& times = by_operator[{of["op"], of["backward"]}];
    EXPECT_EQ(of["steps"], times.size()) << of;
    EXPECT_NEAR(of["ms"], std::accumulate(times.begin(), times.end(), 0.0), 1e-3) << of;
  }
}

TEST_F(Bench, APersonReadsTheTables) {
  const auto outcome = run("colours", {"--seconds", "0.01", "--layers"});
  expect_done(outcome);
  EXPECT_EQ(outcome.err.find('\r'), std::string::npos) << "no progress in a pipe";
  for (const auto* text :
       {"features by gradcam", "1 x 3 x 16 x 16", "OMP_WAIT_POLICY", "load  ", "create  ",
        "first  ", "MB of it added", "\npredict  ", "\nexplain  ", "explain to predict", "images/s",
        "step by step", "Conv", "  mix\n", "GF/s", "GB/s", "total", "deviation", "by operator"})
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
  EXPECT_EQ(result["waiting"], "environment");
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

TEST_F(Bench, PhotosAreTakenInTurn) {
  std::filesystem::create_directory(scratch_ / "photos");
  for (const int width : {20, 40, 60})
    write_image(scratch_ / ("photos/" + std::to_string(width) + ".png"), red_and_blue(width, 30));
  write_file(scratch_ / "photos/50.png", "no picture");
  const Words words = {"--images", "photos", "--preprocess", R"({"geometry": "stretch"})",
                       "--runs",   "10",     "--json"};
  const auto result = json_of(run("colours", words));
  EXPECT_EQ(result["images"], "photos");
  EXPECT_EQ(result["photos"], (Words{"20.png", "40.png", "60.png"}));
  EXPECT_EQ(result["images_sha256"].size(), 3U);
  const auto random = json_of(run("colours", {"--runs", "1", "--json"}));
  EXPECT_EQ(result["waiting"], random["waiting"]) << "not as one call for one photo waits";
  ASSERT_GE(result["warnings"].size(), 1U);
  EXPECT_NE(result["warnings"][0].get<std::string>().find("50.png"), std::string::npos);
  auto batch = words;
  batch.insert(batch.end(), {"--batch", "2"});
  batch.erase(batch.end() - 3);  // --json, which the text follows
  const auto text = run("colours", batch);
  expect_done(text);
  EXPECT_NE(text.out.find("3 photos of photos"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("2 x 3 x 16 x 16"), std::string::npos) << text.out;
  EXPECT_NE(run("colours", {"--images", "nowhere"}).status, 0);
  EXPECT_EQ(run("colours", {"--preprocess", "raw"}).status, 2) << "there is no photo";
}

TEST_F(Bench, AnOpenLoopCountsTheQueue) {
  const auto result = json_of(run("colours", {"--rate", "1e6", "--runs", "200", "--json"}));
  EXPECT_EQ(result["rate"], 1e6);
  EXPECT_EQ(result["runs"], 200);
  // Nothing explains in a microsecond: whoever came last waited for all the others.
  const double all_ms = 1000 * 200 / result["images_per_s"].get<double>();
  EXPECT_NEAR(result["explain_ms"]["max"].get<double>(), all_ms, 1 + all_ms / 10);
  ASSERT_EQ(result["warnings"].size(), 1U);
  EXPECT_NE(result["warnings"][0].get<std::string>().find("--rate has to be lower"),
            std::string::npos);
  const auto slow = run("colours", {"--rate", "20", "--runs", "10"});
  expect_done(slow);
  EXPECT_NE(slow.out.find("20 runs a second"), std::string::npos) << slow.out;
  EXPECT_EQ(run("colours", {"--rate", "5", "--workers", "2"}).status, 2);
}

TEST_F(Bench, BusyProcessesLeaveWithIt) {
  // Each of these returns only when nobody holds its output any more.
  const auto result = json_of(run("colours", {"--busy", "2", "--runs", "10", "--json"}));
  EXPECT_EQ(result["busy"], 2);
  EXPECT_TRUE(result["warnings"].empty()) << "they were asked for";
  EXPECT_NE(scratch_.fovea({"bench", "--busy", "2", "--model", "missing.onnx"}).status, 0);
  const auto interrupted =
      run_command({"timeout", "--foreground", "--preserve-status", "--signal=INT", "1", "fovea",
                   "bench", "--busy", "2", "--model", fixture("colours"), "--seconds", "1000"},
                  scratch_.path());
  EXPECT_NE(interrupted.status, 0);
}

TEST_F(Bench, AnEarlierMeasurementIsComparedWith) {
  const Words words = {"--threads", "1", "--runs", "20", "--json"};
  auto first = words;
  first.push_back("old.json");
  expect_done(run("colours", first));
  const auto before = json::parse(read_file(scratch_ / "old.json"));
  auto again = words;
  again.insert(again.begin(), {"--compare", "old.json"});
  const auto result = json_of(run("colours", again));
  const auto& compared = result["compared"];
  EXPECT_EQ(compared["with"], "old.json");
  bool found = false;
  for (const auto& row : compared["figures"]) {
    if (row["figure"] != "explain_ms.p50") continue;
    found = true;
    EXPECT_EQ(row["before"], before["explain_ms"]["p50"]);
    EXPECT_EQ(row["now"], result["explain_ms"]["p50"]);
    EXPECT_EQ(row["before_spread"], before["explain_ms"]["spread"]["p50"]);
    EXPECT_EQ(row["now_spread"], result["explain_ms"]["spread"]["p50"]);
  }
  EXPECT_TRUE(found) << compared;
  const auto text = run("colours", {"--compare", "old.json", "--threads", "1", "--runs", "1"});
  expect_done(text);
  EXPECT_NE(text.out.find("compared with old.json"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("\nexplain_ms.p50 "), std::string::npos) << text.out;

  const auto expect_refused = [&](const std::string& model, const Words& other,
                                  const std::string& why) {
    auto refused = other;
    refused.insert(refused.begin(), {"--compare", "old.json", "--runs", "1"});
    const auto outcome = run(model, refused);
    EXPECT_NE(outcome.status, 0);
    EXPECT_NE(outcome.err.find(why), std::string::npos) << outcome.err;
  };
  expect_refused("colours", {"--threads", "2"}, "'threads' was 1 and is 2");
  expect_refused("colours", {"--threads", "1", "--busy", "1"}, "'busy' was 0 and is 1");
  expect_refused("labelled", {"--threads", "1"}, "another model");
  write_file(scratch_ / "old.json", "{}");
  expect_refused("colours", {"--threads", "1"}, "no JSON that 'fovea bench' wrote");
  write_file(scratch_ / "old.json", R"({"predict_ms": {}, "explain_ms": {}})");
  expect_refused("colours", {"--threads", "1"}, "does not say");
}

}  // namespace
}  // namespace fovea::cli_test
