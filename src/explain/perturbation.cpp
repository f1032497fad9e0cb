#include "explain/perturbation.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "base/parallel.hpp"

namespace fovea::explain {
Needs perturbation_needs() {
  return {.inputs = true, .networks = {{.part = NetworkSpec::Part::full}}};
}

const Shape& perturbed_extents(const Context& context) {
  if (context.extents.empty())
    throw Error(ErrorCode::invalid_argument,
                "the input has no positions that could be hidden: it is no image",
                {"", context.input.name, ""});
  return context.extents;
}

Perturbation::Perturbation(Context& context, std::int64_t forwards)
    : context_(context),
      net_(context.network(NetworkSpec::Part::full)),
      call_(context.call),
      steps_(channel_steps(image_shape(context), perturbed_extents(context))),
      forwards_(forwards) {
  call_.step_ms = {};  // those of another plan
}

std::span<const float> Perturbation::image(std::int64_t image) const {
  return part_of(context_, context_.image_input, image);
}

void Perturbation::take(std::int64_t image) {
  if (taken_ == image) return;
  taken_ = image;
  inputs_.resize(context_.inputs.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto own = part_of(context_, i, image);
    inputs_[i].clear();
    const auto rows = net_.stacked[i] ? net_.batch : 1;
    inputs_[i].reserve(own.size() * static_cast<std::size_t>(rows));
    for (std::int64_t k = 0; k < rows; ++k)
      inputs_[i].insert(inputs_[i].end(), own.begin(), own.end());
  }
}

void Perturbation::rows(std::int64_t image, std::int64_t variants, const Fill& fill,
                        const Visit& visit) {
  take(image);
  auto& pictures = inputs_[context_.image_input];
  const auto size = pictures.size() / static_cast<std::size_t>(net_.batch);
  const auto row = static_cast<std::size_t>(context_.row());
  const std::vector<std::span<const float>> feeds(inputs_.begin(), inputs_.end());
  for (std::int64_t begin = 0; begin < variants; begin += net_.batch) {
    const auto count = std::min(net_.batch, variants - begin);
    for (std::int64_t k = 0; k < count; ++k)
      fill(begin + k, std::span(pictures).subspan(static_cast<std::size_t>(k) * size, size));
    net_.plan.forward(net_.workspace, feeds, call_);
    const auto all = net_.rows();
    for (std::int64_t k = 0; k < count; ++k)
      visit(begin + k, all.subspan(static_cast<std::size_t>(k) * row, row));
    done_ += count;
    report_progress(call_, done_, std::max(forwards_, done_));
  }
}

std::vector<double> Perturbation::scores(std::int64_t image, std::int64_t variants,
                                         const Fill& fill) {
  const auto& objective = context_.objectives[static_cast<std::size_t>(image)];
  std::vector<double> out;
  rows(image, variants, fill,
       [&](std::int64_t, std::span<const float> row) { out.push_back(objective.value(row)); });
  return out;
}

double Perturbation::score(std::int64_t image) {
  const auto own = this->image(image);
  return scores(image, 1, [&](std::int64_t, std::span<float> out) {
    std::copy(own.begin(), own.end(), out.begin());
  })[0];
}

void mix(std::span<const float> image, std::span<const float> baseline, std::span<const float> mask,
         const ChannelSteps& steps, std::span<float> out) {
  constexpr std::int64_t kGrain = 16384;
  base::parallel_for(steps.positions, kGrain, [&](std::int64_t begin, std::int64_t end) {
    const float* m = mask.data();
    for (std::int64_t c = 0; c < steps.channels; ++c) {
      const float* x = image.data() + c * steps.channel_step;
      const float* b = baseline.data() + c * steps.channel_step;
      float* to = out.data() + c * steps.channel_step;
      if (steps.position_step == 1) {
        for (auto p = begin; p < end; ++p) to[p] = x[p] * m[p] + b[p] * (1 - m[p]);
      } else {
        for (auto p = begin; p < end; ++p) {
          const auto at = p * steps.position_step;
          to[at] = x[at] * m[p] + b[at] * (1 - m[p]);
        }
      }
    }
  });
}

}  // namespace fovea::explain
