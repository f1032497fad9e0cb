#pragma once

#include "fovea/methods/fields.hpp"

namespace fovea::fields {

/// The table of a method that averages over noisy inputs.
template <class M>
auto noisy(auto row) {
  auto deviation = option(&M::deviation, "deviation", 0, 1e6,
                          "the noise's deviation in the input's units; 0, or where only `noise` is "
                          "given: as that says");
  deviation.gives_way_to = "noise";
  return row(count(&M::samples, "samples", 100000, "noisy inputs", "noise"),
             option(&M::noise, "noise", 0, 10,
                    "the noise's deviation as a share of the range of the image's values"),
             deviation, seed<M>(),
             tensor(&M::given_noise, "noise", "[samples, the input's extents]",
                    "what is added to the images, as it is"));
}

}  // namespace fovea::fields
