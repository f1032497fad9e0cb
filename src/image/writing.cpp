#include "image/writing.hpp"

#include <algorithm>
#include <cstdint>

#include "text/code_points.hpp"

namespace fovea::image {
namespace {

constexpr std::size_t kNamed = 5;  // characters in a warning, at most

std::string hexadecimal(char32_t code) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string out;
  for (auto rest = static_cast<std::uint32_t>(code); rest != 0 || out.size() < 4; rest >>= 4)
    out.insert(out.begin(), kDigits[rest & 15]);
  return out;
}

}  // namespace

Writer::Writer(int size) : typesetter_(text::Fonts::installed(), size) {}

void Writer::write(const text::Paragraph& paragraph, Image& picture, int x, int y) const {
  const text::Canvas canvas{picture.rgb.data(), picture.width, picture.height};
  typesetter_.draw(paragraph, {0, 0, 0}, canvas, x, y);
}

std::vector<std::string> Writer::warnings() const {
  const auto& missing = typesetter_.missing();
  if (missing.empty()) return {};
  if (text::Fonts::installed().size() == 0)
    return {"no font is installed: the text of pictures is drawn as boxes"};
  std::string out = "no installed font has ";
  for (std::size_t i = 0; i < std::min(missing.size(), kNamed); ++i)
    out +=
        (i == 0 ? "U+" : ", U+") + hexadecimal(missing[i]) + " (" + text::encoded(missing[i]) + ")";
  if (missing.size() > kNamed)
    out += " and " + std::to_string(missing.size() - kNamed) + " other characters";
  return {out + ": drawn as a box"};
}

}  // namespace fovea::image
