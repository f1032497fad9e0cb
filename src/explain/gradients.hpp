#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "explain/method.hpp"

/// What methods ask of a forward pass: maps, gradients, further passes.
namespace fovea::explain {

/// The layer's feature map.
engine::ValueView feature_map(const Context& context);

/// The objectives' gradients with respect to what they read, [batch, row].
std::vector<float> seeds(const Context& context);

/// Which of the plan's backward passes gives it.
std::size_t index_of(const Layer& layer, const Gradient& gradient);

/// One of the plan's backward passes, from the objectives; its time is noted.
/// `references`: of the run that it is compared with, under the rescale rule.
void run_backward(Context& context, std::size_t gradient, std::span<const float> seeds,
                  const engine::References* references = nullptr);

/// The mean over positions of the objective's gradient with respect to the layer,
/// [batch, channels]; by the head's weights where the head is pool + linear and no backward pass
/// was prepared. Needs {layer_gradient_needs(layer, spatial_mean)}.
std::vector<float> mean_gradient(Context& context);
/// The same of another function of the scores, by its gradients.
std::vector<float> mean_gradient(Context& context, std::span<const float> seeds);

/// A gradient [n, c, ...] with the layout of the layer's feature map.
class LayerGradient {
 public:
  const engine::ValueView& view() const { return view_; }

 private:
  friend LayerGradient layer_gradient(Context& context);
  std::vector<float> owned_;
  engine::ValueView view_;
};

/// The objective's gradient at every position of the layer; without a backward pass as above. Valid
/// until the next backward pass.
LayerGradient layer_gradient(Context& context);

/// What of the layer's gradient has to be prepared: nothing where the head says it.
std::vector<Gradient> layer_gradient_needs(const Layer& layer, engine::GradientReduce reduce);

/// The objective's gradient with respect to the image, row-major, one per image:
/// [channels, extents].
std::vector<Tensor> input_gradients(Context& context, const Gradient& which);

/// One image of a value, row-major, without the images' extent.
Tensor plain(const engine::ValueView& view, std::int64_t image);
/// The same of a gradient with respect to `layer`, which may be an input without images' extent.
Tensor plain(const engine::ValueView& view, const Layer& layer, std::int64_t image);

/// The network on other inputs, in the spare workspace.
class Rerun {
 public:
  explicit Rerun(Context& context) : context_(context) {}
  /// As Context::inputs. The context that comes back is valid until the next call.
  Context& forward(std::span<const Tensor> inputs);

 private:
  Context& context_;
  std::vector<float> scores_;
  std::optional<Context> context_again_;
};

/// The network behind the layer, on other maps. What a layer holds beside its map (a class token)
/// is the image's own.
class Tail {
 public:
  Tail(const Context& context, std::int64_t image);
  /// Row i is of images[i].
  Tail(const Context& context, const Network& net, std::span<const std::int64_t> images);
  /// How many maps go at once.
  std::int64_t batch() const { return net_.batch; }
  /// Room for `batch` maps, row-major.
  std::span<float> maps() { return maps_; }
  std::span<float> map(std::int64_t i);
  /// What objectives read, [batch, row], of what `maps` holds.
  std::span<const float> forward();
  /// The gradient of what the last forward left, from seeds [batch, row]: [batch, c, ...].
  engine::ValueView backward(std::span<const float> seeds);

 private:
  const Layer& layer_;
  const Network& net_;
  double* backward_ms_;
  CallOptions call_;  ///< whose steps are the explainer's, not the head's
  /// The maps where the layer keeps them, among its other tokens.
  void put_back();
  /// What the network takes in the layer's place.
  std::span<const float> as_fed();

  std::vector<float> maps_;
  std::vector<float> values_;  ///< of a layer that is no map as it lies, in its grid's order
  std::vector<float> fed_;     ///< the same in its own, where that is another
  std::vector<std::vector<float>> inputs_;  ///< of the image, repeated where maps have rows in them
};

/// Gradients of several targets, each with an objective per image, of which one backward pass of
/// the explainer's plan gives many.
class JoinedGradients {
 public:
  /// `objectives`: target by target, image by image. `most`: targets of one backward pass.
  JoinedGradients(std::span<const Objective> objectives, std::int64_t most)
      : objectives_(objectives), most_(most) {}

  /// Which of the targets is being explained.
  void set_target(std::size_t target) { target_ = target; }
  /// The target's; none where it has to be asked for alone. Valid until the next backward pass.
  std::optional<engine::ValueView> gradient(Context& context, const Layer& layer,
                                            const Gradient& which);
  /// Before another backward pass writes over what the last one of these left.
  void keep(const Context& context);

 private:
  /// Of targets [first, last), one behind the other where they are kept.
  struct Part {
    std::size_t first = 0, last = 0;
    std::vector<float> kept;
    engine::ValueView view;
  };
  std::span<const Objective> objectives_;
  std::int64_t most_;
  std::size_t target_ = 0;
  std::map<std::size_t, Part> parts_;  ///< by the index of the plan's gradient
  std::optional<std::size_t> in_workspace_;
};

}  // namespace fovea::explain
