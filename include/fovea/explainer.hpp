#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fovea/explanation.hpp"
#include "fovea/export.hpp"
#include "fovea/method.hpp"
#include "fovea/model.hpp"
#include "fovea/running.hpp"
#include "fovea/target.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// How the network is compiled, whatever will be explained.
struct CompileOptions {
  /// Extents per input name, for what the file leaves open. Anything left open after this: the
  /// first extent of an input becomes `batch`, any other is refused.
  std::map<std::string, Shape> input_shapes = {};
  std::int64_t batch = 1;
  /// Values for inputs, by name, that are the same in every run: sampling rates, lengths, axes,
  /// masks. The network is compiled for them: what they decide (an `If`, a trip count, an extent)
  /// is decided then, and `Explainer::inputs` has them no longer. Integers are whole numbers of
  /// f32; of a truth value what is not 0 is true. A run may be given them again, where they are
  /// equal. Explainers of one model share its weights, so that another value costs another plan.
  std::map<std::string, Tensor> fixed_inputs = {};
  Precision precision = Precision::f32;
  /// Where the CPU cannot do `precision`: false refuses (Error invalid_argument), true uses f32 and
  /// `Explainer::precision` says so.
  bool allow_precision_fallback = false;
  Tuning tuning = Tuning::quick;
  /// How long all that tuning times may take, of one explainer, the wait for another's tuning with
  /// it. Checked between two runs of an algorithm. What it does not reach runs by the direct
  /// algorithm, or the best that was compared by then; `Explainer::plan_cache` has nothing of it,
  /// and `Explainer::warnings` says so. None: 2 s, of Tuning::thorough as long as it takes.
  std::optional<std::chrono::milliseconds> tuning_time = {};
  /// What `Explainer::plan_cache` gave for the same model on this kind of machine: nothing is timed
  /// again. One of another CPU, of another oneDNN or a damaged one is ignored.
  std::string plan_cache = {};
  /// Optimise the graph (fold batch-norms, fuse, fast heads). Off: the slow, obvious plan.
  bool optimize = true;
  /// Output that holds the scores; empty: the only one, or the first of rank 2.
  std::string output = {};
  /// Probabilities by sigmoid, each class on its own.
  bool multi_label = false;
  /// Further outputs or inner values to read from a run, by name.
  std::vector<std::string> fetches = {};
};

/// What an explainer is made ready to explain.
struct PrepareOptions {
  /// Methods prepared for; a method asked for later that needs more is refused.
  std::vector<Method> methods = {GradCam{}};
  /// Layers to be explained, by value or node name; empty: the default layer.
  std::vector<std::string> layers = {};
  /// The values that targets are made of, by value or node name: outputs, or any others with
  /// floating-point numbers; "" is the scores. Empty: the scores alone. Everything an explainer
  /// finds out about its model (the default layer, what a layer can be asked) is then about these.
  std::vector<std::string> target_values = {};
  /// Targets that are known when the explainer is made: what they read joins `target_values`. Where
  /// the first is one place of a value that has positions (a pixel of a segmentation, a box's row,
  /// a step of a text), the default layer is chosen for it: see `LayerInfo::why`.
  std::vector<Target> targets = {};
  /// For transformers whose graph does not show it: rows and columns of the patch tokens. Sequences
  /// [images, tokens, channels] are then explained on this grid; empty: found out, from the patch
  /// embedding where the graph has one, else by the input's extents or as a square. Refused (Error
  /// invalid_argument) where it does not fit the layer's tokens.
  Shape token_grid = {};
  /// Class, register and other tokens in front of the patches; they are left out of the map, not of
  /// the network. None: as the graph shows, else 0 or 1.
  std::optional<std::int64_t> prefix_tokens = {};
  /// Of so many images' targets (a call's targets times the batch) one walk back gives the
  /// gradients: the network behind the layer is walked through once for all of them, and what the
  /// forward pass left serves every one. Calls of several targets use it, as many at a time; those
  /// of one do not. It takes memory for as many gradients, and is left out where they would be a
  /// large part of `memory_limit`. None: as many as `targets` has, up to 32. 1: each by itself.
  std::optional<std::int64_t> targets_at_once = {};
  /// Prepares Explainer::feature_layer() as well, for `Run::features` and `Run::channels`, where no
  /// layers are named and the default holds a map per class.
  bool features = false;
  /// Prepares for ExplainOptions::smooth: a run keeps a copy of its input.
  bool smoothing = false;
  /// Images that methods which score many variants of one (occlusion, RISE, LIME, Kernel SHAP,
  /// AISE) put through the network at once; a file that fixes the batch wins. 0: fovea's choice.
  /// Results do not depend on it beyond f32's rounding.
  std::int64_t perturbation_batch = 0;
};

/// What its runs may take of the machine.
struct PoolOptions {
  /// OpenMP threads of each call, at most 1024; 0 takes what the calling thread would use.
  int threads = 0;
  /// While the explainer is made, too.
  Waiting waiting = Waiting::adaptive;
  /// With Waiting::adaptive: where other work takes cores away for seconds, calls whose own
  /// `threads` is 0 may take fewer threads than the explainer's, down to one, as long as that is
  /// faster; Timings says how many. Sums are then taken in another order, so that the same call can
  /// differ in its last bits: off where results are compared to the bit.
  bool fewer_threads = true;
  /// Runs that may be under way at once; a call beyond waits for one to end. As many need room
  /// within `memory_limit`.
  int max_workspaces = 64;
  /// Bytes that this explainer, with all its runs and calls, may hold at once: workspaces (the
  /// activations of every run under way, and of the networks that methods run beside it; kept for
  /// the next run, freed where another kind needs the room), backgrounds, copies of the inputs,
  /// scores and predictions, all that a method allocates in a call, and what the call hands out
  /// until it is handed out. What does not fit is refused (Error out_of_memory, which says what was
  /// wanted and what is taken) before it is allocated; nobody waits for memory, and the explainer
  /// serves a smaller call, or the same one when fewer runs are held. While it is made, what
  /// tuning times is held to the limit too; candidates that do not fit are not timed, and
  /// perturbation batches and heads are prepared for fewer maps at once.
  ///
  /// Not held: the weights in all forms that plans read, with what packing and folding them takes
  /// when an explainer is made; the graph and the plans' lists of steps; oneDNN's code, tables and
  /// what a matrix product of its own packs; OpenMP's threads; what the caller owns (tensors handed
  /// in, Method::given, results); indexes of examples and all of fovea::vision (decoded photos).
  std::int64_t memory_limit = std::int64_t{4} << 30;
};

/// `options.compile.batch = 8`, or {.prepare = {.methods = {Cam{}}}, .pool = {.threads = 1}}.
struct ExplainerOptions {
  CompileOptions compile = {};
  PrepareOptions prepare = {};
  PoolOptions pool = {};
};

/// A layer that can be explained.
struct LayerInfo {
  std::string name;  ///< the value's name
  std::string node;  ///< the node that makes it
  std::string op;
  Shape shape;
  bool is_default = false;
  std::string why;  ///< why it is the default, or what speaks for or against it; else empty
  Shape grid;       ///< extents of its map: the shape's spatial ones, or those its tokens lie on
  /// It holds a map per class: pooled, they are the scores (SqueezeNet, fully convolutional heads).
  bool class_maps = false;
  /// Where the first of PrepareOptions::targets is a place: what of the grid it can depend on, as
  /// Explanation::receptive_field; else empty.
  std::vector<AxisRange> receptive_field = {};
};

/// Values for the model's inputs, by name. One unnamed ("") value serves a model with one input.
using Feeds = std::map<std::string, TensorView>;

struct ExplainOptions {
  /// None: Normalize::minmax for methods whose zero says nothing (MethodInfo::has_offset), else
  /// max.
  std::optional<Normalize> normalize = {};
  std::string layer = {};  ///< one of the explainer's layers; empty: the first
  /// Several layers in place of `layer`, fused into one map as `fuse` says.
  std::vector<std::string> layers = {};
  Fuse fuse = Fuse::mean;
  /// The mean over six runs: the image as it is and mirrored, each times 0.9, 1 and 1.1 (as
  /// pytorch-grad-cam's aug_smooth). Needs PrepareOptions::smoothing.
  bool smooth = false;
  /// Keeps what speaks against the target as negative values where a method's last step is a ReLU.
  bool keep_sign = false;
};

/// A forward pass and what it left behind: predictions now, explanations as often as wanted. Holds
/// a workspace until destroyed; movable. An explanation runs backward in that workspace and
/// predictions are kept, so these members are not const, and not for concurrent use (two runs of
/// one explainer are); the const ones only read.
class FOVEA_API Run {
 public:
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;
  ~Run();

  /// Every class of one image, best first; none where targets read no scores, or where these
  /// lie at positions. Cost: a sort, on the first call.
  const std::vector<Prediction>& predictions(std::int64_t image = 0);

  /// About the feeds and the scores; explanations repeat them.
  const std::vector<std::string>& warnings() const;

  /// The value of an output or fetch of the explainer.
  Tensor output(const std::string& name) const;

  /// What targets read: the raw scores (logits), [batch, classes]; where
  /// PrepareOptions::target_values names others, all of them, those of one image behind each other:
  /// [batch, numbers], the scores first where they are named, then in the order named.
  const Tensor& logits() const;

  /// One explanation per image and target, image by image. Throws Error invalid_argument for a
  /// method, layer or class that does not exist or that the head does not allow.
  /// Cost: a backward pass per target, or a matrix product where the head is pool + linear.
  std::vector<Explanation> explain(const Method& method, std::span<const Target> targets,
                                   const ExplainOptions& options = {},
                                   const CallOptions& call = {});

  /// The maps of every class of one image at the layer's own grid, as `Explanation::feature_map`
  /// holds one: [classes, grid]. `options.normalize` plays no part.
  /// Cost: one matrix product where the head is pool + linear, else as many backward passes as
  /// classes.
  Tensor class_maps(const Method& method = GradCam{}, std::int64_t image = 0,
                    const ExplainOptions& options = {}, const CallOptions& call = {});

  /// The mean over positions of each channel of a prepared layer (empty: the first),
  /// [batch, channels]. Cost: one read of the layer's map.
  Tensor features(const std::string& layer = {}) const;

  /// What the layer's channels are to the target, one per image. Needs what Grad-CAM needs: the
  /// explainer must have been made for it. Throws Error invalid_argument as `explain`.
  /// Cost: as Grad-CAM without its map.
  std::vector<Channels> channels(const Target& target = Target::top1(),
                                 const std::string& layer = {}, const CallOptions& call = {});

  /// The first image's, for one target.
  Explanation explain(const Method& method = GradCam{}, const Target& target = Target::top1(),
                      const ExplainOptions& options = {}, const CallOptions& call = {});

  struct FOVEA_LOCAL Impl;

 private:
  friend class Explainer;
  FOVEA_LOCAL explicit Run(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A model compiled for input extents, a precision, target layers and methods. Const and safe from
/// any number of threads at once: each run draws a workspace from a pool. N concurrent callers run
/// N OpenMP teams: set `threads` so that the product suits the machine.
class FOVEA_API Explainer {
 public:
  /// Cost: packs weights and creates oneDNN's primitives, far more than a run.
  /// Throws Error invalid_argument, bad_model, unsupported; out_of_memory also where one run and
  /// what its methods run beside it are more than PoolOptions::memory_limit; and, as the stop
  /// token, the stop flag and the deadline of `call` say, cancelled or deadline_exceeded: they are
  /// looked at between nodes, between two timings of an algorithm and between two runs. Nothing is
  /// left behind but what tuning found by then, for the model's next explainer. The rest of `call`
  /// plays no part.
  explicit Explainer(const Model& model, ExplainerOptions options = {},
                     const CallOptions& call = {});

  /// Runs the network. The data is copied in; the feeds are not needed after the call.
  Run forward(const Feeds& feeds, const CallOptions& call = {}) const;
  /// For a model with one input.
  Run forward(const TensorView& input, const CallOptions& call = {}) const;

  /// forward and explain in one.
  Explanation explain(const TensorView& input, const Method& method = GradCam{},
                      const Target& target = Target::top1(), const ExplainOptions& options = {},
                      const CallOptions& call = {}) const;

  const Model& model() const;
  const std::vector<ValueInfo>& inputs() const;  ///< with every extent bound
  const std::vector<LayerInfo>& layers() const;  ///< every value one could explain, in order
  /// The values whose maps were prepared, in the order asked for.
  std::vector<std::string> prepared_layers() const;
  const std::string& default_layer() const;  ///< empty where there is none
  /// What targets may read, in the order of a row of `Run::logits`.
  const std::vector<TargetValue>& target_values() const;
  /// Has a class a probability? Not a model's single score without a sigmoid, nor where scores lie
  /// at positions, nor where the scores are made of probabilities: they are explained as they are.
  bool has_probabilities() const;
  /// The layer whose channels tell pictures apart: the default layer, or, where that holds a map
  /// per class, the last one in front of it that does not; empty where there is none.
  const std::string& feature_layer() const;
  /// Every value of the model as imported, by name, with its extents bound.
  const std::map<std::string, Shape>& shapes() const;
  /// What a run does, in order: the forward pass, then the backward pass of each prepared layer.
  /// Making the map from feature map and gradient comes after, and is no step.
  std::vector<StepInfo> steps() const;
  /// What tuning found, as text to be kept and handed to later explainers of the model. One model's
  /// explainers share what they find, so this holds all of it.
  std::string plan_cache() const;
  /// About how it was made: that tuning ended before it was done.
  const std::vector<std::string>& warnings() const;
  Precision precision() const;  ///< what it really uses
  int threads() const;

  struct FOVEA_LOCAL Impl;

 private:
  friend struct Access;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fovea
