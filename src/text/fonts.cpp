#include "text/fonts.hpp"

#include <fontconfig/fontconfig.h>

#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea::text {
namespace {

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* object) const { destroy(object); }
};
using Config = std::unique_ptr<FcConfig, Destroy<FcConfig, FcConfigDestroy>>;
using Pattern = std::unique_ptr<FcPattern, Destroy<FcPattern, FcPatternDestroy>>;
using FontSet = std::unique_ptr<FcFontSet, Destroy<FcFontSet, FcFontSetDestroy>>;
using CharSet = std::unique_ptr<FcCharSet, Destroy<FcCharSet, FcCharSetDestroy>>;

const FcChar8* chars(const char* text) {
  return reinterpret_cast<const FcChar8*>(text);
}

template <class T>
T allocated(T object) {
  if (!object) throw std::bad_alloc();
  return object;
}

struct Entry {
  std::string file;
  int index = 0;
  bool coloured = false;
  CharSet covers;
};

bool flag(const FcPattern* pattern, const char* name) {
  FcBool value = FcFalse;
  return FcPatternGetBool(pattern, name, 0, &value) == FcResultMatch && value != FcFalse;
}

// What a font's pattern says; nothing of one that is neither outlines nor coloured pictures, or
// that is in no OpenType file, which is all that HarfBuzz reads.
bool read(const FcPattern* pattern, Entry& out) {
  FcChar8 *file = nullptr, *format = nullptr;
  FcCharSet* covers = nullptr;
  if (FcPatternGetString(pattern, FC_FILE, 0, &file) != FcResultMatch ||
      FcPatternGetString(pattern, FC_FONTFORMAT, 0, &format) != FcResultMatch ||
      FcPatternGetCharSet(pattern, FC_CHARSET, 0, &covers) != FcResultMatch)
    return false;
  const std::string_view kind = reinterpret_cast<const char*>(format);
  if (kind != "TrueType" && kind != "CFF") return false;
  out.coloured = flag(pattern, FC_COLOR);
  if (!out.coloured && !flag(pattern, FC_OUTLINE)) return false;
  int index = 0;
  FcPatternGetInteger(pattern, FC_INDEX, 0, &index);
  // The upper half names an instance of a variable font, whose default is used.
  out.index = index & 0xFFFF;
  out.file = reinterpret_cast<const char*>(file);
  out.covers = CharSet(allocated(FcCharSetCopy(covers)));
  return true;
}

}  // namespace

struct Fonts::Impl {
  std::vector<Entry> entries;

  void add(const FcFontSet* set) {
    for (int i = 0; set != nullptr && i < set->nfont; ++i)
      if (Entry entry; read(set->fonts[i], entry)) entries.push_back(std::move(entry));
  }
};

const Fonts& Fonts::installed() {
  static const Fonts fonts = [] {
    auto out = std::make_shared<Impl>();
    // Unlike FcInitLoadConfigAndFonts, this says nothing on stderr where there is no configuration.
    const Config config(allocated(FcConfigCreate()));
    if (FcConfigParseAndLoad(config.get(), nullptr, FcFalse) == FcFalse ||
        FcConfigBuildFonts(config.get()) == FcFalse)
      return Fonts(std::move(out));
    const Pattern pattern(allocated(FcPatternCreate()));
    FcPatternAddString(pattern.get(), FC_FAMILY, chars("sans-serif"));
    FcConfigSubstitute(config.get(), pattern.get(), FcMatchPattern);
    FcDefaultSubstitute(pattern.get());
    auto result = FcResultNoMatch;
    const FontSet sorted(FcFontSort(config.get(), pattern.get(), FcTrue, nullptr, &result));
    out->add(sorted.get());
    return Fonts(std::move(out));
  }();
  return fonts;
}

Fonts Fonts::of_files(std::span<const std::filesystem::path> files) {
  auto out = std::make_shared<Impl>();
  const FontSet set(allocated(FcFontSetCreate()));
  for (const auto& file : files)
    FcFileScan(set.get(), nullptr, nullptr, nullptr, chars(file.c_str()), FcTrue);
  out->add(set.get());
  return Fonts(std::move(out));
}

std::size_t Fonts::size() const {
  return impl_->entries.size();
}
const std::string& Fonts::file(std::size_t font) const {
  return impl_->entries[font].file;
}
int Fonts::index(std::size_t font) const {
  return impl_->entries[font].index;
}
bool Fonts::coloured(std::size_t font) const {
  return impl_->entries[font].coloured;
}
bool Fonts::has(std::size_t font, char32_t code) const {
  return FcCharSetHasChar(impl_->entries[font].covers.get(), static_cast<FcChar32>(code)) !=
         FcFalse;
}

}  // namespace fovea::text
