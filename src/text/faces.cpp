#include "text/faces.hpp"

#include <algorithm>
#include <utility>

#include "text/code_points.hpp"

namespace fovea::text {

Faces::Faces(Fonts fonts, int size) : fonts_(std::move(fonts)), size_(size), slots_(fonts_.size()) {
  for (std::size_t i = 0; i < slots_.size() && ordinary_ == kNoFont; ++i)
    if (!fonts_.coloured(i) && usable(i)) ordinary_ = i;
}

bool Faces::usable(std::size_t font) {
  auto& slot = slots_[font];
  if (!slot.tried) slot.face = Face::open(library_, fonts_, font, size_);
  slot.tried = true;
  return slot.face != nullptr;
}

std::size_t Faces::find(std::u32string_view cluster, bool coloured_only) {
  const auto has_all = [&](std::size_t font) {
    return std::all_of(cluster.begin(), cluster.end(),
                       [&](char32_t code) { return is_ignorable(code) || fonts_.has(font, code); });
  };
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if ((!coloured_only || fonts_.coloured(i)) && has_all(i) && usable(i)) return i;
  return kNoFont;
}

std::size_t Faces::find(std::u32string_view cluster) {
  constexpr char32_t kAsText = 0xFE0E, kAsPicture = 0xFE0F;
  const auto contains = [&](char32_t code) {
    return cluster.find(code) != std::u32string_view::npos;
  };
  if (!contains(kAsText) && (contains(kAsPicture) || is_pictograph(cluster.front())))
    if (const auto font = find(cluster, true); font != kNoFont) return font;
  return find(cluster, false);
}

}  // namespace fovea::text
