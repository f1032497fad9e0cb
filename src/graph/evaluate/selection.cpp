#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "graph/evaluate/evaluate.hpp"
#include "graph/evaluate/non_max_suppression.hpp"

namespace fovea::graph::detail {
namespace {

struct Box {
  float top, left, bottom, right;
  float area() const { return (bottom - top) * (right - left); }
};

Box box_of(const NonMaxSuppression& op, const float* x) {
  if (op.from_centers) return {x[1] - x[3] / 2, x[0] - x[2] / 2, x[1] + x[3] / 2, x[0] + x[2] / 2};
  return {std::min(x[0], x[2]), std::min(x[1], x[3]), std::max(x[0], x[2]), std::max(x[1], x[3])};
}

bool overlap(const Box& a, const Box& b, float most) {
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (!(height > 0 && width > 0)) return false;
  const float shared = height * width, either = a.area() + b.area() - shared;
  return a.area() > 0 && b.area() > 0 && either > 0 && shared / either > most;
}

/// The boxes of one class, the best first; of equal scores the first.
std::vector<std::int64_t> in_order(std::span<const float> scores, std::optional<float> least) {
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (least ? scores[i] > *least : !std::isnan(scores[i]))
      out.push_back(static_cast<std::int64_t>(i));
  std::stable_sort(out.begin(), out.end(), [&](std::int64_t a, std::int64_t b) {
    return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
  });
  return out;
}

}  // namespace

Ints non_max_suppression(const NonMaxSuppression& op, const Boxes& in) {
  Ints out;
  const auto& extents = in.scores->shape;
  const auto classes = extents[1];
  const auto count = static_cast<std::size_t>(extents[2]);
  const auto boxes = in.boxes->floats(), scores = in.scores->floats();
  for (std::int64_t row = 0; row < extents[0] * classes; ++row) {
    const auto image = static_cast<std::size_t>(row / classes);
    const auto own = scores.data.subspan(static_cast<std::size_t>(row) * count, count);
    std::vector<Box> kept;
    for (const auto index : in_order(own, in.least)) {
      if (static_cast<std::int64_t>(kept.size()) >= in.most) break;
      const auto at = (image * count + static_cast<std::size_t>(index)) * 4;
      const Box box = box_of(op, boxes.data.data() + at);
      const auto hides = [&](const Box& better) { return overlap(better, box, in.overlap); };
      if (std::any_of(kept.begin(), kept.end(), hides)) continue;
      kept.push_back(box);
      out.insert(out.end(), {row / classes, row % classes, index});
    }
  }
  return out;
}

namespace {

const Constant* given(const Inputs& in, std::size_t i) {
  return i < in.size() ? in[i] : nullptr;
}

}  // namespace

std::optional<Constant> evaluate_op(const NonMaxSuppression& op, const Inputs& in,
                                    const Shape& shape) {
  return Constant::of_ints(shape, non_max_suppression(op, boxes_of(in)));
}

Boxes boxes_of(const std::vector<const Constant*>& in) {
  Boxes out{in[0], in[1], 0, 0, {}};
  if (const auto* most = given(in, 2)) out.most = most->ints.front();
  if (const auto* overlap = given(in, 3)) out.overlap = overlap->floats().data.front();
  if (const auto* least = given(in, 4)) out.least = least->floats().data.front();
  return out;
}

}  // namespace fovea::graph::detail
