#pragma once

namespace fovea::request {

/// Of the JSON. What a later fovea writes and this one would misread gets another number.
inline constexpr int kFormat = 1;

}  // namespace fovea::request
