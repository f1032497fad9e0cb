#include <algorithm>

#include "base/checked.hpp"
#include "explain/gradients.hpp"

namespace fovea::explain {
namespace {

using engine::ValueView;

/// Floats from the first of a view's images to the end of its last.
std::int64_t floats_in(const ValueView& view) {
  if (view.shape.empty()) return 1;
  std::int64_t one = 1;
  for (std::size_t d = 1; d < view.shape.size(); ++d)
    one *= d == 1 ? (view.shape[1] + view.block - 1) / view.block * view.block : view.shape[d];
  return (view.shape[0] - 1) * view.image_stride + one;
}

}  // namespace

std::optional<ValueView> JoinedGradients::gradient(Context& context, const Layer& layer,
                                                   const Gradient& which) {
  Gradient joined = which;
  joined.seeds = most_;
  const auto found = layer.gradients.find(joined);
  if (found == layer.gradients.end()) return std::nullopt;
  const auto index = found->second, most = static_cast<std::size_t>(most_);
  auto& part = parts_[index];
  if (target_ < part.first || target_ >= part.last) {
    const auto images = static_cast<std::size_t>(context.batch);
    const auto first = target_ / most * most;
    const auto last = std::min(first + most, objectives_.size() / images);
    // What takes all seeds at once would take as long for a few.
    if (2 * (last - first) < most || last - first == 1) return std::nullopt;
    const auto row = static_cast<std::size_t>(context.row());
    std::vector<float> seeds((last - first) * images * row);
    for (std::size_t i = 0; i < (last - first) * images; ++i)
      objectives_[first * images + i].gradient(context.scores.subspan(i % images * row, row),
                                               std::span(seeds).subspan(i * row, row));
    run_backward(context, index, seeds);
    part = {first, last, {}, {}};
    in_workspace_ = index;
  }
  if (in_workspace_ == index)
    return context.plan.gradient(context.workspace, index, target_ - part.first);
  ValueView view = part.view;
  view.data =
      part.kept.data() + (target_ - part.first) * part.kept.size() / (part.last - part.first);
  return view;
}

void JoinedGradients::keep(const Context& context) {
  if (!in_workspace_) return;
  auto& part = parts_.at(*in_workspace_);
  for (auto target = part.first; target < part.last; ++target) {
    part.view = context.plan.gradient(context.workspace, *in_workspace_, target - part.first);
    part.kept.insert(part.kept.end(), part.view.data, part.view.data + floats_in(part.view));
  }
  in_workspace_.reset();
}

}  // namespace fovea::explain
