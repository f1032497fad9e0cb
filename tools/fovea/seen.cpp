#include "seen.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "json_output.hpp"

namespace fovea::cli {
namespace {

/// An empty one at the corner where the network saw no pixel's centre.
Box seen_of(const SessionPhoto& photo) {
  return seen_box(photo.view, photo.pixels.width, photo.pixels.height).value_or(Box{});
}

double share_of(const Box& seen, const SessionPhoto& photo) {
  return static_cast<double>(seen.width) * static_cast<double>(seen.height) /
         (static_cast<double>(photo.pixels.width) * photo.pixels.height);
}

}  // namespace

std::string seen_text(const SessionPhoto& photo) {
  const auto seen = seen_of(photo);
  const auto share = share_of(seen, photo);
  if (share == 1) return "the whole photo";
  // Not quite all of it is not all of it.
  return "the middle " + percent_text(std::min(share, 0.99)) + " of the photo (" +
         std::to_string(seen.width) + " x " + std::to_string(seen.height) + " from column " +
         std::to_string(seen.x) + ", row " + std::to_string(seen.y) + ")";
}

nlohmann::ordered_json seen_json(const SessionPhoto& photo) {
  const auto seen = seen_of(photo);
  return {{"x", seen.x},
          {"y", seen.y},
          {"width", seen.width},
          {"height", seen.height},
          {"share", share_of(seen, photo)}};
}

std::vector<std::string> sides_at_frame(const Box& box, const SessionPhoto& photo) {
  const auto seen = seen_of(photo);
  const auto right = seen.x + seen.width, bottom = seen.y + seen.height;
  std::vector<std::string> out;
  if (seen.x > 0 && box.x == seen.x) out.emplace_back("left");
  if (seen.y > 0 && box.y == seen.y) out.emplace_back("top");
  if (right < photo.pixels.width && box.x + box.width == right) out.emplace_back("right");
  if (bottom < photo.pixels.height && box.y + box.height == bottom) out.emplace_back("bottom");
  return out;
}

}  // namespace fovea::cli
