#include "engine/tuner.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "base/aligned.hpp"
#include "base/checked.hpp"
#include "base/cpu.hpp"
#include "base/parallel.hpp"
#include "base/watch.hpp"

namespace fovea::engine {
namespace {

using Clock = std::chrono::steady_clock;

/// More than the cores' own caches, so that weights come from as far as they do in a run.
constexpr std::int64_t kEvictFloats = std::int64_t{1} << 20;
constexpr int kQuickRounds = 3, kThoroughRounds = 20;
constexpr auto kPatience = std::chrono::milliseconds(10);  // between looks at the limits
constexpr int kFair = 2;                                   // runs that everybody has
constexpr double kHopeless = 1.5;  // slower than the best by this factor: no more than those

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
      std::uint32_t bits = 0;
      std::memcpy(&bits, &v, sizeof bits);
      out[i] = static_cast<std::uint16_t>(bits >> 16);
    }
    return;
  }
  auto* out = reinterpret_cast<float*>(buffer.data());
  for (std::size_t i = 0; i < bytes / sizeof(float); ++i) out[i] = next();
}

}  // namespace

/// Memory that timed primitives use one after the other.
class Tuner::Stage {
 public:
  /// Values around zero for the argument; anything for a scratchpad.
  std::byte* place(int index, const Desc& desc) {
    const auto bytes = desc.get_size();
    const auto type = type_of(desc);
    auto& slot = slots_[index];
    const bool grows = slot.memory.size() < bytes;
    if (grows) slot.memory = base::AlignedBuffer(bytes);
    if (index != DNNL_ARG_SCRATCHPAD && (grows || slot.type != type))
      fill(slot.memory, slot.memory.size(), type == Type::bf16);
    slot.type = type;
    return slot.memory.data();
  }

 private:
  struct Slot {
    base::AlignedBuffer memory;
    Type type = Type::undef;
  };
  std::map<int, Slot> slots_;
};

/// A primitive that is timed on a stage.
class Tuner::TimedPrimitive {
 public:
  /// `cold`: weights come from memory each time. `other`: what takes the place of all else in the
  /// caches.
  TimedPrimitive(Stage& stage, base::AlignedBuffer& other, dnnl::primitive primitive,
                 const std::vector<std::pair<int, Desc>>& args, bool cold,
                 std::function<void(std::byte*)> after = {})
      : other_(other), primitive_(std::move(primitive)), after_(std::move(after)) {
    for (const auto& [index, desc] : args) {
      if (desc.get_size() == 0) continue;
      auto* data = stage.place(index, desc);
      args_.emplace(index, dnnl::memory(desc, cpu(), data));
      if (index == DNNL_ARG_DST) dst_ = data;
      if (index == DNNL_ARG_WEIGHTS && cold) cold_ = {data, desc.get_size()};
    }
    run_ms();
  }

  void once_more() { best_ = std::min(best_, run_ms()); }

  /// The least time so far.
  double best_ms() const { return best_; }

 private:
  double run_ms() {
    base::WatchedRun watched(*least_);
    evict();
    const auto start = Clock::now();
    primitive_.execute(stream_, args_);
    stream_.wait();
    if (after_) after_(dst_);
    const auto end = Clock::now();
    watched.end();
    return std::chrono::duration<double, std::milli>(end - start).count();
  }

  void evict() {
    auto* floats = reinterpret_cast<float*>(other_.data());
    base::parallel_for(kEvictFloats, 1, [floats](std::int64_t begin, std::int64_t end) {
      std::fill(floats + begin, floats + end, 1.f);
    });
    base::parallel_for(
        static_cast<std::int64_t>(cold_.size()), base::kAlignment,
        [this](std::int64_t begin, std::int64_t end) {
          base::drop_from_caches(cold_.subspan(static_cast<std::size_t>(begin),
                                               static_cast<std::size_t>(end - begin)));
        });
  }

  base::AlignedBuffer& other_;
  dnnl::primitive primitive_;
  std::function<void(std::byte*)> after_;
  std::byte* dst_ = nullptr;
  std::span<const std::byte> cold_;
  dnnl::stream stream_{cpu()};
  std::unordered_map<int, dnnl::memory> args_;
  double best_ = std::numeric_limits<double>::infinity();
  std::unique_ptr<base::BestTime> least_ = std::make_unique<base::BestTime>();
};

namespace {

std::timed_mutex& one_at_a_time() {
  static std::timed_mutex mutex;
  return mutex;
}

}  // namespace

Tuner::Tuner(Tuning mode, Choices* choices, bool cold_weights, std::int64_t memory_limit,
             base::Limits limits, TuningTime* time, bool measures)
    : mode_(mode),
      cold_weights_(cold_weights),
      memory_limit_(memory_limit),
      limits_(std::move(limits)),
      measures_(measures),
      choices_(choices != nullptr ? choices : &own_),
      time_(time != nullptr ? time : &unbounded_) {}
Tuner::~Tuner() = default;

Tuner::TimedPrimitive Tuner::time_primitive(std::unique_ptr<Stage>& stage,
                                            dnnl::primitive primitive,
                                            const std::vector<std::pair<int, Desc>>& args,
                                            bool cold, std::function<void(std::byte*)> after) {
  if (!stage) stage = std::make_unique<Stage>();
  if (other_.size() == 0) other_ = base::AlignedBuffer(kEvictFloats * sizeof(float));
  return TimedPrimitive(*stage, other_, std::move(primitive), args, cold, std::move(after));
}

std::optional<std::string> Tuner::known(const std::string& problem) const {
  auto found = choices_->find(problem);
  if (!found && !measures_) found = choices_->find_for_other_threads(problem);
  return found;
}

double Tuner::reorder_ms(const Desc& from, const Desc& to, const TuningTime::Stretch& stretch) {
  if (from == to) return 0;
  for (const auto& known : reorders_)
    if (known.from == from && known.to == to) return known.ms;
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc pd(cpu(), from, cpu(), to, attr);
  auto timed = time_primitive(
      free_, dnnl::reorder(pd),
      {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}, {DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc()}},
      false);
  for (int i = 0; i < kQuickRounds; ++i) {
    limits_.check();
    if (stretch.over()) return 0;  // the caller gives up, too
    timed.once_more();
  }
  reorders_.push_back({from, to, timed.best_ms()});
  return reorders_.back().ms;
}

bool Tuner::make_room_for(const std::vector<Trial>& trials) {
  Room wanted;
  const auto note = [&](int index, const Desc& desc) {
    wanted[index] = std::max(wanted[index], desc.get_size());
  };
  for (const auto& trial : trials) {
    for (const auto& [index, desc] : trial.args) note(index, desc);
    for (const auto& [from, to] : trial.reorders) {
      note(DNNL_ARG_FROM, from);
      note(DNNL_ARG_TO, to);
    }
  }
  const auto fits = [&](const Room& room) {
    constexpr std::int64_t kStages = 2;  // the best so far, and who challenges it
    std::int64_t all = kEvictFloats * static_cast<std::int64_t>(sizeof(float));
    for (const auto& [index, bytes] : room)
      all = base::checked_add(all, base::checked_mul(kStages, static_cast<std::int64_t>(bytes)));
    return all <= memory_limit_;
  };
  if (!fits(wanted)) return false;
  // Stages grow with what was timed before.
  auto both = room_;
  for (const auto& [index, bytes] : wanted) both[index] = std::max(both[index], bytes);
  const bool keeps = fits(both);
  if (!keeps) {
    free_.reset();
    of_best_.reset();
  }
  room_ = keeps ? std::move(both) : std::move(wanted);
  return true;
}

std::string Tuner::fastest(const std::string& problem,
                           const std::function<std::vector<Trial>()>& make) {
  if (!measures_) return {};
  const TuningTime::Stretch stretch(*time_);
  const auto give_up = [&](const std::string& name) {
    time_->give_up_one();
    return name;
  };
  const auto waits = [&] {
    limits_.check();
    return !stretch.over();
  };
  const NeedNotStayCached waiting(cached_);
  std::unique_lock guard(one_at_a_time(), std::defer_lock);
  while (!guard.try_lock_for(kPatience))
    if (!waits()) return give_up({});
  if (auto found = known(problem)) return *found;  // somebody measured while this call waited
  if (stretch.over()) return give_up({});
  // What was tried and lost must not stay in the process, each with its code.
  const WithoutPrimitiveCache uncached(waits);
  if (!uncached) return give_up({});
  const auto trials = make();
  if (!make_room_for(trials)) return {};
  const int rounds = mode_ == Tuning::thorough ? kThoroughRounds : kQuickRounds;
  // The best so far runs again beside each that challenges it, so that what slows the machine for a
  // while decides nothing.
  std::optional<TimedPrimitive> best;
  double best_reorders = 0;
  std::string name;
  for (const auto& trial : trials) {
    limits_.check();
    if (stretch.over()) return give_up(name);
    double reorders = 0;
    for (const auto& [from, to] : trial.reorders) reorders += reorder_ms(from, to, stretch);
    if (stretch.over()) return give_up(name);
    if (best && reorders >= best_reorders + best->best_ms()) continue;
    auto challenger =
        time_primitive(free_, trial.primitive(), trial.args, cold_weights_, trial.after);
    const auto slower_than = [&](double factor) {
      return best && reorders + challenger.best_ms() >= factor * (best_reorders + best->best_ms());
    };
    // The first runs on beside each of the others.
    const int wanted = best ? rounds : kFair;
    for (int i = 0; i < wanted && !(i == kFair && slower_than(kHopeless)); ++i) {
      limits_.check();
      if (stretch.over()) return give_up(name);
      challenger.once_more();
      if (best) best->once_more();
    }
    if (slower_than(1)) continue;
    best.emplace(std::move(challenger));
    std::swap(free_, of_best_);
    best_reorders = reorders;
    name = trial.name;
  }
  choices_->keep(problem, name);
  return name;
}

}  // namespace fovea::engine
