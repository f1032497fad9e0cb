// What the graph finds in other people's models (kept outside the repository), as the notes on
// their origin describe them.
#include <cctype>
#include <filesystem>

#include "graph/query.hpp"
#include "graph/support.hpp"
#include "onnx/importer.hpp"
#include "passes/passes.hpp"

namespace fovea::graph::test {
namespace {

const std::filesystem::path kModels =
    std::filesystem::path(FOVEA_SOURCE_DIR) / ".." / "shared" / "real" / "models";

enum class Kind { identity, linear, none };

struct Real {
  const char* file;
  Kind head;
  bool softmax;
  Shape map;  ///< of the default layer, without the images
};

const Real kReal[] = {
    {"cifar10_resnet20_bn_op9", Kind::linear, false, {64, 8, 8}},
    {"cifar10_resnet20_padshortcut_op13", Kind::linear, false, {64, 8, 8}},
    {"cifar10_resnet32_bn_padshortcut_op11", Kind::linear, false, {64, 8, 8}},
    {"cifar10_resnet56_bn_op18", Kind::linear, false, {64, 8, 8}},
    {"lenet_mnist_fc_op11", Kind::none, true, {50, 8, 8}},
    {"mobilenet_v1_0.25_128_logits_convhead_op13", Kind::linear, false, {256, 4, 4}},
    {"mobilenet_v1_0.25_128_op9", Kind::linear, true, {256, 4, 4}},
    {"mobilenet_v2_1.0_224_op13", Kind::linear, true, {1280, 7, 7}},
    {"ort_examples_mnist", Kind::none, false, {16, 14, 14}},
    {"resnet8_cifar10_op12", Kind::linear, true, {64, 8, 8}},
    {"squeezenet_v1.1_ncnn_op11", Kind::identity, true, {1000, 16, 16}},
    {"squeezenet_v1.1_onnxzoo_op21", Kind::identity, false, {1000, 13, 13}},
    {"squeezenet_v1.1_onnxzoo_op8", Kind::identity, false, {1000, 13, 13}},
    {"squeezenet_winml_fp32_op7", Kind::identity, true, {1000, 13, 13}},
    {"tinyvgg64_fc_nhwcflatten_logits_op10", Kind::none, false, {10, 26, 26}},
    {"tinyvgg64_fc_op13", Kind::none, true, {10, 26, 26}},
    {"vnn21_Convnet_avgpool", Kind::none, false, {32, 27, 27}},
    {"vnn21_Convnet_maxpool", Kind::none, false, {32, 27, 27}},
    {"vnn21_cifar10_small", Kind::none, false, {16, 6, 6}},
    {"vnn21_cifar_base_kw", Kind::none, false, {16, 8, 8}},
    {"vnn21_resnet_2b", Kind::none, false, {16, 8, 8}},
    {"vnn23_vit_pgd_2_3_16", Kind::none, false, {5, 48}},  // a class token and 2 x 2 patches
    {"winml_cifar10_pytorch_classifier", Kind::none, false, {24, 10, 10}},
    {"winml_mnist_cntk", Kind::none, false, {16, 14, 14}},
    {"winml_squeezenet_fp16", Kind::identity, true, {1000, 13, 13}},
};

class RealModel : public ::testing::TestWithParam<Real> {
 protected:
  void SetUp() override {
    file_ = kModels / (std::string(GetParam().file) + ".onnx");
    if (!std::filesystem::exists(file_)) GTEST_SKIP() << file_ << " is not here";
    graph_ = onnx::import_file(file_, {}).graph;
    bind(graph_, {}, 1);
    verify(graph_, "bind");
  }
  std::filesystem::path file_;
  Graph graph_;
};

TEST_P(RealModel, HasTheScoresHeadAndLayerOfItsOrigin) {
  const auto scores = find_scores(graph_, "");
  EXPECT_EQ(scores.softmax, GetParam().softmax);
  EXPECT_EQ(scores.output, graph_.outputs[0]);
  const auto layer = find_default_layer(graph_, scores.logits);
  EXPECT_FALSE(layer.why.empty());
  Shape map = GetParam().map;
  map.insert(map.begin(), 1);
  ASSERT_TRUE(layer.value) << layer.why;
  EXPECT_TRUE(has_shape(graph_, layer.value, map)) << layer.why;
  const auto head = find_pool_linear_head(graph_, scores.logits);
  ASSERT_EQ(head.has_value(), GetParam().head != Kind::none);
  if (!head) return;
  EXPECT_EQ(head->weights.empty(), GetParam().head == Kind::identity);
  EXPECT_EQ(head->feature_map, layer.value) << layer.why;
  EXPECT_EQ(head->channels, GetParam().map[0]);
}

TEST_P(RealModel, IsOptimised) {
  const auto scores = find_scores(graph_, "");
  const auto layer = find_default_layer(graph_, scores.logits);
  passes::Keep keep{scores.logits};
  if (layer.value) keep.insert(layer.value);
  const auto before = graph_.nodes().size();
  passes::optimize(graph_, keep);
  EXPECT_LT(graph_.nodes().size(), before);
  for (const auto id : keep) EXPECT_TRUE(graph_.value(id).producer) << graph_.value(id).name;
  for (const auto& node : graph_.nodes()) {
    EXPECT_FALSE(std::holds_alternative<ShapeOf>(node.op)) << node.name;
    EXPECT_FALSE(is_copy(graph_, node)) << node.name;
  }
}

std::string file_name(const ::testing::TestParamInfo<Real>& tested) {
  std::string name = tested.param.file;
  for (auto& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Files, RealModel, ::testing::ValuesIn(kReal), file_name);

}  // namespace
}  // namespace fovea::graph::test
