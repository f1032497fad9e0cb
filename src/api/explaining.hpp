#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "api/run_impl.hpp"
#include "explain/gradients.hpp"
#include "explain/method.hpp"

namespace fovea::api {

/// What a method needs for a layer. Without optimisation the obvious way is taken wherever a method
/// has one.
/// `extents`: of the image's positions.
explain::Needs needs_of(const explain::Entry& entry, explain::Layer layer,
                        const explain::Settings& settings, const ExplainerOptions& options,
                        const Shape& extents);

/// The prepared layer of this name; of none, the first. Throws Error invalid_argument.
const explain::Layer& layer_named(const Explainer::Impl& explainer, const std::string& name);

/// A workspace on loan.
class Lease {
 public:
  Lease(WorkspacePool& pool, const CallOptions& call) : pool_(pool), workspace_(pool.take(call)) {}
  ~Lease() { pool_.release(std::move(workspace_)); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  engine::Workspace& workspace() { return workspace_; }

 private:
  WorkspacePool& pool_;
  engine::Workspace workspace_;
};

/// A network with its workspaces on loan.
class Borrowed {
 public:
  Borrowed(const Network& network, const CallOptions& call);
  const explain::Network& network() const { return network_; }

 private:
  Lease lease_;
  std::unique_ptr<Borrowed> known_;
  explain::Network network_;
};

/// One call of a method on a run: what it means, checked, and the workspaces that it borrows.
class Explaining {
 public:
  /// `targets`: how many will be explained; what progress is measured in. Throws Error
  /// invalid_argument for what does not exist or was not prepared for.
  Explaining(Run::Impl& run, const Method& method, const ExplainOptions& options,
             const CallOptions& call, std::size_t targets);
  Explaining(const Explaining&) = delete;  // its progress is told of itself
  Explaining& operator=(const Explaining&) = delete;

  /// One explanation per image and target, image by image.
  std::vector<Explanation> explain(std::span<const Target> targets);
  /// [classes, extents of the layer].
  Tensor class_maps(std::int64_t image);
  /// Of Grad-CAM.
  std::vector<Channels> channels(const Target& target);

 private:
  explain::Needs needs_of(const explain::Layer& layer) const;
  void check_prepared(const explain::Layer& layer) const;
  void choose_background();
  /// Takes what is handed out, and what it is made of on the way, from the budget.
  void reserve_results(std::span<const Target> targets);
  base::Size map_floats() const;
  /// Throws Error invalid_argument for a class where each position has scores of its own.
  void check_targets(std::span<const Target> targets) const;
  std::vector<explain::Objective> objectives(const Target& target);
  /// `wanted`: the target of each image.
  std::vector<Explanation> explain_one(const Target& target,
                                       std::span<const explain::Objective> wanted);
  /// Prepares to run backward from many of these at once, where there are passes for that.
  void join(std::span<const explain::Objective> all);
  std::vector<explain::Evidence> evidence(std::span<const explain::Objective> objectives,
                                          const explain::Layer& layer);
  /// What every method is told; what it asked for beyond that is added by whoever runs it.
  explain::Context context_of(const explain::Layer& layer,
                              std::span<const explain::Objective> objectives,
                              engine::Workspace& workspace, std::span<const float> scores) const;
  std::vector<explain::Evidence> once(std::span<const explain::Objective> objectives,
                                      const explain::Layer& layer, engine::Workspace& workspace,
                                      std::span<const float> scores,
                                      std::span<const Tensor> inputs);
  std::vector<explain::Evidence> smoothed(std::span<const explain::Objective> objectives,
                                          const explain::Layer& layer);
  void fuse(std::vector<Explanation>& out, std::span<const explain::Objective> objectives);
  Tensor shown(const Tensor& map) const;
  Tensor scaled(const Tensor& map) const;

  Run::Impl& run_;
  const Explainer::Impl& explainer_;
  const explain::Entry& entry_;
  const ExplainOptions& options_;
  const Normalize normalize_;
  CallOptions call_;
  explain::Settings settings_;
  std::vector<const explain::Layer*> layers_;
  base::Reservation reservation_, joined_reservation_;
  std::optional<explain::JoinedGradients> joined_;
  std::optional<explain::Background> own_background_;  ///< of this call alone
  const explain::Background* background_ = nullptr;
  double backward_ms_ = 0;
  std::vector<bool> clipped_;         ///< by image: values below 0 were left out of the map
  std::size_t parts_ = 1, part_ = 0;  ///< runs of the method in this call, and which one it is
};

}  // namespace fovea::api
