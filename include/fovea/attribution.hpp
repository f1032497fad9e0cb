#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "fovea/method_info.hpp"

namespace fovea {

// Relevance, Shapley values and perturbation: a type per method, as in method.hpp.

/// Which layers follow which rule: combinations as zennit names them.
enum class LrpComposite {
  epsilon_plus,
  epsilon_plus_flat,
  epsilon_alpha2_beta1,
  epsilon_alpha2_beta1_flat,
  epsilon_gamma_box,
  excitation_backprop,
  epsilon,  ///< the epsilon rule everywhere
};

/// Bach et al. 2015.
struct Lrp {
  LrpComposite composite = LrpComposite::epsilon_plus_flat;
  double epsilon = 1e-6;  ///< of the epsilon rule
  double gamma = 0.25;    ///< of the gamma rule
  double low = -3;  ///< the least and the most that an input's value can be, of the z-box rule
  double high = 3;
  std::map<std::string, std::string> rules = {};  ///< by layer or node
  operator Method() const {
    return {"lrp",
            {{"composite", static_cast<double>(composite)},
             {"epsilon", epsilon},
             {"gamma", gamma},
             {"low", low},
             {"high", high}},
            {},
            rules};
  }
};

/// Shrikumar et al. 2017, rescale rule.
struct DeepLift {
  double baseline = 0;  ///< every value of the reference, as the network sees it
  operator Method() const { return {"deeplift", {{"baseline", baseline}}}; }
};

/// Lundberg and Lee 2017, section 4.2: DeepLIFT against each image of a background set.
struct DeepShap {
  Tensor background;  ///< [images, the input's extents]
  operator Method() const { return {"deep-shap", {}, {{"background", background}}}; }
};

/// Lundberg and Lee 2017 by expected gradients (Erion et al. 2021, eq. 3).
struct GradientShap {
  Tensor background;          ///< [images, the input's extents]
  std::int64_t samples = 50;  ///< points between the image and images of the background
  double noise = 0;           ///< deviation of the noise added to the image
  std::int64_t seed = 0;      ///< of the points and the noise
  operator Method() const {
    return {"gradient-shap",
            {{"samples", static_cast<double>(samples)},
             {"noise", noise},
             {"seed", static_cast<double>(seed)}},
            {{"background", background}}};
  }
};

/// Zeiler and Fergus 2014, section 4.2.
struct Occlusion {
  /// Rows and columns that are hidden at once; 0: a seventh of the input's shorter side.
  std::int64_t window = 0;
  std::int64_t stride = 0;  ///< from one window to the next; 0: half of the window
  double baseline = 0;      ///< what hides them, as the network sees it
  double blur = 0;          ///< where above 0: the image blurred by this deviation hides them
  operator Method() const {
    return {"occlusion",
            {{"window", static_cast<double>(window)},
             {"stride", static_cast<double>(stride)},
             {"baseline", baseline},
             {"blur", blur}}};
  }
};

/// Petsiuk et al. 2018, eq. 6.
struct Rise {
  std::int64_t masks = 4000;
  std::int64_t cells = 7;    ///< of a mask, a side
  double probability = 0.5;  ///< that a cell is seen
  std::int64_t seed = 0;     ///< of the masks
  operator Method() const {
    return {"rise",
            {{"masks", static_cast<double>(masks)},
             {"cells", static_cast<double>(cells)},
             {"probability", probability},
             {"seed", static_cast<double>(seed)}}};
  }
};

/// Ribeiro et al. 2016, eq. 1 and algorithm 1, on the cells of a grid.
struct Lime {
  std::int64_t cells = 7;       ///< a side
  std::int64_t samples = 1000;  ///< pictures with cells hidden
  double kernel = 0.25;         ///< width of the similarity kernel
  double ridge = 1;             ///< of the regression
  double baseline = 0;          ///< what hides a cell, as the network sees it
  std::int64_t seed = 0;        ///< of the samples
  operator Method() const {
    return {"lime",
            {{"cells", static_cast<double>(cells)},
             {"samples", static_cast<double>(samples)},
             {"kernel", kernel},
             {"ridge", ridge},
             {"baseline", baseline},
             {"seed", static_cast<double>(seed)}}};
  }
};

/// Lundberg and Lee 2017, theorem 2, on the cells of a grid.
struct KernelShap {
  std::int64_t cells = 7;       ///< a side
  std::int64_t samples = 1000;  ///< pictures with cells hidden
  double baseline = 0;          ///< what hides a cell, as the network sees it
  std::int64_t seed = 0;        ///< of the samples
  operator Method() const {
    return {"kernel-shap",
            {{"cells", static_cast<double>(cells)},
             {"samples", static_cast<double>(samples)},
             {"baseline", baseline},
             {"seed", static_cast<double>(seed)}}};
  }
};

/// OpenVINO XAI's Adaptive Input Sampling for Explanation: where a Gaussian window preserves the
/// score and where hiding it loses it, searched by DIRECT (Jones et al. 1993).
struct Aise {
  std::int64_t widths = 3;  ///< kernel widths, from `narrowest` to `widest`
  double narrowest = 0.1;   ///< in shares of the picture
  double widest = 0.25;
  std::int64_t evaluations = 50;  ///< of each width, two forwards each
  operator Method() const {
    return {"aise",
            {{"widths", static_cast<double>(widths)},
             {"narrowest", narrowest},
             {"widest", widest},
             {"evaluations", static_cast<double>(evaluations)}}};
  }
};

}  // namespace fovea
