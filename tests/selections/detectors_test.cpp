#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "fovea/fovea.hpp"
#include "support/npy.hpp"

/// torchvision's detectors as export.py (in this folder) leaves them in FOVEA_DETECTORS: outputs
/// against onnxruntime's, the gradient of scores[i] and grad-cam's FasterRCNNBoxScoreTarget against
/// PyTorch's autograd.
namespace fovea::test {
namespace {

namespace fs = std::filesystem;
using testing_support::read_npy;

class Detectors : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("FOVEA_DETECTORS");
    if (folder == nullptr) GTEST_SKIP() << "no exports: tests/selections/export.py makes them";
    folder_ = folder;
    if (!fs::exists(file("image"))) GTEST_SKIP() << folder << " has no " << GetParam();
  }
  fs::path file(const std::string& value) const { return folder_ / GetParam() / (value + ".npy"); }
  fs::path folder_;
};

double distance(const std::vector<float>& got, const Tensor& want) {
  EXPECT_EQ(got.size(), want.data.size());
  double most = 0, off = 0;
  for (std::size_t i = 0; i < want.data.size() && i < got.size(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(want.data[i])));
    off = std::max(off, std::abs(static_cast<double>(got[i]) - want.data[i]));
  }
  return most == 0 ? off : off / most;
}

/// As grad-cam has it: of each reference box the overlap of the row that overlaps it most and that
/// row's score, where they overlap by more than half and agree in the class.
Target box_score(const Tensor& boxes, const Tensor& classes, const Tensor& labels) {
  Target::Function out;
  out.values = {"boxes", "scores"};
  out.of = [=](std::span<const ImageValue> values, std::span<const std::span<float>> gradients) {
    double total = 0;
    const auto rows = values[1].data.size();
    for (std::size_t b = 0; b < classes.data.size(); ++b) {
      const float* ref = boxes.data.data() + 4 * b;
      double best = -1;
      std::size_t row = 0;
      std::array<double, 4> slope{};
      for (std::size_t i = 0; i < rows; ++i) {
        const float* box = values[0].data.data() + 4 * i;
        const double wide = std::min(ref[2], box[2]) - std::max(ref[0], box[0]);
        const double high = std::min(ref[3], box[3]) - std::max(ref[1], box[1]);
        const double shared = std::max(wide, 0.) * std::max(high, 0.);
        const auto area = [](const float* x) {
          return static_cast<double>(x[2] - x[0]) * static_cast<double>(x[3] - x[1]);
        };
        const double either = area(ref) + area(box) - shared;
        if (shared / either <= best) continue;
        best = shared / either;
        row = i;
        // d(shared / either) by each corner of the row's box.
        const std::array<double, 4> d_shared{
            box[0] > ref[0] ? -high : 0, box[1] > ref[1] ? -wide : 0, box[2] < ref[2] ? high : 0,
            box[3] < ref[3] ? wide : 0};
        const double w = box[2] - box[0], h = box[3] - box[1];
        const std::array<double, 4> d_area{-h, -w, h, w};
        for (std::size_t k = 0; k < 4; ++k)
          slope[k] =
              (d_shared[k] * either - shared * (d_area[k] - d_shared[k])) / (either * either);
      }
      if (best <= 0.5 || labels.data[row] != classes.data[b]) continue;
      total += best + values[1].data[row];
      if (gradients.empty()) continue;
      for (std::size_t k = 0; k < 4; ++k) gradients[0][4 * row + k] += static_cast<float>(slope[k]);
      gradients[1][row] += 1;
    }
    return total;
  };
  Target target;
  target.of = std::move(out);
  return target;
}

TEST_P(Detectors, SayAndExplainWhatPyTorchDoes) {
  const auto model = Model::load(folder_ / (std::string(GetParam()) + ".onnx"));
  ExplainerOptions options;
  options.compile.tuning = Tuning::off;
  options.compile.fetches = {"boxes", "scores", "labels"};
  options.prepare.target_values = {"boxes", "scores"};
  std::ifstream layer_name(folder_ / GetParam() / "layer.txt");
  options.prepare.layers.emplace_back(std::istreambuf_iterator<char>(layer_name),
                                      std::istreambuf_iterator<char>());
  options.prepare.methods = {HiResCam{}, Saliency{}};
  const Explainer explainer(model, options);
  const auto image = read_npy(file("image"));
  auto run = explainer.forward({image.shape, image.data});
  for (const auto* output : {"boxes", "scores", "labels"}) {
    const double off =
        distance(run.output(output).data, read_npy(file(std::string("out_") + output)));
    EXPECT_LT(off, 1e-4) << output;
    std::cout << "[ measured ] " << GetParam() << " " << output << " " << off << "\n";
  }
  const auto layer = read_npy(file("layer"));
  const auto raw_map = [&](const Target& target) {
    // The element-wise product's sum over channels, before it is clipped.
    ExplainOptions as_it_is;
    as_it_is.keep_sign = true;
    return run.explain(HiResCam{}, target, as_it_is).feature_map.data;
  };
  const auto wanted = [&](const Tensor& gradient) {
    const auto places = static_cast<std::size_t>(layer.shape[2] * layer.shape[3]);
    Tensor out{{layer.shape[2], layer.shape[3]}, std::vector<float>(places, 0)};
    for (std::size_t i = 0; i < layer.data.size(); ++i)
      out.data[i % places] += layer.data[i] * gradient.data[i];
    return out;
  };
  const auto count = static_cast<std::int64_t>(run.output("scores").data.size());
  for (const std::int64_t row : {std::int64_t{0}, std::int64_t{2}, count - 1}) {
    const auto name = "row_" + std::to_string(row);
    if (!fs::exists(file(name + "_at_layer"))) continue;
    const auto target = Target::element("scores", {row});
    const double off = distance(raw_map(target), wanted(read_npy(file(name + "_at_layer"))));
    EXPECT_LT(off, 1e-3) << name;
    std::cout << "[ measured ] " << GetParam() << " " << name << " " << off << "\n";
  }
  if (!fs::exists(file("boxes_at_layer"))) return;
  const auto target =
      box_score(read_npy(file("boxes")), read_npy(file("boxes_labels")), run.output("labels"));
  EXPECT_NEAR(run.explain(HiResCam{}, target).score, read_npy(file("boxes_score")).data[0], 1e-3);
  const double off = distance(raw_map(target), wanted(read_npy(file("boxes_at_layer"))));
  EXPECT_LT(off, 1e-3);
  std::cout << "[ measured ] " << GetParam() << " boxes " << off << "\n";
}

INSTANTIATE_TEST_SUITE_P(Torchvision, Detectors,
                         testing::Values("ssdlite", "retinanet", "fasterrcnn"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace fovea::test
