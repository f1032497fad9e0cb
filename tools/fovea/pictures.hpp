#pragma once

#include <cstdint>
#include <optional>

#include "fovea/explanation.hpp"
#include "session.hpp"

/// Explanations as maps and pictures at the extents that a person looks at.
namespace fovea::cli {

/// The map in the photo's own pixels, or at the input's extents where a tensor was given.
Tensor final_map(const Session& session, const Explanation& why, Normalize how);

/// What a map is drawn over: the photo, or the given tensor stretched to 0..255. Throws Error
/// invalid_argument where there is no such picture (a volume, a signal).
Image backdrop(const Session& session, const Tensor& map, std::int64_t image);

/// Index of the map's first maximum, an entry per extent; none for a map that is zero everywhere.
std::optional<Shape> max_at(const Tensor& map);

/// Appends a map to others of its shape, as [n, map extents].
void stack(Tensor& maps, const Tensor& map);

/// n = images * targets maps as [images, targets, map extents], without the extents that are 1.
Tensor unstacked(Tensor maps, std::int64_t images, std::int64_t targets);

}  // namespace fovea::cli
