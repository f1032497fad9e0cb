#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "api/support.hpp"

/// oneDNN has a reference implementation of everything, tens to hundreds of times slower than the
/// others, and takes it without a word where the others refuse. No step of a network may run on
/// one.
namespace fovea::api_test {
namespace {

using std::filesystem::path;

std::vector<path> models() {
  const path root = FOVEA_SOURCE_DIR;
  std::vector<path> out;
  for (const auto& folder :
       {root / "tests/golden/data", root / "tools/demo/models", root / "../shared/real/models"}) {
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".onnx") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// Extents for what the file leaves open.
ExplainerOptions options_for(const Model& model, Precision precision, Tuning tuning) {
  constexpr std::int64_t kExtent = 48;
  ExplainerOptions out;
  out.compile.precision = precision;
  out.compile.tuning = tuning;
  for (const auto& input : model.inputs()) {
    Shape shape = input.shape;
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (shape[i] < 0) shape[i] = i == 0 ? 1 : kExtent;
    if (shape != input.shape) out.compile.input_shapes[input.name] = shape;
  }
  // What it says by steps is no class's score: all of it is a target.
  if (model.outputs().size() == 1 && model.outputs()[0].shape.size() == 3)
    out.prepare.target_values = {model.outputs()[0].name};
  return out;
}

/// Prepared for the first layer that can be explained, so that the backward pass is as long as can
/// be.
Explainer explainer_for(const Model& model, ExplainerOptions options) {
  options.prepare.methods = {};
  options.prepare.layers = {};
  const auto layers = Explainer(model, options).layers();
  options.prepare.methods = {GradCam{}};
  for (const auto& layer : layers) {
    options.prepare.layers = {layer.name};
    try {
      return Explainer(model, options);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_argument) throw;
    }
  }
  options.prepare.layers = {};
  return Explainer(model, options);
}

class Implementations : public testing::TestWithParam<path> {};

TEST_P(Implementations, AreNeverOnednnsReference) {
  const Model model = Model::load(GetParam());
  for (const auto precision : {Precision::f32, Precision::bf16})
    for (const auto tuning : {Tuning::off, Tuning::quick}) {
      auto options = options_for(model, precision, tuning);
      options.compile.allow_precision_fallback = true;
      const auto explainer = explainer_for(model, options);
      if (explainer.precision() != precision) continue;  // this CPU has no bf16
      const auto steps = explainer.steps();
      EXPECT_TRUE(
          std::any_of(steps.begin(), steps.end(), [](const auto& s) { return !s.backward; }));
      for (const auto& step : steps)
        EXPECT_TRUE(step.implementation.find("ref") == std::string::npos)
            << (step.backward ? "walk back, " : "") << step.op << ' ' << step.node << ": "
            << step.implementation << (precision == Precision::bf16 ? ", bf16" : ", f32")
            << (tuning == Tuning::off ? "" : ", tuned");
    }
}

std::string name_of_model(const testing::TestParamInfo<path>& info) {
  const auto& file = info.param;
  std::string name = file.stem() == "model" ? file.parent_path().filename() : file.stem();
  for (auto& ch : name)
    if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, Implementations, testing::ValuesIn(models()), name_of_model);

TEST(RealModels, AreBesideTheCheckout) {
  if (!std::filesystem::exists(path(FOVEA_SOURCE_DIR) / "../shared/real/models"))
    GTEST_SKIP() << "no pretrained models beside the checkout";
}

}  // namespace
}  // namespace fovea::api_test
