#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "fovea/methods/fields.hpp"

namespace fovea {

// Relevance, and differences to a reference.

/// Which layers follow which rule: combinations as zennit names them.
enum class LrpComposite {
  epsilon_plus,
  epsilon_plus_flat,
  epsilon_alpha2_beta1,
  epsilon_alpha2_beta1_flat,
  epsilon_gamma_box,
  excitation_backprop,
  epsilon,  ///< the epsilon rule everywhere
  /// epsilon_plus_flat whose convolutions take their biases for zero, as zennit's ZPlus does under
  /// zero_params='bias': else those above 0 may take nearly all of the relevance.
  epsilon_plus_flat_zero_bias,
};

namespace fields {

template <class M>
constexpr TensorField<M> background() {
  return {&M::background, "background", "[images, the input's extents without the images]",
          "what the image is compared with, as the network sees it", true};
}

}  // namespace fields

/// Bach et al. 2015.
struct Lrp {
  LrpComposite composite = LrpComposite::epsilon_plus_flat_zero_bias;
  double epsilon = 1e-6;
  double gamma = 0.25;
  double low = -3;
  double high = 3;
  std::map<std::string, std::string> rules = {};  ///< by layer or node, of `kRules`

  /// In the order of LrpComposite.
  static constexpr std::array kComposites = {"epsilon-plus",
                                             "epsilon-plus-flat",
                                             "epsilon-alpha2-beta1",
                                             "epsilon-alpha2-beta1-flat",
                                             "epsilon-gamma-box",
                                             "excitation-backprop",
                                             "epsilon",
                                             "epsilon-plus-flat-zero-bias"};
  static constexpr std::array kRules = {"epsilon", "z-plus",       "z-plus-zero-bias",
                                        "gamma",   "alpha2-beta1", "alpha1-beta0",
                                        "flat",    "w-square",     "z-box"};
  static constexpr const char* name = "lrp";
  static auto fields(auto row) {
    return row(
        fields::choice(&Lrp::composite, "composite", kComposites, "which layers follow which rule"),
        fields::option(&Lrp::epsilon, "epsilon", 1e-12, 1e6, "stabilizer of the epsilon rule"),
        fields::option(&Lrp::gamma, "gamma", 0, 1e6,
                       "how much the gamma rule prefers what speaks for a result"),
        fields::option(&Lrp::low, "low", -1e6, 0,
                       "the least that an input's value can be, of the z-box rule"),
        fields::option(&Lrp::high, "high", 0, 1e6, "the most that it can be"),
        RulesField<Lrp>{&Lrp::rules, kRules});
  }
};

/// Shrikumar et al. 2017, rescale rule.
struct DeepLift {
  double baseline = 0;
  Tensor given_baseline = {};

  static constexpr const char* name = "deeplift";
  static auto fields(auto row) {
    return row(fields::option(&DeepLift::baseline, "baseline", -1e30, 1e30,
                              "every value of the baseline, as the network sees it"),
               fields::tensor(&DeepLift::given_baseline, "baseline",
                              "[the input's extents without the images]",
                              "the image without evidence, as the network sees it"));
  }
};

/// Lundberg and Lee 2017, section 4.2: DeepLIFT against each image of a background set.
struct DeepShap {
  Tensor background = {};

  static constexpr const char* name = "deep-shap";
  static auto fields(auto row) { return row(fields::background<DeepShap>()); }
};

/// Lundberg and Lee 2017 by expected gradients (Erion et al. 2021, eq. 3).
struct GradientShap {
  Tensor background = {};
  std::int64_t samples = 50;
  double noise = 0;
  std::int64_t seed = 0;
  Tensor given_points = {};
  Tensor given_picks = {};
  Tensor given_noise = {};

  static constexpr const char* name = "gradient-shap";
  static auto fields(auto row) {
    return row(
        fields::count(&GradientShap::samples, "samples", 100000,
                      "points between the image and images of the background", "points", "picks"),
        fields::option(&GradientShap::noise, "noise", 0, 1e6,
                       "deviation of the noise added to the image, in the input's units"),
        fields::seed<GradientShap>(), fields::background<GradientShap>(),
        fields::tensor(&GradientShap::given_points, "points", "[samples, batch]",
                       "where between the two, 0 to 1"),
        fields::tensor(&GradientShap::given_picks, "picks", "[samples, batch]",
                       "which image of the background, from 0"),
        fields::tensor(&GradientShap::given_noise, "noise", "[samples, the input's extents]",
                       "what is added to the images, as it is"));
  }
};

}  // namespace fovea
