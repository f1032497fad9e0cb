#include <algorithm>

#include "explain/gradients.hpp"

namespace fovea::explain {

engine::ValueView BatchedGradients::gradient(const Context& context) {
  const auto images = static_cast<std::size_t>(context.batch);
  const auto row = static_cast<std::size_t>(context.row());
  const auto rows = static_cast<std::size_t>(net_.batch);
  const auto at_once = rows / images;
  if (!tail_) {
    std::vector<std::int64_t> of(rows);
    for (std::size_t i = 0; i < rows; ++i) of[i] = static_cast<std::int64_t>(i % images);
    tail_.emplace(context, net_, of);
    for (std::size_t n = 0; n < images; ++n) {
      const auto map = plain(feature_map(context), static_cast<std::int64_t>(n));
      for (std::size_t i = n; i < rows; i += images)
        std::copy(map.data.begin(), map.data.end(),
                  tail_->map(static_cast<std::int64_t>(i)).begin());
    }
    tail_->forward();
  }
  const auto first = target_ / at_once * at_once;
  if (ran_ != first) {
    // Rows that are left over have no seed.
    std::vector<float> seeds(rows * row);
    const auto begin = first * images, end = std::min(begin + rows, objectives_.size());
    for (std::size_t i = begin; i < end; ++i)
      objectives_[i].gradient(context.scores.subspan(i % images * row, row),
                              std::span(seeds).subspan((i - begin) * row, row));
    tail_->backward(seeds);
    ran_ = first;
  }
  auto view = net_.plan.gradient(net_.workspace, 0);
  view.data += static_cast<std::int64_t>((target_ - first) * images) * view.image_stride;
  view.shape[0] = context.batch;
  return view;
}

}  // namespace fovea::explain
