#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fovea/fovea.hpp"
#include "fovea/image.hpp"

/// From a photo's file to the overlay's: decode, preprocess, forward, backward, render, encode,
/// each alone, and the whole way. For the photo as it is and for one of 12 megapixels made of it.
///
///   photo_bench [--model=FILE] [--photo=FILE] [Google Benchmark's options]
namespace {

using Bytes = std::vector<std::byte>;
using fovea::Image;

const char* const kDemo = FOVEA_SOURCE_DIR "/tools/demo";

Bytes read_bytes(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> text{std::istreambuf_iterator<char>(stream), {}};
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

/// The photo enlarged, with the noise of a sensor, which an enlarged photo lacks and which decides
/// how large its file is.
Image enlarged(const Image& photo, int width, int height) {
  Image out{width, height, {}};
  out.rgb.resize(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  fovea::Preprocess recipe = fovea::Preprocess::raw();
  recipe.resize = fovea::Preprocess::Resize::bilinear;
  const auto planes = fovea::preprocess(photo, recipe, 3, height, width, fovea::Layout::nhwc);
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < out.rgb.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    const float noise = static_cast<float>(state >> 24) / 32.F - 4.F;
    out.rgb[i] = static_cast<std::uint8_t>(std::clamp(planes.data[i] + noise, 0.F, 255.F));
  }
  return out;
}

/// A JPEG with the EXIF orientation that most phones write for an upright photo; other files as
/// they are.
Bytes to_be_turned(Bytes file) {
  if (file.size() < 2 || file[0] != std::byte{0xFF} || file[1] != std::byte{0xD8}) return file;
  constexpr unsigned char kExif[] = {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,    'M', 'M',
                                     0,    42,   0, 0,  0,   8,   0,   1,   1, 0x12, 0,   3,
                                     0,    0,    0, 1,  0,   6,   0,   0,   0, 0,    0,   0};
  const auto segment = std::as_bytes(std::span(kExif));
  file.insert(file.begin() + 2, segment.begin(), segment.end());
  return file;
}

/// Everything that a stage needs of the stages before it.
struct Way {
  Bytes file;
  std::shared_ptr<const fovea::Explainer> explainer;
  fovea::Preprocess recipe = fovea::Preprocess::imagenet();
  Image photo;
  fovea::View view;
  fovea::Tensor input;
  fovea::Tensor grid;
  Image picture;

  fovea::Tensor preprocessed(const Image& image) const {
    const auto& shape = input_shape();
    return fovea::preprocess(image, recipe, shape[1], shape[2], shape[3]);
  }
  void render(Image& image) const {
    image = fovea::overlay(std::move(image), fovea::normalized(grid, fovea::Normalize::max),
                           {.view = view});
  }
  const fovea::Shape& input_shape() const { return explainer->inputs().front().shape; }
};

Way make_way(Bytes file, std::shared_ptr<const fovea::Explainer> explainer) {
  Way way;
  way.file = std::move(file);
  way.explainer = std::move(explainer);
  way.photo = fovea::decode_image(way.file);
  const auto& shape = way.input_shape();
  way.view = fovea::view_of(way.photo.width, way.photo.height, way.recipe, shape[3], shape[2]);
  way.input = way.preprocessed(way.photo);
  way.grid = way.explainer->explain(way.input).feature_map;
  way.picture = way.photo;
  way.render(way.picture);
  return way;
}

void add(const std::string& name, const std::function<void()>& work) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [work](benchmark::State& state) {
                                 for (auto _ : state) work();
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void add_stages(const std::string& name, const std::shared_ptr<const Way>& way) {
  add(name + "/decode", [way] { benchmark::DoNotOptimize(fovea::decode_image(way->file)); });
  const auto turned = std::make_shared<const Bytes>(to_be_turned(way->file));
  add(name + "/decode_turned", [turned] { fovea::decode_image(*turned); });
  add(name + "/preprocess", [way] { benchmark::DoNotOptimize(way->preprocessed(way->photo)); });
  add(name + "/predict", [way] { way->explainer->forward(way->input); });
  add(name + "/whole_predict", [way] {
    const auto& shape = way->input_shape();
    const auto photo = fovea::decode_reduced(way->file, way->recipe, shape[3], shape[2]);
    way->explainer->forward(fovea::preprocess(photo, way->recipe, shape[1], shape[2], shape[3]));
  });
  add(name + "/explain", [way] { benchmark::DoNotOptimize(way->explainer->explain(way->input)); });
  const auto picture = std::make_shared<Image>(way->photo);
  add(name + "/render", [way, picture] { way->render(*picture); });
  for (const std::string extension : {".png", ".jpg"}) {
    add(name + "/encode" + extension, [way, extension] {
      benchmark::DoNotOptimize(fovea::encode_image(way->picture, extension));
    });
    add(name + "/whole" + extension, [way, extension] {
      auto photo = fovea::decode_image(way->file);
      benchmark::DoNotOptimize(way->explainer->explain(way->preprocessed(photo)));
      way->render(photo);
      benchmark::DoNotOptimize(fovea::encode_image(photo, extension));
    });
    std::printf("%s: a photo of %zu kB gives an overlay of %zu kB (%s)\n", name.c_str(),
                way->file.size() / 1000, fovea::encode_image(way->picture, extension).size() / 1000,
                extension.c_str());
  }
}

std::string option(int& argc, char** argv, const std::string& name, std::string value) {
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], name.c_str(), name.size()) != 0) continue;
    value = argv[i] + name.size();
    std::copy(argv + i + 1, argv + argc, argv + i);
    --argc;
    break;
  }
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  const auto model = option(argc, argv, "--model=", std::string(kDemo) + "/models/demo_gap.onnx");
  const auto file = option(argc, argv, "--photo=", std::string(kDemo) + "/scenes/scene_1.png");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    const auto explainer = std::make_shared<const fovea::Explainer>(fovea::Model::load(model));
    const auto small = std::make_shared<const Way>(make_way(read_bytes(file), explainer));
    const auto large = std::make_shared<const Way>(
        make_way(fovea::encode_image(enlarged(small->photo, 4000, 3000), ".jpg"), explainer));
    add_stages("small", small);
    add_stages("12MP", large);
    benchmark::RunSpecifiedBenchmarks();
  } catch (const fovea::Error& error) {
    std::fprintf(stderr, "photo_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
