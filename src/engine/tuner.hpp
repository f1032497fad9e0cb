#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned.hpp"
#include "base/limits.hpp"
#include "engine/layout.hpp"
#include "engine/primitive_cache.hpp"
#include "engine/tuning.hpp"
#include "engine/tuning_time.hpp"
#include "fovea/running.hpp"

/// Times the candidates that oneDNN has for one step, on this machine, before a plan settles.
namespace fovea::engine {

/// A primitive with the layouts of its arguments, to be tried on memory of the tuner's own.
struct Trial {
  std::string name;
  /// Made when it is timed, and gone after that.
  std::function<dnnl::primitive()> primitive;
  std::vector<std::pair<int, Desc>> args;
  /// Layouts that a value would have to be brought from and to if this candidate were taken.
  std::vector<std::pair<Desc, Desc>> reorders;
  /// What follows the primitive on its dst (bytes of it), as part of it.
  std::function<void(std::byte*)> after;
};

class Tuner {
 public:
  /// `choices` may be null: nothing is remembered beyond this tuner. `cold_weights`: steps are
  /// timed with weights that no cache holds. What would take more than `memory_limit` bytes is not
  /// timed. `time` may be null: there is no bound. Without `measures` nothing is timed, and what is
  /// known of other numbers of threads serves.
  Tuner(Tuning mode, Choices* choices, bool cold_weights, std::int64_t memory_limit,
        base::Limits limits = {}, TuningTime* time = nullptr, bool measures = true);
  ~Tuner();

  Tuning mode() const { return mode_; }
  bool times() const { return mode_ == Tuning::quick || mode_ == Tuning::thorough; }

  /// What was chosen for the problem before, if anything.
  std::optional<std::string> known(const std::string& problem) const;
  /// The name of the fastest of what `make` returns, remembered; none, where none is to be timed,
  /// or there is no memory for it. Where the time ends first: of the best that was compared by
  /// then, if any, and nothing is remembered. One call in the process measures at a time. oneDNN's
  /// descriptions from before the call must not be used after it. Throws what the limits say,
  /// between two timings.
  std::string fastest(const std::string& problem, const std::function<std::vector<Trial>()>& make);

 private:
  class Stage;
  class TimedPrimitive;
  TimedPrimitive time_primitive(std::unique_ptr<Stage>& stage, dnnl::primitive primitive,
                                const std::vector<std::pair<int, Desc>>& args, bool cold,
                                std::function<void(std::byte*)> after = {});
  double reorder_ms(const Desc& from, const Desc& to, const TuningTime::Stretch& stretch);
  /// False where timing them would take more memory than there may be.
  bool make_room_for(const std::vector<Trial>& trials);

  /// Those who make a plan have a tuner from its first description to its last primitive.
  PrimitivesStayCached cached_ = keep_primitives_cached();
  Tuning mode_;
  bool cold_weights_;
  std::int64_t memory_limit_;
  base::Limits limits_;
  bool measures_;
  Choices own_;
  Choices* choices_;
  TuningTime unbounded_;
  TuningTime* time_;
  struct Reordering {
    Desc from, to;
    double ms;
  };
  std::vector<Reordering> reorders_;
  using Room = std::map<int, std::size_t>;
  Room room_;  ///< bytes of a stage by argument, at most
  base::AlignedBuffer other_;
  std::unique_ptr<Stage> of_best_, free_;
};

}  // namespace fovea::engine
