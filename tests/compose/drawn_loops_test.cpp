// Networks with loops, drawn by draw_loops.py: outputs by ONNX Runtime, slopes by differences.
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "compose/support.hpp"

namespace fovea::compose_test {
namespace {

using Json = nlohmann::json;

std::filesystem::path folder() {
  const char* drawn = std::getenv("FOVEA_LOOPS");
  return drawn != nullptr ? std::filesystem::path(drawn)
                          : std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/compose/loops";
}

void expect_close(const std::vector<float>& got, const std::vector<double>& want, double relative) {
  ASSERT_EQ(got.size(), want.size());
  double most = 0;
  for (const double v : want) most = std::max(most, std::abs(v));
  for (std::size_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(got[i], want[i], relative * most + 1e-6) << i;
}

void check(const std::filesystem::path& file, const Json& expected) {
  const Tensor x{expected.at("shape"), expected.at("x")};
  auto options = options_for("y");
  options.compile.input_shapes = {{"x", x.shape}};
  for (const auto& [name, value] : expected.at("fixed").items())
    options.compile.fixed_inputs[name] = {{}, {value.get<float>()}};
  for (const bool optimize : {true, false}) {
    options.compile.optimize = optimize;
    auto run = Explainer(Model::load(file), options).forward(x);
    expect_close(run.output("y").data, expected.at("y"), 1e-5);
    const auto label = expected.at("label").get<std::int64_t>();
    const auto why = run.explain(Saliency{}, Target::element("y", {label}));
    expect_close(why.attribution.data, expected.at("gradient"), 2e-4);
  }
}

/// Twice in one model, and two steps that have nothing in common: loops are copied with the rest.
void check_composed(const std::filesystem::path& file, const Json& expected) {
  const auto model = Model::load(file);
  const Tensor x{expected.at("shape"), expected.at("x")};
  for (const auto& twice : {joined(model, model, {}), unrolled(model, {}, 2)}) {
    ExplainerOptions options;
    options.compile.tuning = Tuning::off;
    for (const auto& output : twice.outputs()) options.compile.fetches.push_back(output.name);
    options.prepare.methods = {Saliency{}};
    options.prepare.target_values = options.compile.fetches;
    Feeds feeds;
    for (const auto& input : twice.inputs())
      if (input.type == DataType::f32) {
        options.compile.input_shapes[input.name] = x.shape;
        feeds.emplace(input.name, x);
      } else {
        options.compile.fixed_inputs[input.name] = {{}, {expected.at("fixed").at("n")}};
      }
    ASSERT_EQ(options.compile.fetches.size(), 2U);
    const auto run = Explainer(twice, options).forward(feeds);
    for (const auto& name : options.compile.fetches)
      expect_close(run.output(name).data, expected.at("y"), 1e-5);
  }
}

template <class Check>
void for_each_case(const Check& check) {
  std::ifstream in(folder() / "expected.json");
  const auto cases = Json::parse(in);
  ASSERT_FALSE(cases.empty());
  for (const auto& [name, expected] : cases.items()) {
    SCOPED_TRACE(name);
    try {
      check(folder() / (name + ".onnx"), expected);
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

TEST(DrawnLoops, GiveTheOutputsAndSlopes) {
  for_each_case(check);
}

TEST(DrawnLoops, AreCopiedIntoOtherModels) {
  for_each_case(check_composed);
}

}  // namespace
}  // namespace fovea::compose_test
