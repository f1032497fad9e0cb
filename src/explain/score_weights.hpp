#pragma once

#include <functional>
#include <vector>

#include "explain/method.hpp"

/// What Score-CAM and its relatives share: channels of the layer become masks over the input, and
/// the scores of the masked inputs weigh the channels.
namespace fovea::explain {

/// Masks of one channel, as they come out of the layer; calls `score` with each mask that is to be
/// tried, and returns the channel's (mean) score.
using ChannelScorer = std::function<std::vector<double>(
    std::int64_t channel, const std::vector<std::vector<float>>& masks,
    const std::function<std::vector<double>(const std::vector<std::vector<float>>&)>& score)>;

/// L = ReLU(sum_k softmax_k(score of channel k) A^k). Channels are tried one after the other: the
/// masks of all of them never exist at once. Where `most` is not 0, those that vary most only.
std::vector<Evidence> score_weighted(Context& context, std::int64_t most,
                                     const ChannelScorer& scorer);

/// What that allocates, with the masks that a trial changes.
base::Size score_weighted_bytes(const Context& context);

}  // namespace fovea::explain
