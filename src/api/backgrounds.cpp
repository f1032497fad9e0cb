#include "api/backgrounds.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/checked.hpp"
#include "base/size.hpp"

namespace fovea::api {

explain::Background run_background(const BackgroundRequest& request, engine::Workspace& workspace,
                                   Tensor images, const CallOptions& call) {
  const auto count = images.shape[0];
  const auto bytes = [&](base::Size floats) { return floats * base::Size(sizeof(float)); };
  const auto size_of_all = static_cast<std::int64_t>(images.data.size());
  const base::Size each = request.plan.reference_bytes();
  const auto what = "a background of " + std::to_string(count) + " images, " +
                    std::to_string(each.n) + " bytes each,";
  base::Reservation reservation(
      request.budget, (each * count + bytes(base::Size(request.row) * (3 * count) + size_of_all)).n,
      what);
  const base::Reservation repeats(request.budget,
                                  bytes(base::Size(size_of_all / count) * request.batch).n, what);
  explain::Background out;
  out.reservation = std::move(reservation);
  const auto size = images.data.size() / static_cast<std::size_t>(count);
  std::vector<float> repeated(size * static_cast<std::size_t>(request.batch));
  std::vector<std::span<const float>> feeds(request.inputs.empty() ? 1 : 0);
  for (const auto& input : request.inputs) feeds.emplace_back(input.data);
  feeds[request.image_input] = repeated;
  for (std::int64_t i = 0; i < count; ++i) {
    const float* image = images.data.data() + static_cast<std::size_t>(i) * size;
    for (std::size_t n = 0; n < repeated.size(); n += size)
      std::copy_n(image, size, repeated.begin() + static_cast<std::ptrdiff_t>(n));
    request.plan.forward(workspace, feeds, call);
    const auto first =
        explain::rows(request.plan, workspace).first(static_cast<std::size_t>(request.row));
    out.scores.insert(out.scores.end(), first.begin(), first.end());
    out.references.push_back(request.plan.save_references(workspace));
  }
  out.images = std::move(images);
  return out;
}

void refuse_to_compare(const explain::Entry& entry, std::size_t inputs) {
  throw Error(ErrorCode::unsupported, entry.info.title + " compares images: the model has " +
                                          std::to_string(inputs) + " inputs, where one is needed");
}

const explain::Background* find_background(std::span<const explain::Background> known,
                                           const Tensor& images) {
  const auto it = std::find_if(known.begin(), known.end(), [&](const auto& one) {
    return one.images.shape == images.shape && one.images.data == images.data;
  });
  return it == known.end() ? nullptr : &*it;
}

}  // namespace fovea::api
