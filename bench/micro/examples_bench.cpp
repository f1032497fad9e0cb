#include <benchmark/benchmark.h>

#include <cmath>
#include <random>

#include "fovea/fovea.hpp"

/// The nearest of 100,000 pictures by 2048 features, which memory bounds.
namespace {

constexpr std::int64_t kExamples = 100'000, kChannels = 2048;

std::vector<float> random_values(std::uint64_t seed) {
  std::minstd_rand random(static_cast<unsigned>(seed));
  std::uniform_real_distribution<float> values(-1, 1);
  std::vector<float> out(kChannels);
  for (auto& v : out) v = values(random);
  return out;
}

std::vector<float> features(std::uint64_t seed) {
  auto out = random_values(seed);
  for (auto& v : out) v = std::max(v, 0.F);  // behind a ReLU
  return out;
}

const fovea::ExampleIndex& index() {
  static const fovea::ExampleIndex made = [] {
    fovea::ExampleIndex out({}, kChannels);
    out.reserve(kExamples);
    for (std::int64_t i = 0; i < kExamples; ++i)
      out.add(features(static_cast<std::uint64_t>(i) + 1), {});
    return out;
  }();
  return made;
}

/// The definition, in double.
double cosine(const fovea::Channels& query, const std::vector<float>& example) {
  double dot = 0, a = 0, b = 0;
  for (std::size_t k = 0; k < example.size(); ++k) {
    const double x = query.contribution(k), y = static_cast<double>(query.weights[k]) * example[k];
    dot += x * y;
    a += x * x;
    b += y * y;
  }
  return dot / std::sqrt(a * b);
}

void nearest(benchmark::State& state) {
  const fovea::Channels query{"", features(kExamples / 2 + 1), random_values(7)};
  const auto found = index().nearest(query, 5);
  for (const auto& example : found) {
    const double want = cosine(query, features(static_cast<std::uint64_t>(example.index) + 1));
    if (std::abs(example.similarity - want) > 2e-3) state.SkipWithError("a similarity is wrong");
  }
  if (found[0].index != kExamples / 2) state.SkipWithError("a picture is not nearest to itself");
  for (auto _ : state)
    benchmark::DoNotOptimize(index().nearest(query, 5, static_cast<int>(state.range(0))));
  state.SetBytesProcessed(state.iterations() * kExamples * kChannels * 2);
}

BENCHMARK(nearest)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(
    benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
