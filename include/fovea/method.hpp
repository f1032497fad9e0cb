#pragma once

#include <cstdint>

#include "fovea/method_info.hpp"

namespace fovea {

// A type per method, so that a misspelt name or option does not compile. What each computes, its
// paper and its cost: `methods()`, docs/methods.md and the head of its file in src/explain.

/// Zhou et al. 2016, eq. 2. Refused where the head is not pool + linear.
struct Cam {
  operator Method() const { return {"cam"}; }
};

/// Selvaraju et al. 2017, eq. 1 and 2.
struct GradCam {
  operator Method() const { return {"gradcam"}; }
};

/// Chattopadhay et al. 2018.
struct GradCamPlusPlus {
  operator Method() const { return {"gradcam++"}; }
};

/// Omeiza et al. 2019.
struct SmoothGradCamPlusPlus {
  std::int64_t samples = 4;  ///< noisy inputs
  double deviation = 0.3;    ///< of the noise, in the input's units
  std::int64_t seed = 0;     ///< of the noise
  operator Method() const {
    return {"smooth-gradcam++",
            {{"samples", static_cast<double>(samples)},
             {"deviation", deviation},
             {"seed", static_cast<double>(seed)}}};
  }
};

/// Fu et al. 2020, eq. 8.
struct XGradCam {
  operator Method() const { return {"xgradcam"}; }
};

/// Jiang et al. 2021, eq. 6 to 8.
struct LayerCam {
  operator Method() const { return {"layercam"}; }
};

/// Draelos and Carin 2020, eq. 3.
struct HiResCam {
  operator Method() const { return {"hirescam"}; }
};

/// sum_k ReLU(gradient times activation).
struct GradCamElementwise {
  operator Method() const { return {"gradcam-elementwise"}; }
};

/// Muhammad and Yeasin 2020, eq. 3 and 4.
struct EigenCam {
  operator Method() const { return {"eigencam"}; }
};

/// EigenCAM of the gradient times the activation.
struct EigenGradCam {
  operator Method() const { return {"eigengradcam"}; }
};

/// Karmani et al. 2024.
struct KpcaCam {
  double gamma = 0;  ///< the kernel's factor; 0: 1 / channels
  operator Method() const { return {"kpca-cam", {{"gamma", gamma}}}; }
};

/// Fuad et al. 2020, section III.
struct Fem {
  double k = 2;  ///< standard deviations above the mean
  operator Method() const { return {"fem", {{"k", k}}}; }
};

/// Zhang et al. 2025, eq. 5 to 7.
struct FinerCam {
  double alpha = 1;              ///< how much the other classes count
  std::int64_t comparisons = 3;  ///< how many classes to compare with
  operator Method() const {
    return {"finercam", {{"alpha", alpha}, {"comparisons", static_cast<double>(comparisons)}}};
  }
};

/// Cai 2025, eq. 12.
struct ShapleyCam {
  double step = 1e-3;  ///< of the difference, as a share of the map
  operator Method() const { return {"shapleycam", {{"step", step}}}; }
};

/// Byun and Lee 2022, eq. 3 and 4.
struct ReciproCam {
  operator Method() const { return {"reciprocam"}; }
};

/// Desai and Ramaswamy 2020, eq. 2 and 3.
struct AblationCam {
  operator Method() const { return {"ablationcam"}; }
};

/// Wang et al. 2020, algorithm 1.
struct ScoreCam {
  std::int64_t channels = 0;  ///< only so many, those that vary most; 0: all
  operator Method() const { return {"scorecam", {{"channels", static_cast<double>(channels)}}}; }
};

/// Wang et al. 2020, SS-CAM, eq. 5.
struct SsCam {
  std::int64_t channels = 0;  ///< as Score-CAM's
  std::int64_t seed = 0;      ///< of the noise
  std::int64_t samples = 35;  ///< noisy masks per channel
  double deviation = 2;       ///< of the noise
  operator Method() const {
    return {"ss-cam",
            {{"channels", static_cast<double>(channels)},
             {"seed", static_cast<double>(seed)},
             {"samples", static_cast<double>(samples)},
             {"deviation", deviation}}};
  }
};

/// Naidu et al. 2020, eq. 4 and 5.
struct IsCam {
  std::int64_t channels = 0;  ///< as Score-CAM's
  std::int64_t samples = 10;  ///< steps of the integral
  operator Method() const {
    return {
        "is-cam",
        {{"channels", static_cast<double>(channels)}, {"samples", static_cast<double>(samples)}}};
  }
};

/// The mean over channels; no class plays a part.
struct ActivationMap {
  operator Method() const { return {"activationmap"}; }
};

/// Channels weighed at random: a baseline.
struct RandomCam {
  std::int64_t seed = 0;  ///< of the weights
  operator Method() const { return {"random-cam", {{"seed", static_cast<double>(seed)}}}; }
};

/// Srinivas and Fleuret 2019, eq. 8.
struct FullGrad {
  operator Method() const { return {"fullgrad"}; }
};

/// Simonyan et al. 2014, section 3.1.
struct Saliency {
  operator Method() const { return {"saliency"}; }
};

/// Shrikumar et al. 2016, section 3.
struct GradientXInput {
  operator Method() const { return {"gradient-x-input"}; }
};

/// Smilkov et al. 2017, section 3.
struct SmoothGrad {
  std::int64_t samples = 20;  ///< noisy inputs
  double noise = 0.15;        ///< its deviation as a share of the values' range
  std::int64_t seed = 0;      ///< of the noise
  operator Method() const {
    return {"smoothgrad",
            {{"samples", static_cast<double>(samples)},
             {"noise", noise},
             {"seed", static_cast<double>(seed)}}};
  }
};

/// Hooker et al. 2019, section 4.1.
struct SmoothGradSquared {
  std::int64_t samples = 20;  ///< noisy inputs
  double noise = 0.15;        ///< its deviation as a share of the values' range
  std::int64_t seed = 0;      ///< of the noise
  operator Method() const {
    return {"smoothgrad-squared",
            {{"samples", static_cast<double>(samples)},
             {"noise", noise},
             {"seed", static_cast<double>(seed)}}};
  }
};

/// Adebayo et al. 2018, eq. 3.
struct VarGrad {
  std::int64_t samples = 20;  ///< noisy inputs
  double noise = 0.15;        ///< its deviation as a share of the values' range
  std::int64_t seed = 0;      ///< of the noise
  operator Method() const {
    return {"vargrad",
            {{"samples", static_cast<double>(samples)},
             {"noise", noise},
             {"seed", static_cast<double>(seed)}}};
  }
};

/// Sundararajan et al. 2017, eq. 1 and 3.
struct IntegratedGradients {
  std::int64_t steps = 50;  ///< points of the integral
  double baseline = 0;      ///< every value of the baseline, as the network sees it
  std::int64_t rule = 0;    ///< 0: Gauss-Legendre, 1: right end points, 2: trapezoidal
  operator Method() const {
    return {"integrated-gradients",
            {{"steps", static_cast<double>(steps)},
             {"baseline", baseline},
             {"rule", static_cast<double>(rule)}}};
  }
};

/// Springenberg et al. 2015, section 3.4.
struct GuidedBackprop {
  operator Method() const { return {"guided-backprop"}; }
};

/// Zeiler and Fergus 2014, section 2.1.
struct Deconvolution {
  operator Method() const { return {"deconvolution"}; }
};

/// Selvaraju et al. 2017, section 3.2.
struct GuidedGradCam {
  operator Method() const { return {"guided-gradcam"}; }
};

}  // namespace fovea
