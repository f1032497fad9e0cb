#pragma once

#include <cstdint>

#include "base/size.hpp"
#include "explain/method.hpp"

/// What a method's call allocates, said before it does (Entry::scratch_bytes). Upper bounds: a
/// vector that grows by itself counts three times, while it moves.
namespace fovea::explain {

inline constexpr base::Size kFloat = sizeof(float), kDouble = sizeof(double), kGrown = 3;

/// Of a context, in elements.
struct Sizes {
  explicit Sizes(const Context& context);

  base::Size images, classes;
  base::Size channels, positions;  ///< of the layer
  base::Size plain;                ///< the layer's map of one image, row-major
  base::Size map;                  ///< of all images, as the plan lays it out
  base::Size input;                ///< the first input of one image
  base::Size pixels;               ///< its positions
  base::Size inputs;               ///< every input of all images; 0 where they are not kept
};

/// What any method may take: seeds, scores, a few rows per class and channel, what it hands out.
base::Size common_bytes(const Entry& entry, const Context& context);

/// A LayerGradient that has to be laid out as the map.
base::Size layer_gradient_bytes(const Context& context);
/// Tail of so many rows; the second: of the context's own, and one image's map beside it.
base::Size tail_bytes(const Context& context, const Network& net);
base::Size tail_bytes(const Context& context);
/// JoinedGradients of so many targets at once.
base::Size joined_gradients_bytes(const Context& context, std::int64_t targets);
/// input_gradients, and what is made of them.
base::Size input_gradient_bytes(const Context& context);
/// The images again, changed, for Rerun.
base::Size rerun_bytes(const Context& context);
/// Perturbation, with the scores of so many variants; `perturbation_bytes` of a baseline image too.
base::Size perturbation_bytes(const Context& context, base::Size variants);
/// The maps of every class behind a pool + linear head.
base::Size every_class_bytes(const Context& context);

}  // namespace fovea::explain
