#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "graph/graph.hpp"

/// Where the values of a graph keep the images of a batch.
namespace fovea::graph::detail {

/// Nowhere (what depends on no image, or on none in particular), along one axis, where the
/// operators do not tell, in elements of some images or in another order (picked), or in elements
/// that depend on several images. Along an axis the image at
/// place p is p / inner modulo their number: images may be merged with windows, heads or frames.
struct Along {
  enum class Kind { nowhere, axis, unknown, picked, mixed } kind = Kind::nowhere;
  std::size_t axis = 0;
  std::int64_t inner = 1;

  bool any() const { return kind != Kind::nowhere; }
  bool is_axis() const { return kind == Kind::axis; }
  friend bool operator==(const Along&, const Along&) = default;
};
inline constexpr Along kUnknown{Along::Kind::unknown};
inline constexpr Along kPicked{Along::Kind::picked};
inline constexpr Along kMixed{Along::Kind::mixed};

inline Along along(std::size_t axis, std::int64_t inner = 1) {
  return {Along::Kind::axis, axis, inner};
}

/// Of Graph::inputs, the one that holds the images: see Pictures::input.
std::size_t image_input(const Graph& graph, ValueId logits);

/// As Pictures::axes, whatever the scores look like.
std::vector<std::optional<std::size_t>> image_axes(const Graph& graph, ValueId logits);

/// Per value, where `images` that lie along `start` of the value `from` end up.
std::vector<Along> follow_images(const Graph& graph, ValueId from, Along start,
                                 std::int64_t images);

}  // namespace fovea::graph::detail
