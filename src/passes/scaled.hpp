#pragma once

#include <cstddef>
#include <vector>

#include "graph/constant.hpp"

namespace fovea::passes {

/// Which output channel element i of a weight makes.
struct ChannelOf {
  std::size_t inner = 1;  ///< elements per step of the channel
  std::size_t count = 1;  ///< channels in a run
  std::size_t block = 1;  ///< elements per group of input channels (ConvTranspose)
  std::size_t operator()(std::size_t i) const { return i / inner % count + i / block * count; }
};

/// `source` with every element multiplied by its channel's factor, in f64, whenever it is read: the
/// product is nowhere kept beside the form that a plan packs.
graph::Constant scaled(const graph::Constant& source, const ChannelOf& channel,
                       std::vector<double> factor);

}  // namespace fovea::passes
