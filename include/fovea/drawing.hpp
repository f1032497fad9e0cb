#pragma once

#include <optional>

#include "fovea/explanation.hpp"
#include "fovea/export.hpp"
#include "fovea/image.hpp"
#include "fovea/request.hpp"
#include "fovea/tensor.hpp"

/// The colours that a request's pictures have: for `overlay` and `heatmap`.
namespace fovea {

enum class Rendering {
  automatic,  ///< two colours for maps of pixels (gradients, LRP, SHAP), and where the sign is kept
  heat,
  two_colours,  ///< red for the target and blue against it, over a pale photo
};

/// An explanation's values, scaled for their colours.
struct Coloured {
  Tensor values;                      ///< at the layer's grid: 0 to 1, in two colours -1 to 1
  OverlayOptions options;             ///< without a view
  double low = 0, high = 0;           ///< the explanation's values at both ends of the colours
  std::optional<float> full_at = {};  ///< of maps of pixels: the magnitude that full colours have
  bool shows_something = true;        ///< false: nothing is above zero, and the photo is drawn pale
};

/// As `request` has colours, weights and percentile. Throws Error invalid_argument as full_scale.
FOVEA_API Coloured coloured(const Request& request, const Explanation& why,
                            Rendering rendering = Rendering::automatic);

/// The attribution with its channels in front of its positions.
FOVEA_API Tensor channels_first(const Explanation& why);

/// The photo under the map, `view` of it in colours and within a frame: the picture that the
/// program writes at the photo's own size.
FOVEA_API Image drawn_over(Image photo, const Coloured& map, const View& view);

}  // namespace fovea
