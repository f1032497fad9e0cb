#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "api/explainer_impl.hpp"
#include "fovea/explainer.hpp"

namespace fovea {

struct Run::Impl {
  Impl(std::shared_ptr<const Explainer::Impl> owner, const CallOptions& call)
      : explainer(std::move(owner)), workspace(explainer->pool->take(call)) {}
  ~Impl() { explainer->pool->release(std::move(workspace)); }
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

  std::shared_ptr<const Explainer::Impl> explainer;
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
