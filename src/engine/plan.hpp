#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/aligned.hpp"
#include "base/limits.hpp"
#include "engine/relevance.hpp"
#include "engine/tuning.hpp"
#include "engine/tuning_time.hpp"
#include "fovea/running.hpp"
#include "graph/graph.hpp"
#include "graph/query.hpp"

/// graph -> plan -> run: what the rest of fovea sees of oneDNN.
namespace fovea::engine {

/// How a value that leaves the plan is laid out in memory.
struct ValueView {
  const float* data = nullptr;
  Shape shape;
  /// For [n, c, ...] values: channels in blocks of `block` (1: row-major; the channel count:
  /// channels last). Always 1 for others.
  std::int64_t block = 1;
  std::int64_t image_stride = 0;  ///< floats from one image to the next
};

/// Where a channel begins in one image of a map in channel blocks; its next position lies `block`
/// further.
constexpr std::int64_t channel_begin(std::int64_t channel, std::int64_t positions,
                                     std::int64_t block) {
  return channel / block * positions * block + channel % block;
}

/// What is made of a gradient before it comes out.
enum class GradientReduce {
  none,
  spatial_mean,  ///< of [n, c, ...], the mean over positions: [n, c], row-major. Where the layers
                 ///< above allow it, the gradient at each position is never computed.
};

/// What activations that are flat (or nearly so) on their negative side let pass on the way back:
/// ReLU, ReLU6, leaky ReLU, ELU, SELU, CELU, SiLU, hard swish, GELU, Mish, Softplus. Everything
/// else passes its plain gradient under every rule.
enum class GradientRule {
  plain,
  guided,         ///< f'(x) max(g, 0)
  deconvolution,  ///< max(g, 0)
  /// DeepLIFT's: from differences to a reference run. A function of one value passes
  /// g (f(x) - f(r)) / (x - r), a product of two signals g times the other's mean over both runs,
  /// a maximum the difference of the maxima to one element; whatever is linear, its gradient. What
  /// has no rule is refused (Error unsupported), and so is a value that depends on `wrt` through an
  /// operator without gradient.
  rescale,
};

/// What of a gradient is wanted.
struct GradientSpec {
  graph::ValueId of;   ///< seeds are given on this value, in its shape, row-major
  graph::ValueId wrt;  ///< the gradient with respect to this value comes out
  GradientReduce reduce = GradientReduce::none;
  GradientRule rule = GradientRule::plain;
  /// Values that the backward pass goes through whose gradients are wanted too; with `reduce` none
  /// only.
  std::vector<graph::ValueId> taps = {};
  /// The rule is defined on the network in its plainest form: batch norms folded into convolutions
  /// and activations that are spelt out recognised, whatever else is optimised. Holds for the plan.
  bool canonical = false;
  /// Rules of relevance in place of gradients: seeds are the relevance of `of`, and that of `wrt`
  /// comes out. Canonical; with `reduce` none and without taps only.
  std::optional<Relevance> relevance = {};
  std::int64_t images = 1;  ///< of `of`, whose losses of relevance are told apart
  /// Seeds that one backward pass may start from, each with a result of its own; what the forward
  /// pass left is there once for all of them. Above 1 without taps, references and relevance.
  std::int64_t seeds = 1;
};

struct PlanSpec {
  std::vector<graph::ValueId> feeds;  ///< values handed in; empty: the graph's inputs
  /// Of each image, the first of them is zero but at a few positions: a hint, which costs time
  /// where it is wrong and changes no result.
  bool few_positions = false;
  /// Further values handed in, by Plan::set_persistent: a workspace keeps them from run to run.
  std::vector<graph::ValueId> persistent = {};
  std::vector<graph::ValueId> fetches;  ///< row-major f32 after a forward run
  std::vector<graph::ValueId> maps;     ///< feature maps, in a layout of the plan's choice
  std::vector<GradientSpec> gradients;  ///< each has a backward pass of its own
  /// For values of maps and of gradients' `wrt` that are no [n, c, ...]: how they lie, and the grid
  /// that their positions are on. Their maps and gradients come out as maps [n, c, extents...] of
  /// that grid alone, and means are over its positions.
  std::map<graph::ValueId, graph::Grid> grids;
  Precision precision = Precision::f32;
  Tuning tuning = Tuning::off;
  Choices* choices = nullptr;         ///< what tuning found before, and where it goes; may be null
  TuningTime* tuning_time = nullptr;  ///< null: as long as it takes
  /// False: nothing is timed. What was chosen for another number of threads is taken, else the
  /// first candidate.
  bool measures = true;
  bool optimize = true;
  std::int64_t memory_limit = std::int64_t{4} << 30;  ///< of a workspace, and of what tuning times
  base::Limits limits = {};                           ///< of making the plan
};

/// Weights in the forms that plans read, shared by the plans of a model that live at the same time.
/// Safe from any thread.
class WeightCache {
 public:
  WeightCache();
  ~WeightCache();
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// The memory of one run. Owned by whoever runs; reused from run to run.
class Workspace {
 public:
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;
  ~Workspace();
  struct Impl;
  explicit Workspace(std::unique_ptr<Impl> impl);
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// What backward passes under GradientRule::rescale read of the reference run, in the plan's own
/// layouts. Never changes: any number of backward passes may read it at once.
class References {
 public:
  std::size_t bytes() const { return values_.size(); }
  const std::byte* data() const { return values_.data(); }

 private:
  friend class Plan;
  base::AlignedBuffer values_;
};

/// Compiled once, const, safe from any number of threads with a workspace each.
class Plan {
 public:
  /// `graph` is bound (graph::bind) and copied. Throws Error unsupported, bad_model, out_of_memory,
  /// and what the spec's limits say: weights that were packed and choices that were made by then
  /// stay good.
  static std::shared_ptr<const Plan> build(const graph::Graph& graph, const PlanSpec& spec,
                                           WeightCache& weights);
  ~Plan();

  /// Throws Error out_of_memory.
  Workspace make_workspace() const;
  std::int64_t arena_bytes() const;
  /// What one workspace takes: its arena, and the tables of who reads and writes where.
  std::int64_t workspace_bytes() const;

  /// feeds[i] is the data of spec.feeds[i], row-major. Returns which of them hold a value that is
  /// not finite: oneDNN's ReLU turns a NaN into 0, so that no result would show it. Throws Error
  /// invalid_argument where `call.step_ms` is neither empty nor one entry per step.
  std::vector<std::size_t> forward(Workspace& workspace,
                                   std::span<const std::span<const float>> feeds,
                                   const CallOptions& call) const;
  /// One image of `value` becomes the value of spec.persistent[index], whose first extent is 1, in
  /// every run from now on. Throws Error internal where the extents differ.
  void set_persistent(Workspace& workspace, std::size_t index, const ValueView& value,
                      std::int64_t image) const;
  /// The backward pass `gradient` (index in spec.gradients) from seeds on its `of`: of one, or one
  /// behind the other of as many as its spec allows. As often as wanted after one forward. Under
  /// GradientRule::rescale `references` are the run's that it is compared with.
  void backward(Workspace& workspace, std::size_t gradient, std::span<const float> seeds,
                const CallOptions& call, const References* references = nullptr) const;
  /// Of the workspace's last forward. Throws Error out_of_memory.
  References save_references(const Workspace& workspace) const;
  /// What one of those takes; 0 where no backward pass reads any.
  std::int64_t reference_bytes() const;

  /// Valid until the workspace's next forward.
  ValueView fetch(const Workspace& workspace, std::size_t index) const;
  ValueView map(const Workspace& workspace, std::size_t index) const;
  /// From seed `seed` of the last backward. Valid until the workspace's next backward.
  ValueView gradient(const Workspace& workspace, std::size_t index, std::size_t seed = 0) const;
  /// What the last backward pass of relevance lost on its way, per image of the scores.
  std::vector<Absorbed> absorbed(const Workspace& workspace, std::size_t index) const;
  /// The gradient of the backward pass's tap `tap`.
  ValueView tap(const Workspace& workspace, std::size_t index, std::size_t tap) const;

  /// The forward pass's, then each backward pass's.
  std::vector<StepInfo> steps() const;

  struct Impl;
  explicit Plan(std::unique_ptr<const Impl> impl);
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<const Impl> impl_;
};

/// The convolutions of a plan's forward pass one after the other, over the memory that a run uses,
/// with nothing between them: the time below which no run of the network can get. For benchmarks:
/// the values that it computes mean nothing. Plan and workspace must outlive it.
class Convolutions {
 public:
  enum class Form {
    bare,    ///< made anew, same implementation and layouts; nothing fused but bias and ReLU
    planned  ///< the plan's own steps, with the sums and activations fused into them
  };
  Convolutions(const Plan& plan, const Workspace& workspace, Form form);
  Convolutions(Convolutions&&) noexcept;
  ~Convolutions();

  std::size_t size() const;
  void run() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Runs the nodes whose inputs are all constant, once, and makes their results constants. Throws
/// what `limits` say.
void fold_constants(graph::Graph& graph, const base::Limits& limits = {});

/// A graph::Compute: the node by itself.
std::optional<std::vector<graph::Constant>> compute_node(const graph::Graph& graph,
                                                         const graph::Node& node);

/// A call of a run within the limits of making something.
inline CallOptions within(const base::Limits& limits) {
  CallOptions call;
  call.stop = limits.stop;
  call.stop_flag = limits.stop_flag;
  call.deadline = limits.deadline;
  return call;
}

/// c = scale a b, row-major: a [m, k], b [k, n], c [m, n]. In parallel.
void multiply_matrices(float scale, const float* a, const float* b, float* c, std::int64_t m,
                       std::int64_t k, std::int64_t n);

/// oneDNN's version, the most it may use on this CPU, and whether bf16 can be computed.
std::string onednn_version();
std::string onednn_isa();
bool bf16_supported();

}  // namespace fovea::engine
