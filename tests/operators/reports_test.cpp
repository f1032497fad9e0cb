#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "operators/run_graph.hpp"
#include "support/npy.hpp"

/// Models that were reported to be wrong or refused: ONNX Runtime's results
/// (reports/expected.json).
namespace fovea::test {
namespace {

std::filesystem::path report_file(const std::string& name) {
  return std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/operators/reports" / name;
}

TEST(OperatorReports, AreAnsweredAsByOnnxRuntime) {
  std::ifstream file(report_file("expected.json"));
  const auto expected = nlohmann::json::parse(file);
  ASSERT_GE(expected.size(), 3u);
  for (const auto& [name, values] : expected.items()) {
    SCOPED_TRACE(name);
    std::ifstream in(report_file(name + ".onnx"), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto x = testing_support::read_npy(report_file(name + ".npy"));
    const auto got = first_output(import(bytes).graph, {x.data});
    ASSERT_EQ(got.size(), values.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], values[i].get<double>(), 1e-5 * (1 + std::abs(got[i]))) << i;
  }
}

}  // namespace
}  // namespace fovea::test
