// Models made of models: two in one, and a step many times.
#include <numeric>

#include "compose/split.hpp"
#include "compose/support.hpp"

namespace fovea::compose_test {
namespace {

using test::attr;
using test::Floats;
using test::Ints;
using test::ModelBuilder;
using test::node;

constexpr auto kArgument = ErrorCode::invalid_argument;

Model part_of(const fovea_onnx::ModelProto& proto, const std::filesystem::path& folder) {
  const auto bytes = proto.SerializeAsString();
  return Model::from_bytes(test::as_bytes(bytes), {folder});
}

void expect_equal(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(a.data, b.data);
}

ExplainerOptions plain(std::vector<Method> methods) {
  ExplainerOptions out;
  out.compile.tuning = Tuning::off;
  out.prepare.methods = std::move(methods);
  return out;
}

TEST(Joined, TwoFilesAreTheOneThatTheyWere) {
  for (const char* name : {"resnet", "mobilenet_v2", "densenet", "vit", "lenet"}) {
    const auto file = api_test::golden_model(name);
    SCOPED_TRACE(name);
    const auto whole = Model::load(file);
    auto options = plain({GradCam{}, Saliency{}});
    const auto& input = whole.inputs().at(0);
    auto& shape = options.compile.input_shapes[input.name] = input.shape;
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (shape[d] == -1) shape[d] = d == 0 ? 1 : 64;
    const Explainer before(whole, options);
    const auto layer = before.default_layer();
    const auto [first, second, between] = split(proto_of(file), layer);
    const auto folder = file.parent_path();
    const auto two = joined(part_of(first, folder), part_of(second, folder), between);
    const Explainer after(two, options);
    ASSERT_EQ(after.default_layer(), layer);
    const auto x = random_input(before, 3);
    auto a = before.forward(x), b = after.forward(x);
    expect_equal(a.logits(), b.logits());
    for (const Method& method : {Method(GradCam{}), Method(Saliency{})})
      expect_equal(a.explain(method).map, b.explain(method).map);
  }
}

/// x [1, 2] -> y [1, 3], by a product that is `factor` times another's.
ModelBuilder product(const std::string& input, const std::string& output, float factor,
                     std::int64_t from = 2, std::int64_t to = 3) {
  ModelBuilder out;
  auto weights = random_input({from, to}, 5).data;
  for (auto& w : weights) w *= factor;
  return out.input(input, {1, from})
      .initializer("w", {from, to}, weights)
      .add("MatMul", {input, "w"}, {output}, {}, "product")
      .output(output, {1, to});
}

TEST(Joined, SideBySideEachIsItself) {
  const auto both = joined(model_of(product("x", "y", 1)), model_of(product("x", "y", -2)), {});
  ASSERT_EQ(both.inputs().size(), 2U);
  EXPECT_EQ(both.inputs()[0].name, "x");
  EXPECT_EQ(both.inputs()[1].name, "second/x");
  EXPECT_EQ(both.outputs()[0].name, "second/y");
  EXPECT_EQ(both.outputs()[1].name, "y");
  EXPECT_EQ(both.nodes()[1].name, "second/product");
  EXPECT_EQ(both.nodes()[1].inputs, (test::Strings{"second/x", "second/w"}));
  ExplainerOptions options = options_for("y");
  options.prepare.target_values = options.compile.fetches = {"y", "second/y"};
  const Tensor a{{1, 2}, {1, -3}}, b{{1, 2}, {2, 0.5f}};
  const auto run = Explainer(both, options).forward({{"x", a}, {"second/x", b}});
  const auto alone = [](float factor, const Tensor& x) {
    return Explainer(model_of(product("x", "y", factor)), options_for("y")).forward(x).output("y");
  };
  expect_equal(run.output("y"), alone(1, a));
  expect_equal(run.output("second/y"), alone(-2, b));
}

TEST(Joined, ChainsOfThree) {
  auto chain =
      joined(model_of(product("x", "y", 1)), model_of(product("x", "y", 1, 3, 4)), {{"x", "y"}});
  chain = joined(chain, model_of(product("x", "y", 1, 4, 2)), {{"x", "second/y"}}, "third/");
  ASSERT_EQ(chain.inputs().size(), 1U);
  ASSERT_EQ(chain.outputs().size(), 1U);
  EXPECT_EQ(chain.outputs()[0].name, "third/y");
  auto options = options_for("third/y");
  options.compile.fetches = {"y", "second/y"};
  const auto run = Explainer(chain, options).forward(Tensor{{1, 2}, {1, 2}});
  EXPECT_EQ(run.output("y").shape, (Shape{1, 3}));
  EXPECT_EQ(run.output("second/y").shape, (Shape{1, 4}));
}

TEST(Joined, NamesThatLookLikeNewOnesStayApart) {
  auto second = product("x", "y", 3);
  second.add("Neg", {"y"}, {"second/y"}).output("second/y");
  const auto both = joined(model_of(product("x", "y", 1)), model_of(second), {});
  std::set<std::string> names;
  for (const auto& output : both.outputs()) names.insert(output.name);
  EXPECT_EQ(names.size(), 3U);
  EXPECT_TRUE(names.contains("second/y"));
}

TEST(Joined, ContradictionsAreOneSentence) {
  const auto first = model_of(product("x", "y", 1));
  const auto said = [&](const ModelBuilder& second, const std::string& input,
                        const std::string& output) {
    return refusal(kArgument, [&] { joined(first, model_of(second), {{input, output}}); });
  };
  expect_part(said(product("z", "s", 1, 3), "u", "y"),
              "the second model has no input of this name (node u)");
  expect_part(said(product("z", "s", 1, 3), "z", "w"),
              "the first model has no output of this name (node w)");
  expect_part(said(product("z", "s", 1, 4), "z", "y"),
              "the input is fed with the output 'y', which has extents [1, 3] where the input has "
              "[1, 4] (node z)");
  auto integers = ModelBuilder();
  integers.input("z", {1, 3}, test::kInt64).add("Neg", {"z"}, {"s"}).output("s");
  expect_part(said(integers, "z", "y"),
              "the input is fed with the output 'y', which is f32 where the input is i64 (node z)");
}

TEST(Joined, ContradictionsThatExtentsShow) {
  ModelBuilder first;
  first.input("x", {-1, -1}).add("Tanh", {"x"}, {"y"}).output("y", {-1, -1});
  ModelBuilder second;
  second.input("z", {1, 3}).add("Tanh", {"z"}, {"s"}).output("s");
  const auto both = joined(model_of(first), model_of(second), {{"z", "y"}});
  auto options = options_for("s");
  options.compile.input_shapes = {{"x", {1, 3}}};
  const Explainer right(both, options);
  options.compile.input_shapes = {{"x", {1, 4}}};
  expect_part(refusal(kArgument, [&] { Explainer(both, options); }),
              "which has extents [1, 4] where the input has [1, 3] (node z)");
}

TEST(Joined, ExtentsOfOneNameAreTwo) {
  const auto open = [](const char* input, const char* output) {
    ModelBuilder out;
    out.input(input, {-1, -1}).add("Tanh", {input}, {output}).output(output);
    auto& dims =
        *out.proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type();
    dims.mutable_shape()->mutable_dim(0)->set_dim_param("batch");
    dims.mutable_shape()->mutable_dim(1)->set_dim_param("length");
    return model_of(out);
  };
  const auto both = joined(open("x", "y"), open("z", "s"), {});
  EXPECT_EQ(both.inputs()[1].dimensions, (test::Strings{"batch", "second/length"}));
}

TEST(Joined, FilesAndMetadataAreThoseOfBoth) {
  const auto entry = [](ModelBuilder model, const char* key, const char* value) {
    auto& one = *model.proto.add_metadata_props();
    one.set_key(key);
    one.set_value(value);
    return model;
  };
  const auto first = entry(product("x", "y", 1), "who", "first");
  const auto second = entry(entry(product("z", "s", 1, 3), "who", "second"), "labels", "a");
  const auto both = joined(model_of(first), model_of(second), {{"z", "y"}});
  EXPECT_EQ(both.metadata().at("who"), "first");
  EXPECT_EQ(both.metadata().at("labels"), "a");
  const auto file = api_test::golden_model("resnet");
  const auto twice = joined(Model::load(file), Model::load(file), {});
  EXPECT_EQ(twice.files(), std::vector{file});
}

TEST(Joined, AnOutputThatCannotBeComputedFeedsNothing) {
  auto first = product("x", "y", 1);
  first.add("Foo", {"y"}, {"bad"}).output("bad");
  const auto second = model_of(product("z", "s", 1, 3));
  expect_part(refusal(ErrorCode::unsupported,
                      [&] {
                        joined(model_of(first), second, {{"z", "bad"}});
                      }),
              "'bad' (Foo, opset 13)");
  const auto both = joined(model_of(first), second, {{"z", "y"}});
  ASSERT_EQ(both.outputs().size(), 2U);
  EXPECT_EQ(both.outputs()[1].name, "bad");
  expect_part(refusal(ErrorCode::unsupported, [&] { Explainer(both, options_for("bad")); }),
              "'bad' (Foo, opset 13)");
  const Explainer other(both, options_for("s"));
}

constexpr std::int64_t kWords = 5, kWidth = 4, kFeatures = 3, kSteps = 4;

std::vector<float> drawn(const Ints& shape, unsigned seed) {
  auto out = random_input(shape, seed).data;
  for (auto& v : out) v *= 0.5f;
  return out;
}

/// The weights of a decoder.
ModelBuilder decoder() {
  ModelBuilder out;
  out.initializer("words", {kWords, kWidth}, drawn({kWords, kWidth}, 1))
      .initializer("from_map", {kFeatures, kWidth}, drawn({kFeatures, kWidth}, 2))
      .initializer("from_memory", {kWidth, kWidth}, drawn({kWidth, kWidth}, 3))
      .initializer("to_words", {kWidth, kWords}, drawn({kWidth, kWords}, 4));
  return out;
}

std::vector<test::NodeProto> decoder_step(const std::string& word, const std::string& memory) {
  return {node("MatMul", {"features", "from_map"}, {"seen"}),
          node("Gather", {"words", word}, {"read"}),
          node("MatMul", {memory, "from_memory"}, {"remembered"}),
          node("Add", {"read", "seen"}, {"both"}),
          node("Add", {"both", "remembered"}, {"sum"}),
          node("Tanh", {"sum"}, {"next"}),
          node("MatMul", {"next", "to_words"}, {"logits"})};
}

Model step_decoder() {
  auto out = decoder();
  out.input("features", {1, kFeatures}).input("word", {1}, test::kInt64);
  out.input("memory", {1, kWidth});
  for (const auto& one : decoder_step("word", "memory")) out.add(one);
  return model_of(out.output("logits", {1, kWords}).output("next", {1, kWidth}));
}

/// The same with all words given: a Loop.
Model teacher_forced() {
  auto out = decoder();
  out.input("features", {1, kFeatures}).input("sentence", {kSteps, 1}, test::kInt64);
  out.input("memory", {1, kWidth});
  fovea_onnx::GraphProto body;
  for (const auto* name : {"i", "on", "h"}) body.add_input()->set_name(name);
  *body.add_node() = node("Gather", {"sentence", "i"}, {"word"});
  for (const auto& one : decoder_step("word", "h")) *body.add_node() = one;
  for (const auto* name : {"on", "next", "logits"}) body.add_output()->set_name(name);
  auto attribute = test::attr_of_type("body", 5);
  *attribute.mutable_g() = body;
  out.initializer("length", {}, Ints{kSteps})
      .add(node("Loop", {"length", "", "memory"}, {"last", "all"}, {attribute}, "loop"));
  return model_of(out.output("all").output("last"));
}

Model encoder() {
  ModelBuilder out;
  out.input("image", {1, 1, 6, 6})
      .initializer("k", {kFeatures, 1, 3, 3}, drawn({kFeatures, 1, 3, 3}, 6))
      .add("Conv", {"image", "k"}, {"map"})
      .add("Relu", {"map"}, {"active"})
      .add("GlobalAveragePool", {"active"}, {"pooled"})
      .add("Flatten", {"pooled"}, {"features"});
  return model_of(out.output("features", {1, kFeatures}));
}

TEST(Unrolled, IsTheTeacherForcedLoop) {
  const std::map<std::string, std::string> fed = {{"features", "features"}};
  const auto steps =
      joined(encoder(), unrolled(step_decoder(), {{"memory", "next"}}, kSteps, {"features"}), fed);
  const auto loop = joined(encoder(), teacher_forced(), fed);
  const auto image = random_input({1, 1, 6, 6}, 8);
  const Tensor memory = random_input({1, kWidth}, 9);
  const std::vector<float> words = {3, 0, 4, 1};
  const Tensor sentence{{kSteps, 1}, words};
  auto options = plain({GradCam{}, Saliency{}});
  options.prepare.layers = {"active"};
  options.prepare.target_values = options.compile.fetches = {"all", "last"};
  auto of_loop = Explainer(loop, options)
                     .forward({{"image", image}, {"sentence", sentence}, {"memory", memory}});
  options.prepare.target_values = {};
  std::map<std::string, Tensor> feeds = {{"image", image}, {"memory", memory}};
  for (std::size_t t = 0; t < words.size(); ++t) {
    feeds["word@" + std::to_string(t)] = {{1}, {words[t]}};
    options.prepare.target_values.push_back("logits@" + std::to_string(t));
  }
  options.compile.fetches = options.prepare.target_values;
  options.compile.fetches.push_back("next@3");
  const Explainer explainer(steps, options);
  auto of_steps = explainer.forward(Feeds(feeds.begin(), feeds.end()));
  api_test::expect_near(of_steps.output("next@3"), of_loop.output("last"));
  const auto all = of_loop.output("all").data;
  for (std::int64_t t = 0; t < kSteps; ++t) {
    SCOPED_TRACE(t);
    const auto name = "logits@" + std::to_string(t);
    const auto here = of_steps.output(name).data;
    for (std::int64_t w = 0; w < kWords; ++w)
      EXPECT_NEAR(here[static_cast<std::size_t>(w)], all[static_cast<std::size_t>(t * kWords + w)],
                  1e-6);
    std::vector<float> one(kWords, 0.f), same(kSteps * kWords, 0.f);
    one[2] = same[static_cast<std::size_t>(t * kWords + 2)] = 1;
    for (const Method& method : {Method(Saliency{}), Method(GradCam{})})
      api_test::expect_near(of_steps.explain(method, Target::weighted(one, name)).feature_map,
                            of_loop.explain(method, Target::weighted(same, "all")).feature_map);
  }
}

TEST(Unrolled, APolicyWithAMemoryIsItsRunsInARow) {
  const auto file = std::filesystem::path(FOVEA_SOURCE_DIR) /
                    "../shared/structured/models/rl_a3c_breakout_grucell_op18.onnx";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no such network beside the checkout";
  const auto policy = Model::load(file);
  constexpr std::int64_t kFrames = 3;
  const auto target = [](const std::string& name) { return Target::element(name, {2}); };
  auto options = plain({GradCam{}});
  options.prepare.layers = {"val_16"};
  options.prepare.target_values = {"action_logits"};
  options.compile.fetches = {"action_logits", "memory_out"};
  const Explainer one(policy, options);
  options.prepare.layers = {"val_16@2"};
  options.prepare.target_values = {"action_logits@2"};
  options.compile.fetches = {"memory_out@2"};
  for (std::int64_t t = 0; t < kFrames; ++t)
    options.compile.fetches.push_back("action_logits@" + std::to_string(t));
  const Explainer all(unrolled(policy, {{"memory", "memory_out"}}, kFrames), options);
  auto memory = random_input({1, 256}, 1);
  std::map<std::string, Tensor> feeds = {{"memory", memory}};
  std::vector<Tensor> logits;
  Tensor map;
  for (std::int64_t t = 0; t < kFrames; ++t) {
    const auto frame = random_input({1, 1, 80, 80}, static_cast<unsigned>(10 + t));
    feeds["frame@" + std::to_string(t)] = frame;
    auto run = one.forward({{"frame", frame}, {"memory", memory}});
    logits.push_back(run.output("action_logits"));
    map = run.explain(GradCam{}, target("action_logits")).feature_map;
    memory = run.output("memory_out");
  }
  auto run = all.forward(Feeds(feeds.begin(), feeds.end()));
  for (std::size_t t = 0; t < logits.size(); ++t)
    api_test::expect_near(run.output("action_logits@" + std::to_string(t)), logits[t]);
  api_test::expect_near(run.output("memory_out@2"), memory);
  api_test::expect_near(run.explain(GradCam{}, target("action_logits@2")).feature_map, map);
}

TEST(Unrolled, NamesItsInputsAndOutputs) {
  const auto model = unrolled(step_decoder(), {{"memory", "next"}}, 3, {"features"});
  const auto names = [](const std::vector<ValueInfo>& infos) {
    test::Strings out;
    for (const auto& info : infos) out.push_back(info.name);
    return out;
  };
  EXPECT_EQ(names(model.inputs()),
            (test::Strings{"features", "word@0", "memory", "word@1", "word@2"}));
  EXPECT_EQ(names(model.outputs()), (test::Strings{"logits@0", "logits@1", "logits@2", "next@2"}));
  const auto each = unrolled(step_decoder(), {{"memory", "next"}}, 2);
  EXPECT_EQ(names(each.inputs()),
            (test::Strings{"features@0", "word@0", "memory", "features@1", "word@1"}));
  // What all steps have in common is there once.
  const auto count = [](const Model& of, const std::string& name) {
    return std::count_if(of.nodes().begin(), of.nodes().end(),
                         [&](const NodeInfo& one) { return one.outputs[0] == name; });
  };
  EXPECT_EQ(count(model, "seen"), 1);
  EXPECT_EQ(count(each, "seen@1"), 1);
}

TEST(Unrolled, ContradictionsAreOneSentence) {
  const auto model = step_decoder();
  const auto said = [&](const std::map<std::string, std::string>& states, std::int64_t steps = 2,
                        const std::vector<std::string>& shared = {}) {
    return refusal(kArgument, [&] { unrolled(model, states, steps, shared); });
  };
  expect_part(said({{"memories", "next"}}), "no input of this name for a state (node memories)");
  expect_part(said({{"memory", "net"}}), "no output of this name for a state (node net)");
  expect_part(said({{"memory", "logits"}}),
              "the input is fed with the output 'logits', which has extents [1, 5] where the input "
              "has [1, 4] (node memory)");
  expect_part(said({{"word", "next"}}), "which is f32 where the input is i64 (node word)");
  expect_part(said({}, 0), "unrolled for 0 steps, where 1 to 256 are possible");
  expect_part(said({}, 257), "unrolled for 257 steps, where 1 to 256 are possible");
  expect_part(said({}, 2, {"feature"}), "no input of this name for all steps (node feature)");
  expect_part(said({{"memory", "next"}}, 2, {"memory"}), "the input is a state");
  ModelBuilder large;
  large.input("x", {1}).add("Neg", {"x"}, {"v0"});
  for (int i = 0; i < 1000; ++i)
    large.add("Neg", {"v" + std::to_string(i)}, {"v" + std::to_string(i + 1)});
  large.output("v1000");
  expect_part(refusal(kArgument, [&] { unrolled(model_of(large), {}, 200); }),
              "a model of 200 steps has 200200 nodes, more than 100000");
}

TEST(Unrolled, StatesThatExchange) {
  ModelBuilder swap;
  swap.input("a", {1, 2})
      .input("b", {1, 2})
      .add("Neg", {"b"}, {"p"})
      .add("Tanh", {"a"}, {"q"})
      .output("p", {1, 2})
      .output("q", {1, 2});
  const auto model = unrolled(model_of(swap), {{"a", "p"}, {"b", "q"}}, 2);
  const Tensor a{{1, 2}, {0.5f, 1}}, b{{1, 2}, {2, 3}};
  auto options = options_for("p@1");
  options.compile.fetches = {"q@1"};
  const auto run = Explainer(model, options).forward({{"a", a}, {"b", b}});
  // p = -q before = -tanh(a); q = tanh(p before) = tanh(-b).
  EXPECT_NEAR(run.output("p@1").data[0], -std::tanh(0.5f), 1e-6);
  EXPECT_NEAR(run.output("q@1").data[0], std::tanh(-2.f), 1e-6);
}

}  // namespace
}  // namespace fovea::compose_test
