#pragma once

#include "explain_arguments.hpp"
#include "json_output.hpp"
#include "outputs.hpp"
#include "results.hpp"
#include "session.hpp"

/// --spectrogram: maps of sound over time and frequency, with axes.
namespace fovea::cli {

/// A picture for each map, named as overlays are. Of a spectrogram that is the input, over it; of a
/// waveform, whose layers have time and frequency of their own, or time alone, the map in colours,
/// or under the waveform. Time runs to the right, frequencies rise. Throws Error invalid_argument
/// where there is no such picture. Warnings are the session's: where the task does not say what
/// the axes measure.
void add_spectrograms(Session& session, const Results& results, const ExplainOutputs& names,
                      const Json& provenance, OutputFiles& files);

}  // namespace fovea::cli
