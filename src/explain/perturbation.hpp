#pragma once

#include <functional>
#include <span>
#include <vector>

#include "explain/masks.hpp"
#include "explain/method.hpp"

/// What methods share that ask what the scores become when a part of the image is hidden.
namespace fovea::explain {

/// The network on variants of one image, as many at a time as its plan takes; what
/// other inputs hold is the image's own. Reports the call's progress and heeds its limits.
class Perturbation {
 public:
  /// `forwards`: how many variants will be scored, of all images together.
  Perturbation(Context& context, std::int64_t forwards);

  /// Variants that go at once.
  std::int64_t batch() const { return net_.batch; }
  /// An image, as the network sees it.
  std::span<const float> image(std::int64_t image) const;
  /// Channels and positions of `image` and of variants.
  const ChannelSteps& steps() const { return steps_; }

  /// Writes a variant, in the layout of `image`.
  using Fill = std::function<void(std::int64_t variant, std::span<float> out)>;
  /// Gets what objectives read of a variant, a row of numbers; variants come in order.
  using Visit = std::function<void(std::int64_t variant, std::span<const float> row)>;
  void rows(std::int64_t image, std::int64_t variants, const Fill& fill, const Visit& visit);
  /// The objective's values of variants 0, 1, ... of an image.
  std::vector<double> scores(std::int64_t image, std::int64_t variants, const Fill& fill);
  /// Those of the image itself.
  double score(std::int64_t image);

 private:
  void take(std::int64_t image);

  Context& context_;
  const Network& net_;
  CallOptions call_;
  ChannelSteps steps_;
  std::int64_t forwards_, done_ = 0;
  std::int64_t taken_ = -1;                 ///< whose other inputs `inputs_` holds
  std::vector<std::vector<float>> inputs_;  ///< [batch, ...] each
};

/// The whole network, and the inputs.
Needs perturbation_needs();

/// The input's positions, [1 to 3 extents]. Throws Error invalid_argument where it has none.
const Shape& perturbed_extents(const Context& context);

/// out = mask image + (1 - mask) baseline, with one mask value per position: exact at 0 and 1.
void mix(std::span<const float> image, std::span<const float> baseline, std::span<const float> mask,
         const ChannelSteps& steps, std::span<float> out);

}  // namespace fovea::explain
