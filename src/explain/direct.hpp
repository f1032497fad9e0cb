#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace fovea::explain {

/// In the unit cube.
using Point = std::vector<double>;

struct Evaluation {
  Point at;
  double value;
};

/// Minimises a function over the unit cube: D. R. Jones, C. D. Perttunen, B. E. Stuckman,
/// "Lipschitzian Optimization Without the Lipschitz Constant", 1993, a rectangle's size being the
/// distance from its centre to a corner. As SciPy does (and so OpenVINO XAI), which rejects less
/// than the paper: divided is the best rectangle of each size that is better than all larger ones,
/// also where it lies above the convex hull; `epsilon`, relative to the least value, is asked of
/// those on the hull. Returns the first `evaluations` points in the order of
/// scipy.optimize.direct(locally_biased=False). The function is asked for several at a time.
std::vector<Evaluation> direct_search(
    std::size_t dimensions, std::size_t evaluations, double epsilon,
    const std::function<std::vector<double>(std::span<const Point>)>& function);

}  // namespace fovea::explain
