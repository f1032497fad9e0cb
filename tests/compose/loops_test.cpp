// Loop and Scan: unrolled, held to the same network by hand, or refused by name.
#include "compose/support.hpp"
#include "graph/repeat.hpp"
#include "onnx/import_helpers.hpp"

namespace fovea::compose_test {
namespace {

using test::attr;
using test::Floats;
using test::Ints;
using test::ModelBuilder;
using test::node;
using test::Strings;

constexpr auto kUnsupported = ErrorCode::unsupported;
constexpr auto kBad = ErrorCode::bad_model;

fovea_onnx::GraphProto body_of(const Strings& inputs, const std::vector<test::NodeProto>& nodes,
                               const Strings& outputs) {
  fovea_onnx::GraphProto out;
  for (const auto& name : inputs) out.add_input()->set_name(name);
  for (const auto& one : nodes) *out.add_node() = one;
  for (const auto& name : outputs) out.add_output()->set_name(name);
  return out;
}

test::AttributeProto body(const fovea_onnx::GraphProto& graph) {
  auto out = test::attr_of_type("body", 5);
  *out.mutable_g() = graph;
  return out;
}

/// h = tanh(h w + x[i]) for each step, from 0; y = the last h, all = each of them.
const auto kStep =
    body_of({"i", "on", "h"},
            {node("Gather", {"x", "i"}, {"row"}), node("MatMul", {"h", "w"}, {"product"}),
             node("Add", {"product", "row"}, {"sum"}), node("Tanh", {"sum"}, {"new"})},
            {"on", "new", "new"});

/// x [steps, 1, 2], and the constants of kStep.
ModelBuilder sequence(std::int64_t steps = 3) {
  ModelBuilder out;
  out.input("x", {steps, 1, 2})
      .initializer("w", {2, 2}, Floats{0.5f, -0.25f, 0.75f, 1})
      .initializer("start", {1, 2}, Floats{0, 0});
  return out;
}

ModelBuilder looped(const fovea_onnx::GraphProto& step, const std::string& trips,
                    const std::string& condition = "", std::int64_t steps = 3) {
  auto out = sequence(steps);
  out.initializer("trips", {}, Ints{3})
      .initializer(test::raw_tensor("yes", {}, test::kBool, std::vector<char>{1}))
      .initializer(test::raw_tensor("no", {}, test::kBool, std::vector<char>{0}))
      .add(node("Loop", {trips, condition, "start"}, {"y", "all"}, {body(step)}, "loop"))
      .output("y");
  return out;
}

ModelBuilder by_hand() {
  auto out = sequence();
  std::string h = "start";
  for (int t = 0; t < 3; ++t) {
    const auto name = std::to_string(t);
    out.initializer("i" + name, {}, Ints{t})
        .add("Gather", {"x", "i" + name}, {"row" + name})
        .add("MatMul", {h, "w"}, {"product" + name})
        .add("Add", {"product" + name, "row" + name}, {"sum" + name})
        .add("Tanh", {"sum" + name}, {"h" + name});
    h = "h" + name;
  }
  return out.add("Identity", {h}, {"y"}).output("y");
}

struct Results {
  Tensor value, slope;
};

Results results(const ModelBuilder& builder, const std::string& name = "y",
                ExplainerOptions options = options_for("y")) {
  options.prepare.target_values = options.compile.fetches = {name};
  options.compile.input_shapes["x"] = {3, 1, 2};
  auto run = Explainer(model_of(builder), options).forward(random_input({3, 1, 2}, 7));
  auto value = run.output(name);
  std::vector<float> factors(value.data.size());
  for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = 1 + 0.5f * static_cast<float>(i);
  const auto target = Target::weighted(factors, name);
  return {std::move(value), run.explain(Saliency{}, target).attribution};
}

Tensor value_of(const ModelBuilder& builder, const std::string& name) {
  const Explainer explainer(model_of(builder), options_for(name));
  return explainer.forward(random_input({3, 1, 2}, 7)).output(name);
}

void expect_same(const Results& a, const Results& b) {
  api_test::expect_near(a.value, b.value);
  api_test::expect_near(a.slope, b.slope);
}

std::string refused(const ModelBuilder& builder, ErrorCode code = kUnsupported) {
  return refusal(code, [&] { Explainer(model_of(builder), options_for("y")); });
}

TEST(Loops, AreTheirBodyAgainAndAgain) {
  const auto want = results(by_hand());
  expect_same(results(looped(kStep, "trips")), want);
  expect_same(results(looped(kStep, "trips", "yes")), want);
}

TEST(Loops, NameTheirSteps) {
  const auto want = results(by_hand());
  expect_same(results(looped(kStep, "trips"), "new@2"), want);
  auto model = looped(kStep, "trips");
  model.initializer("sum@1", {1}, Floats{1});
  expect_same(results(model, "new@2"), want);  // a name of the file's stays its own
}

TEST(Loops, CollectWhatTheyMake) {
  auto model = looped(kStep, "trips");
  model.initializer("last", {}, Ints{-1}).add("Gather", {"all", "last"}, {"z"}).output("z");
  expect_same(results(model, "z"), results(by_hand()));
  EXPECT_EQ(results(model, "all").value.shape, (Shape{3, 1, 2}));
}

TEST(Loops, RunAsOftenAsExtentsSay) {
  auto model = looped(kStep, "steps", "", -1);
  ModelBuilder counted = sequence(-1);
  counted.initializer("first", {}, Ints{0})
      .add("Shape", {"x"}, {"shape"})
      .add("Gather", {"shape", "first"}, {"steps"})
      .add(model.last())
      .output("y");
  expect_same(results(counted), results(by_hand()));
}

TEST(Loops, RunAsOftenAsIsComputedOfExtents) {
  auto model = looped(kStep, "steps", "", -1);
  ModelBuilder counted = sequence(-1);
  counted.initializer("first", {}, Ints{0})
      .initializer("part", {}, Floats{1.25f})
      .add("Shape", {"x"}, {"shape"})
      .add("Gather", {"shape", "first"}, {"length"})
      .add("Cast", {"length"}, {"real"}, {attr("to", test::kFloat)})
      .add("Div", {"real", "part"}, {"share"})
      .add("Softplus", {"share"}, {"more"})
      .add("Ceil", {"more"}, {"whole"})
      .add("Cast", {"whole"}, {"steps"}, {attr("to", test::kInt64)})
      .add(model.last())
      .output("y");
  expect_same(results(counted), results(by_hand()));  // log(1 + e^2.4) is below 3
}

TEST(Loops, RunAsOftenAsAFixedInputSays) {
  auto model = looped(kStep, "n");
  model.input("n", {}, test::kInt64);
  expect_part(refused(model),
              "the trip count of a Loop depends on more than constants and extents: on the input "
              "'n', which may be fixed when the explainer is made (node loop, op Loop)");
  auto options = options_for("y");
  options.compile.fixed_inputs["n"] = {{}, {3}};
  expect_same(results(model, "y", options), results(by_hand()));
}

TEST(Loops, EndByAConditionThatIsKnown) {
  auto step = kStep;
  *step.add_node() = node("Less", {"i", "two"}, {"less"});
  step.mutable_output(0)->set_name("less");
  for (const char* trips : {"", "many", "trips"}) {
    auto model = looped(step, trips, "yes");
    model.initializer("two", {}, Ints{2}).initializer("many", {}, Ints{1'000'000});
    expect_same(results(model), results(by_hand()));
  }
  auto endless = looped(step, "", "yes");
  endless.initializer("two", {}, Ints{1000});
  expect_part(refused(endless),
              "the condition of a Loop does not end it within 256 steps, as far as constants and "
              "extents say");
}

TEST(Loops, WhoseConditionIsComputedAreRefused) {
  auto step = kStep;
  *step.add_node() = node("ReduceMax", {"new"}, {"max"}, {attr("keepdims", 0)});
  *step.add_node() = node("Cast", {"max"}, {"goes_on"}, {attr("to", test::kBool)});
  step.mutable_output(0)->set_name("goes_on");
  expect_part(refused(looped(step, "trips")), "the condition of a Loop does not end it within 256");
  auto first = looped(kStep, "trips", "given");
  first.input("given", {}, test::kBool);
  expect_part(refused(first),
              "the condition of a Loop depends on more than constants and extents: "
              "on the input 'given'");
}

TEST(Loops, OfNoStepsHandOn) {
  for (const auto& [trips, condition] : {std::pair("none", "yes"), std::pair("trips", "no")}) {
    auto model = looped(kStep, trips, condition);
    model.initializer("none", {}, Ints{0}).add("Add", {"y", "x"}, {"z"}).output("z");
    EXPECT_EQ(value_of(model, "z").data, random_input({3, 1, 2}, 7).data);
    model.output("all");
    auto options = options_for("all");
    expect_part(refusal(kUnsupported, [&] { Explainer(model_of(model), options); }),
                "a Loop of no steps collects nothing");
  }
}

TEST(Loops, AreRefusedBeyondSizes) {
  auto long_one = looped(kStep, "much");
  long_one.initializer("much", {}, Ints{257});
  expect_part(refused(long_one), "a Loop has 257 steps, and 256 at most are unrolled");
  expect_part(refused(looped(kStep, "")), "a Loop never ends");
  // 200 times 200 times 200.
  auto step = kStep;
  for (int depth = 0; depth < 3; ++depth) {
    auto inner = node("Loop", {"much", "", "h"}, {"end", "each"}, {body(step)});
    step = body_of({"i", "on", "h"}, {inner}, {"on", "end", "end"});
  }
  auto tower = looped(step, "much");
  tower.initializer("much", {}, Ints{200});
  expect_part(refused(tower), "steps makes the graph larger than 100000 nodes");
}

TEST(Loops, NestAndReadWhatIsAround) {
  // The inner one starts from a constant and reads the outer one's values: each runs anew.
  const auto inner =
      node("Loop", {"one", "", "start"}, {"in"},
           {body(body_of({"j", "go", "p"}, {node("Add", {"p", "h"}, {"q"})}, {"go", "q"}))});
  const auto step =
      body_of({"i", "on", "h"},
              {inner, node("Gather", {"x", "i"}, {"row"}), node("MatMul", {"in", "w"}, {"product"}),
               node("Add", {"product", "row"}, {"sum"}), node("Tanh", {"sum"}, {"new"})},
              {"on", "new", "new"});
  auto model = looped(step, "trips");
  model.initializer("one", {}, Ints{1});
  expect_same(results(model), results(by_hand()));
}

TEST(Loops, InFunctionsRunAnewForEachStep) {
  const auto inner =
      node("Loop", {"a_trip", "", "b"}, {"c"},
           {body(body_of({"j", "go", "p"}, {node("Add", {"p", "a"}, {"q"})}, {"go", "q"}))});
  auto call = node("f", {"h", "start"}, {"in"});
  call.set_domain("local");
  const auto step =
      body_of({"i", "on", "h"},
              {call, node("Gather", {"x", "i"}, {"row"}), node("MatMul", {"in", "w"}, {"product"}),
               node("Add", {"product", "row"}, {"sum"}), node("Tanh", {"sum"}, {"new"})},
              {"on", "new", "new"});
  auto model = looped(step, "trips");
  auto* domain = model.proto.add_opset_import();
  domain->set_domain("local");
  domain->set_version(1);
  auto& function = *model.proto.add_functions();
  function.set_name("f");
  function.set_domain("local");
  function.add_input("a");
  function.add_input("b");
  function.add_output("c");
  *function.add_node() =
      node("Constant", {}, {"a_trip"}, {attr("value", test::tensor("", {}, Ints{1}))});
  *function.add_node() = inner;
  *function.add_opset_import() = model.proto.opset_import(0);
  expect_same(results(model), results(by_hand()));
}

/// The sum over steps of tanh(x), scanned backward, and each partial sum.
ModelBuilder scanned(const test::Attrs& further = {}) {
  const auto step =
      body_of({"h", "row"}, {node("Tanh", {"row"}, {"t"}), node("Add", {"h", "t"}, {"new"})},
              {"new", "new"});
  test::Attrs attributes = {body(step), attr("num_scan_inputs", 1)};
  attributes.insert(attributes.end(), further.begin(), further.end());
  auto out = sequence();
  out.add(node("Scan", {"start", "x"}, {"y", "all"}, attributes, "scan")).output("y");
  return out;
}

TEST(Loops, ScanInEitherDirection) {
  const auto x = random_input({3, 1, 2}, 7);
  const auto first = [&](const test::Attrs& attributes) {
    const auto all = results(scanned(attributes), "all").value;
    EXPECT_EQ(all.shape, (Shape{3, 1, 2}));
    return all.data[0];
  };
  EXPECT_NEAR(first({}), std::tanh(x.data[0]), 1e-6);
  EXPECT_NEAR(first({attr("scan_input_directions", Ints{1})}), std::tanh(x.data[4]), 1e-6);
  const float whole = results(scanned()).value.data[0];
  EXPECT_NEAR(first({attr("scan_output_directions", Ints{1})}), whole, 1e-6);
  EXPECT_EQ(results(scanned({attr("scan_output_axes", Ints{-1})}), "all").value.shape,
            (Shape{1, 2, 3}));
}

TEST(Loops, ContradictionsAreRefused) {
  expect_part(refused(scanned({attr("scan_input_axes", Ints{0, 1})}), kBad),
              "it has 1 scanned inputs, and axes or directions of 2");
  expect_part(refused(scanned({attr("scan_input_directions", Ints{2})}), kBad),
              "a direction is neither 0 nor 1");
  expect_part(refused(scanned({attr("scan_input_axes", Ints{3})}), kBad), "(node scan, op Scan)");
  auto lengths = scanned();
  *lengths.last().mutable_attribute(1) = attr("num_scan_inputs", 2);
  lengths.last().set_input(0, "w");
  expect_part(refused(lengths, kBad), "a Scan is over values of several lengths");
  auto more = looped(kStep, "trips");
  more.last().add_output("another");
  expect_part(refused(more, kBad), "it has more outputs than its body makes");
  auto fewer = looped(body_of({"i", "on", "h"}, {}, {"on"}), "trips");
  expect_part(refused(fewer, kBad), "its body makes fewer values than it hands on");
  auto unnamed = kStep;
  unnamed.mutable_output(2)->clear_name();
  expect_part(refused(looped(unnamed, "trips"), kBad), "its body makes a value without a name");
  unnamed.mutable_output(0)->clear_name();
  expect_part(refused(looped(unnamed, "trips"), kBad), "its body makes a value without a name");
  const auto none = sequence().add("Loop", {"start"}, {"y"}).output("y");
  expect_part(refusal(kBad, [&] { model_of(none); }), "it needs a body");
  const auto inputs = looped(body_of({"i", "on"}, {}, {"on"}), "trips");
  expect_part(refusal(kBad, [&] { model_of(inputs); }),
              "its body has 2 inputs, where 3 are needed (node loop, op Loop)");
  const auto twice = looped(body_of({"i", "on", "on"}, {}, {"on"}), "trips");
  expect_part(refusal(kBad, [&] { model_of(twice); }), "its body defines a value twice");
  auto wide = looped(kStep, "wide");
  wide.initializer("wide", {2}, Ints{3, 3});
  expect_part(refused(wide, kBad), "the trip count of a Loop is not one integer");
}

TEST(Loops, NameTheOperatorThatTheirBodyLacks) {
  auto step = kStep;
  step.mutable_node(3)->set_op_type("Foo");
  const auto text = refusal(kUnsupported, [&] { model_of(looped(step, "trips")); });
  expect_part(text, "the model has a node that is not supported: 'new' (Foo, opset 13)");
}

TEST(Loops, OfAnotherKindAreNamed) {
  auto model = scanned();
  model.proto.mutable_opset_import(0)->set_version(8);
  model.last().add_input("x");  // sequence_lens came first
  expect_part(refusal(kUnsupported, [&] { model_of(model); }),
              "'scan' (Scan, opset 8: it belongs to opsets 9 to 28)");
}

TEST(Loops, ThatCannotBeUnrolledHideNoOtherOutput) {
  auto model = looped(kStep, "n");
  model.input("n", {}, test::kInt64).add("Tanh", {"x"}, {"z"}).output("z");
  auto options = options_for("z");
  EXPECT_EQ(Explainer(model_of(model), options).inputs().size(), 1U);
}

TEST(Loops, StandForTheExtentsThatTheyWereUnrolledFor) {
  const auto expect_bound_alone = [](ModelBuilder model) {
    auto graph = test::import(model).graph;
    graph::unroll(graph, {{"x", {3, 1, 2}}}, 1);
    EXPECT_FALSE(std::any_of(graph.nodes().begin(), graph.nodes().end(), graph::begins_repeat));
    auto same = graph, other = graph;
    graph::bind(same, {{"x", {3, 1, 2}}}, 1);
    EXPECT_EQ(api_test::code_of([&] { graph::bind(other, {{"x", {4, 1, 2}}}, 1); }), kUnsupported);
  };
  auto scan = scanned();
  scan.proto.mutable_graph()->mutable_input()->Clear();
  scan.input("x", {-1, 1, 2});
  expect_bound_alone(scan);
  for (const bool by_condition : {false, true}) {
    auto step = kStep;
    *step.add_node() = node("Add", {"i", "one"}, {"next"});
    *step.add_node() = node("Less", {"next", "steps"}, {"less"});
    if (by_condition) step.mutable_output(0)->set_name("less");
    auto model = sequence(-1);
    model.initializer("first", {}, Ints{0})
        .initializer("one", {}, Ints{1})
        .add("Shape", {"x"}, {"shape"})
        .add("Gather", {"shape", "first"}, {"steps"})
        .add(node("Loop", {by_condition ? "" : "steps", "", "start"}, {"y"}, {body(step)}))
        .output("y");
    expect_bound_alone(model);
  }
}

/// x [images, 1, 4, 3] -> a row per image of its last state after a step per line.
ModelBuilder by_line() {
  ModelBuilder out;
  out.input("x", {-1, 1, 4, 3})
      .initializer("k", {2, 1, 1, 1}, Floats{1, -0.5f})
      .add("Conv", {"x", "k"}, {"map"})
      .initializer("w", {6, 6}, random_input({6, 6}, 2).data)
      .initializer("v", {6, 2}, random_input({6, 2}, 4).data)
      .initializer("zero", {}, Ints{0})
      .initializer("flat", {2}, Ints{0, -1})
      .initializer("trips", {}, Ints{4})
      .add("Gather", {"map", "zero"}, {"first_line"}, {attr("axis", 2)})
      .add("Reshape", {"first_line", "flat"}, {"start"});
  const auto step =
      body_of({"i", "on", "h"},
              {node("Gather", {"map", "i"}, {"line"}, {attr("axis", 2)}),
               node("Reshape", {"line", "flat"}, {"row"}), node("MatMul", {"h", "w"}, {"product"}),
               node("Add", {"product", "row"}, {"sum"}), node("Tanh", {"sum"}, {"new"})},
              {"on", "new"});
  return out.add(node("Loop", {"trips", "", "start"}, {"last"}, {body(step)}, "loop"))
      .add("MatMul", {"last", "v"}, {"y"})
      .output("y");
}

TEST(Loops, OfABatchAreThoseOfItsImages) {
  const auto model = model_of(by_line());
  ExplainerOptions options;
  options.prepare.methods = {GradCam{}, Saliency{}};
  options.prepare.layers = {"map"};
  const Explainer one(model, options);
  options.compile.batch = 2;
  const Explainer two(model, options);
  const auto both = random_input({2, 1, 4, 3}, 5);
  auto run = two.forward(both);
  const Target target = Target::class_index(1);
  for (const Method& method : {Method(GradCam{}), Method(Saliency{})}) {
    const auto maps = run.explain(method, std::span(&target, 1));
    ASSERT_EQ(maps.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
      Tensor image{{1, 1, 4, 3}, {}};
      image.data.assign(both.data.begin() + static_cast<std::ptrdiff_t>(12 * i),
                        both.data.begin() + static_cast<std::ptrdiff_t>(12 * (i + 1)));
      api_test::expect_near(maps[i].map, one.forward(image).explain(method, target).map);
    }
  }
}

TEST(Loops, RunForManyVariantsAtOnce) {
  const auto map = [](std::int64_t at_once) {
    ExplainerOptions options;
    options.prepare.methods = {Occlusion{}};
    options.prepare.perturbation_batch = at_once;
    return Explainer(model_of(by_line()), options)
        .explain(random_input({1, 1, 4, 3}, 6), Occlusion{}, Target::class_index(0))
        .map;
  };
  api_test::expect_near(map(4), map(1));
}

TEST(Loops, InARow) {
  // Each starts from the last one's end: no more than one look at the graph.
  auto model = sequence();
  const auto step = body_of({"i", "on", "h"}, {node("Tanh", {"h"}, {"t"})}, {"on", "t"});
  model.initializer("trips", {}, Ints{1}).add("Add", {"x", "start"}, {"h0"});
  for (int i = 0; i < 400; ++i)
    model.add(node("Loop", {"trips", "", "h" + std::to_string(i)}, {"h" + std::to_string(i + 1)},
                   {body(step)}));
  model.add("Identity", {"h400"}, {"y"}).output("y");
  EXPECT_EQ(value_of(model, "y").shape, (Shape{3, 1, 2}));
}

}  // namespace
}  // namespace fovea::compose_test
