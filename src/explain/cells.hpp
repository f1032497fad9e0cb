#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "explain/perturbation.hpp"
#include "explain/row.hpp"

/// The cells of a grid over the image as the players that LIME and Kernel SHAP hide and show.
namespace fovea::explain {

/// Which cells are shown: 1 or 0 each.
using Coalition = std::vector<double>;

/// Rectangles of (nearly) equal size: the position p of an extent lies in cell p cells / extent.
class Cells {
 public:
  /// `side`: how many in each extent. Throws Error invalid_argument where an extent has fewer
  /// positions, or where they are too many together.
  Cells(const Shape& extents, std::int64_t side);

  std::size_t count() const { return count_; }
  /// Each position's value of its cell.
  Tensor spread(std::span<const double> values) const;
  /// out = image where its cell is shown, cover elsewhere.
  void show(const Coalition& shown, std::span<const float> image, std::span<const float> cover,
            const ChannelSteps& steps, std::span<float> out) const;

 private:
  Shape extents_;
  std::size_t count_;
  std::vector<std::int32_t> cell_;  ///< of each position
};

/// Throws Error invalid_argument for values other than 0 and 1.
void check_coalitions(const Tensor& given);

/// The given coalitions [samples, cells], else null.
template <class M>
const Tensor* given_coalitions(const Chosen<M>& method, const Cells& cells) {
  const auto* given = method.given(&M::given_masks, {-1, static_cast<std::int64_t>(cells.count())});
  if (given != nullptr) check_coalitions(*given);
  return given;
}
Coalition coalition_of(const Tensor& given, std::int64_t sample);

/// Cells, so many a `side`, so many coalitions of them with their scores, the equations, the map.
base::Size coalition_bytes(const Context& context, base::Size side, base::Size coalitions);

}  // namespace fovea::explain
