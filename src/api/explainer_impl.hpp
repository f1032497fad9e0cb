#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/model_impl.hpp"
#include "api/network.hpp"
#include "api/workspace_pool.hpp"
#include "base/budget.hpp"
#include "explain/method.hpp"
#include "fovea/explainer.hpp"
#include "graph/query.hpp"

namespace fovea {

struct Explainer::Impl {
  Impl(Model m, ExplainerOptions o)
      : model(std::move(m)), options(std::move(o)), budget(options.pool.memory_limit) {}

  Model model;
  ExplainerOptions options;
  /// Of PoolOptions::memory_limit; workspaces, runs and calls take from it.
  mutable base::Budget budget;
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
  Shape input_extents;  ///< spatial extents of the image, that maps are resized to; may be empty
  std::vector<graph::ValueId> feeds;

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

  bool has_probabilities() const {
    const bool sigmoid = scores.sigmoid || options.compile.multi_label;
    if (scores.of_probabilities && !scores.softmax && !scores.sigmoid) return false;
    return !dense_scores && (class_count() > 1 || (class_count() == 1 && sigmoid));
  }

  /// The network behind a layer that runs backward from several targets at once.
  explain::NetworkSpec batched_gradients_spec(graph::ValueId layer) const {
    return {.part = explain::NetworkSpec::Part::tail,
            .from = layer,
            .batch = options.prepare.targets_at_once / batch * batch,
            .gradient = true};
  }
};

}  // namespace fovea
