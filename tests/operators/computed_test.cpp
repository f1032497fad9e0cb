#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "operators/run_graph.hpp"
#include "support/npy.hpp"

/// Gradients of networks that compute weights, norms' parameters, slopes and bounds from the image,
/// by PyTorch's autograd in double: make_computed.py, which draws any number of them into a folder
/// that FOVEA_COMPUTED names, and a report.
namespace fovea::test {
namespace {

using engine::GradientSpec;
using Json = nlohmann::json;
using Path = std::filesystem::path;

Path computed_folder() {
  const char* drawn = std::getenv("FOVEA_COMPUTED");
  return drawn != nullptr ? Path(drawn) : Path(FOVEA_SOURCE_DIR) / "tests/operators/computed";
}

std::string bytes_of(const Path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Json json_of(const Path& path) {
  std::ifstream in(path);
  return Json::parse(in);
}

std::vector<float> row_major(const engine::ValueView& view) {
  const auto n = base::element_count(view.shape), each = n / view.shape[0];
  const auto channels = view.shape.size() > 1 ? view.shape[1] : 1, positions = each / channels;
  std::vector<float> out;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto c = i % each / positions, p = i % positions;
    out.push_back(view.data[i / each * view.image_stride +
                            (c / view.block * positions + p) * view.block + c % view.block]);
  }
  return out;
}

void expect_near(const std::vector<float>& got, const std::vector<double>& want, const char* what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  double largest = 0;
  for (const double v : want) largest = std::max(largest, std::abs(v));
  for (std::size_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(got[i], want[i], 3e-4 * largest + 1e-7) << what << ' ' << i;
}

/// A model with the value c0, and the gradients of one class with respect to that and the input.
class Passes {
 public:
  Passes(const std::string& bytes, const std::vector<float>& x, std::size_t label, bool optimize)
      : graph_(import(bytes).graph) {
    graph::bind(graph_, {}, 1);
    engine::fold_constants(graph_);
    engine::PlanSpec spec;
    spec.optimize = optimize;
    const auto y = graph_.outputs[0], c0 = graph_.find_value("c0");
    spec.fetches = {y, c0};
    spec.gradients = {GradientSpec{y, graph_.inputs[0]}, GradientSpec{y, c0},
                      GradientSpec{y, c0, engine::GradientReduce::spatial_mean}};
    engine::WeightCache weights;
    const auto plan = engine::Plan::build(graph_, spec, weights);
    auto workspace = plan->make_workspace();
    plan->forward(workspace, std::vector<std::span<const float>>{x}, {});
    scores = row_major(plan->fetch(workspace, 0));
    map = row_major(plan->fetch(workspace, 1));
    const auto& shape = graph_.value(y).shape;
    std::vector<float> seeds(scores.size(), 0.f);
    for (auto k = label; k < seeds.size(); k += static_cast<std::size_t>(shape.back()))
      seeds[k] = 1;
    std::vector<float>* const results[] = {&at_x, &at_c0, &means};
    for (std::size_t i = 0; i < spec.gradients.size(); ++i) {
      plan->backward(workspace, i, seeds, {});
      *results[i] = row_major(plan->gradient(workspace, i));
    }
  }

  std::vector<float> scores, map, at_x, at_c0, means;

 private:
  graph::Graph graph_;
};

TEST(ComputedOperands, HaveTheGradientOfAutogradInDouble) {
  const auto cases = json_of(computed_folder() / "expected.json");
  ASSERT_GE(cases.size(), 20u);
  for (const auto& one : cases) {
    const std::string model = one["model"];
    for (const bool optimize : {false, true}) {
      SCOPED_TRACE(model + (optimize ? ", optimized" : ""));
      const Passes run(bytes_of(computed_folder() / model), one["x"], one["label"], optimize);
      expect_near(run.scores, one["y"], "scores");
      expect_near(run.at_x, one["gradient"], "at the image");
      const std::vector<double> at_c0 = one["gradient_c0"];
      expect_near(run.at_c0, at_c0, "at the layer");
      const auto positions = at_c0.size() / run.means.size();
      std::vector<double> means(run.means.size(), 0);
      for (std::size_t i = 0; i < at_c0.size(); ++i)
        means[i / positions] += at_c0[i] / static_cast<double>(positions);
      expect_near(run.means, means, "means");
    }
  }
}

/// Class 1 of the report's model: its gradient, and Grad-CAM at c0.
TEST(ComputedOperands, AreAsReported) {
  const auto folder = Path(FOVEA_SOURCE_DIR) / "tests/operators/reports";
  const auto expected = json_of(folder / "computed_weights.json");
  const auto x = testing_support::read_npy(folder / "computed_weights.npy");
  for (const bool optimize : {false, true}) {
    const Passes run(bytes_of(folder / "computed_weights.onnx"), x.data, 1, optimize);
    expect_near(run.scores, expected["logits_torch"], "logits");
    expect_near(run.at_x, expected["gradient_torch_f64_class1"], "at the image");
    const auto channels = run.means.size(), positions = run.map.size() / channels;
    std::vector<float> cam(positions, 0);
    for (std::size_t i = 0; i < run.map.size(); ++i)
      cam[i % positions] += run.means[i / positions] * run.map[i];
    for (auto& v : cam) v = std::max(v, 0.f);
    expect_near(cam, expected["gradcam_c0_torch"], "Grad-CAM");
  }
}

}  // namespace
}  // namespace fovea::test
