#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/checked.hpp"
#include "fovea/explainer.hpp"

/// What the whole-model benchmarks share: inputs, and statistics of what is timed in turns.
namespace fovea::bench {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t kInputs = 32;

/// Different inputs of normally distributed values: a network runs faster on zeros.
class Inputs {
 public:
  explicit Inputs(const std::vector<ValueInfo>& infos) : all_(kInputs) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (auto& tensors : all_)
      for (const auto& info : infos) {
        auto& tensor = tensors.emplace_back();
        tensor.shape = info.shape;
        tensor.data.resize(static_cast<std::size_t>(base::element_count(info.shape)));
        for (auto& v : tensor.data) v = normal(random);
        names_.push_back(info.name);
      }
  }

  /// One tensor per input of the model.
  const std::vector<Tensor>& tensors(std::size_t i) const { return all_[i % kInputs]; }
  Feeds feeds(std::size_t i) const {
    Feeds out;
    for (std::size_t k = 0; k < tensors(i).size(); ++k)
      out[names_[k]] = TensorView{tensors(i)[k].shape, tensors(i)[k].data};
    return out;
  }

 private:
  std::vector<std::vector<Tensor>> all_;
  std::vector<std::string> names_;
};

/// Milliseconds of many runs of several things, by name.
class Times {
 public:
  template <class Work>
  void time(const std::string& what, Work&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    ms_[what].push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
  }
  /// What something else has timed.
  void add(const std::string& what, double ms) { ms_[what].push_back(ms); }
  void clear() { ms_.clear(); }

  /// The least time that this share of the runs did not exceed.
  double percentile(const std::string& what, double share) const {
    auto values = ms_.at(what);
    std::sort(values.begin(), values.end());
    const auto rank = std::ceil(share * static_cast<double>(values.size()));
    return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
  }
  double median(const std::string& what) const { return percentile(what, 0.5); }

 private:
  std::map<std::string, std::vector<double>> ms_;
};

/// round(i) until 10 rounds and a second have passed, then `times` is emptied and `rounds` are
/// timed.
template <class Round>
void take_turns(Times& times, int rounds, Round&& round) {
  constexpr std::size_t kWarmUpRounds = 10;
  constexpr std::chrono::seconds kWarmUp{1};
  const auto start = std::chrono::steady_clock::now();
  std::size_t i = 0;
  while (i < kWarmUpRounds || std::chrono::steady_clock::now() - start < kWarmUp) round(i++);
  times.clear();
  for (int n = 0; n < rounds; ++n) round(i++);
}

/// {min, median, p90}, to the tenth of a microsecond.
inline Json to_json(const Times& times, const std::string& what) {
  const auto rounded = [&](double share) {
    return std::round(times.percentile(what, share) * 1e4) / 1e4;
  };
  return {{"min", rounded(0)}, {"median", rounded(0.5)}, {"p90", rounded(0.9)}};
}

}  // namespace fovea::bench
