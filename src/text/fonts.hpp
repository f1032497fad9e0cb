#pragma once

#include <cstddef>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>

/// The fonts that text may be drawn with.
namespace fovea::text {

/// In the place of a font: none has a character.
inline constexpr std::size_t kNoFont = std::numeric_limits<std::size_t>::max();

/// In the order in which they are tried. Immutable, so any thread may use one; copies share.
class Fonts {
 public:
  /// Those of fontconfig's configuration, a sans-serif font first; looked up once in a process, the
  /// first time that it is asked for. Empty where no font is installed.
  static const Fonts& installed();
  /// Exactly these files, in this order; what is no font is left out.
  static Fonts of_files(std::span<const std::filesystem::path> files);

  std::size_t size() const;
  const std::string& file(std::size_t font) const;
  int index(std::size_t font) const;      ///< of the face within its file
  bool coloured(std::size_t font) const;  ///< its glyphs are pictures of their own colours
  bool has(std::size_t font, char32_t code) const;

 private:
  struct Impl;
  explicit Fonts(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fovea::text
