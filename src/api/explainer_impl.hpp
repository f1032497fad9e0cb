#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/model_impl.hpp"
#include "api/network.hpp"
#include "api/receptive_fields.hpp"
#include "api/selections.hpp"
#include "api/thread_choice.hpp"
#include "api/variants.hpp"
#include "api/workspace_pool.hpp"
#include "base/budget.hpp"
#include "base/fork.hpp"
#include "base/parallel.hpp"
#include "base/watch.hpp"
#include "explain/method.hpp"
#include "fovea/explainer.hpp"
#include "graph/query.hpp"

namespace fovea {

struct Explainer::Impl {
  /// `shared`: the budget of the explainer that this is a variant of; null: one of its own.
  Impl(Model m, ExplainerOptions o, const std::shared_ptr<base::Budget>& shared = nullptr)
      : model(std::move(m)),
        options(std::move(o)),
        bytes(shared ? shared : std::make_shared<base::Budget>(options.pool.memory_limit)),
        budget(*bytes) {
    // A thread by itself waits for nobody; one that is left of a team has to notice the calm.
    const bool waits = options.pool.threads != 1 || shared != nullptr;
    if (options.pool.waiting == Waiting::adaptive && waits) watch = base::Watch::of_process();
    if (options.pool.waiting == Waiting::sleep) sleeping.emplace(threads());
  }

  bool adapts_threads() const {
    return watch != nullptr && options.pool.fewer_threads && made_for > 1;
  }
  /// OpenMP threads of a call from the calling thread that says nothing of them.
  int threads() const {
    return options.pool.threads > 0 && base::fork_state() == base::Fork::none ? options.pool.threads
                                                                              : base::max_threads();
  }
  /// Around whatever runs on so many threads; 0: those of the calling thread.
  base::ThreadScope team(int threads) const { return base::ThreadScope(threads, watch.get()); }

  Model model;
  ExplainerOptions options;
  /// Of PoolOptions::waiting: who is told what runs take; and that waiting threads sleep.
  std::shared_ptr<base::Watch> watch;
  std::optional<base::SleepingWaits> sleeping;
  int made_for = 1;  ///< threads
  mutable api::Variants variants;
  mutable api::ThreadChoice thread_choice;  ///< of calls that say nothing, where `adapts_threads`
  /// Of PoolOptions::memory_limit; workspaces, runs and calls take from it.
  std::shared_ptr<base::Budget> bytes;
  base::Budget& budget;
  Precision precision = Precision::f32;
  std::vector<ValueInfo> inputs;
  std::vector<LayerInfo> layers;
  std::map<std::string, Shape> shapes;
  std::string default_layer;
  std::string default_why;
  std::string feature_layer;
  std::vector<std::string> warnings;  ///< about how it was made

  graph::Scores scores;   ///< none where targets read other values alone
  graph::ValueId target;  ///< what they read, [images, row]: the plan fetches it first
  explain::Reads reads;   ///< what lies where in a row
  std::vector<TargetValue> target_values;  ///< the same for the caller
  /// What they see of layers; null where no value that they read has positions.
  std::shared_ptr<const api::ReceptiveFields> fields;
  std::optional<graph::PoolLinearHead> head;
  std::vector<explain::Layer> prepared;  ///< the layers to be explained, in the order asked for
  explain::Layer input_layer;            ///< the image's input, for methods that explain it
  std::vector<graph::ChannelBias> biases;
  bool keeps_inputs = false;
  bool dense_scores = false;             ///< scores at positions: nothing to rank
  std::vector<std::string> fetch_names;  ///< index: the plan's fetches
  graph::ImageBatch image_batch;
  std::vector<bool> stacked;  ///< per input: has it a row per image?
  std::int64_t batch = 1;     ///< images: pictures.count
  std::int64_t joined = 1;    ///< targets that one backward pass takes
  Shape input_extents;  ///< spatial extents of the image, that maps are resized to; may be empty
  std::vector<graph::ValueId> feeds;

  /// Where the targets lie behind what the model selects by the data: what leads there. Then there
  /// is no plan: each call runs on an explainer for what its data selected.
  std::shared_ptr<api::Stages> stages;
  std::optional<api::Selections> selections;  ///< that it was made for
  std::string no_row;  ///< the targets' value, where nothing was selected for it

  std::shared_ptr<const engine::Plan> plan;
  std::unique_ptr<api::WorkspacePool> pool;
  /// For smoothing; apart from `pool`, so that runs that wait for one do not wait for each other.
  /// Null where nothing needs it.
  std::unique_ptr<api::WorkspacePool> smoothing_pool;
  api::Networks networks;                        ///< that methods run beside the plan
  std::vector<explain::Background> backgrounds;  ///< that methods were prepared with

  /// Numbers that targets read of an image.
  std::int64_t row() const { return static_cast<std::int64_t>(reads.size()); }
  /// 0 where no scores are read.
  std::int64_t class_count() const {
    return reads.scores() ? static_cast<std::int64_t>(reads.scores()->size) : 0;
  }

  /// Those of several positions in one row: which score belongs to which is not known.
  bool has_several_softmaxes() const {
    return scores.softmax && class_count() > 0 && class_count() != scores.classes;
  }

  bool has_probabilities() const {
    const bool sigmoid = scores.sigmoid || options.compile.multi_label;
    if (scores.of_probabilities && !scores.softmax && !scores.sigmoid) return false;
    if (has_several_softmaxes()) return false;
    return !dense_scores && (class_count() > 1 || (class_count() == 1 && sigmoid));
  }
};

}  // namespace fovea
