#include "explain/changed_windows.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "explain/network.hpp"
#include "explain/sizes.hpp"

namespace fovea::explain {
namespace {

using Place = WindowPlan::Place;
using Places = std::array<const Place*, 3>;  // null for extents in front that are missing

/// The windows' places; none where one is not among those of the plan.
std::optional<std::vector<Places>> placed(const WindowPlan& plan, std::span<const Window> windows) {
  std::vector<Places> out;
  const auto lead = 3 - plan.axes.size();
  for (const auto& window : windows) {
    auto& places = out.emplace_back(Places{});
    for (std::size_t d = 0; d < plan.axes.size(); ++d) {
      const auto begin = window.begin[lead + d], end = window.end[lead + d];
      const auto& axis = plan.axes[d];
      const auto found = std::find_if(axis.begin(), axis.end(), [&](const Place& place) {
        return place.begin == begin && place.end == end;
      });
      if (found == axis.end()) return std::nullopt;
      places[lead + d] = &*found;
    }
  }
  return out;
}

class Scorer {
 public:
  Scorer(Context& context, std::int64_t image, std::span<const float> cover)
      : context_(context),
        net_(context.network(NetworkSpec::Part::windows)),
        plan_(*net_.windows),
        extents_(as_three(context.extents)),
        patch_(as_three(plan_.patch)),
        cover_(cover),
        call_(context.call),
        image_index_(image) {
    call_.step_ms = {};  // those of another plan
    image_ = part_of(context, context.image_input, image);
    channels_ = std::ssize(image_) / (extents_[0] * extents_[1] * extents_[2]);
    patches_.resize(
        static_cast<std::size_t>(net_.batch * channels_ * patch_[0] * patch_[1] * patch_[2]));
    places_.resize(static_cast<std::size_t>(net_.batch * plan_.rows) * 2 * plan_.axes.size());
  }

  std::vector<double> scores(std::span<const Window> windows, std::span<const Places> places) {
    const double own = know();
    std::vector<double> out;
    const auto count = std::ssize(windows);
    for (std::int64_t begin = 0; begin < count; begin += net_.batch) {
      const auto some = std::min(net_.batch, count - begin);
      for (std::int64_t k = 0; k < some; ++k) {
        const auto i = static_cast<std::size_t>(begin + k);
        put_patch(k, windows[i], places[i]);
        put_places(k, places[i]);
      }
      net_.plan.forward(net_.workspace,
                        {{std::span<const float>(patches_), std::span<const float>(places_)}},
                        call_);
      for (std::int64_t k = 0; k < some; ++k) out.push_back(value(net_.rows(), k));
      tell_done(begin + some, count + 1);
    }
    out.push_back(own);
    tell_done(count + 1, count + 1);
    return out;
  }

 private:
  double value(std::span<const float> rows, std::int64_t index) const {
    const auto row = static_cast<std::size_t>(context_.row());
    return context_.objectives[static_cast<std::size_t>(image_index_)].value(
        rows.subspan(static_cast<std::size_t>(index) * row, row));
  }

  /// What no window changes; the score of the image itself.
  double know() {
    std::vector<float> images;
    for (std::int64_t n = 0; n < net_.known->batch; ++n)
      images.insert(images.end(), image_.begin(), image_.end());
    net_.known->plan.forward(net_.known->workspace, {{std::span<const float>(images)}}, call_);
    Shape shape = context_.input.shape;
    shape[0] = 1;
    const engine::ValueView input{image_.data(), shape, 1, std::ssize(image_)};
    for (std::size_t k = 0; k < plan_.known.size(); ++k) {
      const auto map = plan_.known[k];
      net_.plan.set_persistent(
          net_.workspace, k,
          map < 0 ? input
                  : net_.known->plan.map(net_.known->workspace, static_cast<std::size_t>(map)),
          0);
    }
    return value(net_.known->rows(), 0);
  }

  /// The image where the patch lies, and the cover where the window does.
  void put_patch(std::int64_t k, const Window& window, const Places& places) {
    Extents3 at{};
    for (std::size_t d = 0; d < 3; ++d) at[d] = places[d] != nullptr ? places[d]->patch : 0;
    float* out = patches_.data() + k * channels_ * patch_[0] * patch_[1] * patch_[2];
    const auto is_hidden = [&](std::size_t d, std::int64_t position) {
      return position >= window.begin[d] && position < window.end[d];
    };
    for (std::int64_t c = 0; c < channels_; ++c)
      for (auto z = at[0]; z < at[0] + patch_[0]; ++z)
        for (auto y = at[1]; y < at[1] + patch_[1]; ++y, out += patch_[2]) {
          const auto row = ((c * extents_[0] + z) * extents_[1] + y) * extents_[2];
          std::copy_n(image_.data() + row + at[2], patch_[2], out);
          if (is_hidden(0, z) && is_hidden(1, y))
            std::copy(cover_.data() + row + window.begin[2], cover_.data() + row + window.end[2],
                      out + window.begin[2] - at[2]);
        }
  }

  void put_places(std::int64_t k, const Places& places) {
    const auto rows = static_cast<std::size_t>(plan_.rows);
    float* out = places_.data() + static_cast<std::size_t>(k) * rows * 2 * plan_.axes.size();
    for (std::size_t row = 0; row < rows; ++row)
      for (const std::size_t which : {std::size_t{0}, std::size_t{1}})
        for (const auto* place : places)
          if (place != nullptr) *out++ = place->rows[2 * row + which];
  }

  void tell_done(std::int64_t done, std::int64_t each) const {
    report_progress(call_, image_index_ * each + done, each * context_.batch);
  }

  Context& context_;
  const Network& net_;
  const WindowPlan& plan_;
  Extents3 extents_, patch_;
  std::span<const float> cover_, image_;
  CallOptions call_;
  std::int64_t image_index_, channels_ = 1;
  std::vector<float> patches_, places_;
};

}  // namespace

std::optional<std::vector<double>> scores_by_changed_window(Context& context, std::int64_t image,
                                                            std::span<const float> cover,
                                                            std::span<const Window> windows) {
  const auto* net = context.find(NetworkSpec::Part::windows);
  if (net == nullptr) return std::nullopt;
  const auto places = placed(*net->windows, windows);
  if (!places) return std::nullopt;
  return Scorer(context, image, cover).scores(windows, *places);
}

base::Size changed_window_bytes(const Context& context) {
  const auto* net = context.find(NetworkSpec::Part::windows);
  if (net == nullptr) return 0;
  const auto& plan = *net->windows;
  const Sizes s(context);
  base::Size patch = base::Size(s.input.n / s.pixels.n), rows = plan.rows;
  for (const auto extent : plan.patch) patch = patch * extent;
  rows = rows * (2 * std::ssize(plan.axes));
  return (base::Size(net->batch) * (patch + rows) +
          base::Size(net->known->batch) * s.input * kGrown) *
         kFloat;
}

}  // namespace fovea::explain
