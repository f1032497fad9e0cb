#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "base/checked.hpp"
#include "image/codec.hpp"

namespace fovea::image {
namespace {

// The file as libtiff reads it: by offset, never written.
struct Source {
  Bytes bytes;
  std::uint64_t at = 0;
};

tmsize_t read(thandle_t handle, void* to, tmsize_t size) {
  auto& source = *static_cast<Source*>(handle);
  if (size <= 0 || source.at >= source.bytes.size()) return 0;
  const auto left = source.bytes.size() - static_cast<std::size_t>(source.at);
  const auto count = std::min(left, static_cast<std::size_t>(size));
  std::memcpy(to, source.bytes.data() + source.at, count);
  source.at += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t refuse_write(thandle_t /*handle*/, void* /*from*/, tmsize_t /*size*/) {
  return 0;
}

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto& source = *static_cast<Source*>(handle);
  if (whence == SEEK_CUR) offset += source.at;
  if (whence == SEEK_END) offset += source.bytes.size();
  source.at = offset;
  return offset;
}

int close(thandle_t /*handle*/) {
  return 0;
}

toff_t size_of(thandle_t handle) {
  return static_cast<Source*>(handle)->bytes.size();
}

int silent(TIFF* /*file*/, void* /*data*/, const char* /*module*/, const char* /*format*/,
           va_list /*arguments*/) {
  return 1;
}

struct Close {
  void operator()(TIFF* file) const { TIFFClose(file); }
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};
using File = std::unique_ptr<TIFF, Close>;

File open(Source& source) {
  // What a file's own numbers may make libtiff take at once.
  constexpr tmsize_t kMaxAtOnce = tmsize_t{1} << 29;
  const std::unique_ptr<TIFFOpenOptions, Close> options(TIFFOpenOptionsAlloc());
  if (!options) throw std::bad_alloc();
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAtOnce);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), silent, nullptr);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), silent, nullptr);
  // "m": read as a stream, not mapped.
  return File(TIFFClientOpenExt("", "rm", &source, read, refuse_write, seek, close, size_of,
                                nullptr, nullptr, options.get()));
}

Error damaged() {
  return bad_image("the TIFF is damaged or cut off");
}

// What the first directory says of its pixels.
struct Kind {
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT;
  std::uint16_t photometric = PHOTOMETRIC_MINISBLACK, planar = PLANARCONFIG_CONTIG;
  std::uint16_t compression = COMPRESSION_NONE;

  bool colours() const { return photometric == PHOTOMETRIC_RGB; }
  bool apart() const { return planar == PLANARCONFIG_SEPARATE && samples > 1; }
  // Bytes of one pixel as they are stored side by side.
  std::size_t pixel() const { return std::size_t{bits} / 8 * (apart() ? 1 : samples); }
};

Kind kind_of(TIFF* file) {
  Kind out;
  if (TIFFGetField(file, TIFFTAG_IMAGEWIDTH, &out.width) == 0 ||
      TIFFGetField(file, TIFFTAG_IMAGELENGTH, &out.height) == 0)
    throw damaged();
  check_declared(out.width, out.height);
  TIFFGetFieldDefaulted(file, TIFFTAG_BITSPERSAMPLE, &out.bits);
  TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLESPERPIXEL, &out.samples);
  TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLEFORMAT, &out.format);
  TIFFGetFieldDefaulted(file, TIFFTAG_PLANARCONFIG, &out.planar);
  TIFFGetFieldDefaulted(file, TIFFTAG_COMPRESSION, &out.compression);
  TIFFGetFieldDefaulted(file, TIFFTAG_PHOTOMETRIC, &out.photometric);
  const auto unsupported = [](const std::string& what, int value) {
    return bad_image("the TIFF has " + what + " " + std::to_string(value) + ", which is not read");
  };
  if (out.bits != 8 && out.bits != 16) throw unsupported("bits per sample:", out.bits);
  if (out.format != SAMPLEFORMAT_UINT) throw unsupported("samples of format", out.format);
  switch (out.compression) {
    case COMPRESSION_NONE:
    case COMPRESSION_LZW:
    case COMPRESSION_PACKBITS:
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE:
      break;
    default:
      throw unsupported("the compression", out.compression);
  }
  const bool palette = out.photometric == PHOTOMETRIC_PALETTE;
  const bool grey =
      out.photometric == PHOTOMETRIC_MINISBLACK || out.photometric == PHOTOMETRIC_MINISWHITE;
  if (!out.colours() && !grey && !(palette && out.bits == 8))
    throw unsupported("the photometric interpretation", out.photometric);
  const int least = out.colours() ? 3 : 1;
  if (out.samples < least || out.samples > least + 1)
    throw unsupported("samples per pixel:", out.samples);
  return out;
}

// Puts the stored pixels of one strip, tile or plane into the picture.
class Writer {
 public:
  Writer(TIFF* file, const Kind& kind, Image& image) : kind_(kind), image_(image) {
    if (kind.photometric != PHOTOMETRIC_PALETTE) return;
    std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
    if (TIFFGetField(file, TIFFTAG_COLORMAP, &red, &green, &blue) == 0) throw damaged();
    for (const auto* levels : {red, green, blue})
      for (int i = 0; i < 256; ++i) palette_.push_back(static_cast<std::uint8_t>(levels[i] >> 8));
  }

  // `stride` bytes from row to row; `plane` where planes lie apart.
  void put(const std::vector<std::uint8_t>& from, std::size_t stride, std::uint32_t x0,
           std::uint32_t y0, std::uint32_t columns, std::uint32_t rows, std::uint32_t plane) {
    for (std::uint32_t y = 0; y < rows; ++y) {
      const std::uint8_t* pixel = from.data() + y * stride;
      std::uint8_t* to = image_.rgb.data() + 3 * (std::size_t{y0 + y} * kind_.width + x0);
      for (std::uint32_t x = 0; x < columns; ++x, pixel += kind_.pixel(), to += 3) {
        if (!kind_.colours())
          grey(level(pixel, 0), to);
        else if (kind_.apart())
          to[plane] = level(pixel, 0);
        else
          for (std::size_t c = 0; c < 3; ++c) to[c] = level(pixel, c);
      }
    }
  }

 private:
  // The high byte of a sample; libtiff has brought 16 bits into this machine's order.
  std::uint8_t level(const std::uint8_t* pixel, std::size_t sample) const {
    if (kind_.bits == 8) return pixel[sample];
    std::uint16_t value = 0;
    std::memcpy(&value, pixel + 2 * sample, sizeof value);
    return static_cast<std::uint8_t>(value >> 8);
  }

  void grey(std::uint8_t value, std::uint8_t* to) const {
    if (kind_.photometric == PHOTOMETRIC_MINISWHITE) value = static_cast<std::uint8_t>(255 - value);
    for (std::size_t c = 0; c < 3; ++c)
      to[c] = palette_.empty() ? value : palette_[256 * c + value];
  }

  const Kind& kind_;
  Image& image_;
  std::vector<std::uint8_t> palette_;
};

std::vector<std::uint8_t> buffer(std::uint32_t columns, std::uint32_t rows, const Kind& kind) {
  const std::int64_t shape[] = {columns, rows, static_cast<std::int64_t>(kind.pixel())};
  return std::vector<std::uint8_t>(
      static_cast<std::size_t>(base::element_count(shape, ErrorCode::bad_input)));
}

void read_strips(TIFF* file, const Kind& kind, std::uint32_t planes, Writer& writer) {
  std::uint32_t rows = 0;
  TIFFGetFieldDefaulted(file, TIFFTAG_ROWSPERSTRIP, &rows);
  rows = std::min(rows, kind.height);
  if (rows == 0) throw damaged();
  const std::size_t stride = kind.width * kind.pixel();
  auto bytes = buffer(kind.width, rows, kind);
  for (std::uint32_t plane = 0; plane < planes; ++plane)
    for (std::uint32_t y = 0; y < kind.height; y += rows) {
      const std::uint32_t count = std::min(rows, kind.height - y);
      const auto size = static_cast<tmsize_t>(stride * count);
      const auto strip = TIFFComputeStrip(file, y, static_cast<std::uint16_t>(plane));
      if (TIFFReadEncodedStrip(file, strip, bytes.data(), size) != size) throw damaged();
      writer.put(bytes, stride, 0, y, kind.width, count, plane);
    }
}

void read_tiles(TIFF* file, const Kind& kind, std::uint32_t planes, Writer& writer) {
  std::uint32_t columns = 0, rows = 0;
  TIFFGetField(file, TIFFTAG_TILEWIDTH, &columns);
  TIFFGetField(file, TIFFTAG_TILELENGTH, &rows);
  check_declared(columns, rows);
  auto bytes = buffer(columns, rows, kind);
  const auto size = static_cast<tmsize_t>(bytes.size());
  for (std::uint32_t plane = 0; plane < planes; ++plane)
    for (std::uint32_t y = 0; y < kind.height; y += rows)
      for (std::uint32_t x = 0; x < kind.width; x += columns) {
        const auto tile = TIFFComputeTile(file, x, y, 0, static_cast<std::uint16_t>(plane));
        if (TIFFReadEncodedTile(file, tile, bytes.data(), size) != size) throw damaged();
        writer.put(bytes, columns * kind.pixel(), x, y, std::min(columns, kind.width - x),
                   std::min(rows, kind.height - y), plane);
      }
}

}  // namespace

Image decode_tiff(Bytes bytes, int& orientation) {
  Source source{bytes};
  const File file = open(source);
  if (!file) throw damaged();
  const Kind kind = kind_of(file.get());
  Image image = allocate_image(kind.width, kind.height);
  Writer writer(file.get(), kind, image);
  const std::uint32_t planes = !kind.apart() ? 1 : kind.colours() ? 3 : 1;
  if (TIFFIsTiled(file.get()) != 0)
    read_tiles(file.get(), kind, planes, writer);
  else
    read_strips(file.get(), kind, planes, writer);
  std::uint16_t turned = 1;
  TIFFGetFieldDefaulted(file.get(), TIFFTAG_ORIENTATION, &turned);
  orientation = turned;
  return image;
}

}  // namespace fovea::image
