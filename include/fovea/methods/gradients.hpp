#pragma once

#include <array>
#include <cstdint>

#include "fovea/methods/noisy.hpp"

namespace fovea {

// Gradients at the input's pixels.

/// Srinivas and Fleuret 2019, eq. 8.
struct FullGrad {
  static constexpr const char* name = "fullgrad";
};

/// Simonyan et al. 2014, section 3.1.
struct Saliency {
  static constexpr const char* name = "saliency";
};

/// Shrikumar et al. 2016, section 3.
struct GradientXInput {
  static constexpr const char* name = "gradient-x-input";
};

/// Smilkov et al. 2017, section 3.
struct SmoothGrad {
  std::int64_t samples = 20;
  double noise = 0.15;
  std::int64_t seed = 0;
  double deviation = 0;  ///< 0: as `noise` says
  Tensor given_noise = {};

  static constexpr const char* name = "smoothgrad";
  static auto fields(auto row) { return fields::noisy<SmoothGrad>(row); }
};

/// Hooker et al. 2019, section 4.1.
struct SmoothGradSquared {
  std::int64_t samples = 20;
  double noise = 0.15;
  std::int64_t seed = 0;
  double deviation = 0;  ///< 0: as `noise` says
  Tensor given_noise = {};

  static constexpr const char* name = "smoothgrad-squared";
  static auto fields(auto row) { return fields::noisy<SmoothGradSquared>(row); }
};

/// Adebayo et al. 2018, eq. 3.
struct VarGrad {
  std::int64_t samples = 20;
  double noise = 0.15;
  std::int64_t seed = 0;
  double deviation = 0;  ///< 0: as `noise` says
  Tensor given_noise = {};

  static constexpr const char* name = "vargrad";
  static auto fields(auto row) { return fields::noisy<VarGrad>(row); }
};

/// Sundararajan et al. 2017, eq. 1 and 3.
struct IntegratedGradients {
  std::int64_t steps = 50;
  double baseline = 0;
  std::int64_t rule = 0;  ///< of `kRules`
  Tensor given_baseline = {};

  static constexpr std::array kRules = {"gauss-legendre", "right", "trapezoidal"};
  static constexpr const char* name = "integrated-gradients";
  static auto fields(auto row) {
    return row(
        fields::option(&IntegratedGradients::steps, "steps", 1, 100000, "points of the integral"),
        fields::option(&IntegratedGradients::baseline, "baseline", -1e30, 1e30,
                       "every value of the baseline, as the network sees it"),
        fields::choice(&IntegratedGradients::rule, "rule", kRules, "where the points lie"),
        fields::tensor(&IntegratedGradients::given_baseline, "baseline",
                       "[the input's extents without the images]",
                       "the image without evidence, as the network sees it"));
  }
};

/// Springenberg et al. 2015, section 3.4.
struct GuidedBackprop {
  static constexpr const char* name = "guided-backprop";
};

/// Zeiler and Fergus 2014, section 2.1.
struct Deconvolution {
  static constexpr const char* name = "deconvolution";
};

/// Selvaraju et al. 2017, section 3.2.
struct GuidedGradCam {
  static constexpr const char* name = "guided-gradcam";
};

}  // namespace fovea
