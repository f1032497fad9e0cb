#include "explain/direct.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

/// DIRECT against the points that SciPy's evaluates (tests/golden/make_perturbation_goldens.py).
namespace fovea::explain {
namespace {

using nlohmann::json;

double function(const json& bells, const Point& at) {
  double out = 0;
  for (const auto& bell : bells) {
    double distance = 0;
    for (std::size_t d = 0; d < at.size(); ++d)
      distance += std::pow((at[d] - bell[2 + d].get<double>()) / bell[1].get<double>(), 2);
    out -= bell[0].get<double>() * std::exp(-distance);
  }
  return out;
}

TEST(Direct, EvaluatesWhereSciPyDoes) {
  std::ifstream in(std::string(FOVEA_SOURCE_DIR) + "/tests/golden/perturbation/direct.json");
  for (const auto& one : json::parse(in)) {
    const std::vector<Point> want = one["points"];
    const auto got =
        direct_search(want[0].size(), want.size(), one["epsilon"], [&](std::span<const Point> all) {
          std::vector<double> out;
          for (const auto& at : all) out.push_back(function(one["bells"], at));
          return out;
        });
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_EQ(got[i].value, function(one["bells"], got[i].at));
      for (std::size_t d = 0; d < want[i].size(); ++d)
        ASSERT_NEAR(got[i].at[d], want[i][d], 1e-8) << "point " << i << " of " << want.size();
    }
  }
}

TEST(Direct, EndsWhereNothingCanBeCompared) {
  const auto got = direct_search(
      2, 50, 0.1, [](std::span<const Point> all) { return std::vector<double>(all.size(), NAN); });
  EXPECT_LE(got.size(), 50u);
}

}  // namespace
}  // namespace fovea::explain
