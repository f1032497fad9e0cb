#pragma once

#include <cstdint>

#include "fovea/methods/fields.hpp"

namespace fovea {

// What the scores become when parts of the image are hidden.

namespace fields {

/// What hides: a value, or an image.
template <class M>
constexpr auto hiding_value() {
  return option(&M::baseline, "baseline", -1e30, 1e30,
                "what hides a position, as the network sees it");
}
template <class M>
constexpr auto hiding_image() {
  return tensor(&M::given_baseline, "baseline", "[the input's extents without the images]",
                "what hides each position, as the network sees it");
}

/// A grid of cells, of which some are hidden.
template <class M>
constexpr auto cells() {
  return option(&M::cells, "cells", 1, 4096, "of the grid, a side");
}
template <class M>
constexpr auto coalitions() {
  return count(&M::samples, "samples", 1e7, "pictures with cells hidden", "masks");
}
template <class M>
constexpr auto given_coalitions() {
  return tensor(&M::given_masks, "masks", "[samples, cells of the grid]",
                "1: the cell is shown, 0: it is hidden");
}

}  // namespace fields

/// Zeiler and Fergus 2014, section 4.2.
struct Occlusion {
  std::int64_t window = 0;
  std::int64_t stride = 0;
  double baseline = 0;
  double blur = 0;
  bool incremental = true;
  Tensor given_baseline = {};

  static constexpr const char* name = "occlusion";
  static auto fields(auto row) {
    return row(
        fields::option(
            &Occlusion::window, "window", 0, 1e6,
            "rows and columns that are hidden at once; 0: a seventh of the input's shorter side"),
        fields::option(&Occlusion::stride, "stride", 0, 1e6,
                       "from one window to the next; 0: half of the window"),
        fields::hiding_value<Occlusion>(),
        fields::option(&Occlusion::blur, "blur", 0, 1000,
                       "deviation, in pixels: the blurred image hides; 0: the baseline does"),
        fields::flag(&Occlusion::incremental, "incremental",
                     "1: compute only what a window changes, where that is less work; 0: the whole "
                     "network for each"),
        fields::hiding_image<Occlusion>());
  }
};

/// Petsiuk et al. 2018, eq. 6.
struct Rise {
  std::int64_t masks = 4000;
  std::int64_t cells = 7;
  double probability = 0.5;
  std::int64_t seed = 0;
  Tensor given_masks = {};

  static constexpr const char* name = "rise";
  static auto fields(auto row) {
    return row(fields::count(&Rise::masks, "masks", 1e7, "that are tried", "masks"),
               fields::option(&Rise::cells, "cells", 1, 1000, "of a mask, a side"),
               fields::option(&Rise::probability, "probability", 1e-6, 1, "that a cell is seen"),
               fields::seed<Rise>(),
               fields::tensor(&Rise::given_masks, "masks", "[masks, the input's rows and columns]",
                              "what each position is multiplied by"));
  }
};

/// Ribeiro et al. 2016, eq. 1 and algorithm 1, on the cells of a grid.
struct Lime {
  std::int64_t cells = 7;
  std::int64_t samples = 1000;
  double kernel = 0.25;
  double ridge = 1;
  double baseline = 0;
  std::int64_t seed = 0;
  Tensor given_masks = {};
  Tensor given_baseline = {};

  static constexpr const char* name = "lime";
  static auto fields(auto row) {
    return row(fields::cells<Lime>(), fields::coalitions<Lime>(),
               fields::option(&Lime::kernel, "kernel", 1e-3, 1e6, "width of the similarity kernel"),
               fields::option(&Lime::ridge, "ridge", 0, 1e12, "of the regression"),
               fields::hiding_value<Lime>(), fields::seed<Lime>(), fields::given_coalitions<Lime>(),
               fields::hiding_image<Lime>());
  }
};

/// Lundberg and Lee 2017, theorem 2, on the cells of a grid.
struct KernelShap {
  std::int64_t cells = 7;
  std::int64_t samples = 1000;
  double baseline = 0;
  std::int64_t seed = 0;
  Tensor given_masks = {};
  Tensor given_baseline = {};

  static constexpr const char* name = "kernel-shap";
  static auto fields(auto row) {
    return row(fields::cells<KernelShap>(), fields::coalitions<KernelShap>(),
               fields::hiding_value<KernelShap>(), fields::seed<KernelShap>(),
               fields::given_coalitions<KernelShap>(), fields::hiding_image<KernelShap>());
  }
};

/// Greydanus et al. 2018, eq. 1 to 3: how much all numbers of the target's value change where the
/// image is blurred under a soft disc.
struct Greydanus {
  double radius = 5;
  std::int64_t step = 5;
  double sigma = 3;

  static constexpr const char* name = "greydanus";
  static auto fields(auto row) {
    return row(fields::option(&Greydanus::radius, "radius", 0.1, 1000,
                              "deviation, in pixels, of the disc under which the image is blurred"),
               fields::option(&Greydanus::step, "step", 1, 1e6, "pixels from one disc to the next"),
               fields::option(&Greydanus::sigma, "sigma", 0.1, 1000,
                              "deviation, in pixels, of what blurs the image"));
  }
};

/// OpenVINO XAI's Adaptive Input Sampling for Explanation: where a Gaussian window preserves the
/// score and where hiding it loses it, searched by DIRECT (Jones et al. 1993).
struct Aise {
  std::int64_t widths = 3;
  double narrowest = 0.1;
  double widest = 0.25;
  std::int64_t evaluations = 50;

  static constexpr const char* name = "aise";
  static auto fields(auto row) {
    return row(
        fields::option(&Aise::widths, "widths", 1, 100,
                       "of the Gaussian windows, from `narrowest` to `widest`"),
        fields::option(&Aise::narrowest, "narrowest", 1e-3, 10,
                       "deviation, in shares of the picture"),
        fields::option(&Aise::widest, "widest", 1e-3, 10, "deviation, in shares of the picture"),
        fields::option(&Aise::evaluations, "evaluations", 1, 10000,
                       "of each width, two forwards each"));
  }
};

}  // namespace fovea
