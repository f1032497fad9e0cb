#include "engine/tuner.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>

#include "base/aligned.hpp"
#include "base/parallel.hpp"

namespace fovea::engine {
namespace {

using Clock = std::chrono::steady_clock;

/// More than the cores' own caches, so that weights come from as far as they do in a run.
constexpr std::int64_t kEvictFloats = std::int64_t{1} << 20;
constexpr int kQuickRounds = 3, kThoroughRounds = 20;
constexpr double kHopeless = 1.5;  // slower than the best by this factor: not tried again

/// Different values around zero: zeros run faster than real data.
void fill(base::AlignedBuffer& buffer, std::size_t bytes, bool bf16) {
  constexpr std::uint32_t kFactor = 1664525, kAddend = 1013904223;
  std::uint32_t state = kAddend;
  const auto next = [&state] {
    state = state * kFactor + kAddend;
    return static_cast<float>(static_cast<std::int32_t>(state >> 8) - (1 << 23)) / (1 << 23);
  };
  if (bf16) {
    auto* out = reinterpret_cast<std::uint16_t*>(buffer.data());
    for (std::size_t i = 0; i < bytes / 2; ++i) {
      const float v = next();
      std::uint32_t bits;
      std::memcpy(&bits, &v, sizeof bits);
      out[i] = static_cast<std::uint16_t>(bits >> 16);
    }
    return;
  }
  auto* out = reinterpret_cast<float*>(buffer.data());
  for (std::size_t i = 0; i < bytes / sizeof(float); ++i) out[i] = next();
}

/// A primitive on memory of its own.
class Rehearsal {
 public:
  Rehearsal(dnnl::primitive primitive, const std::vector<std::pair<int, Desc>>& args,
            std::function<void(std::byte*)> after = {})
      : primitive_(std::move(primitive)), after_(std::move(after)) {
    for (const auto& [index, desc] : args) {
      if (desc.get_size() == 0) continue;
      buffers_.emplace_back(desc.get_size());
      if (index != DNNL_ARG_SCRATCHPAD)
        fill(buffers_.back(), desc.get_size(), type_of(desc) == Type::bf16);
      args_.emplace(index, dnnl::memory(desc, cpu(), buffers_.back().data()));
      if (index == DNNL_ARG_DST) dst_ = buffers_.back().data();
    }
  }

  /// The least time of `rounds`, after one that warms up.
  double best_ms(int rounds) {
    run_ms();
    for (int i = 0; i < rounds; ++i) best_ = std::min(best_, run_ms());
    return best_;
  }

 private:
  double run_ms() {
    evict();
    const auto start = Clock::now();
    primitive_.execute(stream_, args_);
    stream_.wait();
    if (after_) after_(dst_);
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

  void evict() {
    auto* floats = reinterpret_cast<float*>(other_.data());
    base::parallel_for(kEvictFloats, 1, [floats](std::int64_t begin, std::int64_t end) {
      std::fill(floats + begin, floats + end, 1.f);
    });
  }

  dnnl::primitive primitive_;
  std::function<void(std::byte*)> after_;
  std::byte* dst_ = nullptr;
  dnnl::stream stream_{cpu()};
  base::AlignedBuffer other_{kEvictFloats * sizeof(float)};
  std::vector<base::AlignedBuffer> buffers_;
  std::unordered_map<int, dnnl::memory> args_;
  double best_ = std::numeric_limits<double>::infinity();
};

/// What was tried and lost must not stay in the process-wide cache of primitives, each with its
/// code.
class WithoutPrimitiveCache {
 public:
  WithoutPrimitiveCache() { dnnl::set_primitive_cache_capacity(0); }
  ~WithoutPrimitiveCache() { dnnl_set_primitive_cache_capacity(capacity_); }
  WithoutPrimitiveCache(const WithoutPrimitiveCache&) = delete;
  WithoutPrimitiveCache& operator=(const WithoutPrimitiveCache&) = delete;

 private:
  const int capacity_ = dnnl::get_primitive_cache_capacity();
};

std::mutex& one_at_a_time() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

Tuner::Tuner(Tuning mode, Choices* choices)
    : mode_(mode), choices_(choices != nullptr ? choices : &own_) {}

std::optional<std::string> Tuner::known(const std::string& problem) const {
  return choices_->find(problem);
}

double Tuner::reorder_ms(const Desc& from, const Desc& to) {
  if (from == to) return 0;
  for (const auto& known : reorders_)
    if (known.from == from && known.to == to) return known.ms;
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc pd(cpu(), from, cpu(), to, attr);
  Rehearsal rehearsal(
      dnnl::reorder(pd),
      {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}, {DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc()}});
  reorders_.push_back({from, to, rehearsal.best_ms(kQuickRounds)});
  return reorders_.back().ms;
}

std::string Tuner::fastest(const std::string& problem, const std::vector<Trial>& trials) {
  const std::lock_guard guard(one_at_a_time());
  if (auto found = known(problem)) return *found;  // somebody measured while this call waited
  const WithoutPrimitiveCache uncached;
  const int rounds = mode_ == Tuning::thorough ? kThoroughRounds : kQuickRounds;
  double best = std::numeric_limits<double>::infinity();
  std::string name;
  for (const auto& trial : trials) {
    double ms = 0;
    for (const auto& [from, to] : trial.reorders) ms += reorder_ms(from, to);
    if (ms >= best) continue;
    Rehearsal rehearsal(trial.primitive(), trial.args, trial.after);
    const double first = rehearsal.best_ms(1);
    if (ms + first > kHopeless * best) continue;
    ms += rehearsal.best_ms(rounds - 1);
    if (ms >= best) continue;
    best = ms;
    name = trial.name;
  }
  choices_->keep(problem, name);
  return name;
}

}  // namespace fovea::engine
