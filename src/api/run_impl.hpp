#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "api/explainer_impl.hpp"
#include "fovea/explainer.hpp"

namespace fovea {

struct Run::Impl {
  Impl(std::shared_ptr<const Explainer::Impl> owner, const CallOptions& call)
      : explainer(api::variant_for(std::move(owner), call)),
        threads(api::threads_of(call)),
        workspace(explainer->pool->take(call)) {
    if (threads == 0) threads = explainer->options.pool.threads;
  }
  ~Impl() {
    // Nobody may wait for a lock that a fork left behind.
    if (base::fork_state() != base::Fork::broken) explainer->pool->release(std::move(workspace));
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static std::unique_ptr<Impl> forward(std::shared_ptr<const Explainer::Impl> explainer,
                                       const Feeds& feeds, const CallOptions& call);
  std::vector<Explanation> explain(const Method& method, std::span<const Target> targets,
                                   const ExplainOptions& options, const CallOptions& call);
  Tensor class_maps(const Method& method, std::int64_t image, const ExplainOptions& options,
                    const CallOptions& call);
  Tensor features(const std::string& layer) const;
  std::vector<Channels> channels(const Target& target, const std::string& layer,
                                 const CallOptions& call);
  /// One image's; empty where targets read none.
  std::span<const float> scores_of(std::int64_t image) const;
  /// Throws Error invalid_argument where the batch has no such image.
  void check_image(std::int64_t image) const;
  const std::vector<Prediction>& ranking(std::int64_t image);

  /// Throws Error invalid_argument where nothing was selected that could be explained.
  void require_row() const {
    if (!explainer->no_row.empty())
      throw Error(ErrorCode::invalid_argument, "nothing was selected: there is no row to explain",
                  {"", explainer->no_row, ""});
  }

  /// Around whatever runs. Throws Error invalid_argument in the child of a fork for a run of before
  /// it: its plans are made for threads that are gone, and would wait for them for ever.
  base::ThreadScope team() const {
    if (base::fork_state() == base::Fork::alone && explainer->made_for > 1)
      throw Error(ErrorCode::invalid_argument,
                  "this run was made before its process was forked, on threads that are not there "
                  "any more: make it again");
    return explainer->team(threads);
  }

  std::shared_ptr<const Explainer::Impl> explainer;
  int threads;  ///< 0: those of the calling thread
  engine::Workspace workspace;
  base::Reservation reservation;  ///< for what follows
  Tensor logits;
  std::vector<Tensor> inputs;  ///< where the explainer keeps them; the image as [images, ...]
  double forward_ms = 0;
  std::vector<std::string> warnings;  ///< about the feeds and the scores
  explain::Probability probability = explain::Probability::softmax;
  std::vector<std::vector<Prediction>> predictions;  ///< per image; empty until asked for

 private:
  /// What a class's probability is, and what has to be said of it.
  void describe_scores();
  static std::unique_ptr<Impl> run_forward(std::shared_ptr<const Explainer::Impl> explainer,
                                           const Feeds& feeds, const CallOptions& call);
};

}  // namespace fovea
