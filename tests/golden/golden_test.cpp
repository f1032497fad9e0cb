#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fovea/fovea.hpp"
#include "golden/maps.hpp"
#include "support/npy.hpp"

/// Maps made by PyTorch's autograd and by the published grad-cam package, on small networks of the
/// known families (README.md in this folder).
namespace fovea {
namespace {

using golden::pearson;
using nlohmann::json;
using testing_support::read_npy;

const std::filesystem::path kData = std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/golden/data";

json manifest() {
  std::ifstream in(kData / "manifest.json");
  return json::parse(in);
}

class Golden : public testing::TestWithParam<json> {
 protected:
  const json& entry() const { return GetParam(); }
  Model model() const { return Model::load(kData / entry()["model"].get<std::string>()); }
  Tensor tensor(const std::string& key) const {
    return read_npy(kData / entry()[key].get<std::string>());
  }
  ExplainerOptions options(const std::string& layer) const {
    ExplainerOptions out;
    out.prepare.layers = {layer};
    const Tensor input = tensor("input");
    out.compile.batch = input.shape[0];
    out.compile.input_shapes[entry()["input_name"].get<std::string>()] = input.shape;
    return out;
  }
};

std::span<const float> image_of(const Tensor& all, std::int64_t n) {
  const auto each = all.data.size() / static_cast<std::size_t>(all.shape[0]);
  return std::span(all.data).subspan(static_cast<std::size_t>(n) * each, each);
}

float largest(std::span<const float> v) {
  float out = 0;
  for (const float x : v) out = std::max(out, std::abs(x));
  return out;
}

float worst(std::span<const float> got, std::span<const float> want) {
  float out = 0;
  for (std::size_t i = 0; i < want.size(); ++i) out = std::max(out, std::abs(got[i] - want[i]));
  return out;
}

TEST_P(Golden, LogitsAreTheFrameworks) {
  const Tensor want = tensor("logits");
  for (const bool optimize : {true, false}) {
    auto opts = options(entry()["cases"][0]["layer"]);
    opts.compile.optimize = optimize;
    const auto run = Explainer(model(), opts).forward(tensor("input"));
    ASSERT_EQ(run.logits().shape, want.shape);
    const auto [low, high] = std::minmax_element(want.data.begin(), want.data.end());
    EXPECT_LE(worst(run.logits().data, want.data), 1e-4f * (*high - *low)) << optimize;
  }
}

TEST_P(Golden, TheDefaultLayerIsTheOneThatFeedsTheHead) {
  ExplainerOptions opts = options("");
  opts.prepare.layers.clear();
  const Explainer explainer(model(), opts);
  for (const auto& one : entry()["cases"])
    EXPECT_EQ(one["default_layer"].get<bool>(),
              explainer.default_layer() == one["layer"].get<std::string>())
        << explainer.default_layer();
}

TEST_P(Golden, GradCamIsAutogradsByEveryPlan) {
  for (const auto& one : entry()["cases"]) {
    const Tensor want = read_npy(kData / one["cam"].get<std::string>());
    const Target target = Target::class_index(one["class"].get<std::int64_t>());
    for (const bool optimize : {true, false}) {
      auto opts = options(one["layer"]);
      opts.compile.optimize = optimize;
      auto run = Explainer(model(), opts).forward(tensor("input"));
      const auto maps = run.explain(GradCam{}, std::span(&target, 1));
      ASSERT_EQ(maps.size(), static_cast<std::size_t>(want.shape[0]));
      for (const auto& map : maps) {
        const auto golden = image_of(want, map.image);
        ASSERT_EQ(map.feature_map.data.size(), golden.size());
        EXPECT_LE(worst(map.feature_map.data, golden), 1e-4f * largest(golden))
            << one["layer"] << " class " << one["class"] << " image " << map.image << " optimize "
            << optimize;
        EXPECT_EQ(map.layer, one["layer"].get<std::string>());
      }
    }
  }
}

TEST_P(Golden, NormalisedAndResizedItIsThePackages) {
  int compared = 0;
  for (const auto& one : entry()["cases"]) {
    if (one["package_map"].is_null()) continue;
    const Tensor want = read_npy(kData / one["package_map"].get<std::string>());
    const Target target = Target::class_index(one["class"].get<std::int64_t>());
    auto run = Explainer(model(), options(one["layer"])).forward(tensor("input"));
    for (const auto& map : run.explain(GradCam{}, std::span(&target, 1), {Normalize::minmax, ""})) {
      // The package scales twice: at the layer's grid, and again after resizing.
      const Tensor again = normalized(map.map, Normalize::minmax);
      const auto golden = image_of(want, map.image);
      ASSERT_EQ(again.data.size(), golden.size());
      EXPECT_LE(worst(again.data, golden), 2e-4f) << one["layer"] << " image " << map.image;
      ++compared;
    }
  }
  if (compared == 0) GTEST_SKIP() << "the package made no map of this network";
}

TEST_P(Golden, EveryAlgorithmGivesTheSameMap) {
  const auto& one = entry()["cases"][0];
  const Tensor want = read_npy(kData / one["cam"].get<std::string>());
  const Target target = Target::class_index(one["class"].get<std::int64_t>());
  for (const auto tuning : {Tuning::off, Tuning::quick, Tuning::winograd}) {
    auto opts = options(one["layer"]);
    opts.compile.tuning = tuning;
    auto run = Explainer(model(), opts).forward(tensor("input"));
    for (const auto& map : run.explain(GradCam{}, std::span(&target, 1))) {
      const auto golden = image_of(want, map.image);
      EXPECT_LE(worst(map.feature_map.data, golden), 1e-4f * largest(golden))
          << static_cast<int>(tuning);
    }
  }
}

/// Cells of a grid that touch, diagonals included.
bool neighbours(std::size_t a, std::size_t b, const Shape& grid) {
  for (std::size_t axis = grid.size(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(grid[axis]);
    const auto i = a % extent, j = b % extent;
    if ((i > j ? i - j : j - i) > 1) return false;
    a /= extent;
    b /= extent;
  }
  return true;
}

TEST_P(Golden, InBf16TheMapLooksAtTheSamePlace) {
  if (!build_info().bf16) GTEST_SKIP() << "this CPU cannot compute in bf16";
  for (const auto& one : entry()["cases"]) {
    const Tensor want = read_npy(kData / one["cam"].get<std::string>());
    const Target target = Target::class_index(one["class"].get<std::int64_t>());
    auto opts = options(one["layer"]);
    opts.compile.precision = Precision::bf16;
    const Explainer explainer(model(), opts);
    EXPECT_EQ(explainer.precision(), Precision::bf16);
    for (const auto& map :
         explainer.forward(tensor("input")).explain(GradCam{}, std::span(&target, 1))) {
      const auto golden = image_of(want, map.image);
      const auto& got = map.feature_map.data;
      // Below the default layer, activations rounded to 8 bits flip some ReLUs on the way up, and
      // the gradient with them, whatever the backward pass is computed in.
      EXPECT_GE(pearson(got, golden), one["default_layer"].get<bool>() ? 0.999 : 0.98)
          << one["layer"] << " image " << map.image;
      const auto best =
          static_cast<std::size_t>(std::max_element(got.begin(), got.end()) - got.begin());
      const auto top =
          static_cast<std::size_t>(std::max_element(golden.begin(), golden.end()) - golden.begin());
      EXPECT_TRUE(neighbours(best, top, map.feature_map.shape) ||
                  golden[best] >= 0.98f * golden[top])
          << one["layer"] << " image " << map.image;
    }
  }
}

TEST_P(Golden, CamIsGradCamTimesThePositionsOrRefused) {
  const Explainer grad(model(), options(entry()["cases"][0]["layer"]));
  ExplainerOptions opts = options(entry()["cases"][0]["layer"]);
  opts.prepare.methods = {Cam{}};
  auto run = grad.forward(tensor("input"));
  Explanation cam;
  try {
    cam = Explainer(model(), opts).forward(tensor("input")).explain(Cam{});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("CAM"), std::string::npos) << error.what();
    return;
  }
  const auto map = run.explain(GradCam{});
  const auto positions = static_cast<float>(map.feature_map.data.size());
  for (std::size_t i = 0; i < map.feature_map.data.size(); ++i)
    EXPECT_NEAR(map.feature_map.data[i] * positions, std::max(0.f, cam.feature_map.data[i]),
                1e-4f * largest(cam.feature_map.data));
}

std::string name_of(const testing::TestParamInfo<json>& info) {
  return info.param["name"].get<std::string>();
}

std::vector<json> entries() {
  const json all = manifest();
  return {all.begin(), all.end()};
}

INSTANTIATE_TEST_SUITE_P(Networks, Golden, testing::ValuesIn(entries()), name_of);

}  // namespace
}  // namespace fovea
