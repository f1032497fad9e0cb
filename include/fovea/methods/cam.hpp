#pragma once

#include <cstdint>

#include "fovea/methods/noisy.hpp"

namespace fovea {

// Maps of a layer: weighed sums of its channels.

/// Zhou et al. 2016, eq. 2. Refused where the head is not pool + linear.
struct Cam {
  static constexpr const char* name = "cam";
};

/// Selvaraju et al. 2017, eq. 1 and 2.
struct GradCam {
  static constexpr const char* name = "gradcam";
};

/// Chattopadhay et al. 2018.
struct GradCamPlusPlus {
  static constexpr const char* name = "gradcam++";
};

/// Omeiza et al. 2019.
struct SmoothGradCamPlusPlus {
  std::int64_t samples = 4;
  double deviation = 0.3;
  std::int64_t seed = 0;
  double noise = 0.15;  ///< where `deviation` is 0
  Tensor given_noise = {};

  static constexpr const char* name = "smooth-gradcam++";
  static auto fields(auto row) { return fields::noisy<SmoothGradCamPlusPlus>(row); }
};

/// Jiang et al. 2021, eq. 6 to 8.
struct LayerCam {
  static constexpr const char* name = "layercam";
};

/// Fu et al. 2020, eq. 8.
struct XGradCam {
  static constexpr const char* name = "xgradcam";
};

/// Draelos and Carin 2020, eq. 3.
struct HiResCam {
  static constexpr const char* name = "hirescam";
};

/// sum_k ReLU(gradient times activation).
struct GradCamElementwise {
  static constexpr const char* name = "gradcam-elementwise";
};

/// Muhammad and Yeasin 2020, eq. 3 and 4.
struct EigenCam {
  static constexpr const char* name = "eigencam";
};

/// EigenCAM of the gradient times the activation.
struct EigenGradCam {
  static constexpr const char* name = "eigengradcam";
};

/// Karmani et al. 2024.
struct KpcaCam {
  double gamma = 0;

  static constexpr const char* name = "kpca-cam";
  static auto fields(auto row) {
    return row(
        fields::option(&KpcaCam::gamma, "gamma", 0, 1000, "the kernel's factor; 0: 1 / channels"));
  }
};

/// Fuad et al. 2020, section III.
struct Fem {
  double k = 2;

  static constexpr const char* name = "fem";
  static auto fields(auto row) {
    return row(fields::option(&Fem::k, "k", 0, 10,
                              "standard deviations above the mean that count as strong"));
  }
};

/// Zhang et al. 2025, eq. 5 to 7.
struct FinerCam {
  double alpha = 1;
  std::int64_t comparisons = 3;

  static constexpr const char* name = "finercam";
  static auto fields(auto row) {
    return row(fields::option(&FinerCam::alpha, "alpha", 0, 10, "how much the other classes count"),
               fields::option(&FinerCam::comparisons, "comparisons", 1, 1000,
                              "how many classes to compare with"));
  }
};

/// Cai 2025, eq. 12.
struct ShapleyCam {
  double step = 1e-3;

  static constexpr const char* name = "shapleycam";
  static auto fields(auto row) {
    return row(fields::option(&ShapleyCam::step, "step", 1e-6, 0.5,
                              "of the difference, as a share of the map"));
  }
};

/// Byun and Lee 2022, eq. 3 and 4.
struct ReciproCam {
  static constexpr const char* name = "reciprocam";
};

/// Desai and Ramaswamy 2020, eq. 2 and 3.
struct AblationCam {
  static constexpr const char* name = "ablationcam";
};

/// Wang et al. 2020, algorithm 1.
struct ScoreCam {
  std::int64_t channels = 0;

  static constexpr const char* name = "scorecam";
  static auto fields(auto row) {
    return row(fields::option(&ScoreCam::channels, "channels", 0, 1e6,
                              "only so many channels, those that vary most; 0: all"));
  }
};

/// Wang et al. 2020, SS-CAM, eq. 5.
struct SsCam {
  std::int64_t channels = 0;
  std::int64_t seed = 0;
  std::int64_t samples = 35;
  double deviation = 2;
  Tensor given_noise = {};

  static constexpr const char* name = "ss-cam";
  static auto fields(auto row) {
    return row(
        fields::option(&SsCam::channels, "channels", 0, 1e6,
                       "only so many channels, those that vary most; 0: all"),
        fields::seed<SsCam>(),
        fields::count(&SsCam::samples, "samples", 10000, "noisy masks per channel", "noise"),
        fields::option(&SsCam::deviation, "deviation", 0, 100, "of the noise, on masks in 0..1"),
        fields::tensor(&SsCam::given_noise, "noise", "[samples, images, channels, input extents]",
                       "what is added to each channel's mask"));
  }
};

/// Naidu et al. 2020, eq. 4 and 5.
struct IsCam {
  std::int64_t channels = 0;
  std::int64_t samples = 10;

  static constexpr const char* name = "is-cam";
  static auto fields(auto row) {
    return row(fields::option(&IsCam::channels, "channels", 0, 1e6,
                              "only so many channels, those that vary most; 0: all"),
               fields::option(&IsCam::samples, "samples", 1, 10000, "steps of the integral"));
  }
};

/// The mean over channels; no class plays a part.
struct ActivationMap {
  static constexpr const char* name = "activationmap";
};

/// Channels weighed at random: a baseline.
struct RandomCam {
  std::int64_t seed = 0;
  Tensor given_weights = {};

  static constexpr const char* name = "random-cam";
  static auto fields(auto row) {
    return row(fields::seed<RandomCam>(),
               fields::tensor(&RandomCam::given_weights, "weights", "[images, channels]",
                              "the channels' weights"));
  }
};

}  // namespace fovea
