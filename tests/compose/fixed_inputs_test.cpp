// Inputs whose values are given when the explainer is made.
#include <filesystem>

#include "compose/support.hpp"
#include "support/npy.hpp"

namespace fovea::compose_test {
namespace {

using test::attr;
using test::ModelBuilder;

constexpr auto kArgument = ErrorCode::invalid_argument;

Tensor scalar(float value) {
  return {{}, {value}};
}

fovea_onnx::GraphProto branch(const std::string& op) {
  fovea_onnx::GraphProto out;
  *out.add_node() = test::node(op, {"x"}, {op + "/out"});
  out.add_output()->set_name(op + "/out");
  return out;
}

test::AttributeProto attr_of_graph(const std::string& name, const fovea_onnx::GraphProto& graph) {
  auto out = test::attr_of_type(name, 5);
  *out.mutable_g() = graph;
  return out;
}

/// y = rate == 16000 ? tanh(x) : sin(x), times `gain`.
ModelBuilder by_rate(bool gain = false) {
  ModelBuilder out;
  out.input("x", {1, 3}).input("rate", {}, test::kInt64);
  out.initializer("known", {}, test::Ints{16000})
      .add("Equal", {"rate", "known"}, {"is_known"})
      .add("If", {"is_known"}, {"h"},
           {attr_of_graph("then_branch", branch("Tanh")),
            attr_of_graph("else_branch", branch("Sin"))},
           "by_rate");
  if (gain)
    out.input("gain", {1, -1}).add("Mul", {"h", "gain"}, {"y"});
  else
    out.add("Identity", {"h"}, {"y"});
  return out.output("y");
}

const Tensor kX{{1, 3}, {0.5f, -1, 2}};

Tensor outcome(const Model& model, std::map<std::string, Tensor> fixed, const Feeds& feeds) {
  auto options = options_for("y");
  options.compile.fixed_inputs = std::move(fixed);
  return Explainer(model, options).forward(feeds).output("y");
}

TEST(FixedInputs, DecideBranches) {
  const auto model = model_of(by_rate());
  const auto tanh = outcome(model, {{"rate", scalar(16000)}}, {{"x", kX}});
  const auto sin = outcome(model, {{"rate", scalar(8000)}}, {{"x", kX}});
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(tanh.data[i], std::tanh(kX.data[i]), 1e-6);
    EXPECT_NEAR(sin.data[i], std::sin(kX.data[i]), 1e-6);
  }
}

TEST(FixedInputs, AreAskedForNoLonger) {
  auto options = options_for("y");
  options.compile.fixed_inputs = {{"rate", scalar(16000)}};
  const Explainer explainer(model_of(by_rate()), options);
  ASSERT_EQ(explainer.inputs().size(), 1U);
  EXPECT_EQ(explainer.inputs()[0].name, "x");
  explainer.forward(kX);
  const auto rate = scalar(16000), other = scalar(8000);
  explainer.forward({{"x", kX}, {"rate", rate}});
  expect_part(refusal(kArgument,
                      [&] {
                        explainer.forward({{"x", kX}, {"rate", other}});
                      }),
              "was fixed when the explainer was made, to other values (node rate)");
  const Tensor shaped{{1}, {16000}};
  EXPECT_EQ(api_test::code_of([&] {
              explainer.forward({{"x", kX}, {"rate", shaped}});
            }),
            kArgument);
}

TEST(FixedInputs, GiveTheirExtents) {
  const auto model = model_of(by_rate(true));
  const Tensor gain{{1, 3}, {1, 2, -1}};
  const auto got = outcome(model, {{"rate", scalar(16000)}, {"gain", gain}}, {{"x", kX}});
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(got.data[i], gain.data[i] * std::tanh(kX.data[i]), 1e-6);
  auto options = options_for("y");
  options.compile.fixed_inputs = {{"rate", scalar(16000)}, {"gain", gain}};
  options.compile.input_shapes = {{"gain", {1, -1}}};
  EXPECT_EQ(Explainer(model, options).inputs().size(), 1U);
  options.compile.input_shapes = {{"gain", {1, 1}}};
  expect_part(refusal(kArgument, [&] { Explainer(model, options); }),
              "a shape and values that have another (node gain)");
}

TEST(FixedInputs, AreNamedWhereTheyAreMissing) {
  auto options = options_for("y");
  expect_part(refusal(ErrorCode::unsupported, [&] { Explainer(model_of(by_rate()), options); }),
              "the condition of an If depends on more than constants and extents: on the input "
              "'rate', which may be fixed when the explainer is made (node by_rate, op If)");
}

TEST(FixedInputs, WhatDoesNotFitIsRefused) {
  const auto model = model_of(by_rate(true));
  const auto said = [&](const std::string& name, Tensor value) {
    return refusal(kArgument, [&] { outcome(model, {{name, std::move(value)}}, {}); });
  };
  expect_part(said("rates", scalar(1)), "no input of this name to fix (node rates)");
  expect_part(said("rate", scalar(0.5f)), "is no integer (node rate)");
  expect_part(said("rate", scalar(INFINITY)), "is no integer (node rate)");
  expect_part(said("rate", {{1}, {1}}), "have extents [1], the model's are [] (node rate)");
  expect_part(said("gain", {{2, 3}, {}}),
              "have extents [2, 3], the model's are [1, -1] (node gain)");
  expect_part(said("gain", {{1, 3}, {1, 2}}), "do not fill its extents (node gain)");
}

TEST(FixedInputs, VariantsOfAnImageKeepThem) {
  // Occlusion runs the network at batches of its own.
  ModelBuilder builder;
  builder.input("x", {-1, 1, 4, 4})
      .input("mask", {1, 1, 4, 4})
      .add("Mul", {"x", "mask"}, {"seen"})
      .add("Flatten", {"seen"}, {"flat"})
      .initializer("w", {16, 2}, random_input({16, 2}, 3).data)
      .add("MatMul", {"flat", "w"}, {"y"})
      .output("y");
  const auto model = model_of(builder);
  const auto x = random_input({1, 1, 4, 4}, 1);
  const auto mask = random_input({1, 1, 4, 4}, 2);
  ExplainerOptions options;
  options.prepare.methods = {Occlusion{}};
  const auto map = [&](std::map<std::string, Tensor> fixed, const Feeds& feeds) {
    options.compile.fixed_inputs = std::move(fixed);
    auto run = Explainer(model, options).forward(feeds);
    return run.explain(Occlusion{}, Target::class_index(1)).map;
  };
  api_test::expect_near(map({{"mask", mask}}, {{"x", x}}), map({}, {{"x", x}, {"mask", mask}}));
}

TEST(FixedInputs, ASpeechDetectorForItsSamplingRate) {
  const auto file = std::filesystem::path(FOVEA_SOURCE_DIR) /
                    "../shared/structured/models/audio_silero_vad_if_op18.onnx";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no such network beside the checkout";
  const auto data = std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/compose/data/silero";
  const auto sound = testing_support::read_npy(data / "input.npy");
  const auto model = Model::load(file);
  auto options = options_for("output");
  options.compile.input_shapes = {{"input", sound.shape}};
  expect_part(refusal(ErrorCode::unsupported, [&] { Explainer(model, options); }),
              "on the input 'sr', which may be fixed");
  options.compile.fixed_inputs = {{"sr", scalar(16000)}};
  options.compile.fetches = {"stateN"};
  const Tensor state{{2, 1, 128}, std::vector<float>(256, 0.f)};
  {
    const Explainer explainer(model, options);
    const auto run = explainer.forward({{"input", sound}, {"state", state}});
    EXPECT_NEAR(run.output("output").data[0], 0.0044700964f, 1e-4 * 0.0044700964f);
    api_test::expect_near(run.output("stateN"), testing_support::read_npy(data / "state_out.npy"));
  }
  options.compile.fixed_inputs["state"] = state;
  auto run = Explainer(model, options).forward(sound);
  const auto got = run.explain(Saliency{}, Target::element("output", {0})).attribution;
  auto wanted = testing_support::read_npy(data / "gradient.npy");
  wanted.shape = got.shape;
  ASSERT_EQ(got.data.size(), wanted.data.size());
  api_test::expect_near(got, wanted);
}

}  // namespace
}  // namespace fovea::compose_test
