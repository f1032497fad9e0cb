#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/budget.hpp"
#include "engine/plan.hpp"
#include "explain/method.hpp"

/// Runs on the images that an explanation compares with.
namespace fovea::api {

struct BackgroundRequest {
  const engine::Plan& plan;
  std::int64_t batch;
  std::int64_t row;  ///< numbers that targets read of an image
  base::Budget& budget;
  /// Of the model; the image's values are replaced by the background's, the others stay. Empty
  /// where the image is the only one.
  std::span<const Tensor> inputs;
  std::size_t image_input;  ///< which of them holds the image
};

/// One forward per image. Throws Error out_of_memory where the budget has no room for what the
/// backward passes read of them.
explain::Background run_background(const BackgroundRequest& request, engine::Workspace& workspace,
                                   Tensor images, const CallOptions& call);

/// Throws Error unsupported: the method compares images, and the model has so many inputs.
[[noreturn]] void refuse_to_compare(const explain::Entry& entry, std::size_t inputs);

/// The one with the same images, or null.
const explain::Background* find_background(std::span<const explain::Background> known,
                                           const Tensor& images);

}  // namespace fovea::api
