// One answer: of the C interface, the C++ interface and the program, to the bit.
#include <array>
#include <cstring>
#include <fstream>

#include "c/support.hpp"
#include "cli/program.hpp"
#include "fovea/explainer.hpp"
#include "fovea/files.hpp"

namespace fovea::c_test {
namespace {

struct Asked {
  const char* method;
  const char* options;
  Method same;
};

std::array<Asked, 5> asked() {
  return {{{"gradcam", nullptr, Method{"gradcam"}},
           {"layercam", nullptr, Method{"layercam"}},
           {"integrated-gradients", "steps=8", Method{"integrated-gradients", {{"steps", 8}}}},
           {"smoothgrad", "samples=4,seed=3", Method{"smoothgrad", {{"samples", 4}, {"seed", 3}}}},
           {"occlusion", "window=24,stride=24",
            Method{"occlusion", {{"window", 24}, {"stride", 24}}}}}};
}

/// On one thread with the direct algorithms, and for one method: nothing else changes the order of
/// a sum.
Explainer plain(const std::string& file, const fovea_named_shape& shape, const Method& method) {
  ExplainerOptions options;
  options.compile.input_shapes[shape.name] = {shape.shape, shape.shape + shape.rank};
  options.compile.tuning = Tuning::off;
  options.prepare.methods = {method};
  options.pool.threads = 1;
  return Explainer(Model::load(file), options);
}

void expect_same(const Tensor& a, const Tensor& b, const std::string& what) {
  ASSERT_EQ(a.shape, b.shape) << what;
  ASSERT_FALSE(a.data.empty()) << what;
  EXPECT_EQ(std::memcmp(a.data.data(), b.data.data(), a.data.size() * sizeof(float)), 0) << what;
}

Tensor by_program(const cli_test::Scratch& scratch, const std::string& model, const Asked& how) {
  std::vector<std::string> line{"explain", "--model",   model,      "--input",  "input.npy",
                                "--class", "1",         "--method", how.method, "--map",
                                "map.npy", "--threads", "1",        "--tune",   "off"};
  for (const auto& [name, value] : how.same.options) {
    line.emplace_back("--option");
    line.push_back(name + "=" + std::to_string(static_cast<int>(value)));
  }
  const auto done = scratch.fovea(line);
  EXPECT_EQ(done.status, 0) << done.err;
  auto out = read_npy(scratch / "map.npy");
  if (out.shape.size() == 2) return out;
  out.shape.erase(out.shape.begin());  // of several images, the first
  out.data.resize(static_cast<std::size_t>(out.shape[0] * out.shape[1]));
  return out;
}

void expect_one_answer(const std::string& file, const Asked& how) {
  const auto what = file + ": " + how.method;
  const Network network(file, 1, {{how.method, how.options}});
  CRun run;
  CError error;
  ASSERT_EQ(network.forward(run.out(), &error), FOVEA_OK) << error.message;
  const auto explainer = plain(file, network.shape, how.same);
  auto own = explainer.forward(network.input);
  expect_same(taken([&](fovea_array* to) { return fovea_run_output(run, "", to, &error); }),
              own.logits(), what + ": scores");

  auto method = made(fovea_method_init);
  method.name = how.method;
  method.options = how.options;
  const char* target = "class:1";
  CExplanations why;
  ASSERT_EQ(fovea_run_explain(run, &method, &target, 1, nullptr, nullptr, why.out(), &error),
            FOVEA_OK)
      << what << ": " << error.message;
  const auto expected = own.explain(how.same, Target::class_index(1));
  const auto map = array_of(why, 0, FOVEA_MAP);
  expect_same(map, expected.map, what);
  expect_same(array_of(why, 0, FOVEA_FEATURE_MAP), expected.feature_map, what);
  EXPECT_EQ(array_of(why, 0, FOVEA_ATTRIBUTION).data, expected.attribution.data) << what;
  auto info = made(fovea_explanation_info_init);
  ASSERT_EQ(fovea_explanation_at(why, 0, &info, &error), FOVEA_OK);
  EXPECT_EQ(info.score, expected.score);
  EXPECT_EQ(info.layer, expected.layer);
  EXPECT_EQ(static_cast<std::size_t>(info.warning_count), expected.warnings.size());

  const cli_test::Scratch scratch;
  const auto npy = npy_bytes(network.input);
  cli_test::write_file(scratch / "input.npy",
                       {reinterpret_cast<const char*>(npy.data()), npy.size()});
  expect_same(map, by_program(scratch, file, how), what + " by the program");
}

TEST(CSame, TheAnswersOfCAndCppAndTheProgram) {
  for (const auto* name : {"resnet", "vgg", "squeezenet", "mobilenet_v2", "efficientnet"})
    for (const auto& how : asked()) expect_one_answer(golden_model(name), how);
}

TEST(CSame, TheAnswersOfPretrainedNetworks) {
  const auto real = std::string(FOVEA_SOURCE_DIR) + "/../shared/real/models/";
  if (!std::filesystem::exists(real)) GTEST_SKIP() << "no pretrained models beside the checkout";
  for (const auto* name :
       {"mobilenet_v2_1.0_224_op13", "cifar10_resnet20_bn_op9", "squeezenet_v1.1_onnxzoo_op8",
        "vnn21_resnet_2b", "resnet8_cifar10_op12"})
    for (const auto& how : asked()) expect_one_answer(real + name + ".onnx", how);
}

TEST(CSame, WhatAPlanCacheFoundIsFoundAgain) {
  const Network network(golden_model("resnet"));
  const auto scores_with = [&](std::string& cache) {
    auto options = made(fovea_explainer_options_init);
    options.threads = 1;
    options.input_shapes = &network.shape;
    options.input_shape_count = 1;
    options.plan_cache = cache.data();
    options.plan_cache_size = cache.size();
    CModel model;
    EXPECT_EQ(fovea_model_load(golden_model("resnet").c_str(), nullptr, model.out(), nullptr),
              FOVEA_OK);
    CExplainer explainer;
    EXPECT_EQ(fovea_explainer_create(model, &options, nullptr, explainer.out(), nullptr), FOVEA_OK);
    size_t size = 0;
    EXPECT_EQ(fovea_explainer_plan_cache(explainer, nullptr, 0, &size, nullptr), FOVEA_OK);
    cache.resize(size);
    EXPECT_EQ(fovea_explainer_plan_cache(explainer, cache.data(), size - 1, &size, nullptr),
              FOVEA_BUFFER_TOO_SMALL);
    EXPECT_EQ(fovea_explainer_plan_cache(explainer, cache.data(), size, &size, nullptr), FOVEA_OK);
    const fovea_named_tensor feed{nullptr, borrowed(network.input)};
    CRun run;
    EXPECT_EQ(fovea_forward(explainer, &feed, 1, nullptr, run.out(), nullptr), FOVEA_OK);
    return taken([&](fovea_array* to) { return fovea_run_output(run, "", to, nullptr); });
  };
  std::string cache;
  const auto first = scores_with(cache);
  const auto found = cache;
  expect_same(first, scores_with(cache), "with the plan cache");
  EXPECT_EQ(cache, found);
}

TEST(CSame, TheRegistryOfMethods) {
  const auto all = methods();
  ASSERT_EQ(fovea_method_count(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto info = made(fovea_method_info_init);
    ASSERT_EQ(fovea_method_at(i, &info, nullptr), FOVEA_OK);
    EXPECT_EQ(info.name, all[i].name);
    EXPECT_EQ(info.title, all[i].title);
    EXPECT_EQ(info.is_expensive != 0, all[i].expensive);
    EXPECT_EQ(std::string(info.options).empty(), all[i].options.empty());
    for (const auto& option : all[i].options)
      EXPECT_NE(std::strstr(info.options, (option.name + "=").c_str()), nullptr) << info.options;
  }
}

TEST(CSame, FilesOfAModel) {
  const auto file = golden_model("densenet");
  CModel model;
  ASSERT_EQ(fovea_model_load(file.c_str(), nullptr, model.out(), nullptr), FOVEA_OK);
  ASSERT_EQ(fovea_model_file_count(model), 2U);
  EXPECT_EQ(fovea_model_file(model, 0), file);
  EXPECT_EQ(fovea_model_file(model, 1), file + ".data");
  EXPECT_EQ(fovea_model_file(model, 2), nullptr);
  const auto bytes = cli_test::read_file(file);
  const auto folder = file.substr(0, file.rfind('/'));
  ASSERT_EQ(
      fovea_model_from_bytes(bytes.data(), bytes.size(), folder.c_str(), model.out(), nullptr),
      FOVEA_OK);
  ASSERT_EQ(fovea_model_file_count(model), 1U);
  EXPECT_EQ(fovea_model_file(model, 0), file + ".data");
}

TEST(CSame, WhatAModelAndAnExplainerSayOfThemselves) {
  const auto file = golden_model("resnet");
  const Network network(file);
  const auto model = Model::load(file);
  const auto explainer = plain(file, network.shape, GradCam{});
  ASSERT_EQ(fovea_model_output_count(network.model), model.outputs().size());
  auto info = made(fovea_value_info_init);
  ASSERT_EQ(fovea_model_output(network.model, 0, &info, nullptr), FOVEA_OK);
  EXPECT_EQ(info.name, model.outputs()[0].name);
  EXPECT_EQ(info.refusal, nullptr);
  EXPECT_EQ(fovea_model_metadata(network.model, "nothing"), nullptr);
  for (const auto& [key, value] : model.metadata())
    EXPECT_EQ(fovea_model_metadata(network.model, key.c_str()), value);
  ASSERT_EQ(fovea_explainer_layer_count(network.explainer), explainer.layers().size());
  int defaults = 0, prepared = 0;
  for (std::size_t i = 0; i < explainer.layers().size(); ++i) {
    auto layer = made(fovea_layer_info_init);
    ASSERT_EQ(fovea_explainer_layer(network.explainer, i, &layer, nullptr), FOVEA_OK);
    const auto& own = explainer.layers()[i];
    EXPECT_EQ(layer.name, own.name);
    EXPECT_EQ(layer.op, own.op);
    EXPECT_EQ(Shape(layer.shape, layer.shape + layer.rank), own.shape);
    defaults += layer.is_default;
    prepared += layer.is_prepared;
  }
  EXPECT_EQ(defaults, 1);
  EXPECT_EQ(prepared, 1);
  EXPECT_EQ(fovea_explainer_precision(network.explainer), FOVEA_PRECISION_F32);
  EXPECT_EQ(fovea_explainer_warning_count(network.explainer), 0U);
}

TEST(CSame, TheVersionsOfHeaderAndLibrary) {
  const auto header = std::to_string(FOVEA_VERSION_MAJOR) + "." +
                      std::to_string(FOVEA_VERSION_MINOR) + "." +
                      std::to_string(FOVEA_VERSION_PATCH);
  EXPECT_EQ(fovea_version(), header);
  EXPECT_EQ(fovea_abi_version(), FOVEA_ABI_VERSION);
  EXPECT_NE(std::strstr(fovea_build_info(), "onednn "), nullptr) << fovea_build_info();
  EXPECT_STREQ(fovea_status_name(FOVEA_BUFFER_TOO_SMALL), "buffer_too_small");
  EXPECT_STREQ(fovea_status_name(-5), "unknown");
}

}  // namespace
}  // namespace fovea::c_test
