// The pieces of `fovea bench`, apart from any clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <set>

#include "bench/inputs.hpp"
#include "bench/process.hpp"
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
