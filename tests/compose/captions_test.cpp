// Captions by networks that take one word at a time: the same as of all words at once.
#include "fovea/caption_writer.hpp"

#include <nlohmann/json.hpp>

#include "compose/split.hpp"
#include "compose/support.hpp"
#include "fovea/task_target.hpp"

namespace fovea::compose_test {
namespace {

using nlohmann::json;
using test::attr;
using test::Floats;
using test::Ints;
using test::ModelBuilder;
using test::node;

constexpr auto kArgument = ErrorCode::invalid_argument;
const std::filesystem::path kFolder = FOVEA_SOURCE_DIR "/tests/compose/captioner/";
using Tokens = std::vector<std::int64_t>;

Model model_of(const fovea_onnx::ModelProto& proto) {
  const auto bytes = proto.SerializeAsString();
  return Model::from_bytes(test::as_bytes(bytes));
}

json golden() {
  std::ifstream file(kFolder / "golden.json");
  return json::parse(file);
}

Task captions(const std::vector<std::string>& names) {
  auto out = *task_by_name("caption");
  out.names = names;
  return out;
}

/// A network of all words, and what it is given.
struct Asked {
  Model model;
  Task task;
  CompileOptions compile = {};
  std::map<std::string, Tensor> tensors = {};
  std::string layer = {};  ///< else the default
};

/// What it says of the words, and why, by methods that are linear in the slope or not.
struct Said {
  std::string layer;
  std::vector<Choice> words;
  Outputs outputs;
  std::vector<Explanation> each, by_logarithm, whole;  ///< a word, its log probability; the caption
};

Said ask(const Asked& asked, const Tokens& tokens, const Method& method = GradCam{}) {
  ExplainerOptions options{.compile = asked.compile};
  options.compile.tuning = Tuning::off;
  const OriginFinder finder(asked.model, options.compile);
  const auto task = filled(asked.task, asked.model, finder);
  const auto logits = finder.find_logits();
  options.compile.fetches = values_of(task);
  options.prepare.target_values = target_values_of(task, finder.shapes(), logits);
  options.prepare.methods = {method};
  if (!asked.layer.empty()) options.prepare.layers = {asked.layer};
  const Explainer explainer(asked.model, options);
  Feeds feeds;
  for (const auto& [name, tensor] : asked.tensors) feeds.emplace(name, TensorView(tensor));
  auto run = explainer.forward(feeds);
  Said out{explainer.prepared_layers().front(), {}, outputs_of(task, run), {}, {}, {}};
  out.words = given_words(task, out.outputs, tokens, logits);
  std::vector<Target> targets, logarithms;
  for (std::size_t i = 0; i < out.words.size(); ++i) {
    targets.push_back(out.words[i].target);
    logarithms.push_back(word_target(task, out.outputs, static_cast<std::int64_t>(i),
                                     out.words[i].index, true, logits));
  }
  ExplainOptions how;
  how.normalize = Normalize::none;
  how.keep_sign = true;
  out.each = run.explain(method, targets, how);
  out.by_logarithm = run.explain(method, logarithms, how);
  auto all = tokens;
  if (all.back() == index_of(task, task.caption.end)) all.pop_back();
  out.whole = {run.explain(method, caption_target(task, out.outputs, all, logits), how)};
  return out;
}

void expect_near(const Tensor& a, const std::vector<float>& b, double share) {
  ASSERT_EQ(a.data.size(), b.size());
  double most = 0;
  for (const float v : b) most = std::max(most, std::abs(static_cast<double>(v)));
  for (std::size_t i = 0; i < b.size(); ++i) ASSERT_NEAR(a.data[i], b[i], share * most) << i;
}

void expect_same(const Said& a, const Said& b) {
  ASSERT_EQ(a.words.size(), b.words.size());
  for (std::size_t i = 0; i < a.words.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(a.words[i].name, b.words[i].name);
    EXPECT_NEAR(a.words[i].logit, b.words[i].logit, 1e-4);
    EXPECT_NEAR(a.each[i].score, b.each[i].score, 1e-4);
    expect_near(a.each[i].feature_map, b.each[i].feature_map.data, 1e-4);
  }
  EXPECT_NEAR(a.whole[0].score, b.whole[0].score, 1e-4);
  expect_near(a.whole[0].feature_map, b.whole[0].feature_map.data, 1e-4);
}

Asked asked_of(const CaptionWriter& writer, const Tokens& tokens,
               const std::map<std::string, Tensor>& inputs) {
  auto whole = writer.whole(tokens);
  Asked out{whole.model, whole.task, whole.compile, std::move(whole.words)};
  auto given = writer.first_inputs();
  for (const auto& [name, tensor] : inputs) given.insert_or_assign(name, tensor);
  for (const auto& [name, tensor] : given)
    if (const auto it = whole.inputs.find(name); it != whole.inputs.end())
      out.tensors.emplace(it->second, tensor);
  return out;
}

Feeds fed(const std::map<std::string, Tensor>& tensors) {
  Feeds out;
  for (const auto& [name, tensor] : tensors) out.emplace(name, TensorView(tensor));
  return out;
}

/// Words one by one by the network of all of them, the whole of it for each.
Tokens written_slowly(const Model& model, const Task& asked, const std::string& words,
                      std::map<std::string, Tensor> tensors) {
  const OriginFinder finder(model, {});
  const auto task = filled(asked, model, finder);
  ExplainerOptions options;
  options.compile.tuning = Tuning::off;
  options.compile.fetches = values_of(task);
  options.prepare.methods.clear();
  options.prepare.target_values = values_of(task);
  const Explainer explainer(model, options);
  const auto shape = finder.shapes().at(words);
  Tokens out{index_of(task, task.caption.start)};
  for (std::int64_t step = 0; step < shape.back(); ++step) {
    tensors.insert_or_assign(words, tokens_as_input(task, out, shape));
    const auto run = explainer.forward(fed(tensors));
    out.push_back(decode_word(task, outputs_of(task, run), step).index);
    if (out.back() == index_of(task, task.caption.end)) break;
  }
  return out;
}

TEST(CaptionWriter, SaysWhatPyTorchSays) {
  const auto expected = golden();
  const auto task = captions(expected["names"]);
  const auto tokens = expected["tokens"].get<Tokens>();
  const std::map<std::string, Tensor> inputs{
      {"image", {{1, 3, 16, 16}, expected["image"].get<std::vector<float>>()}}};
  const auto encoder = Model::load(kFolder / "encoder.onnx");
  const auto decoder = Model::load(kFolder / "decoder.onnx");
  const auto teacher = Model::load(kFolder / "teacher.onnx");
  const auto two = joined(encoder, decoder, {{"features", "features"}});

  ASSERT_EQ(written_slowly(teacher, task, "words", inputs), tokens);
  EXPECT_FALSE(CaptionWriter::find(teacher, task));
  auto at_once = inputs;
  at_once["words"] = tokens_as_input(task, tokens, {1, 8});
  const std::string in_one = "/encoder/layers/layers.3/Relu_output_0";
  std::vector<Said> all{ask({teacher, task, {}, at_once, in_one}, tokens)};
  for (const auto& model : {two, Model::load(kFolder / "merged.onnx")}) {
    const auto writer = CaptionWriter::find(model, task);
    ASSERT_TRUE(writer);
    EXPECT_EQ(writer->word_input(), "word");
    EXPECT_EQ(writer->task().states,
              (std::map<std::string, std::string>{{"h", "h_out"}, {"c", "c_out"}}));
    EXPECT_EQ(writer->write(fed(inputs)), tokens);
    const auto prepared = writer->prepared({});
    EXPECT_TRUE(prepared.is_prepared());
    EXPECT_EQ(prepared.write(fed(inputs)), tokens);
    auto whole = asked_of(*writer, tokens, inputs);
    whole.layer = all.size() == 1 ? "features" : in_one;
    all.push_back(ask(whole, tokens));
  }
  const auto maps = expected["word_maps"].get<std::vector<std::vector<float>>>();
  const auto rows = expected["logits"].get<std::vector<std::vector<double>>>();
  for (auto& said : all) {
    ASSERT_EQ(said.words.size(), maps.size());
    const auto above = [](Tensor map) {
      for (auto& v : map.data) v = std::max(v, 0.f);
      return map;
    };
    for (std::size_t i = 0; i < maps.size(); ++i) {
      SCOPED_TRACE(i);
      EXPECT_NEAR(said.words[i].logit, rows[i][static_cast<std::size_t>(tokens[i + 1])], 1e-4);
      expect_near(above(said.each[i].feature_map), maps[i], 1e-4);
    }
    EXPECT_NEAR(said.whole[0].score, expected["caption"].get<double>(), 1e-4);
    expect_near(above(said.whole[0].feature_map), expected["caption_map"].get<std::vector<float>>(),
                1e-4);
  }
  expect_same(all[1], all[0]);
  expect_same(all[2], all[1]);
}

TEST(CaptionWriter, WordsAddUpToTheCaption) {
  const auto expected = golden();
  const auto tokens = expected["tokens"].get<Tokens>();
  const std::map<std::string, Tensor> inputs{
      {"image", {{1, 3, 16, 16}, expected["image"].get<std::vector<float>>()}}};
  const auto two = joined(Model::load(kFolder / "encoder.onnx"),
                          Model::load(kFolder / "decoder.onnx"), {{"features", "features"}});
  const auto writer = CaptionWriter::find(two, captions(expected["names"]));
  for (const Method& method : {Method(GradCam{}), Method(HiResCam{})}) {
    auto asked = asked_of(*writer, tokens, inputs);
    asked.layer = "features";
    const auto said = ask(asked, tokens, method);
    std::vector<float> sum(said.whole[0].feature_map.data.size(), 0.f);
    double score = 0;
    for (const auto& word : said.by_logarithm) {
      score += word.score;
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += word.feature_map.data[i];
    }
    EXPECT_NEAR(score, said.whole[0].score, 1e-4);
    expect_near(said.whole[0].feature_map, sum, 1e-4);
  }
}

/// The demo's captioner in two: the picture is the first token of its LSTM, so that the encoder
/// ends in the states that it leaves behind.
struct Halved {
  fovea_onnx::ModelProto encoder, decoder;
};
Halved demo_in_two() {
  const auto whole = proto_of(FOVEA_SOURCE_DIR "/tools/demo/models/caption.onnx");
  const auto& nodes = whole.graph().node();
  Halved out{whole, whole};
  auto &a = *out.encoder.mutable_graph(), &b = *out.decoder.mutable_graph();
  for (auto* graph : {&a, &b}) {
    graph->clear_node();
    graph->clear_output();
  }
  b.clear_input();
  fovea_onnx::NodeProto lstm;
  bool is_picture = true, is_weight = false;
  for (const auto& one : nodes) {
    if (one.op_type() == "LSTM") {
      lstm = one;
      break;
    }
    if (one.output(0) == "embedding") is_picture = false;
    if (one.op_type() == "Slice") is_weight = true;
    if (is_picture || is_weight) *a.add_node() = one;
    if (is_weight) *b.add_node() = one;
  }
  for (int i = a.input_size() - 1; i >= 0; --i)
    if (a.input(i).name() == "words") a.mutable_input()->DeleteSubrange(i, 1);
  auto first = lstm;
  first.set_input(0, "unsqueeze");
  first.clear_output();
  for (const char* name : {"", "h", "c"}) first.add_output(name);
  *a.add_node() = first;
  for (const char* name : {"h", "c"}) a.add_output()->set_name(name);

  const auto add_input = [&](const char* name, int type,
                             std::initializer_list<std::int64_t> shape) {
    auto& input = *b.add_input();
    input.set_name(name);
    auto& tensor = *input.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    for (const auto extent : shape) tensor.mutable_shape()->add_dim()->set_dim_value(extent);
  };
  add_input("word", test::kInt64, {1, 1});
  add_input("h", test::kFloat, {1, 1, 96});
  add_input("c", test::kFloat, {1, 1, 96});
  *b.add_node() =
      node("Gather", {"embedding.weight", "word"}, {"embedding"}, {attr("axis", std::int64_t{0})});
  auto next = lstm;
  next.set_input(0, "embedding");
  next.set_input(5, "h");
  next.set_input(6, "c");
  next.clear_output();
  for (const char* name : {"y", "h_out", "c_out"}) next.add_output(name);
  *b.add_node() = next;
  *b.add_node() = node("Reshape", {"y", "rows"}, {"row"});
  auto& rows = *b.add_initializer();
  rows = test::tensor("rows", {3}, Ints{1, 1, 96});
  *b.add_node() = node("MatMul", {"row", "val_143"}, {"product"});
  *b.add_node() = node("Add", {"product", "words.bias"}, {"word_logits"});
  for (const char* name : {"word_logits", "h_out", "c_out"}) b.add_output()->set_name(name);
  return out;
}

TEST(CaptionWriter, TheDemoInTwoIsTheDemo) {
  const auto whole = Model::load(FOVEA_SOURCE_DIR "/tools/demo/models/caption.onnx");
  const auto names =
      json::parse(whole.metadata().at("fovea.task"))["names"].get<std::vector<std::string>>();
  const auto task = captions(names);
  const auto parts = demo_in_two();
  const auto two =
      joined(model_of(parts.encoder), model_of(parts.decoder), {{"h", "h"}, {"c", "c"}});
  const auto writer = CaptionWriter::find(two, task);
  ASSERT_TRUE(writer);
  for (unsigned seed = 1; seed < 5; ++seed) {
    SCOPED_TRACE(seed);
    // Two patches of a colour on grey.
    Tensor image{{1, 3, 64, 64}, random_input({1, 3, 64, 64}, seed).data};
    for (auto& v : image.data) v *= 0.05f;
    for (std::size_t patch = 0; patch < 2; ++patch)
      for (std::size_t y = 0; y < 14; ++y)
        for (std::size_t x = 0; x < 14; ++x)
          image.data[((seed + patch) % 3 * 64 + 8 + 30 * patch + y) * 64 + 6 + 9 * seed + x] = 0.9f;
    const std::map<std::string, Tensor> inputs{{"image", image}};
    const auto tokens = written_slowly(whole, task, "words", inputs);
    ASSERT_GT(tokens.size(), 3U);
    EXPECT_EQ(writer->write(fed(inputs)), tokens);
    auto at_once = inputs;
    at_once["words"] = tokens_as_input(task, tokens, {1, 11});
    const auto a = ask({whole, task, {}, at_once}, tokens);
    const auto b = ask(asked_of(*writer, tokens, inputs), tokens);
    EXPECT_EQ(a.layer, "relu_3");
    EXPECT_EQ(b.layer, "relu_3");
    expect_same(b, a);
  }
}

/// word, h, features -> scores, h_out: h counts, and every word adds its row of a table.
ModelBuilder step(const std::string& state_out = "h_out", std::int64_t features = 3) {
  ModelBuilder out;
  out.input("word", {1}, test::kInt64)
      .input("h", {1, 4})
      .input("features", {1, features})
      .initializer("table", {4, 4}, random_input({4, 4}, 3).data)
      .initializer("w", {features, 4}, random_input({features, 4}, 4).data)
      .add(node("Gather", {"table", "word"}, {"row"}, {attr("axis", std::int64_t{0})}))
      .add("Add", {"row", "h"}, {"sum"})
      .add("Tanh", {"sum"}, {state_out})
      .add("MatMul", {"features", "w"}, {"seen"})
      .add("Add", {state_out, "seen"}, {"scores"})
      .output("scores", {1, 4})
      .output(state_out, {1, 4});
  return out;
}

Model see(std::int64_t features = 3) {
  ModelBuilder out;
  out.input("image", {1, 3, 4, 4})
      .add("Relu", {"image"}, {"map"})
      .add("GlobalAveragePool", {"map"}, {"pooled"})
      .add(node("Flatten", {"pooled"}, {"features"}))
      .output("features", {1, features});
  return compose_test::model_of(out);
}

TEST(CaptionWriter, WhatIsMissingIsAskedForByName) {
  const std::vector<std::string> names{"<s>", "</s>", "a", "b"};
  const auto said =
      [&](const ModelBuilder& decoder, const Task& task,
          const std::map<std::string, std::string>& pairs = {{"features", "features"}}) {
        return refusal(kArgument, [&] {
          const auto two = joined(see(), compose_test::model_of(decoder), pairs);
          EXPECT_FALSE(CaptionWriter::find(two, task)) << "nothing was refused";
        });
      };
  EXPECT_TRUE(CaptionWriter::find(
      joined(see(), compose_test::model_of(step()), {{"features", "features"}}), captions(names)));
  expect_part(
      said(step("remembered"), captions(names)),
      "nothing says which output of the step before the input 'h' is fed from, or what else "
      "it is for: set 'states.h' or 'inputs.h.role' of the task");
  expect_part(said(step(), captions({})),
              "nothing says which words the network knows: set 'names' of the task");
  expect_part(said(step(), captions({"<s>", "stop", "a", "b"})),
              "the words have no '</s>': set 'caption.end' of the task");
  expect_part(said(step(), captions({"<s>", "</s>", "a"})),
              "the task has 3 names, and the network 4 words");
  expect_part(said(step("h_out", 5), captions(names)), "'features', which has extents [1, 3]");
  auto unknown = captions(names);
  unknown.states["hidden"] = "h_out";
  expect_part(said(step("remembered"), unknown),
              "names an input that the model does not have (node hidden)");
  auto paired = captions(names);
  paired.states["h"] = "remembered";
  EXPECT_TRUE(CaptionWriter::find(
      joined(see(), compose_test::model_of(step("remembered")), {{"features", "features"}}),
      paired));
  auto all_at_once = captions(names);
  all_at_once.caption.one_word = false;
  EXPECT_FALSE(CaptionWriter::find(
      joined(see(), compose_test::model_of(step()), {{"features", "features"}}), all_at_once));
}

TEST(CaptionWriter, EndsAtItsBound) {
  // Of words without an end among the likely ones: as many as there may be.
  auto task = captions({"<s>", "a", "b", "</s>"});
  task.caption.most = 7;
  auto decoder = step();
  decoder.initializer("never", {4}, Floats{0, 0, 0, -100})
      .add("Add", {"scores", "never"}, {"all"})
      .output("all", {1, 4});
  task.outputs[OutputRole::scores] = {"all"};
  const auto two = joined(see(), compose_test::model_of(decoder), {{"features", "features"}});
  const auto writer = CaptionWriter::find(two, task);
  const Tensor image{{1, 3, 4, 4}, random_input({1, 3, 4, 4}, 2).data};
  EXPECT_EQ(writer->write({{"image", image}}).size(), 8U);
  EXPECT_THROW(writer->whole({0}), Error);
  EXPECT_THROW(writer->whole(Tokens(300, 1)), Error);
}

/// Names that both files have, and values of both that are no outputs.
TEST(CaptionWriter, NamesMayMeet) {
  ModelBuilder first;
  first.input("word", {1, 3, 4, 4})
      .add("Relu", {"word"}, {"sum"})
      .add("GlobalAveragePool", {"sum"}, {"seen"})
      .add(node("Flatten", {"seen"}, {"scores"}))
      .output("scores", {1, 3});
  const auto encoder = compose_test::model_of(first);
  const auto two = joined(encoder, compose_test::model_of(step()), {{"features", "scores"}});
  auto task = captions({"<s>", "</s>", "a", "b"});
  const auto writer = CaptionWriter::find(two, task);
  ASSERT_TRUE(writer);
  EXPECT_EQ(writer->word_input(), "second/word");
  const std::map<std::string, Tensor> image{
      {"word", {{1, 3, 4, 4}, random_input({1, 3, 4, 4}, 2).data}}};
  const auto tokens = writer->write(fed(image));
  const auto apart = joined(see(), compose_test::model_of(step()), {{"features", "features"}});
  const auto other = CaptionWriter::find(apart, task);
  std::map<std::string, Tensor> above{{"image", image.at("word")}};
  for (auto& v : above.at("image").data) v = std::max(v, 0.f);
  EXPECT_EQ(tokens, other->write(fed(above)));
  const auto given = Tokens{0, 2, 3, 2, 1};
  const auto a = ask(asked_of(*writer, given, image), given);
  const auto b = ask(asked_of(*other, given, above), given);
  ASSERT_EQ(a.words.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(a.words[i].logit, b.words[i].logit, 1e-5);
}

}  // namespace
}  // namespace fovea::compose_test
