#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fovea/export.hpp"
#include "fovea/image.hpp"
#include "fovea/task.hpp"
#include "fovea/tensor.hpp"

/// Axes of a picture: a spectrogram's time and frequency.
namespace fovea {

struct AxisTick {
  double at = 0;  ///< 0 where the axis begins (at the left, below), 1 where it ends
  std::string text = {};
};

struct PictureAxis {
  std::string name = {};  ///< "time (s)"
  std::vector<AxisTick> ticks = {};
};

/// The picture between an axis below it and one at its left (of one without ticks the name alone),
/// in black on white. What would run into its neighbour is left out. `text_size`: pixels of the
/// em, 0: as the picture is wide. Throws Error invalid_argument as `captioned`, and for ticks
/// outside of their axis. May be called from several threads. Cost: a copy of the picture.
FOVEA_API Drawing with_axes(const Image& picture, const PictureAxis& across, const PictureAxis& up,
                            int text_size = 0);

/// A map [rows, columns] over bins and frames as pictures have it: time to the right, the first bin
/// below. `time_first`: its rows are the frames. Throws Error invalid_argument for another rank.
FOVEA_API Tensor upright(const Tensor& map, bool time_first);

/// Of a spectrogram of so many frames, each as wide as the others: seconds where `audio` has the
/// rate and the hop, else the frames' numbers.
FOVEA_API PictureAxis time_axis(const AudioAxes& audio, std::int64_t frames);

/// Of a waveform of so many samples: seconds where `audio` has the rate, else the samples' numbers.
FOVEA_API PictureAxis sample_axis(const AudioAxes& audio, std::int64_t samples);

/// Of so many bins, the lowest below: hertz, or the bins' numbers. Throws Error invalid_argument
/// where `audio` does not say between which frequencies they lie.
FOVEA_API PictureAxis frequency_axis(const AudioAxes& audio, std::int64_t bins);

}  // namespace fovea
