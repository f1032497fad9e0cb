#pragma once

#include <optional>
#include <span>
#include <vector>

#include "explain/method.hpp"
#include "explain/windows.hpp"

namespace fovea::explain {

/// As scores_by_window, by the network of what the windows change; none where there is none, or it
/// was not made for these windows.
std::optional<std::vector<double>> scores_by_changed_window(Context& context, std::int64_t image,
                                                            std::span<const float> cover,
                                                            std::span<const Window> windows);

/// What that allocates, but for what grows with the windows.
base::Size changed_window_bytes(const Context& context);

}  // namespace fovea::explain
