#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/model_impl.hpp"
#include "api/workspace_pool.hpp"
#include "base/budget.hpp"
#include "fovea/explainer.hpp"
#include "graph/graph.hpp"
#include "graph/query.hpp"
#include "graph/selections.hpp"

/// Models whose targets lie behind what is selected by the data (graph/selections.hpp). What leads
/// to the selections is run first, then what leads to the next ones; behind the last of them the
/// extents are known, and an ordinary explainer is made for them, to which the selections are
/// inputs that nobody explains.
namespace fovea::api {

struct TargetValues;

/// A value of the graph that was computed before the graph that it is handed to.
struct KnownValue {
  graph::DType type = graph::DType::f32;
  Shape shape;
  std::vector<float> data;
};

/// Values whose extents depend on how much is selected, by name: -1 where one does.
using OpenExtents = std::map<std::string, Shape>;

/// What came out of the selections.
struct Selections {
  /// Results of selections, by name: inputs of what follows.
  std::map<std::string, KnownValue> results;
  /// Parameters that were computed, by name.
  std::map<std::string, std::int64_t> parameters;
  std::shared_ptr<const OpenExtents> open = std::make_shared<const OpenExtents>();

  /// The extents and parameters that a plan is made for.
  std::string key() const;
  /// Puts them into the graph as imported.
  void apply(graph::Graph& imported) const;
};

/// The model's graph with its fixed inputs, loops unrolled.
graph::Graph source_of(const Model& model, const CompileOptions& options,
                       const base::Limits& limits);

/// More selections one behind the other than any network has.
inline constexpr int kMostSelectionStages = 64;

/// The graph as imported with what is known of it, bound as far as it can be.
struct BoundSelections {
  graph::Graph source;
  graph::Graph graph;
  std::vector<graph::Selection> open;
};

BoundSelections bind_selections(const Model& model, const Selections& found,
                                const std::map<std::string, KnownValue>& known,
                                const std::map<std::string, Shape>& shapes,
                                const CompileOptions& compile, const base::Limits& limits);

/// Of a model that is known in part before it runs.
struct Guess {
  Selections selections;                ///< of one element each: what extents behind could be
  std::map<std::string, Shape> shapes;  ///< of the values in front of them, which are known
};
/// None where the wanted values can be bound without; `selects`: is there such a selection at all?
std::optional<Guess> guess_selections(const Model& model, const ExplainerOptions& options,
                                      const base::Limits& limits, bool& selects);

/// Makes the values that targets read outputs of the graph, of which the others may all lie behind
/// selections.
void keep_targets(graph::Graph& imported, const ExplainerOptions& options);

/// The inputs that selections are, behind a model's own.
void add_inputs(const Selections& selections, const graph::Graph& bound,
                std::vector<ValueInfo>& inputs);

/// Of an outline: those of a model alone, and layers whose extents are known.
void keep_model_inputs(const Model& model, std::vector<ValueInfo>& inputs);
/// The default one, where nobody knows that of the targets: the last map that every way from them
/// back to the image passes.
void keep_known_layers(const std::map<std::string, Shape>& known, const graph::Graph& guessed,
                       Explainer::Impl& outline);

/// Behind selections nobody follows images: there is one, and an extent that counts what was
/// selected counts no images. Throws Error unsupported for several.
graph::ImageBatch image_of_selections(const graph::Graph& bound, graph::ValueId target,
                                      const Selections& selections);

/// Before anything is selected: their extents as far as they are known.
void open_extents(const Selections& selections, const graph::Graph& bound, const TargetValues& read,
                  std::vector<TargetValue>& values);

/// The value that targets read and that has no element; "" where they all have.
std::string empty_target(const graph::Graph& bound, const ExplainerOptions& options);

/// The explainer for what the data (of each of the outline's inputs) selects, which is found out;
/// the data of that explainer's inputs takes the place of `data`, as long as `found` is there.
std::shared_ptr<const Explainer::Impl> selected(const Explainer::Impl& outline,
                                                std::vector<std::span<const float>>& data,
                                                Selections& found, const CallOptions& call);

/// Of one explainer. Safe from any thread.
class Stages {
 public:
  Stages(const Model& model, const ExplainerOptions& options,
         std::shared_ptr<const OpenExtents> open);
  ~Stages();

  /// Runs what leads to the selections; `data` is that of the model's inputs, by name.
  Selections select(const std::map<std::string, std::span<const float>>& data, base::Budget& budget,
                    const CallOptions& call);

  /// The explainer for what came out; made where none of the last few is. `make` makes it.
  template <class Make>
  std::shared_ptr<const Explainer::Impl> explainer(const Selections& found, Make&& make) {
    const std::lock_guard lock(making_);
    const auto key = found.key();
    for (auto it = made_.begin(); it != made_.end(); ++it)
      if (it->first == key) {
        made_.splice(made_.begin(), made_, it);
        return made_.front().second;
      }
    // Their spare memory is the next one's.
    while (made_.size() >= kKept) made_.pop_back();
    made_.emplace_front(key, make());
    return made_.front().second;
  }

 private:
  static constexpr std::size_t kKept = 3;

  struct Stage;
  std::shared_ptr<const Stage> stage(const Selections& found,
                                     const std::map<std::string, KnownValue>& known,
                                     base::Budget& budget, const base::Limits& limits);
  std::shared_ptr<const Stage> make(const Selections& found,
                                    const std::map<std::string, KnownValue>& known,
                                    base::Budget& budget, const base::Limits& limits) const;

  Model model_;
  ExplainerOptions options_;
  std::map<std::string, Shape> shapes_;
  std::shared_ptr<const OpenExtents> open_;
  std::mutex making_;
  std::mutex staging_;
  std::list<std::pair<std::string, std::shared_ptr<const Stage>>> stages_;
  std::list<std::pair<std::string, std::shared_ptr<const Explainer::Impl>>> made_;
};

}  // namespace fovea::api
