// Names of classes that lie in the graph, and the operators around them.
#include "import_helpers.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

AttributeProto strings(const std::string& name, const Strings& values) {
  auto out = attr_of_type(name, 8);
  for (const auto& value : values) out.add_strings(value);
  return out;
}
TensorProto text_tensor(const std::string& name, const Strings& values) {
  auto out = empty_tensor(name, {static_cast<std::int64_t>(values.size())}, kString);
  for (const auto& value : values) out.add_string_data(value);
  return out;
}
NodeProto ml(NodeProto node) {
  node.set_domain("ai.onnx.ml");
  return node;
}
const Strings kNames{"cat", "dog", "Zürich"};

/// Scores s of three classes, and the place p of the best.
ModelBuilder scored() {
  ModelBuilder model;
  model.input("x", {1, 3})
      .add("Softmax", {"x"}, {"s"})
      .add("ArgMax", {"s"}, {"p"}, {attr("axis", 1)});
  return model;
}

TEST(ClassNames, OfZipMap) {
  auto model = scored();
  model.add(ml(node("ZipMap", {"s"}, {"loss"}, {strings("classlabels_strings", kNames)})));
  auto& output = *model.proto.mutable_graph()->add_output();
  output.set_name("loss");
  output.mutable_type();  // a sequence of maps
  const auto got = import(model);
  EXPECT_EQ(got.info.outputs[0].labels, kNames);
  EXPECT_EQ(got.graph.outputs.size(), 1U);
  auto numbers = scored();
  numbers.add(ml(node("ZipMap", {"s"}, {"loss"}, {attr("classlabels_int64s", Ints{7, 8, 9})})))
      .output("loss");
  EXPECT_EQ(import(numbers).info.outputs[0].labels, (Strings{"7", "8", "9"}));
}

TEST(ClassNames, OfWhatIsLookedUp) {
  const auto labels = [](const ModelBuilder& model) {
    const auto got = import(model);
    EXPECT_EQ(got.graph.outputs.size(), 1U) << "the label is text";
    EXPECT_FALSE(got.missing_outputs.at(0).may_be_scores);
    return got.info.outputs[0].labels;
  };
  const auto with = [](const NodeProto& lookup) {
    auto model = scored();
    model.output("s", {1, 3}).add(lookup).output("label", {1}, kString);
    return model;
  };
  const auto extractor = ml(node("ArrayFeatureExtractor", {"classes", "p"}, {"label"}));
  EXPECT_EQ(labels(with(extractor).initializer(text_tensor("classes", kNames))), kNames);
  EXPECT_EQ(labels(with(node("Gather", {"classes", "p"}, {"label"}))
                       .initializer(text_tensor("classes", kNames))),
            kNames);
  auto constant = scored();
  constant.output("s", {1, 3})
      .add("Constant", {}, {"classes"}, {attr("value", text_tensor("", kNames))})
      .add(extractor)
      .output("label", {1}, kString);
  EXPECT_EQ(labels(constant), kNames);
  constant.proto.mutable_graph()->mutable_node(2)->clear_attribute();
  *constant.proto.mutable_graph()->mutable_node(2)->add_attribute() =
      strings("value_strings", kNames);
  EXPECT_EQ(labels(constant), kNames);
  EXPECT_EQ(labels(with(ml(node("LabelEncoder", {"p"}, {"label"},
                                {attr("keys_int64s", Ints{2, 0, 3}),
                                 strings("values_strings", {"two", "zero", "three"})})))),
            (Strings{"zero", "", "two", "three"}));
  EXPECT_EQ(labels(with(
                ml(node("LabelEncoder", {"p"}, {"label"}, {strings("classes_strings", kNames)})))),
            kNames);
  // Not by the place of the best.
  auto other = with(node("Gather", {"classes", "zero"}, {"label"}));
  other.initializer(text_tensor("classes", kNames)).initializer("zero", {1}, Ints{0});
  EXPECT_TRUE(labels(other).empty());
}

TEST(ClassNames, OfSeveralHeads) {
  ModelBuilder model;
  model.input("x", {1, 3})
      .add("Softmax", {"x"}, {"s"})
      .add("Sigmoid", {"x"}, {"t"})
      .add(ml(node("ZipMap", {"s"}, {"a"}, {strings("classlabels_strings", kNames)})))
      .add(ml(node("ZipMap", {"t"}, {"b"}, {strings("classlabels_strings", {"u", "v", "w"})})))
      .add("Neg", {"x"}, {"c"})
      .output("a")
      .output("b")
      .output("c")
      .output("x");
  const auto outputs = import(model).info.outputs;
  EXPECT_EQ(outputs[0].labels, kNames);
  EXPECT_EQ(outputs[1].labels, (Strings{"u", "v", "w"}));
  EXPECT_TRUE(outputs[2].labels.empty());
  EXPECT_TRUE(outputs[3].labels.empty()) << "before both: nobody knows";
}

TEST(ClassNames, AreText) {
  auto model = scored();
  model
      .add(ml(node("ZipMap", {"s"}, {"a"},
                   {strings("classlabels_strings", {"a\x1b[2J", "\xff", "c"})})))
      .output("a");
  EXPECT_EQ(import(model).info.outputs[0].labels, (Strings{"a?[2J", "?", "c"}));
}

TEST(ClassNames, KeysOutOfRangeNameNothing) {
  for (const auto key : {std::int64_t{-1}, std::int64_t{5000}, std::int64_t{1} << 40}) {
    auto model = scored();
    model.output("s", {1, 3})
        .add(ml(node("LabelEncoder", {"p"}, {"label"},
                     {attr("keys_int64s", Ints{key}), strings("values_strings", {"a"})})))
        .output("label", {1}, kString);
    EXPECT_TRUE(import(model).info.outputs[0].labels.empty());
  }
}

// Each output has a list of its own: a file of kilobytes must not take gigabytes for them.
TEST(ClassNames, OfManyOutputsHaveABound) {
  auto model = scored();
  model.output("s", {1, 3});
  constexpr int kOutputs = 600;
  for (int i = 0; i < kOutputs; ++i) {
    const auto name = "y" + std::to_string(i);
    model.add("Relu", {"s"}, {name}).output(name, {1, 3});
  }
  model
      .add(ml(node("LabelEncoder", {"p"}, {"label"},
                   {attr("keys_int64s", Ints{4000}), strings("values_strings", {"a"})})))
      .output("label", {1}, kString);
  const auto got = import(model);
  std::size_t names = 0;
  for (const auto& output : got.info.outputs) names += output.labels.size();
  EXPECT_EQ(got.info.outputs[0].labels.size(), 4001U);
  EXPECT_LE(names * sizeof(std::string), std::size_t{64} << 20);
}

}  // namespace
}  // namespace fovea::test
