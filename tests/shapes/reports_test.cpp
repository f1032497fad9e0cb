#include <gtest/gtest.h>

#include <cmath>

#include "shapes/asked.hpp"
#include "shapes/expected.hpp"
#include "support/npy.hpp"

/// Models that were reported to crash, under every method: the scores of ONNX Runtime and
/// autograd's maps, or a refusal by name.
namespace fovea::shapes_test {
namespace {

struct Asked {
  std::string name;  ///< of the model
  std::string bytes;
  std::map<std::string, Tensor> feeds;
};

Asked asked_about(const std::string& name) {
  Asked out{name, {}, {}};
  std::ifstream in(report_file(name + ".onnx"), std::ios::binary);
  out.bytes.assign(std::istreambuf_iterator<char>(in), {});
  for (const auto& [input, file] : expected().at(name).at("feeds").items())
    out.feeds[input] = testing_support::read_npy(report_file(file.get<std::string>()));
  return out;
}

/// The maps of each image's first class, where autograd has them, one after the other.
std::string unlike_autograd(Run& run, const Asked& asked, const Method& method) {
  const auto& want = expected().at(asked.name);
  if (!want.contains(method.name)) return "";
  const Target first = Target::class_index(0);
  std::vector<float> got;
  for (const auto& one : run.explain(method, {&first, 1}))
    got.insert(got.end(), one.feature_map.data.begin(), one.feature_map.data.end());
  return unlike(got, tensor_of(want.at(method.name)).data, "the map");
}

std::string unlike_expected(const Asked& asked, const MethodInfo& info, bool optimize,
                            std::int64_t& answers) {
  about_to(info.name + (optimize ? "" : ", not optimized"));
  Draw draw(1);
  ExplainerOptions options;
  options.compile.tuning = Tuning::off;
  options.pool.threads = 1;
  options.compile.output = "y";
  options.compile.optimize = optimize;
  for (const auto& [input, tensor] : asked.feeds)
    options.compile.input_shapes[input] = tensor.shape;
  try {
    const Model model =
        Model::from_bytes(std::as_bytes(std::span(asked.bytes.data(), asked.bytes.size())));
    Feeds feeds;
    Shape first;
    for (const auto& input : model.inputs()) {
      const auto& tensor = asked.feeds.at(input.name);
      if (feeds.empty()) first = tensor.shape;
      feeds[input.name] = tensor;
    }
    const Method method = cheap_method(info, first, draw);
    options.prepare.methods = {method};
    if (info.kind == MapKind::layer) options.prepare.layers = {"r"};
    const Explainer explainer(model, options);
    Run run = explainer.forward(feeds);
    const auto scores = tensor_of(expected().at(asked.name).at("scores"));
    const auto what = unlike(run.output("y").data, scores.data, "y");
    if (!what.empty()) return what;
    if (run.output("y").shape != scores.shape) return "y has other extents";
    ++answers;
    return unlike_autograd(run, asked, method);
  } catch (const Error& error) {
    return improper(error);
  }
}

class Reports : public testing::TestWithParam<std::string> {};

TEST_P(Reports, EveryMethodAnswersRightlyOrRefuses) {
  const auto asked = asked_about(GetParam());
  const auto all = methods();
  Tally tally;
  const auto found = faults(
      0, static_cast<std::int64_t>(all.size()),
      [&](std::int64_t m, Tally& own) -> std::string {
        const auto& info = all[static_cast<std::size_t>(m)];
        for (const bool optimize : {true, false}) {
          const auto what = unlike_expected(asked, info, optimize, own.answers);
          if (!what.empty()) return info.name + ": " + what;
        }
        Draw draw(2);
        Question question;
        question.bytes = asked.bytes;
        question.told = asked.name;
        question.feeds = asked.feeds;
        question.method = info.name;
        question.options.compile.output = "y";
        question.options.compile.fetches = {"y"};
        question.options.compile.tuning = Tuning::off;
        question.options.pool.threads = 1;
        question.options.prepare.smoothing = true;
        question.options.prepare.targets_at_once = 4;
        for (const auto& [input, tensor] : asked.feeds)
          question.options.compile.input_shapes[input] = tensor.shape;
        question.targets = {Target::top1(), Target::class_index(1), Target::weighted({})};
        Tally other;
        for (const bool smooth : {false, true}) {
          question.explain.smooth = smooth;
          const auto what = broken(question, draw, other);
          if (!what.empty()) return what;
        }
        return "";
      },
      tally);
  EXPECT_TRUE(found.empty()) << listed(found);
  RecordProperty("answers", std::to_string(tally.answers));
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& [name, value] : expected().items()) out.push_back(name);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Shapes, Reports, testing::ValuesIn(names()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace fovea::shapes_test
