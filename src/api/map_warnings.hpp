#pragma once

#include <string>
#include <vector>

#include "api/explainer_impl.hpp"
#include "fovea/explanation.hpp"

/// What a map's reader has to be told.
namespace fovea::api {

/// How an explanation came about.
struct Explained {
  const Explainer::Impl& explainer;
  const MethodInfo& method;
  const std::vector<const explain::Layer*>& layers;
  std::int64_t class_index = -1;  ///< of scores at positions, the element; else -1
  bool clipped = false;           ///< the method's last step left out values below 0
  bool reads_gradient = false;    ///< at the layer
};

/// Adds to the explanation's warnings: a map that shows nothing, with what could be tried in its
/// place, that holds what is no number, or has little of the score that its method shares out.
/// Of a layer of another input than the image: which. Of a target that sees one position of the
/// layer: that its map says nothing.
void warn_of_map(Explanation& out, const Explained& how);

}  // namespace fovea::api
