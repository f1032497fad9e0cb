// Tensors, methods and targets that are refused, by their names.
#include <cstring>
#include <limits>

#include "c/support.hpp"

namespace fovea::c_test {
namespace {

class CInput : public testing::Test {
 protected:
  CInput() : network(golden_model("vgg")) {}

  fovea_status forward(const fovea_tensor& tensor, const char* name = nullptr) {
    const fovea_named_tensor feed{name, tensor};
    CRun run;
    return fovea_forward(network.explainer, &feed, 1, nullptr, run.out(), &error);
  }
  bool says(const std::string& word) const {
    return std::strstr(error.message, word.c_str()) != nullptr;
  }

  Network network;
  CError error;
};

TEST_F(CInput, OtherElementTypesAreNamed) {
  auto tensor = borrowed(network.input);
  tensor.dtype = FOVEA_F64;
  EXPECT_EQ(forward(tensor), FOVEA_BAD_INPUT);
  EXPECT_TRUE(says("f64")) << error.message;
  for (fovea_dtype type = FOVEA_F16; type <= FOVEA_OTHER; ++type) {
    tensor.dtype = type;
    EXPECT_EQ(forward(tensor), FOVEA_BAD_INPUT) << type;
  }
  for (const fovea_dtype none : {-1, FOVEA_OTHER + 1, 1 << 30}) {
    tensor.dtype = none;
    EXPECT_EQ(forward(tensor), FOVEA_INVALID_ARGUMENT) << none;
  }
}

TEST_F(CInput, StridesOfRowsWithoutGapsAlone) {
  auto tensor = borrowed(network.input);
  const auto& s = network.input.shape;
  const int64_t rows[] = {s[1] * s[2] * s[3], s[2] * s[3], s[3], 1};
  tensor.strides = rows;
  EXPECT_EQ(forward(tensor), FOVEA_OK) << error.message;
  int64_t once[] = {rows[0], rows[1], rows[2], 1};
  for (std::size_t i = 0; i < 4; ++i)
    if (s[i] == 1) once[i] = -5;  // never taken a step along
  tensor.strides = once;
  EXPECT_EQ(forward(tensor), FOVEA_OK) << error.message;
  const int64_t channels_last[] = {s[1] * s[2] * s[3], 1, s[1] * s[3], s[1]};
  tensor.strides = channels_last;
  EXPECT_EQ(forward(tensor, "input"), FOVEA_BAD_INPUT);
  EXPECT_TRUE(says("strides") && says("input")) << error.message;
  const int64_t in_bytes[] = {rows[0] * 4, rows[1] * 4, rows[2] * 4, 4};
  tensor.strides = in_bytes;
  EXPECT_EQ(forward(tensor), FOVEA_BAD_INPUT);
}

TEST_F(CInput, ExtentsOfNoTensorAndOfAnother) {
  auto tensor = borrowed(network.input);
  for (const int32_t rank : {-1, FOVEA_MAX_RANK + 1, std::numeric_limits<int32_t>::max()}) {
    tensor.rank = rank;
    EXPECT_EQ(forward(tensor), FOVEA_BAD_INPUT) << rank;
  }
  tensor.rank = 3;
  EXPECT_EQ(forward(tensor), FOVEA_BAD_INPUT);
  tensor.rank = 4;
  const int64_t kMany = std::numeric_limits<int64_t>::max();
  for (const auto& shape : std::vector<std::vector<int64_t>>{
           {1, 3, -1, 32}, {kMany, kMany, 2, 2}, {1, 3, 32, 33}, {0, 3, 32, 32}}) {
    tensor.shape = shape.data();
    EXPECT_EQ(forward(tensor), FOVEA_BAD_INPUT) << shape[0];
  }
  tensor.shape = nullptr;
  EXPECT_EQ(forward(tensor), FOVEA_INVALID_ARGUMENT);
}

TEST_F(CInput, DataThatIsNotThereOrCannotBeRead) {
  auto tensor = borrowed(network.input);
  tensor.data = nullptr;
  EXPECT_EQ(forward(tensor), FOVEA_INVALID_ARGUMENT);
  EXPECT_TRUE(says("NULL")) << error.message;
  tensor.data = reinterpret_cast<const char*>(network.input.data.data()) + 1;
  EXPECT_EQ(forward(tensor), FOVEA_BAD_INPUT);
}

TEST_F(CInput, NamesOfInputs) {
  const auto tensor = borrowed(network.input);
  EXPECT_EQ(forward(tensor, "nowhere"), FOVEA_INVALID_ARGUMENT);
  EXPECT_STREQ(error.node, "nowhere");
  const fovea_named_tensor twice[] = {{"input", tensor}, {"input", tensor}};
  CRun run;
  EXPECT_EQ(fovea_forward(network.explainer, twice, 2, nullptr, run.out(), &error),
            FOVEA_INVALID_ARGUMENT);
  EXPECT_TRUE(says("twice")) << error.message;
  EXPECT_EQ(fovea_forward(network.explainer, nullptr, 0, nullptr, run.out(), &error),
            FOVEA_INVALID_ARGUMENT);
}

class CAsked : public CInput {
 protected:
  CAsked() { EXPECT_EQ(network.forward(run.out()), FOVEA_OK); }

  fovea_status explain(const fovea_method& method, const char* target) {
    why = std::make_unique<CExplanations>();
    return fovea_run_explain(run, &method, &target, 1, nullptr, nullptr, why->out(), &error);
  }
  fovea_status by(const char* name, const char* options, const char* rules = nullptr) {
    auto method = made(fovea_method_init);
    method.name = name;
    method.options = options;
    method.layer_rules = rules;
    return explain(method, "top:1");
  }
  fovea_status about(const char* target) { return explain(made(fovea_method_init), target); }

  CRun run;
  std::unique_ptr<CExplanations> why;
};

TEST_F(CAsked, MethodsAndTheirOptions) {
  EXPECT_EQ(by("gradcam", nullptr), FOVEA_OK);
  EXPECT_EQ(by("gradcam", ""), FOVEA_OK);
  EXPECT_EQ(by("grdcam", nullptr), FOVEA_INVALID_ARGUMENT);
  EXPECT_TRUE(says("gradcam")) << error.message;
  EXPECT_EQ(by(nullptr, nullptr), FOVEA_INVALID_ARGUMENT);
  for (const char* wrong : {"samples=50", "=1", "samples", "samples=", ",", "samples=1,,seed=2"})
    EXPECT_EQ(by("gradcam", wrong), FOVEA_INVALID_ARGUMENT) << wrong;
  for (const char* wrong :
       {"samples=many", "samples=-1", "samples=5,samples=6", "sampels=5", "samples=nan"})
    EXPECT_EQ(by("smoothgrad", wrong), FOVEA_INVALID_ARGUMENT) << wrong;
  EXPECT_EQ(by("gradcam", nullptr, "conv1=zbox"), FOVEA_INVALID_ARGUMENT) << "it has no rules";
}

TEST_F(CAsked, Targets) {
  EXPECT_EQ(about("class:1"), FOVEA_OK);
  EXPECT_EQ(about("class:1-class:0"), FOVEA_OK);
  EXPECT_EQ(about("top:2"), FOVEA_OK);
  for (const char* wrong : {"class:100000", "class:-1", "class:cat", "top:0", "", "1", "[0]"})
    EXPECT_EQ(about(wrong), FOVEA_INVALID_ARGUMENT) << wrong;
  for (const char* words : {"label:cat", "box:0", "pixel:3,4@road"}) {
    EXPECT_EQ(about(words), FOVEA_INVALID_ARGUMENT) << words;
    EXPECT_TRUE(says("words")) << error.message;
  }
  EXPECT_EQ(about("nowhere[0,1]"), FOVEA_INVALID_ARGUMENT);
  EXPECT_TRUE(says("nowhere")) << error.message;
}

TEST_F(CAsked, ScoresOfTargets) {
  const auto score_of = [&](int32_t score, int32_t negated) {
    auto options = made(fovea_explain_options_init);
    options.score = score;
    options.negated = negated;
    CExplanations got;
    const char* target = "class:1";
    EXPECT_EQ(fovea_run_explain(run, nullptr, &target, 1, &options, nullptr, got.out(), &error),
              FOVEA_OK)
        << error.message;
    auto info = made(fovea_explanation_info_init);
    EXPECT_EQ(fovea_explanation_at(got, 0, &info, &error), FOVEA_OK);
    EXPECT_EQ(info.class_index, 1);
    EXPECT_STREQ(info.target, "class:1");
    return std::pair(info.score, info);
  };
  const auto [logit, info] = score_of(FOVEA_SCORE_BY_METHOD, 0);
  EXPECT_EQ(static_cast<float>(logit), info.logit);
  EXPECT_EQ(score_of(FOVEA_SCORE_LOGIT, 0).first, logit);
  EXPECT_EQ(score_of(FOVEA_SCORE_LOGIT, 1).first, -logit);
  EXPECT_NEAR(score_of(FOVEA_SCORE_PROBABILITY, 0).first, info.probability, 1e-6);
  auto options = made(fovea_explain_options_init);
  options.score = 3;
  CExplanations got;
  EXPECT_EQ(fovea_run_explain(run, nullptr, nullptr, 0, &options, nullptr, got.out(), &error),
            FOVEA_INVALID_ARGUMENT);
  options.score = FOVEA_SCORE_PROBABILITY;
  const char* difference = "class:1-class:0";
  EXPECT_EQ(fovea_run_explain(run, nullptr, &difference, 1, &options, nullptr, got.out(), &error),
            FOVEA_INVALID_ARGUMENT);
  EXPECT_TRUE(says("probability")) << error.message;
}

TEST_F(CAsked, PlacesThatAreNotThere) {
  ASSERT_EQ(about("top:1"), FOVEA_OK);
  fovea_array array{};
  EXPECT_EQ(fovea_explanation_array(*why, 99, FOVEA_MAP, &array, &error), FOVEA_INVALID_ARGUMENT);
  EXPECT_EQ(fovea_explanation_array(*why, 0, 3, &array, &error), FOVEA_INVALID_ARGUMENT);
  EXPECT_EQ(fovea_run_output(run, "nowhere", &array, &error), FOVEA_INVALID_ARGUMENT);
  size_t size = 0;
  EXPECT_EQ(fovea_run_predictions(run, 5, nullptr, 0, &size, &error), FOVEA_INVALID_ARGUMENT);
  auto info = made(fovea_method_info_init);
  EXPECT_EQ(fovea_method_at(fovea_method_count(), &info, &error), FOVEA_INVALID_ARGUMENT);
  auto value = made(fovea_value_info_init);
  EXPECT_EQ(fovea_model_input(network.model, 7, &value, &error), FOVEA_INVALID_ARGUMENT);
  EXPECT_EQ(fovea_explanation_warning(*why, 0, 1000), nullptr);
}

TEST(CMaking, OptionsThatDoNotExistAreNamed) {
  const Network network(golden_model("vgg"));
  const auto with = [&](auto change, const char* word) {
    auto options = made(fovea_explainer_options_init);
    options.tuning = FOVEA_TUNING_OFF;
    change(options);
    CExplainer explainer;
    CError error;
    const auto status =
        fovea_explainer_create(network.model, &options, nullptr, explainer.out(), &error);
    const auto told = std::string(error.message) + error.node;
    EXPECT_NE(told.find(word), std::string::npos) << told;
    return status;
  };
  using Options = fovea_explainer_options;
  const auto invalid = FOVEA_INVALID_ARGUMENT;
  EXPECT_EQ(with([](Options& o) { o.precision = 7; }, "precision"), invalid);
  EXPECT_EQ(with([](Options& o) { o.tuning = -1; }, "tuning"), invalid);
  EXPECT_EQ(with([](Options& o) { o.waiting = 3; }, "waiting"), invalid);
  EXPECT_EQ(with([](Options& o) { o.tuning_time_ms = -2; }, "tuning_time_ms"), invalid);
  EXPECT_EQ(with([](Options& o) { o.method_count = 1; }, "methods"), invalid);
  EXPECT_EQ(with([](Options& o) { o.layer_count = 2; }, "layers"), invalid);
  EXPECT_EQ(with([](Options& o) { o.plan_cache_size = 2; }, "plan_cache"), invalid);
  EXPECT_EQ(with([](Options& o) { o.threads = -1; }, ""), invalid);
  EXPECT_EQ(with([](Options& o) { o.batch = 0; }, ""), invalid);
  EXPECT_EQ(with([](Options& o) { o.output = "nowhere"; }, "nowhere"), invalid);
  EXPECT_EQ(with([](Options& o) { o.memory_limit = 1000; }, ""), FOVEA_OUT_OF_MEMORY);
}

TEST(CMaking, TargetsOfNamedValues) {
  const Network network(golden_model("vgg"));
  auto info = made(fovea_value_info_init);
  ASSERT_EQ(fovea_model_output(network.model, 0, &info, nullptr), FOVEA_OK);
  const std::string text = std::string(info.name) + "[0,1]";
  const char* targets[] = {text.c_str(), "class:1"};
  auto options = made(fovea_explainer_options_init);
  options.targets = targets;
  options.target_count = 2;
  CExplainer explainer;
  CError error;
  ASSERT_EQ(fovea_explainer_create(network.model, &options, nullptr, explainer.out(), &error),
            FOVEA_OK)
      << error.message;
  const fovea_named_tensor feed{nullptr, borrowed(network.input)};
  CRun run;
  ASSERT_EQ(fovea_forward(explainer, &feed, 1, nullptr, run.out(), &error), FOVEA_OK);
  CExplanations why;
  ASSERT_EQ(fovea_run_explain(run, nullptr, targets, 2, nullptr, nullptr, why.out(), &error),
            FOVEA_OK)
      << error.message;
  EXPECT_EQ(array_of(why, 0, FOVEA_FEATURE_MAP).data, array_of(why, 1, FOVEA_FEATURE_MAP).data);
  const char* word = "label:cat";
  options.targets = &word;
  options.target_count = 1;
  CExplainer other;
  EXPECT_EQ(fovea_explainer_create(network.model, &options, nullptr, other.out(), &error),
            FOVEA_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace fovea::c_test
