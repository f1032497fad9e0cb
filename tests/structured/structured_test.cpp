#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "fovea/fovea.hpp"
#include "structured/goldens.hpp"
#include "support/npz.hpp"

/// Real networks beside the checkout that say more than a class: what ONNX Runtime and PyTorch's
/// autograd made of them, outputs, a score, and maps. A row of goldens() is an example.
namespace fovea::structured {
namespace {

using Path = std::filesystem::path;

const Path kFolder = Path(FOVEA_SOURCE_DIR) / "../shared/structured";
constexpr double kRelative = 1e-4;

std::string model_of(const std::string& example) {
  return example.substr(0, example.find("__"));
}

/// [h, w, bgr] bytes as a network [1, bgr, h, w] wants them.
Tensor from_pixels(const Tensor& pixels, const std::vector<double>& mean,
                   const std::vector<double>& deviation) {
  const auto h = pixels.shape[0], w = pixels.shape[1];
  Tensor out{{1, 3, h, w}, {}};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < pixels.data.size() / 3; ++i)
      out.data.push_back(static_cast<float>(
          (static_cast<double>(pixels.data[3 * i + c]) - mean[c]) / deviation[c]));
  return out;
}

/// An example's file, with the inputs of its model's other one where it has none.
Arrays arrays_of(const std::string& example) {
  Arrays out = testing_support::read_npz(kFolder / "examples" / (example + ".npz"));
  const auto has_input = [](const Arrays& arrays) {
    return std::any_of(arrays.begin(), arrays.end(),
                       [](const auto& one) { return one.first.starts_with("in/"); });
  };
  if (!has_input(out))
    for (const auto& golden : goldens()) {
      if (model_of(golden.example) != model_of(example)) continue;
      const Arrays other =
          testing_support::read_npz(kFolder / "examples" / (golden.example + ".npz"));
      for (const auto& [name, tensor] : other)
        if (name.starts_with("in/")) out[name] = tensor;
      if (has_input(out)) break;
    }
  if (out.contains("in/images"))
    out["in/images"] = from_pixels(out["in/images"], {0, 0, 0}, {1, 1, 1});
  if (out.contains("in/data_bgr_uint8")) {
    const double scale = 255;
    out["in/data"] = from_pixels(out["in/data_bgr_uint8"], {102.890434, 111.25247, 126.91212},
                                 {62.93292 * scale, 62.82138 * scale, 66.355705 * scale});
    out.erase("in/data_bgr_uint8");
  }
  return out;
}

/// Those under a prefix, by the rest of their names.
Arrays under(const Arrays& all, const std::string& prefix) {
  Arrays out;
  for (const auto& [name, tensor] : all)
    if (name.starts_with(prefix)) out[name.substr(prefix.size())] = tensor;
  return out;
}

std::vector<std::string> values_of(const Target& target) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& name) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  };
  if (const auto* sum = target.as<Target::Sum>())
    for (const auto& term : sum->terms) add(term.value);
  if (const auto* function = target.as<Target::Function>())
    for (const auto& name : function->values) add(name);
  if (const auto* weights = target.as<Target::Weights>()) add(weights->value);
  if (const auto* similarity = target.as<Target::Similarity>()) add(similarity->value);
  return out;
}

double largest(const std::vector<float>& values) {
  double out = 0;
  for (const float v : values) out = std::max(out, static_cast<double>(std::abs(v)));
  return out;
}

/// To `relative` of the largest.
void expect_near(const std::vector<float>& got, const std::vector<float>& want,
                 const std::string& what, double relative = kRelative) {
  ASSERT_EQ(got.size(), want.size()) << what;
  const double bound = relative * largest(want);
  for (std::size_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(got[i], want[i], bound) << what << ", element " << i;
}

void expect_outputs(const Run& run, const Arrays& outputs, const Golden& golden) {
  for (const auto& [name, want] : outputs)
    if (std::find(golden.drawn.begin(), golden.drawn.end(), name) == golden.drawn.end())
      expect_near(run.output(name).data, want.data, "output " + name);
}

/// The map of a method as the example's file has it: "cam", positive and divided by its maximum,
/// or "gradcam_raw".
void expect_map(Run& run, const Method& method, const Target& target, const Arrays& arrays,
                const std::string& scaled, const std::string& raw, double tolerance) {
  const bool is_raw = arrays.contains(raw);
  ASSERT_TRUE(is_raw || arrays.contains(scaled));
  const Tensor& want = arrays.at(is_raw ? raw : scaled);
  ExplainOptions options;
  options.keep_sign = is_raw;
  const auto why = run.explain(method, target, options);
  EXPECT_EQ(why.feature_map.shape, want.shape) << method.name;
  auto got = why.feature_map.data;
  const double scale = is_raw ? 1 : largest(got);
  for (float& v : got) v = static_cast<float>(static_cast<double>(v) / scale);
  expect_near(got, want.data, method.name, tolerance);
}

/// The file's gradient at an input.
void expect_gradient(Run& run, const Target& target, const Arrays& arrays, const Tensor& input) {
  const auto why = run.explain(GradientXInput{}, target);
  const Tensor& gradient = arrays.at("input_gradient");
  std::vector<float> want;
  for (std::size_t i = 0; i < gradient.data.size(); ++i)
    want.push_back(gradient.data[i] * input.data[i]);
  expect_near(why.attribution.data, want, "gradient");
}

class Goldens : public testing::TestWithParam<std::size_t> {};

void compare(const Golden& golden) {
  const Arrays arrays = arrays_of(golden.example);
  const Arrays inputs = under(arrays, "in/"), outputs = under(arrays, "out/");
  const bool at_input = arrays.contains("input_gradient");
  const Target target = golden.target(arrays);
  ExplainerOptions options;
  options.compile.tuning = Tuning::off;
  for (const auto& [name, tensor] : inputs)
    if (std::count(golden.fixed.begin(), golden.fixed.end(), name) == 0)
      options.compile.input_shapes[name] = tensor.shape;
  for (const auto& [name, tensor] : outputs) options.compile.fetches.push_back(name);
  options.prepare.target_values = values_of(target);
  options.prepare.methods = {GradCam{}, HiResCam{}};
  if (at_input)
    options.prepare.methods = {GradientXInput{}};
  else
    options.prepare.layers = {golden.layer};
  for (const auto& name : golden.fixed) options.compile.fixed_inputs[name] = inputs.at(name);
  const Explainer explainer(Model::load(kFolder / "models" / (model_of(golden.example) + ".onnx")),
                            options);
  Feeds feeds(inputs.begin(), inputs.end());
  for (const auto& name : golden.fixed) feeds.erase(name);
  Run run = explainer.forward(feeds);
  expect_outputs(run, outputs, golden);
  // Rounding in the network's own numbers stays where a small score is their difference.
  const double want = arrays.at("score").data[0];
  const auto score = run.explain(options.prepare.methods[0], target).score;
  EXPECT_NEAR(score, want, std::max(kRelative, golden.tolerance) * std::abs(want) + 2e-6);
  if (at_input) return expect_gradient(run, target, arrays, inputs.at(golden.layer));
  expect_map(run, GradCam{}, target, arrays, "cam", "gradcam_raw", golden.tolerance);
  if (arrays.contains("hirescam") || arrays.contains("hirescam_raw"))
    expect_map(run, HiResCam{}, target, arrays, "hirescam", "hirescam_raw", golden.tolerance);
}

TEST_P(Goldens, AreReproduced) {
  const Golden& golden = goldens()[GetParam()];
  if (!std::filesystem::exists(kFolder / "examples" / (golden.example + ".npz")))
    GTEST_SKIP() << "no structured examples beside the checkout";
  compare(golden);
}

std::string name_of(const testing::TestParamInfo<std::size_t>& info) {
  std::string out = goldens()[info.param].example;
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return out;
}

INSTANTIATE_TEST_SUITE_P(Structured, Goldens, testing::Range<std::size_t>(0, 31), name_of);

/// An explainer of an example's network, and the example's inputs.
struct Ready {
  Explainer explainer;
  Arrays inputs;
  Run run() const { return explainer.forward(Feeds(inputs.begin(), inputs.end())); }
};

Ready ready(const std::string& example, const std::vector<std::string>& values,
            const Method& method, const std::string& layer = {}) {
  Arrays inputs = under(arrays_of(example), "in/");
  ExplainerOptions options;
  options.compile.tuning = Tuning::off;
  for (const auto& [name, tensor] : inputs) options.compile.input_shapes[name] = tensor.shape;
  options.prepare.target_values = values;
  options.prepare.methods = {method};
  if (!layer.empty()) options.prepare.layers = {layer};
  return {Explainer(Model::load(kFolder / "models" / (model_of(example) + ".onnx")), options),
          std::move(inputs)};
}

bool has_examples() {
  return std::filesystem::exists(kFolder / "examples");
}

/// The same weights as one operator, and as what an exporter writes of a cell.
TEST(Recurrent, TheOperatorIsTheCellsSteps) {
  if (!has_examples()) GTEST_SKIP() << "no structured examples beside the checkout";
  for (const auto& [value, at] : {std::pair<std::string, Shape>{"action_logits", {2}},
                                  {"action_logits", {0}},
                                  {"value", {0}}}) {
    const auto map = [&, value = value, at = at](const std::string& example,
                                                 const std::string& layer) {
      const Ready one = ready(example, {value}, HiResCam{}, layer);
      return one.run().explain(HiResCam{}, Target::element(value, at), {.keep_sign = true});
    };
    const auto gru = map("rl_a3c_breakout_gru_op14__action", "/Elu_3_output_0");
    const auto cell = map("rl_a3c_breakout_grucell_op18__action", "val_16");
    EXPECT_NEAR(gru.score, cell.score, 1e-5 * std::abs(cell.score));
    expect_near(gru.feature_map.data, cell.feature_map.data, value, 1e-5);
  }
}

/// The last maps in front of the recurrent part; of a line of text the last with a height.
TEST(Recurrent, DefaultLayersAreInFrontOfIt) {
  if (!has_examples()) GTEST_SKIP() << "no structured examples beside the checkout";
  const auto layer = [](const std::string& example, const std::string& value) {
    return ready(example, {value}, GradCam{}).explainer.default_layer();
  };
  EXPECT_EQ(layer("rl_a3c_breakout_gru_op14__action", "action_logits"), "/Elu_3_output_0");
  EXPECT_EQ(layer("cap_shapes_lstm_op18__word_2_red", "word_logits"), "relu_3");
  EXPECT_EQ(layer("ocr_ppocr_en_bilstm_ctc_op12__step2_char_f", "ctc_fc.tmp_1"),
            "hardswish_17.tmp_0");
}

/// Relevance through two LSTMs that run both ways.
TEST(Recurrent, RelevanceAddsUp) {
  if (!has_examples()) GTEST_SKIP() << "no structured examples beside the checkout";
  const Ready one = ready("ocr_ppocr_en_bilstm_ctc_op12__step2_char_f", {"ctc_fc.tmp_1"}, Lrp{});
  const auto why = one.run().explain(Lrp{}, Target::element("ctc_fc.tmp_1", {2, 55}));
  ASSERT_TRUE(why.sum_rule);
  EXPECT_LT(why.sum_rule->error, 1e-3);
  EXPECT_GT(largest(why.attribution.data), 0);
}

TEST(Recurrent, DeepLiftIsRefusedByName) {
  if (!has_examples()) GTEST_SKIP() << "no structured examples beside the checkout";
  try {
    ready("cap_shapes_lstm_op18__word_2_red", {"word_logits"}, DeepLift{});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_EQ(error.context().op, "LSTM") << error.what();
  }
}

TEST(Examples, EachHasARow) {
  if (!has_examples()) GTEST_SKIP() << "no structured examples beside the checkout";
  std::set<std::string> files, rows;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder / "examples"))
    files.insert(entry.path().stem().string());
  for (const auto& golden : goldens()) rows.insert(golden.example);
  EXPECT_EQ(rows, files);
}

}  // namespace
}  // namespace fovea::structured
