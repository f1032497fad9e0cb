#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/checked.hpp"
#include "engine/plan.hpp"
#include "fovea/tensor.hpp"
#include "graph/query.hpp"

namespace fovea::explain {

/// Windows of `size` in each extent, as windows.hpp's sliding_windows.
struct SlidingWindows {
  std::int64_t size = 0, stride = 0;
  friend auto operator<=>(const SlidingWindows&, const SlidingWindows&) = default;
};

/// How the network of what windows change is fed.
struct WindowPlan {
  /// Along one extent: a window, where the patch of the input that holds it begins, and what the
  /// network asks about it: [rows, 2], two numbers per row that go to the places
  /// [batch, rows, 2 extents], first those of each extent, then the second ones.
  struct Place {
    std::int64_t begin, end, patch;
    std::vector<float> rows;
  };
  std::vector<std::vector<Place>> axes;  ///< per extent of the input
  Shape patch;                           ///< extents
  std::int64_t rows = 0;
  std::vector<std::ptrdiff_t> known;  ///< per persistent value: a known map; -1: the input
};

/// A network beside the explainer's own forward pass: which part of the model, and in which form.
struct NetworkSpec {
  enum class Part {
    full,     ///< from the inputs to the scores, with nothing kept on the way
    rerun,    ///< the explainer's own plan, with all that it keeps, in a workspace apart
    tail,     ///< from the maps of a layer to the scores
    windows,  ///< of what windows over the image change, where that is less work
  };
  static constexpr std::size_t kParts = 4;

  Part part = Part::full;
  graph::ValueId from = {};     ///< of `tail`: the layer
  std::int64_t batch = 0;       ///< of `tail`: so many maps at once, where the file allows it
  bool gradient = false;        ///< of `tail`: of the scores, at every position of the layer
  bool few_positions = false;   ///< of `tail`: the maps are zero but at a few positions (a hint)
  SlidingWindows windows = {};  ///< of `windows`
  friend auto operator<=>(const NetworkSpec&, const NetworkSpec&) = default;

  /// Does a network of this spec answer whoever asked for `other`?
  bool serves(const NetworkSpec& other) const {
    return part == other.part && from == other.from && windows == other.windows &&
           (gradient || !other.gradient);
  }
};

/// What objectives read of the last run, a row per image, map or window: plans fetch it first.
inline std::span<const float> rows(const engine::Plan& plan, const engine::Workspace& workspace) {
  const auto view = plan.fetch(workspace, 0);
  return {view.data, static_cast<std::size_t>(base::element_count(view.shape))};
}

/// A network that was prepared, with a workspace on loan.
struct Network {
  const engine::Plan& plan;
  engine::Workspace& workspace;
  std::int64_t batch;                ///< images, maps or windows that it takes at once
  const std::vector<bool>& stacked;  ///< per input of the model: has it a row per image (or map)?
  bool reads_inputs = true;  ///< its feeds are (the maps, then) the model's inputs where it does
  const WindowPlan* windows = nullptr;  ///< of `windows`, whose feeds are patches and places
  const Network* known = nullptr;       ///< of `windows`: from the image to what they leave

  std::span<const float> rows() const { return explain::rows(plan, workspace); }
};

}  // namespace fovea::explain
