#include <gtest/gtest.h>
#include <onnx_subset.pb.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "demo/scene_input.hpp"
#include "fovea/fovea.hpp"

/// Adebayo et al. 2018, "Sanity Checks for Saliency Maps": a map that says something about a
/// network is another one where the network's weights are random.
namespace fovea {
namespace {

using namespace testing_support;

constexpr std::uint64_t kPictures = 2;

/// These know no class, so that nothing behind the layer plays a part.
const std::set<std::string> kReadTheLayerAlone = {"eigencam", "kpca-cam", "fem", "activationmap",
                                                  "random-cam"};

/// Methods that run the network for each channel: fewer of them say as much here.
Method method_of(const std::string& name) {
  if (name == "is-cam") return {name, {{"channels", 16}, {"samples", 4}}};
  if (name == "ss-cam") return {name, {{"channels", 16}, {"samples", 4}}};
  if (name == "deep-shap" || name == "gradient-shap") {
    Tensor background;
    for (std::uint64_t i = 0; i < 2; ++i) {
      auto input = input_of(demo::draw_scene(kFirstSeed + kPictures + i));
      background.shape = input.shape;
      background.data.insert(background.data.end(), input.data.begin(), input.data.end());
    }
    background.shape[0] = 2;
    return {name, {}, {{"background", background}}};
  }
  return {name};
}

std::string file_of(const std::string& network) {
  std::ifstream in(std::string(FOVEA_SOURCE_DIR) + "/tools/demo/models/" + network + ".onnx",
                   std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A file with weights drawn anew (He et al. 2015): those of the head, or all. Biases become 0.
std::string randomised(const std::string& file, bool head_alone, unsigned seed) {
  fovea_onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(file));
  std::set<std::string> of_head;
  for (const auto& node : model.graph().node())
    if (node.op_type() == "Gemm") of_head.insert(node.input().begin(), node.input().end());
  std::mt19937 random(seed);
  int drawn = 0;
  for (auto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (tensor.data_type() != 1 || (head_alone && !of_head.contains(tensor.name()))) continue;
    std::vector<float> values(tensor.raw_data().size() / sizeof(float), 0.F);
    if (tensor.dims_size() > 1) {
      const auto inputs = static_cast<double>(values.size()) / static_cast<double>(tensor.dims(0));
      std::normal_distribution<double> normal(0, std::sqrt(2 / inputs));
      for (auto& v : values) v = static_cast<float>(normal(random));
      ++drawn;
    }
    std::memcpy(tensor.mutable_raw_data()->data(), values.data(), values.size() * sizeof(float));
  }
  EXPECT_GT(drawn, 0);
  return model.SerializeAsString();
}

/// Those that the model serves: CAM needs a head of pooling and one linear layer.
std::vector<std::string> names_for(const std::string& model) {
  std::vector<std::string> out;
  for (const auto& info : methods())
    if (info.name != "cam" || model == "demo_gap") out.push_back(info.name);
  return out;
}

Explainer explainer_of(const std::string& file, const std::string& model) {
  ExplainerOptions options;
  for (const auto& name : names_for(model)) options.prepare.methods.push_back(method_of(name));
  options.compile.tuning = Tuning::off;
  return Explainer(Model::from_bytes(std::as_bytes(std::span(file))), options);
}

/// Mean rank, so that equal values do not come in an order.
std::vector<double> ranks(const std::vector<float>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> out(values.size());
  for (std::size_t i = 0, end = 0; i < order.size(); i = end) {
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (std::size_t k = i; k < end; ++k) out[order[k]] = static_cast<double>(i + end - 1) / 2;
  }
  return out;
}

/// Spearman's rank correlation; 0 where one of the maps is the same everywhere.
double spearman(const std::vector<float>& a, const std::vector<float>& b) {
  const auto x = ranks(a), y = ranks(b);
  const double mean = static_cast<double>(x.size() - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

class RandomWeights : public testing::TestWithParam<std::string> {
 protected:
  void compare() {
    const auto file = file_of(GetParam());
    const auto trained = explainer_of(file, GetParam()),
               head = explainer_of(randomised(file, true, 1), GetParam()),
               all = explainer_of(randomised(file, false, 1), GetParam());
    std::printf("%-22s %10s %10s\n", GetParam().c_str(), "head", "all");
    std::vector<Tensor> inputs;
    std::vector<Target> targets;
    for (std::uint64_t i = 0; i < kPictures; ++i) {
      const auto scene = demo::draw_scene(kFirstSeed + i);
      inputs.push_back(input_of(scene));
      targets.push_back(Target::class_index(scene.objects[0].cls));
    }
    for (const auto& name : names_for(GetParam())) {
      const auto method = method_of(name);
      double of_head = 0, of_all = 0;
      bool same = true;
      for (std::uint64_t i = 0; i < kPictures; ++i) {
        const auto before = map_of(trained, inputs[i], method, targets[i]);
        const auto after = map_of(head, inputs[i], method, targets[i]);
        same = same && before == after;
        of_head += spearman(before, after) / kPictures;
        of_all += spearman(before, map_of(all, inputs[i], method, targets[i])) / kPictures;
      }
      std::printf("%-22s %10.3f %10.3f%s\n", name.c_str(), of_head, of_all, same ? " same" : "");
      EXPECT_LT(of_all, 0.9) << name << " hardly depends on the weights";
      EXPECT_EQ(same, kReadTheLayerAlone.contains(name)) << name;
    }
  }

  static std::vector<float> map_of(const Explainer& explainer, const Tensor& input,
                                   const Method& method, const Target& target) {
    return explainer.explain(input, method, target, {.keep_sign = true}).feature_map.data;
  }
};

TEST_P(RandomWeights, ChangeTheMap) {
  compare();
}

INSTANTIATE_TEST_SUITE_P(Demo, RandomWeights, testing::Values("demo_gap", "demo_fc"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace fovea
