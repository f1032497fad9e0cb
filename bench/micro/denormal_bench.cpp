#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>

#include "fovea/fovea.hpp"

/// An explanation of an input of denormals beside one of a normal input: flushed to zero in every
/// thread, it is no slower. Without that, a convolution of such values takes hundreds of times as
/// long.
namespace {

const fovea::Explainer& explainer() {
  static const fovea::Explainer made(
      fovea::Model::load(FOVEA_SOURCE_DIR "/tools/demo/models/demo_gap.onnx"));
  return made;
}

fovea::Tensor input_of(float scale) {
  fovea::Tensor input{explainer().inputs()[0].shape, {}};
  std::int64_t count = 1;
  for (const auto extent : input.shape) count *= extent;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> values(1, 2);
  for (std::int64_t i = 0; i < count; ++i) input.data.push_back(scale * values(random));
  return input;
}

/// What the flushed input gives is what zeros give.
bool is_flushed(const fovea::Tensor& denormals) {
  fovea::Tensor zeros = denormals;
  std::fill(zeros.data.begin(), zeros.data.end(), 0.F);
  return explainer().explain(denormals).feature_map.data ==
         explainer().explain(zeros).feature_map.data;
}

void explain(benchmark::State& state, float scale, bool denormal) {
  const auto input = input_of(scale);
  if (denormal && !is_flushed(input)) {
    state.SkipWithError("denormals are not flushed");
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(explainer().explain(input));
}

BENCHMARK_CAPTURE(explain, normal, 1.F, false)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(explain, denormal, 1e-39F, true)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
